//! The driver for a PostgreSQL server: threads with one connection each, some that write in groups and some that read
//! snapshots. Any number of processes may use one database.

mod connection;
mod line;
mod locks;
mod migrations;
mod notices;
mod opener;
mod passfile;
mod readers;
mod schedule;
mod session;
mod statements;
mod tls;
mod trouble;
mod url;
mod values;
mod writer;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::stats::Counters;
use crate::{Error, Notice, Options, Result, Scope, Stats, Tx};

use self::notices::Notices;
use self::opener::{LONG, Opener, SHORT};
use self::readers::Readers;
use self::writer::Writer;

pub(crate) use self::session::Session;
pub use self::url::PostgresUrl;

/// An open PostgreSQL database.
pub(crate) struct Postgres {
    writer: Writer,
    scans: Arc<Readers>,
    lookups: Arc<Readers>,
    opener: Arc<Opener>,
    notices: Notices,
}

impl Postgres {
    pub(crate) fn open(
        url: &PostgresUrl,
        options: &Options,
        counters: Arc<Counters>,
        news: &broadcast::Sender<Notice>,
    ) -> Result<Self> {
        let opener = Arc::new(Opener::new(url, options, counters)?);
        let locks = apart(&opener, opener::FOREVER, |session| {
            migrations::run(session, options)
        })??;
        let readers = |count, patience| {
            Readers::new(Arc::clone(&opener), count, options.queue_wait, patience)
        };
        Ok(Self {
            writer: Writer::start(&opener, locks, options)?,
            scans: readers(options.readers, LONG),
            lookups: readers(options.lookups, SHORT),
            notices: Notices::new(Arc::clone(&opener), locks, news.clone()),
            opener,
        })
    }

    pub(crate) async fn write<R, E>(
        &self,
        scope: Scope,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.writer.run(scope, work).await
    }

    pub(crate) async fn read<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.scans.run(work).await
    }

    pub(crate) async fn lookup<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.lookups.run(work).await
    }

    pub(crate) fn prepare_all(&self, statements: &[(&str, &str)]) -> Result<(), (String, Error)> {
        let failed = |name: &str, error| (name.to_string(), error);
        let prepared = apart(&self.opener, SHORT, |session| {
            statements.iter().try_for_each(|(name, sql)| {
                session.prepare(sql).map_err(|error| failed(name, error))
            })
        });
        prepared.unwrap_or_else(|error| Err(failed("opening a connection", error)))
    }

    pub(crate) fn notify(&self, payload: String) {
        self.notices.say(payload);
    }

    pub(crate) fn listen(&self) {
        self.notices.start();
    }

    pub(crate) fn stats(&self) -> Stats {
        self.opener.counters.snapshot(self.writer.queued())
    }

    pub(crate) fn close(&self) {
        self.scans.close();
        self.lookups.close();
        self.notices.close();
        self.writer.close();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.close();
    }
}

/// Runs `work` on a connection and a thread of its own: the caller may be part of a runtime, which must not wait in
/// another.
fn apart<R: Send>(
    opener: &Opener,
    patience: Duration,
    work: impl FnOnce(&mut Session) -> R + Send,
) -> Result<R> {
    let run = || {
        let runtime = opener::runtime()?;
        let mut session = opener.open(&runtime, patience)?;
        Ok(work(&mut session))
    };
    thread::scope(|scope| {
        let ended = scope.spawn(run).join();
        ended.unwrap_or_else(|_| Err(Error::Failed("the connecting thread panicked".to_string())))
    })
}
