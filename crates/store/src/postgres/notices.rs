//! Telling other servers on the same database what has changed, and hearing it from them: PostgreSQL's `NOTIFY`, on a
//! connection of its own.
//!
//! A `NOTIFY` inside a transaction would make all commits of the database wait for one another, so it is sent after
//! the commit.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::connection::Event;
use super::locks::Locks;
use super::opener::{self, Opener, SHORT};
use super::session::Session;
use crate::{Error, Notice, Result, params};

/// The same is said at most once in this time.
const PACE: Duration = Duration::from_millis(20);

/// After how much silence the server is asked whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long to wait before connecting again.
const RECONNECT: Duration = Duration::from_millis(500);

/// How many different things may wait to be said while the server cannot be reached.
const WAITING: usize = 1024;

/// PostgreSQL's limit, in bytes.
const LONGEST: usize = 7999;

/// The connection, which is opened when somebody first has something to say or wants to listen.
pub(super) struct Notices {
    opener: Arc<Opener>,
    locks: Locks,
    news: broadcast::Sender<Notice>,
    outgoing: Mutex<Outgoing>,
}

/// What is to be said goes here.
enum Outgoing {
    Unused,
    Open(UnboundedSender<String>),
    Closed,
}

impl Notices {
    pub(super) fn new(opener: Arc<Opener>, locks: Locks, news: broadcast::Sender<Notice>) -> Self {
        Self {
            opener,
            locks,
            news,
            outgoing: Mutex::new(Outgoing::Unused),
        }
    }

    /// Sees to it that there is a connection.
    pub(super) fn start(&self) {
        let mut outgoing = self.outgoing();
        if let Outgoing::Unused = *outgoing {
            *outgoing = Outgoing::Open(self.spawn());
        }
    }

    pub(super) fn say(&self, payload: String) {
        if payload.len() > LONGEST {
            tracing::error!(
                bytes = payload.len(),
                "a notice is too long for PostgreSQL and was not sent"
            );
            return;
        }
        self.start();
        if let Outgoing::Open(outgoing) = &*self.outgoing() {
            // It fails only where the thread could not start, which was logged.
            let _ = outgoing.send(payload);
        }
    }

    /// Ends the connection.
    pub(super) fn close(&self) {
        *self.outgoing() = Outgoing::Closed;
    }

    fn spawn(&self) -> UnboundedSender<String> {
        let (outgoing, waiting) = unbounded_channel();
        let exchange = Exchange {
            opener: Arc::clone(&self.opener),
            channel: self.locks.channel(),
            news: self.news.clone(),
            waiting,
            unsaid: BTreeSet::new(),
        };
        let serve = move || {
            if let Err(error) = exchange.run() {
                tracing::error!(%error, "the thread for notices could not start");
            }
        };
        let thread = thread::Builder::new().name("store-notices".to_string());
        if let Err(error) = thread.spawn(serve) {
            tracing::error!(%error, "the thread for notices could not start");
        }
        outgoing
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Exchange {
    opener: Arc<Opener>,
    channel: String,
    news: broadcast::Sender<Notice>,
    waiting: UnboundedReceiver<String>,
    unsaid: BTreeSet<String>,
}

/// Why a conversation ended.
enum End {
    Lost,
    Closed,
}

impl Exchange {
    fn run(mut self) -> Result<()> {
        let runtime = opener::runtime()?;
        loop {
            if let Ok(mut session) = self.opener.open(&runtime, SHORT) {
                match self.converse(&mut session) {
                    Ok(End::Closed) => return Ok(()),
                    Ok(End::Lost) => {}
                    Err(error) => tracing::warn!(%error, "the connection for notices was lost"),
                }
                self.tell(Notice::Missed);
            }
            let pause = async { tokio::time::timeout(RECONNECT, self.waiting.recv()).await };
            match runtime.block_on(pause) {
                Ok(None) => return Ok(()),
                Ok(Some(payload)) => self.keep(payload),
                Err(_) => {}
            }
        }
    }

    /// Says and hears until the connection is lost or the store is closed.
    fn converse(&mut self, session: &mut Session) -> Result<End> {
        session.batch(&format!("LISTEN {}", self.channel))?;
        let rows = session.query("SELECT pg_backend_pid()", &[])?;
        let own = rows.first().ok_or(Error::Closed)?.int(0)?;
        let own = i32::try_from(own).unwrap_or_default();
        // What was said while nobody listened is not known.
        self.tell(Notice::Missed);
        loop {
            self.say(session, own)?;
            let waiting = &mut self.waiting;
            let next = async { tokio::time::timeout(HEARTBEAT, waiting.recv()).await };
            match session.connection_mut().listen(next) {
                Event::Done(Ok(None)) => return Ok(End::Closed),
                Event::Done(Ok(Some(payload))) => self.keep(payload),
                Event::Done(Err(_)) => drop(session.query("SELECT 1", &[])?),
                Event::Heard => {}
                Event::Lost => return Ok(End::Lost),
            }
            self.hear(session, own);
        }
    }

    /// Says what waits, each thing once, then keeps quiet for a while.
    fn say(&mut self, session: &mut Session, own: i32) -> Result<()> {
        while let Ok(payload) = self.waiting.try_recv() {
            self.keep(payload);
        }
        if self.unsaid.is_empty() {
            return Ok(());
        }
        for payload in &self.unsaid {
            session.exec("SELECT pg_notify($1, $2)", &params![&self.channel, payload])?;
        }
        session.query("SELECT 1", &[])?;
        self.unsaid.clear();
        let mut pause = pin!(async { tokio::time::sleep(PACE).await });
        while let Event::Heard = session.connection_mut().listen(pause.as_mut()) {
            self.hear(session, own);
        }
        Ok(())
    }

    fn hear(&self, session: &mut Session, own: i32) {
        for notification in session.connection_mut().take_heard() {
            if notification.process_id() != own {
                self.tell(Notice::Payload(notification.payload().to_string()));
            }
        }
    }

    fn tell(&self, notice: Notice) {
        // Nobody may be listening.
        let _ = self.news.send(notice);
    }

    fn keep(&mut self, payload: String) {
        if self.unsaid.len() < WAITING {
            self.unsaid.insert(payload);
        }
    }
}
