//! Connections that read, shared by whoever needs one. They are opened when first needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::Opener;
use super::session::Session;
use crate::job::attempt;
use crate::room;
use crate::{Error, Result, Tx};

pub(super) struct Readers {
    room: Arc<Semaphore>,
    wait: Duration,
    opener: Opener,
    idle: Mutex<Vec<Session>>,
}

impl Readers {
    pub(super) fn new(opener: Opener, count: usize, wait: Duration) -> Arc<Self> {
        Arc::new(Self {
            room: Arc::new(Semaphore::new(count.max(1))),
            wait,
            opener,
            idle: Mutex::new(Vec::new()),
        })
    }

    /// Waits for a connection.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Reader> {
        let room = room::enter(&self.room, self.wait).await?;
        let idle = self.idle().pop();
        let session = match idle {
            Some(session) => session,
            None => self.opener.reader()?,
        };
        Ok(Reader {
            session,
            home: Arc::clone(self),
            _room: room,
        })
    }

    /// Lets nobody in any more; connections in use close when they come back.
    pub(super) fn close(&self) {
        self.room.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection lent to one transaction. If that ends in an orderly way, the connection goes back for the next one.
pub(super) struct Reader {
    session: Session,
    home: Arc<Readers>,
    _room: OwnedSemaphorePermit,
}

impl Reader {
    /// Runs `work` on the state the database has now. The transaction also spares SQLite taking and giving up its
    /// lock for each statement.
    pub(super) fn run<R, E: From<Error>>(
        self,
        work: &impl Fn(&mut Tx<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.session.exec("BEGIN DEFERRED", &[])?;
        let outcome = attempt(&mut Tx::sqlite(&self.session), work);
        if self.session.in_transaction() {
            self.session.exec("COMMIT", &[])?;
        }
        let mut idle = self.home.idle();
        if !self.home.room.is_closed() {
            idle.push(self.session);
        }
        outcome
    }
}
