//! Connections that read, shared by whoever needs one. They are opened when first needed.
//!
//! Each keeps the snapshot it last read until there is a newer one: to give it up and to take the same one again costs
//! nearly half as much as a look-up. The log cannot be begun anew meanwhile, so that checkpoints have idle ones [give it
//! up](Readers::let_go).

use std::sync::atomic::Ordering::Acquire;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::Opener;
use super::session::Session;
use crate::job::attempt;
use crate::room;
use crate::stats::Counters;
use crate::{Error, Result, Tx};

pub(super) struct Readers {
    room: Arc<Semaphore>,
    wait: Duration,
    opener: Opener,
    counters: Arc<Counters>,
    idle: Mutex<Vec<View>>,
}

/// A connection and what it shows of the database.
struct View {
    session: Session,
    /// How many commits there had been when the snapshot of its open transaction was taken, or fewer.
    after: Option<u64>,
}

impl Readers {
    pub(super) fn new(
        opener: Opener,
        count: usize,
        wait: Duration,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        Arc::new(Self {
            room: Arc::new(Semaphore::new(count.max(1))),
            wait,
            opener,
            counters,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Waits for a connection.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Reader> {
        let room = room::enter(&self.room, self.wait).await?;
        let idle = self.idle().pop();
        let view = match idle {
            Some(view) => view,
            None => View {
                session: self.opener.reader()?,
                after: None,
            },
        };
        Ok(Reader {
            view,
            home: Arc::clone(self),
            _room: room,
        })
    }

    /// Has the connections that nobody uses give their snapshots up.
    pub(super) fn let_go(&self) {
        self.idle().retain_mut(|view| view.let_go().is_ok());
    }

    /// Lets nobody in any more; connections in use close when they come back.
    pub(super) fn close(&self) {
        self.room.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<View>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    /// Opens a transaction that shows all that has been committed, unless one is open that does.
    fn look(&mut self, commits: u64) -> Result<()> {
        if self.after == Some(commits) {
            return Ok(());
        }
        self.let_go()?;
        self.session.exec("BEGIN DEFERRED", &[])?;
        self.after = Some(commits);
        Ok(())
    }

    fn let_go(&mut self) -> Result<()> {
        self.after = None;
        if self.session.in_transaction() {
            self.session.exec("COMMIT", &[])?;
        }
        Ok(())
    }
}

/// A connection lent to one transaction. If that ends in an orderly way, the connection goes back for the next one.
pub(super) struct Reader {
    view: View,
    home: Arc<Readers>,
    _room: OwnedSemaphorePermit,
}

impl Reader {
    /// Runs `work` on the state the database has now.
    pub(super) fn run<R, E: From<Error>>(
        mut self,
        work: &impl Fn(&mut Tx<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        // Counted before anybody is told of it, so that whoever was told reads it.
        let commits = self.home.counters.commits.load(Acquire);
        self.view.look(commits)?;
        let outcome = attempt(&mut Tx::sqlite(&self.view.session), work);
        if outcome.is_err() {
            // SQLite ends a transaction by itself after some errors.
            self.view.let_go()?;
        }
        let mut idle = self.home.idle();
        if !self.home.room.is_closed() {
            idle.push(self.view);
        }
        outcome
    }
}
