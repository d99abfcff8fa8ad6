//! How a connection is opened, and with which settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::conflict::{self, IndexNames};
use super::session::Session;
use crate::{Options, Result};

/// How long SQLite waits for a lock. Only a foreign program (a backup, the `sqlite3` shell) can hold one.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Enough for every fixed statement of the program; statements composed from a caller's filter push each other out.
const STATEMENTS: usize = 256;

/// Opens connections to a migrated database.
#[derive(Clone)]
pub(super) struct Opener {
    path: PathBuf,
    reader_cache_kib: u32,
    indexes: Arc<IndexNames>,
}

impl Opener {
    /// Opens the writing connection, and learns the names of the unique indexes.
    pub(super) fn start(path: &Path, options: &Options) -> Result<(Self, Session)> {
        let connection = open(path, options.writer_cache_kib)?;
        let indexes = Arc::new(IndexNames::load(&connection)?);
        let opener = Self {
            path: path.to_owned(),
            reader_cache_kib: options.reader_cache_kib,
            indexes: Arc::clone(&indexes),
        };
        Ok((opener, Session::new(connection, indexes)))
    }

    /// Opens a connection that refuses to change anything.
    pub(super) fn reader(&self) -> Result<Session> {
        let connection = open(&self.path, self.reader_cache_kib)?;
        let session = Session::new(connection, Arc::clone(&self.indexes));
        session.batch("PRAGMA query_only = ON")?;
        Ok(session)
    }
}

/// Opens a connection with every setting but those of its role.
pub(super) fn open(path: &Path, cache_kib: u32) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Plans do not depend on bound values; else SQLite parses a statement anew whenever its LIMIT is bound.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // No memory map: its pages would count as the server's memory. FULL: the log is flushed at every commit.
        // No automatic checkpoint: the writer chooses a moment when nobody waits. A log that a long read
        // made larger than 256 MiB is cut when it is begun anew.
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA fullfsync = ON;
             PRAGMA checkpoint_fullfsync = ON;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 268435456;
             PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA mmap_size = 0;
             PRAGMA cache_size = -{cache_kib};"
        ))?;
        Ok(connection)
    };
    connect().map_err(conflict::unnamed)
}
