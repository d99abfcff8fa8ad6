//! Counters of a running store, for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What the store has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Commits; each is one flush to disk.
    pub commits: u64,
    /// Write transactions that were committed, alone or in a group.
    pub writes: u64,
    /// Write transactions that were rolled back: refused by their closure, by the database, or with their whole group.
    pub rolled_back: u64,
    /// The most write transactions that shared one commit.
    pub largest_group: u64,
    /// The longest time one write closure held the writer.
    pub longest_work: Duration,
    /// The longest commit.
    pub longest_commit: Duration,
    /// How often the write-ahead log was carried over into the database file.
    pub checkpoints: u64,
    /// The longest of these.
    pub longest_checkpoint: Duration,
    /// Statements that closures ran, but for those of a closure that panicked.
    pub statements: u64,
    /// Round trips to the database server, with those that prepare a statement for the first time on a connection. An
    /// embedded database has none.
    pub flights: u64,
    /// Writes that wait or run at this moment.
    pub queued: u64,
}

/// What is counted for [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) rolled_back: AtomicU64,
    pub(crate) largest_group: AtomicU64,
    pub(crate) longest_work: Longest,
    pub(crate) longest_commit: Longest,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) longest_checkpoint: Longest,
    pub(crate) statements: AtomicU64,
    pub(crate) flights: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self, queued: u64) -> Stats {
        Stats {
            commits: self.commits.load(Relaxed),
            writes: self.writes.load(Relaxed),
            rolled_back: self.rolled_back.load(Relaxed),
            largest_group: self.largest_group.load(Relaxed),
            longest_work: self.longest_work.load(),
            longest_commit: self.longest_commit.load(),
            checkpoints: self.checkpoints.load(Relaxed),
            longest_checkpoint: self.longest_checkpoint.load(),
            statements: self.statements.load(Relaxed),
            flights: self.flights.load(Relaxed),
            queued,
        }
    }
}

/// The longest duration seen, with a resolution of a microsecond.
#[derive(Debug, Default)]
pub(crate) struct Longest(AtomicU64);

impl Longest {
    pub(crate) fn record(&self, duration: Duration) {
        self.0.fetch_max(
            u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            Relaxed,
        );
    }

    fn load(&self) -> Duration {
        Duration::from_micros(self.0.load(Relaxed))
    }
}
