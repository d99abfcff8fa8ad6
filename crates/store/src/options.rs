//! What a store is opened with.

use std::time::Duration;

use crate::{Database, Migration};

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database.
    pub database: Database,
    /// Every migration of the program, in ascending order of version.
    pub migrations: &'static [Migration],
    /// The time written down for migrations applied now: microseconds since 1970 UTC.
    pub now: i64,
    /// How many long reads ([`Store::read`](crate::Store::read)) may run at once; at least 1.
    pub readers: usize,
    /// How many point reads ([`Store::lookup`](crate::Store::lookup)) may run at once; at least 1. On SQLite more
    /// than there are processors is of no use.
    pub lookups: usize,
    /// How many scopes may be written at once; at least 1. PostgreSQL only: the embedded database has one writer.
    pub writers: usize,
    /// How many writes may wait or run; the next one waits for room.
    pub queue: usize,
    /// How long a request waits for room or for a reader before it ends with [`Error::Busy`](crate::Error::Busy).
    ///
    /// On PostgreSQL also how long a write waits for a lock that another server holds. A server that stands still in
    /// the middle of a transaction loses it, and its locks, after half this time.
    pub queue_wait: Duration,
    /// Page cache of the writing connection, in KiB. SQLite only, as is the next.
    pub writer_cache_kib: u32,
    /// Page cache of each reading connection, in KiB.
    pub reader_cache_kib: u32,
}

impl Options {
    /// The settings a server starts with: at most 4,096 queued writes, 10 s of waiting, and page caches that
    /// together stay under 30 MiB. On PostgreSQL up to 17 connections: a thread that waits for a network needs company.
    pub fn new(database: Database, migrations: &'static [Migration], now: i64) -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let (readers, lookups) = match database {
            Database::Sqlite { .. } => (2, threads.clamp(2, 4)),
            Database::Postgres { .. } => (4, 8),
        };
        Self {
            database,
            migrations,
            now,
            readers,
            lookups,
            writers: 4,
            queue: 4096,
            queue_wait: Duration::from_secs(10),
            writer_cache_kib: 12 * 1024,
            reader_cache_kib: 4 * 1024,
        }
    }
}
