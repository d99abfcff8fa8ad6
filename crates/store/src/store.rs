//! The store: where closures become transactions.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::broadcast;

use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::stats::Counters;
use crate::{Database, Error, Notice, Options, Result, Scope, Stats, Tx, params};

/// How many notices may wait for a receiver that is slow to take them.
const NOTICES: usize = 1024;

/// A database. Clones share it; it closes with the last clone or by [`close`](Self::close).
///
/// The closures given to [`write`](Self::write), [`read`](Self::read) and [`lookup`](Self::lookup) are `Fn`
/// because a driver may run them again when the database reports a serialization failure. They must therefore
/// touch nothing but the transaction they are given; what they compute, they return.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    backend: Backend,
    counters: Arc<Counters>,
    news: broadcast::Sender<Notice>,
}

enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Which kind of database a store is on, for what cannot be said in one SQL text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Store {
    /// Opens the database and runs the migrations it lacks. An embedded one is locked for this process.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process uses an embedded one, [`Error::Unavailable`] when a server cannot be
    /// reached, [`Error::Newer`] and [`Error::Changed`] when the schema is not ours, [`Error::Migration`] when one
    /// fails, [`Error::Open`] for a file.
    pub fn open(options: &Options) -> Result<Self> {
        let counters = Arc::new(Counters::default());
        let news = broadcast::Sender::new(NOTICES);
        let backend = match &options.database {
            Database::Sqlite { path } => {
                Backend::Sqlite(Sqlite::open(path, options, Arc::clone(&counters))?)
            }
            Database::Postgres { url } => {
                Backend::Postgres(Postgres::open(url, options, Arc::clone(&counters), &news)?)
            }
        };
        Ok(Self(Arc::new(Inner {
            backend,
            counters,
            news,
        })))
    }

    /// Runs `work` in one transaction and answers when it is on disk. `scope` says what it may change.
    ///
    /// Once begun it runs to its end even if the returned future is dropped. When the queue is full this waits, up to
    /// [`Options::queue_wait`], then ends with [`Error::Busy`]. When the database server cannot be reached it ends
    /// with [`Error::Unavailable`].
    pub async fn write<R, E>(
        &self,
        scope: Scope,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let work = self.counted(work);
        match &self.0.backend {
            // One writer: everything happens one after the other anyway.
            Backend::Sqlite(sqlite) => sqlite.write(work).await,
            Backend::Postgres(postgres) => postgres.write(scope, work).await,
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
        let work = self.counted(work);
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.read(work).await,
            Backend::Postgres(postgres) => postgres.read(work).await,
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
        let work = self.counted(work);
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.lookup(work).await,
            Backend::Postgres(postgres) => postgres.lookup(work).await,
        }
    }

    /// Whether the database answers and the writer takes work.
    pub async fn ping(&self) -> Result<()> {
        self.lookup(|tx| tx.query("SELECT 1", &params![]).map(drop))
            .await?;
        self.write(Scope::of(""), |_| Ok(())).await
    }

    /// The time in microseconds since 1970 UTC by the clock that all processes on this database share; see [`Tx::now`].
    pub async fn now(&self, here: i64) -> Result<i64> {
        self.lookup(move |tx| tx.now(here)).await
    }

    /// Tells the other processes on this database something, at most 7,999 bytes long: fire and forget.
    ///
    /// It goes out within 20 ms, and the same thing at most once in that time. Delivery is best effort: when the
    /// database server cannot be reached it is dropped sooner or later, so whoever relies on being told polls beside
    /// it, more rarely. This process does not hear itself, and on an embedded database there is nobody else: nothing
    /// happens.
    ///
    /// Say it after the write that it is about has been acknowledged.
    pub fn notify(&self, payload: String) {
        match &self.0.backend {
            Backend::Sqlite(_) => {}
            Backend::Postgres(postgres) => postgres.notify(payload),
        }
    }

    /// What the other processes say with [`notify`](Self::notify) from now on.
    ///
    /// [`Notice::Missed`] comes when the connection was lost, again when there is a new one, and when the first has
    /// been made: what was said meanwhile is not known. A receiver that falls behind is told so by
    /// `RecvError::Lagged`, which means the same. The channel stays silent on an embedded database.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        let receiver = self.0.news.subscribe();
        if let Backend::Postgres(postgres) = &self.0.backend {
            postgres.listen();
        }
        receiver
    }

    /// Checks that each of `(name, text)` is a statement the migrated database accepts; for a test over every
    /// statement.
    ///
    /// # Errors
    /// The name of the first that is not, and why.
    pub fn prepare_all(&self, statements: &[(&str, &str)]) -> Result<(), (String, Error)> {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.prepare_all(statements),
            Backend::Postgres(postgres) => postgres.prepare_all(statements),
        }
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.stats(),
            Backend::Postgres(postgres) => postgres.stats(),
        }
    }

    /// Finishes the writes already accepted and closes the database; of an embedded one the log is carried over into
    /// the file first. Other clones answer [`Error::Closed`] from now on. Dropping the last clone does the same.
    pub fn close(self) {
        match &self.0.backend {
            Backend::Sqlite(sqlite) => sqlite.close(),
            Backend::Postgres(postgres) => postgres.close(),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match &self.0.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    fn counted<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static {
        let counters = Arc::clone(&self.0.counters);
        move |tx| {
            let outcome = work(tx);
            counters.statements.fetch_add(tx.statements(), Relaxed);
            outcome
        }
    }
}
