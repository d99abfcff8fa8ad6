//! How connections are opened, and with which settings.

use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connection;
use super::session::Session;
use super::tls;
use super::trouble::Trouble;
use super::url::PostgresUrl;
use crate::clock::stopwatch;
use crate::stats::Counters;
use crate::{Error, Options, Result};

/// After how long the server gives a statement up.
pub(super) const STATEMENT: Duration = Duration::from_secs(60);

/// After how long this side gives a connection up on which a statement that may be long gets no answer.
pub(super) const LONG: Duration = Duration::from_secs(70);

/// The same for work that is always short, but for waiting for a lock.
pub(super) const SHORT: Duration = Duration::from_secs(20);

/// For work that takes as long as it takes.
pub(super) const FOREVER: Duration = Duration::from_secs(24 * 3600);

/// How long nobody tries to connect after the first failure, and after many.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Opens connections to one database.
pub(super) struct Opener {
    url: PostgresUrl,
    tls: MakeRustlsConnect,
    lock_wait: Duration,
    settings: String,
    /// Set while the server cannot be reached.
    pause: Mutex<Option<Pause>>,
    /// How many transactions the server has answered.
    answers: AtomicU64,
    pub(super) counters: Arc<Counters>,
}

/// A time in which connecting is not tried again: requests that would all wait for the same refusal get it at once.
struct Pause {
    length: Duration,
    begun: Instant,
    /// How many answers there had been: with one more the server is back.
    answers: u64,
    message: String,
}

impl Opener {
    pub(super) fn new(
        url: &PostgresUrl,
        options: &Options,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        let lock_wait = options.queue_wait;
        let (idle, statement) = (lock_wait.as_millis() / 2, STATEMENT.as_millis());
        // Every statement looks up by key or goes along an index. Without statistics, that is while a company arrives, the
        // planner takes tables for empty and would read them whole, for as long as the plan is kept.
        // Just-in-time compilation takes longer than any statement here gains by it. A cursor is read to its end, so
        // it is planned like any other query. A commit that is acknowledged is on disk, whatever the server's
        // default.
        let settings = format!(
            "SET idle_in_transaction_session_timeout = {idle};
             SET lock_timeout = {};
             SET statement_timeout = {statement};
             SET cursor_tuple_fraction = 1;
             SET jit = off;
             SET enable_seqscan = off;
             SET enable_hashjoin = off;
             SET enable_mergejoin = off;
             SET client_min_messages = warning;
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
            lock_wait.as_millis(),
        );
        Ok(Self {
            url: url.clone(),
            tls: tls::connector(&url.tls)?,
            lock_wait,
            settings,
            pause: Mutex::new(None),
            answers: AtomicU64::new(0),
            counters,
        })
    }

    /// Opens a connection with every setting. `patience` is how long it will wait for an answer.
    pub(super) fn open(&self, runtime: &Rc<Runtime>, patience: Duration) -> Result<Session> {
        self.pausing()?;
        let answers = self.answers.load(Relaxed);
        let mut opened = self.connect(runtime, patience);
        if opened.is_err() && self.answers.load(Relaxed) != answers {
            // The server came back meanwhile, and what failed was begun before.
            opened = self.connect(runtime, patience);
        }
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        match opened {
            Ok(session) => {
                if pause.take().is_some() {
                    tracing::info!(database = %self.url, "the database can be reached again");
                }
                Ok(session)
            }
            Err(trouble) => {
                let before = pause.as_ref().map(|it| it.length);
                if before.is_none() {
                    tracing::error!(error = %trouble.error, database = %self.url, "the database cannot be reached");
                }
                *pause = Some(Pause {
                    length: before.map_or(PAUSE.0, |length| (length * 2).min(PAUSE.1)),
                    begun: stopwatch(),
                    answers: self.answers.load(Relaxed),
                    message: trouble.message(),
                });
                Err(trouble.error)
            }
        }
    }

    /// The server has answered on a connection: it is there, whatever an attempt that began earlier may come to.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Relaxed);
    }

    /// How long to wait for an answer that may have to wait for a lock first.
    pub(super) fn patience(&self, usual: Duration) -> Duration {
        usual.max(self.lock_wait * 2)
    }

    fn pausing(&self) -> Result<()> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        match pause
            .as_ref()
            .filter(|pause| pause.begun.elapsed() < pause.length)
            .filter(|pause| pause.answers == self.answers.load(Relaxed))
        {
            Some(Pause { message, .. }) => Err(Error::Unavailable {
                message: message.clone(),
            }),
            None => Ok(()),
        }
    }

    fn connect(&self, runtime: &Rc<Runtime>, patience: Duration) -> Result<Session, Trouble> {
        let limit = self.url.patience();
        let connecting =
            async { tokio::time::timeout(limit, self.url.config.connect(self.tls.clone())).await };
        let (client, driver) = runtime
            .block_on(connecting)
            .map_err(|_| {
                Trouble::unavailable(format!(
                    "{} did not answer for {} s",
                    self.url,
                    limit.as_secs()
                ))
            })?
            .map_err(|error| Trouble::connecting(&error, &self.url))?;
        let connection =
            Connection::new(Rc::clone(runtime), client, driver, self.lock_wait, patience);
        let mut session = Session::new(connection);
        session
            .batch(&self.settings)
            .map_err(|error| Trouble::unavailable(error.to_string()))?;
        Ok(session)
    }
}

/// What waits for one connection at a time.
pub(super) fn runtime() -> Result<Rc<Runtime>> {
    let built = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    built
        .map(Rc::new)
        .map_err(|error| Error::Failed(format!("cannot wait for the network: {error}")))
}
