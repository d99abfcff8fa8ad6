//! The one thread that writes, and how it shares a commit among those who wait.
//!
//! A flush to disk takes milliseconds and a small transaction takes tens of microseconds, so the thread runs the
//! transactions that are waiting and commits them together. While it flushes, the next group gathers by itself: nobody
//! ever waits for a group to fill.
//!
//! Savepoints are dear, and few transactions have anything to undo: whoever refuses has mostly written nothing. Only
//! when one has, its group is rolled back and run once more, each in a savepoint.

use std::fs::File;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::checkpoint::Checkpoints;
use super::conflict;
use super::session::Session;
use crate::clock::stopwatch;
use crate::job::{self, Job};
use crate::room;
use crate::stats::Counters;
use crate::{Error, Options, Result, Tx};

/// The most transactions that share a commit. More gain little: the flush is spread thin by then.
const GROUP: usize = 64;

/// For how long a group takes in newcomers.
const GATHER: Duration = Duration::from_millis(2);

/// A closure that takes longer delays every other writer, and is worth a line in the log.
const SLOW: Duration = Duration::from_millis(250);

/// Pages by which the log grows between two checkpoints (8 MiB). Fewer would copy pages that are written often more
/// often than needed.
const CHECKPOINT: u64 = 2048;

/// Pages in the log (1 MiB) from which a pause is used to carry them over.
const CHECKPOINT_IDLE: u64 = 256;

/// What counts as a pause. Those who were just answered may be about to come back.
const PAUSE: Duration = Duration::from_millis(50);

/// Pages in the log (128 MiB) from which it should begin anew. For that all of it must be carried over while nobody
/// writes; to keep that moment short, it waits until a checkpoint has left little to do.
const RESTART: u64 = 32768;

/// What is little (4 MiB).
const REMAINDER: u64 = 1024;

/// Pages in the log (512 MiB) at which writers wait, however much there is to do.
const LIMIT: u64 = 131_072;

/// The queue to the writing thread.
pub(super) struct Writer {
    jobs: Sender<Message>,
    room: Arc<Semaphore>,
    places: usize,
    wait: Duration,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Work(Box<dyn Job>),
    Close,
}

impl Writer {
    /// Starts the thread. It keeps `lock` until the last write is on disk.
    pub(super) fn start(
        mut session: Session,
        lock: File,
        checkpoints: Checkpoints,
        options: &Options,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        let places = options.queue.max(1);
        let (jobs, queue) = mpsc::channel();
        let log_pages = watch_log(&mut session)?;
        let engine = Engine {
            session,
            queue,
            counters,
            checkpoints,
            log_pages,
            carried_over: 0,
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_string())
            .spawn(move || {
                engine.run();
                drop(lock);
            })
            .map_err(|error| Error::Failed(format!("cannot start the writing thread: {error}")))?;
        Ok(Self {
            jobs,
            room: Arc::new(Semaphore::new(places)),
            places,
            wait: options.queue_wait,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` in a transaction and waits for its commit.
    pub(super) async fn run<R, E>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let place = room::enter(&self.room, self.wait).await?;
        let (job, answered) = job::request(work, place);
        self.jobs
            .send(Message::Work(job))
            .map_err(|_| Error::Closed)?;
        answered.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// How many writes wait or run.
    pub(super) fn queued(&self) -> u64 {
        (self.places - self.room.available_permits().min(self.places)) as u64
    }

    /// Turns newcomers away, then waits until everything accepted is answered and the database is closed.
    pub(super) fn close(&self) {
        self.room.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        // An error means that the thread has ended already.
        let _ = self.jobs.send(Message::Close);
        // The last clone of a store may be dropped by a closure, that is on the writing thread itself.
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            tracing::error!("the writing thread panicked");
        }
    }
}

struct Engine {
    session: Session,
    queue: Receiver<Message>,
    counters: Arc<Counters>,
    /// Pages in the write-ahead log after the last commit.
    log_pages: Arc<AtomicU64>,
    /// How many there were when the last checkpoint began.
    carried_over: u64,
    checkpoints: Checkpoints,
}

/// Transactions that share a commit.
#[derive(Default)]
struct Group {
    jobs: Vec<Box<dyn Job>>,
    /// How many of them stay.
    kept: u64,
    /// Whether each has a savepoint.
    has_savepoints: bool,
}

/// What becomes of one transaction.
enum Step {
    Kept,
    /// It has left nothing behind.
    Refused,
    /// It has left something behind that cannot be told from what its neighbours wrote.
    Spoilt,
}

impl Engine {
    fn run(mut self) {
        let mut next = self.next();
        while let Some(Message::Work(first)) = next {
            let ended_by = self.group(first);
            next = ended_by.or_else(|| self.next());
        }
        self.checkpoints.finish();
    }

    /// Waits for a message, and looks after the log meanwhile. `None`: there will be no more.
    fn next(&mut self) -> Option<Message> {
        self.tend_log();
        if self.log_grown() >= CHECKPOINT_IDLE {
            match self.queue.recv_timeout(PAUSE) {
                Err(RecvTimeoutError::Timeout) => self.checkpoint(),
                message => return message.ok(),
            }
        }
        self.queue.recv().ok()
    }

    /// Runs `first` and those who wait, commits and answers. Returns the message that ended the group, if one did.
    fn group(&mut self, first: Box<dyn Job>) -> Option<Message> {
        let mut group = Group::default();
        let mut next = Some(Message::Work(first));
        let begun = stopwatch();
        let mut end = self.session.exec("BEGIN IMMEDIATE", &[]);
        while let Some(Message::Work(job)) = next {
            group.jobs.push(job);
            end = end.and_then(|()| self.join(&mut group));
            let more = end.is_ok() && group.jobs.len() < GROUP && begun.elapsed() < GATHER;
            next = if more {
                self.queue.try_recv().ok()
            } else {
                None
            };
        }
        end = end.and_then(|()| self.commit());
        let transactions = group.jobs.len();
        if let Err(error) = &end {
            tracing::error!(%error, transactions, "a group of transactions was not committed");
            self.abandon();
        }
        self.count(
            transactions as u64,
            if end.is_ok() { group.kept } else { 0 },
        );
        for job in group.jobs {
            job.finish(end.clone());
        }
        next
    }

    /// Runs the one that has joined a group last. An error means that the group is lost.
    fn join(&self, group: &mut Group) -> Result<()> {
        let Some(job) = group.jobs.last_mut() else {
            return Ok(());
        };
        match self.step(&mut **job, group.has_savepoints)? {
            Step::Kept => group.kept += 1,
            Step::Refused => {}
            Step::Spoilt => self.again(group)?,
        }
        Ok(())
    }

    /// Undoes the last of a group: alone it is rolled back, otherwise all run anew, each in a savepoint.
    fn again(&self, group: &mut Group) -> Result<()> {
        self.session.exec("ROLLBACK", &[])?;
        self.session.exec("BEGIN IMMEDIATE", &[])?;
        if group.jobs.len() == 1 {
            return Ok(());
        }
        (group.has_savepoints, group.kept) = (true, 0);
        for job in &mut group.jobs {
            let step = self.step(&mut **job, true)?;
            group.kept += u64::from(matches!(step, Step::Kept));
        }
        Ok(())
    }

    /// Runs one transaction inside the group's. An error means that the group is lost.
    fn step(&self, job: &mut dyn Job, has_savepoint: bool) -> Result<Step> {
        if has_savepoint {
            self.session.exec("SAVEPOINT work", &[])?;
        }
        let written = self.session.rows_written();
        let begun = stopwatch();
        let mut tx = Tx::sqlite(&self.session);
        let keep = job.run(&mut tx);
        let took = begun.elapsed();
        self.counters.longest_work.record(took);
        if took > SLOW {
            tracing::warn!(
                milliseconds = took.as_millis(),
                "a write transaction held up all others"
            );
        }
        if !self.session.in_transaction() {
            let lost = || Error::Failed("the database ended the transaction".to_string());
            return Err(tx.failure().cloned().unwrap_or_else(lost));
        }
        if !has_savepoint {
            let is_clean = self.session.rows_written() == written;
            return Ok(match (keep, is_clean) {
                (true, _) => Step::Kept,
                (false, true) => Step::Refused,
                (false, false) => Step::Spoilt,
            });
        }
        if !keep {
            self.session.exec("ROLLBACK TO work", &[])?;
        }
        self.session.exec("RELEASE work", &[])?;
        Ok(if keep { Step::Kept } else { Step::Refused })
    }

    fn commit(&self) -> Result<()> {
        let begun = stopwatch();
        self.session.exec("COMMIT", &[])?;
        self.counters.longest_commit.record(begun.elapsed());
        Ok(())
    }

    fn abandon(&self) {
        if self.session.in_transaction()
            && let Err(error) = self.session.exec("ROLLBACK", &[])
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    fn count(&self, transactions: u64, kept: u64) {
        self.counters.writes.fetch_add(kept, Relaxed);
        self.counters
            .rolled_back
            .fetch_add(transactions - kept, Relaxed);
        // Readers go by it.
        self.counters
            .commits
            .fetch_add(u64::from(kept > 0), Release);
        self.counters.largest_group.fetch_max(transactions, Relaxed);
    }

    /// Pages in the log that no checkpoint has tried to carry over yet.
    fn log_grown(&mut self) -> u64 {
        let pages = self.log_pages.load(Relaxed);
        if pages < self.carried_over {
            // SQLite has begun the log anew.
            self.carried_over = 0;
        }
        pages - self.carried_over
    }

    /// Between two groups: has the log carried over as it grows, and begun anew before it is too long.
    fn tend_log(&mut self) {
        if self.checkpoints.busy() {
            return;
        }
        let (pages, grown) = (self.log_pages.load(Relaxed), self.log_grown());
        if pages >= RESTART && (grown <= REMAINDER || pages >= LIMIT) && self.carried_over > 0 {
            self.checkpoints.finish();
            self.carried_over = 0;
        } else if grown >= CHECKPOINT || pages >= RESTART {
            self.checkpoint();
        }
    }

    fn checkpoint(&mut self) {
        self.checkpoints.begin();
        self.carried_over = self.log_pages.load(Relaxed);
    }
}

/// Keeps count of the pages in the log.
fn watch_log(session: &mut Session) -> Result<Arc<AtomicU64>> {
    let pages = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&pages);
    let hook = move |_: &mut rusqlite::hooks::Wal, count| {
        seen.store(u64::try_from(count).unwrap_or(0), Relaxed);
        Ok(())
    };
    session
        .connection_mut()
        .wal_hook(Some(hook))
        .map_err(conflict::unnamed)?;
    Ok(pages)
}
