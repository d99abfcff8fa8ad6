//! The store: where closures become transactions.

use std::sync::Arc;

use crate::{Database, Error, Options, Result, Scope, Stats, Tx, params, sqlite::Sqlite};

/// A database. Clones share it; it closes with the last clone or by [`close`](Self::close).
///
/// The closures given to [`write`](Self::write), [`read`](Self::read) and [`lookup`](Self::lookup) are `Fn`
/// because a driver may run them again when the database reports a serialization failure. They must therefore
/// touch nothing but the transaction they are given; what they compute, they return.
#[derive(Clone)]
pub struct Store(Arc<Backend>);

enum Backend {
    Sqlite(Sqlite),
}

impl Store {
    /// Opens the database, takes its lock and runs the migrations it lacks.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process uses it, [`Error::Newer`] and [`Error::Changed`] when the schema is
    /// not ours, [`Error::Migration`] when one fails, [`Error::Open`] for the file itself.
    pub fn open(options: &Options) -> Result<Self> {
        let backend = match &options.database {
            Database::Sqlite { path } => Backend::Sqlite(Sqlite::open(path, options)?),
        };
        Ok(Self(Arc::new(backend)))
    }

    /// Runs `work` in one transaction and answers when it is on disk. `scope` says what it may change.
    ///
    /// Once begun it runs to its end even if the returned future is dropped. When the queue is full this waits, up
    /// to [`Options::queue_wait`], then ends with [`Error::Busy`].
    pub async fn write<R, E>(
        &self,
        scope: Scope,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.0 {
            // One writer: everything happens one after the other anyway.
            Backend::Sqlite(sqlite) => {
                let _ = scope;
                sqlite.write(work).await
            }
        }
    }

    /// Runs `work` on one consistent snapshot, away from the calling thread: for scans and whatever may take long.
    pub async fn read<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.read(work).await,
        }
    }

    /// Runs a few point reads on one consistent snapshot.
    ///
    /// The embedded driver does it on the calling thread: a handful of reads by key takes less time than waking
    /// another thread. Whatever grows with the size of the directory belongs in [`read`](Self::read).
    pub async fn lookup<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.lookup(work).await,
        }
    }

    /// Whether the database answers and the writer takes work.
    pub async fn ping(&self) -> Result<()> {
        self.lookup(|tx| tx.query("SELECT 1", &params![]).map(drop))
            .await?;
        self.write(Scope::of(""), |_| Ok(())).await
    }

    /// Checks that each of `(name, text)` is a statement the migrated database accepts; for a test over every statement.
    ///
    /// # Errors
    /// The name of the first that is not, and why.
    pub fn prepare_all(&self, statements: &[(&str, &str)]) -> Result<(), (String, Error)> {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.prepare_all(statements),
        }
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.stats(),
        }
    }

    /// Finishes the writes already accepted, carries the log over into the database file and closes it. Other
    /// clones answer [`Error::Closed`] from now on. Dropping the last clone does the same.
    pub fn close(self) {
        match &*self.0 {
            Backend::Sqlite(sqlite) => sqlite.close(),
        }
    }
}
