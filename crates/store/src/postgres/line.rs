//! A thread's connection: opened when first needed, opened anew when lost.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::opener::{self, Opener};
use super::session::Session;
use super::trouble::{Reach, Trouble};
use crate::job::attempt;
use crate::{Error, Result, Tx};

/// How often a transaction is run again because the database asks for it.
const ATTEMPTS: u32 = 4;

/// A read sees one state of the database, as SQLite's do.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

pub(super) struct Line {
    opener: Arc<Opener>,
    runtime: Rc<Runtime>,
    patience: Duration,
    session: Option<Session>,
}

impl Line {
    pub(super) fn new(opener: Arc<Opener>, patience: Duration) -> Result<Self> {
        Ok(Self {
            patience: opener.patience(patience),
            opener,
            runtime: opener::runtime()?,
            session: None,
        })
    }

    /// Runs a transaction, and runs it again when the database asks for it or when the connection, opened for an
    /// earlier one, turns out to be lost.
    pub(super) fn run<T>(
        &mut self,
        mut transaction: impl FnMut(&mut Session) -> Result<T, Trouble>,
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            let fresh = self.session.as_ref().is_none_or(Session::lost);
            let session = self.session()?;
            let ended = transaction(session);
            let flights = session.take_flights();
            let trouble = match ended {
                Ok(done) => {
                    self.count(flights);
                    if flights > 0 {
                        self.opener.answered();
                    }
                    return Ok(done);
                }
                Err(trouble) => trouble,
            };
            self.count(flights);
            let again = self.recover(&trouble, fresh);
            if !again || attempt == ATTEMPTS {
                return Err(trouble.error);
            }
            attempt += 1;
        }
    }

    /// Runs `work` on the state the database has now.
    pub(super) fn read<R, E: From<Error>>(
        &mut self,
        work: &impl Fn(&mut Tx<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let read = self.run(|session| {
            session.begin(READ);
            let outcome = attempt(&mut Tx::postgres(session), work);
            match session.look() {
                None => {
                    session.end();
                    Ok(outcome)
                }
                Some(failure) if failure.trouble.reach == Reach::Closure => {
                    session.abandon();
                    // What was left behind may have failed after the closure had ended well.
                    Ok(outcome.and(Err(failure.trouble.error.into())))
                }
                Some(failure) => Err(failure.trouble),
            }
        });
        read.unwrap_or_else(|error| Err(error.into()))
    }

    fn session(&mut self) -> Result<&mut Session> {
        if self.session.as_ref().is_some_and(Session::lost) {
            self.session = None;
        }
        match &mut self.session {
            Some(session) => Ok(session),
            empty => Ok(empty.insert(self.opener.open(&self.runtime, self.patience)?)),
        }
    }

    /// Leaves the failed transaction behind. Whether running it again makes sense.
    fn recover(&mut self, trouble: &Trouble, fresh: bool) -> bool {
        let Some(session) = &mut self.session else {
            return false;
        };
        if trouble.reach == Reach::Connection || session.lost() {
            self.session = None;
            // Another reach says that it is too late for that.
            return trouble.reach == Reach::Connection && !fresh;
        }
        session.abandon();
        if trouble.reach == Reach::Stale {
            session.forget_statements();
        }
        matches!(trouble.reach, Reach::Again | Reach::Stale)
    }

    fn count(&self, flights: u64) {
        self.opener.counters.flights.fetch_add(flights, Relaxed);
    }
}
