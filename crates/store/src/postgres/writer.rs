//! The threads that write, and how transactions share a commit.
//!
//! As in the embedded driver, transactions of one scope that wait together are committed together, each in a
//! savepoint. A closure that leaves statements behind costs no round trip for them: they go out with the next
//! closure's, or with the commit. What fails then is laid to the one that sent it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::connection::Failure;
use super::line::Line;
use super::locks::Locks;
use super::opener::{Opener, SHORT};
use super::schedule::Schedule;
use super::session::Session;
use super::trouble::{Reach, Trouble};
use crate::clock::stopwatch;
use crate::job::{self, Job};
use crate::stats::Counters;
use crate::{Error, Options, Result, Scope, Tx, room};

/// The most transactions that share a commit. PostgreSQL keeps 64 savepoints of a transaction where others find them
/// quickly.
const GROUP: usize = 32;

/// For how long a group takes in newcomers. Those who waited when it began all come with it.
const GATHER: Duration = Duration::from_millis(5);

/// A closure that takes longer holds up its scope, and is worth a line in the log.
const SLOW: Duration = Duration::from_millis(500);

/// The queue to the writing threads.
pub(super) struct Writer {
    schedule: Arc<Schedule>,
    room: Arc<Semaphore>,
    places: usize,
    wait: Duration,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(opener: &Arc<Opener>, locks: Locks, options: &Options) -> Result<Self> {
        let schedule = Arc::new(Schedule::default());
        let writer = Self {
            schedule,
            room: Arc::new(Semaphore::new(options.queue.max(1))),
            places: options.queue.max(1),
            wait: options.queue_wait,
            threads: Mutex::new(Vec::new()),
        };
        for _ in 0..options.writers.max(1) {
            let thread = writer.spawn(opener, locks)?;
            writer.threads().push(thread);
        }
        Ok(writer)
    }

    /// Starts a thread and waits until it can work.
    fn spawn(&self, opener: &Arc<Opener>, locks: Locks) -> Result<JoinHandle<()>> {
        let (opener, schedule) = (Arc::clone(opener), Arc::clone(&self.schedule));
        let (ready, started) = mpsc::channel();
        let serve = move || match Line::new(Arc::clone(&opener), SHORT) {
            Ok(line) => {
                let _ = ready.send(Ok(()));
                let counters = Arc::clone(&opener.counters);
                Engine {
                    line,
                    locks,
                    schedule,
                    counters,
                }
                .run();
            }
            Err(error) => drop(ready.send(Err(error))),
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_string())
            .spawn(serve)
            .map_err(|error| Error::Failed(format!("cannot start a writing thread: {error}")))?;
        started.recv().map_err(|_| Error::Closed)??;
        Ok(thread)
    }

    /// Runs `work` in a transaction and waits for its commit.
    pub(super) async fn run<R, E>(
        &self,
        scope: Scope,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let place = room::enter(&self.room, self.wait).await?;
        let (job, answered) = job::request(work, place);
        self.schedule.add(scope, job);
        answered.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// How many writes wait or run.
    pub(super) fn queued(&self) -> u64 {
        (self.places - self.room.available_permits().min(self.places)) as u64
    }

    /// Turns newcomers away, then waits until everything accepted is answered.
    pub(super) fn close(&self) {
        self.room.close();
        self.schedule.close();
        let threads = std::mem::take(&mut *self.threads());
        for thread in threads {
            // The last clone of a store may be dropped by a closure, that is on a writing thread itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("a writing thread panicked");
            }
        }
    }
}

impl Writer {
    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Engine {
    line: Line,
    locks: Locks,
    schedule: Arc<Schedule>,
    counters: Arc<Counters>,
}

impl Engine {
    fn run(mut self) {
        while let Some(scope) = self.schedule.next() {
            let mut group = Group {
                begin: self.locks.begin(scope),
                scope,
                schedule: Arc::clone(&self.schedule),
                counters: Arc::clone(&self.counters),
                members: Vec::new(),
                outcasts: Vec::new(),
                open: true,
            };
            group.join(GROUP);
            self.serve(group);
            self.schedule.done(scope);
        }
    }

    /// Commits a group and answers. Whoever spoiled the commit for the others is run again alone.
    fn serve(&mut self, mut group: Group) {
        loop {
            let end = self.line.run(|session| group.pass(session));
            // That the server cannot be reached is said once, where it is noticed; that a value is taken is no fault.
            if let Err(error) = &end
                && !matches!(
                    error,
                    Error::Unavailable { .. } | Error::Conflict { .. } | Error::ForeignKey
                )
            {
                tracing::error!(%error, transactions = group.members.len(), "a group of transactions was not committed");
            }
            group.count(end.is_ok());
            for member in std::mem::take(&mut group.members) {
                member.job.finish(end.clone());
            }
            let Some(outcast) = group.outcasts.pop() else {
                return;
            };
            group.members.push(outcast);
            group.open = false;
        }
    }
}

/// Transactions of one scope that share a commit.
struct Group {
    begin: String,
    scope: Scope,
    schedule: Arc<Schedule>,
    counters: Arc<Counters>,
    members: Vec<Member>,
    /// Those whose statements failed at the commit: what they were refused for may have been a neighbour's.
    outcasts: Vec<Member>,
    /// Whether newcomers may join.
    open: bool,
}

struct Member {
    job: Box<dyn Job>,
    kept: bool,
}

impl Group {
    /// Takes in up to `count` who wait. How many came.
    fn join(&mut self, count: usize) -> usize {
        let jobs = self.schedule.take(self.scope, count);
        let came = jobs.len();
        let member = |job| Member { job, kept: false };
        self.members.extend(jobs.into_iter().map(member));
        came
    }

    /// Runs everybody in one transaction and commits it.
    fn pass(&mut self, session: &mut Session) -> Result<(), Trouble> {
        loop {
            self.run(session)?;
            let Err(failure) = self.commit(session) else {
                return Ok(());
            };
            let theirs = failure.trouble.reach == Reach::Closure && self.members.len() > 1;
            if !theirs || failure.tag >= self.members.len() {
                return Err(failure.trouble);
            }
            session.abandon();
            self.outcasts.push(self.members.remove(failure.tag));
        }
    }

    fn run(&mut self, session: &mut Session) -> Result<(), Trouble> {
        session.begin(&self.begin);
        let begun = stopwatch();
        let mut next = 0;
        loop {
            while next < self.members.len() {
                next = self.step(session, next)?;
            }
            let room = GROUP.saturating_sub(next);
            if self.open && begun.elapsed() < GATHER && self.join(room) > 0 {
                continue;
            }
            // What fails at the commit fails it for all, so that it is better known before. Alone there is nobody to
            // spare.
            let failure = if next > 1 { session.look() } else { None };
            match failure {
                None => return Ok(()),
                Some(failure) => next = self.blame(session, failure)?,
            }
        }
    }

    /// Runs one and returns who is next.
    fn step(&mut self, session: &mut Session, index: usize) -> Result<usize, Trouble> {
        session.start_work(index);
        let member = &mut self.members[index];
        let begun = stopwatch();
        member.kept = member.job.run(&mut Tx::postgres(session));
        let took = begun.elapsed();
        self.counters.longest_work.record(took);
        if took > SLOW {
            tracing::warn!(
                milliseconds = took.as_millis(),
                "a write transaction held up its scope"
            );
        }
        // Before anything is undone it must be known whether something before it has failed.
        let failure = if member.kept {
            session.glance()
        } else {
            session.look()
        };
        match failure {
            Some(failure) if failure.trouble.reach != Reach::Closure || failure.tag < index => {
                return self.blame(session, failure);
            }
            _ if member.kept => session.keep_work(),
            _ => session.undo_work(),
        }
        Ok(index + 1)
    }

    /// Lays a failure to the one whose statement it was, after it had returned, and undoes what came of it. Returns
    /// who is next: those after it ran in a transaction that had failed already.
    fn blame(&mut self, session: &mut Session, failure: Failure) -> Result<usize, Trouble> {
        match self.members.get_mut(failure.tag) {
            Some(culprit) if failure.trouble.reach == Reach::Closure => {
                session.undo_since(failure.tag);
                culprit.kept = false;
                culprit.job.refuse(failure.trouble.error);
                Ok(failure.tag + 1)
            }
            _ => Err(failure.trouble),
        }
    }

    fn commit(&self, session: &mut Session) -> Result<(), Failure> {
        let begun = stopwatch();
        let committed = session.ready_to_commit().and_then(|()| session.commit());
        self.counters.longest_commit.record(begun.elapsed());
        committed
    }

    fn count(&self, committed: bool) {
        let transactions = self.members.len() as u64;
        let kept = self
            .members
            .iter()
            .filter(|member| member.kept && committed)
            .count() as u64;
        self.counters.writes.fetch_add(kept, Relaxed);
        self.counters
            .rolled_back
            .fetch_add(transactions - kept, Relaxed);
        self.counters
            .commits
            .fetch_add(u64::from(kept > 0), Relaxed);
        self.counters.largest_group.fetch_max(transactions, Relaxed);
    }
}
