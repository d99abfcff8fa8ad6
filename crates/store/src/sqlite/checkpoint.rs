//! Carrying the write-ahead log over into the database file, beside the writing thread.
//!
//! SQLite copies pages from the log while writers go on appending to it. Only to begin the log anew, everything in it
//! must have been copied at a moment when nobody writes; by then almost everything has been, so that moment is short.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::readers::Readers;
use super::session::Session;
use crate::clock::stopwatch;
use crate::stats::Counters;
use crate::{Error, Result};

/// A connection for checkpoints and the thread that runs most of them.
pub(super) struct Checkpoints {
    worker: Arc<Worker>,
    /// `None` once it is to end.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Worker {
    session: Mutex<Session>,
    readers: [Arc<Readers>; 2],
    busy: AtomicBool,
    counters: Arc<Counters>,
}

impl Checkpoints {
    pub(super) fn start(
        session: Session,
        readers: [Arc<Readers>; 2],
        counters: Arc<Counters>,
    ) -> Result<Self> {
        let worker = Arc::new(Worker {
            session: Mutex::new(session),
            readers,
            busy: AtomicBool::new(false),
            counters,
        });
        let (wake, woken) = mpsc::sync_channel(1);
        let own = Arc::clone(&worker);
        let thread = thread::Builder::new()
            .name("store-checkpoint".to_string())
            .spawn(move || own.serve(&woken))
            .map_err(|error| {
                Error::Failed(format!("cannot start the checkpointing thread: {error}"))
            })?;
        Ok(Self {
            worker,
            wake: Some(wake),
            thread: Some(thread),
        })
    }

    /// Begins a checkpoint beside the caller.
    pub(super) fn begin(&self) {
        if let Some(wake) = &self.wake {
            self.worker.busy.store(true, Ordering::Release);
            // Full means that the thread has yet to take up an earlier request, which will do for this one.
            let _ = wake.try_send(());
        }
    }

    /// Whether a checkpoint begun beside the caller is still under way.
    pub(super) fn busy(&self) -> bool {
        self.worker.busy.load(Ordering::Acquire)
    }

    /// Waits for a checkpoint under way, then runs one to its end. When nobody writes meanwhile, the next commit begins
    /// the log anew.
    pub(super) fn finish(&self) {
        self.worker.run();
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointing thread panicked");
        }
    }
}

impl Worker {
    fn serve(&self, woken: &Receiver<()>) {
        while woken.recv().is_ok() {
            self.run();
            self.busy.store(false, Ordering::Release);
        }
    }

    /// Readers and the writer go on meanwhile; pages that one of them still needs from the log stay for the next time.
    fn run(&self) {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = stopwatch();
        self.let_go();
        if let Err(error) = session.exec("PRAGMA wal_checkpoint(PASSIVE)", &[]) {
            tracing::error!(%error, "the write-ahead log could not be carried over");
        }
        // Whoever has read meanwhile may look into the log; from now on it is needed by nobody.
        self.let_go();
        self.counters.checkpoints.fetch_add(1, Ordering::Relaxed);
        self.counters.longest_checkpoint.record(begun.elapsed());
    }

    fn let_go(&self) {
        self.readers.iter().for_each(|readers| readers.let_go());
    }
}
