//! The embedded driver: one thread that writes in groups, and pooled connections that read snapshots.

pub mod backup;
mod checkpoint;
mod conflict;
mod connection;
mod migrations;
mod readers;
mod session;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::stats::Counters;
use crate::{Error, Options, Result, Stats, Tx};

use self::checkpoint::Checkpoints;
use self::connection::Opener;
use self::readers::Readers;
use self::writer::Writer;

pub(crate) use self::session::Session;

/// An open SQLite database.
pub(crate) struct Sqlite {
    writer: Writer,
    scans: Arc<Readers>,
    lookups: Arc<Readers>,
    opener: Opener,
    counters: Arc<Counters>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: &Options, counters: Arc<Counters>) -> Result<Self> {
        let lock = lock(path)?;
        create_private(path)?;
        migrations::run(path, options.migrations, options.now)?;
        let (opener, connection) = Opener::start(path, options)?;
        let readers = |count| {
            let counters = Arc::clone(&counters);
            Readers::new(opener.clone(), count, options.queue_wait, counters)
        };
        let (scans, lookups) = (readers(options.readers), readers(options.lookups));
        let checkpoints = Checkpoints::start(
            opener.reader()?,
            [Arc::clone(&scans), Arc::clone(&lookups)],
            Arc::clone(&counters),
        )?;
        Ok(Self {
            writer: Writer::start(
                connection,
                lock,
                checkpoints,
                options,
                Arc::clone(&counters),
            )?,
            scans,
            lookups,
            opener,
            counters,
        })
    }

    pub(crate) async fn write<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.writer.run(work).await
    }

    pub(crate) async fn read<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let reader = self.scans.take().await?;
        let ran = tokio::task::spawn_blocking(move || reader.run(&work)).await;
        ran.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    pub(crate) async fn lookup<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        E: From<Error>,
    {
        self.lookups.take().await?.run(&work)
    }

    pub(crate) fn prepare_all(&self, statements: &[(&str, &str)]) -> Result<(), (String, Error)> {
        let failed = |name: &str, error| (name.to_string(), error);
        let session = self
            .opener
            .reader()
            .map_err(|error| failed("opening a reader", error))?;
        statements
            .iter()
            .try_for_each(|(name, sql)| session.prepare(sql).map_err(|error| failed(name, error)))
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot(self.writer.queued())
    }

    pub(crate) fn close(&self) {
        self.scans.close();
        self.lookups.close();
        self.writer.close();
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

/// How often the lock is tried, and the time between. A process that is just being started by one that had the lock has it
/// too, for the moment until it becomes another program.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Keeps a second server away from the file. SQLite's own locks would let two take turns, each with its own idea
/// of what is queued. The lock ends with the process, however that ends.
fn lock(database: &Path) -> Result<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let file = private()
        .open(&path)
        .map_err(|error| cannot_open(&path, &error))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(cannot_open(&path, &error)),
        }
    }
    Err(Error::Locked { path })
}

/// Makes the file before SQLite does, readable by its owner alone; SQLite gives its log the same mode.
fn create_private(path: &Path) -> Result<()> {
    private()
        .open(path)
        .map_err(|error| cannot_open(path, &error))
        .map(drop)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn cannot_open(path: &Path, error: &std::io::Error) -> Error {
    Error::Open {
        path: path.to_owned(),
        message: error.to_string(),
    }
}
