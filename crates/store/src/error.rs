//! What can go wrong in the store, each with a sentence for the person who can act on it.

use std::path::PathBuf;
use std::time::Duration;

/// The store's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal of the database or of the store itself. It is `Clone`, because all members of a commit share its fate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A unique index already holds these values. `index` is its name in the schema; a primary key is `<table>_pkey`.
    #[error("the values are already taken (unique index {index})")]
    Conflict {
        /// The name of the unique index, the same on every database.
        index: String,
    },
    /// A row refers to one that does not exist, or is still referred to.
    #[error("a reference points at a row that does not exist, or the row is still referred to")]
    ForeignKey,
    /// The database was written by a newer program.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}: start the newer program again, or restore the backup made before the upgrade"
    )]
    Newer {
        /// The newest version in the database.
        found: i64,
        /// The newest version this program has.
        known: i64,
    },
    /// An applied migration is not the one this program has under the same number.
    #[error(
        "migration {version} ({name}) in the database differs from the one in this program: use the release that created the database, or restore a backup made by this one"
    )]
    Changed {
        /// The version whose text differs.
        version: i64,
        /// Its name in this program.
        name: String,
    },
    /// A migration cannot be run; the database is as it was before it.
    #[error("migration {version} ({name}) failed and was undone: {message}")]
    Migration {
        /// The version that failed.
        version: i64,
        /// Its name.
        name: String,
        /// What the database said.
        message: String,
    },
    /// Waited longer than the limit for room in the queue, or for a lock that another program holds.
    #[error("the database was busy for {} ms: try again, and look for a long job or a slow disk", .waited.as_millis())]
    Busy {
        /// How long was waited.
        waited: Duration,
    },
    /// The database server cannot be reached, or the connection to it was lost. Of a write whose commit was on its
    /// way it is not known then whether it was done; the message says so.
    #[error("the database cannot be used now: {message}; try again in a moment")]
    Unavailable {
        /// What happened.
        message: String,
    },
    /// A text holds the character NUL, which PostgreSQL cannot store. Every driver refuses it.
    #[error(
        "parameter ${parameter} holds the character NUL (U+0000), which the database cannot store: leave it out"
    )]
    Nul {
        /// The number of the parameter, from 1.
        parameter: usize,
    },
    /// The URL of a database cannot be used.
    #[error("{0}")]
    Url(String),
    /// Another server uses the database.
    #[error("another process already uses this database (it holds the lock on {}): stop it first, or choose another data directory", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The file cannot be opened or created.
    #[error("cannot open {}: {message}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// No space for the database or its log. Nothing of the transaction was kept.
    #[error("the disk with the database is full: free some space, then try again")]
    Full,
    /// The database file is damaged.
    #[error(
        "the database file is damaged ({0}): stop the server, keep a copy of the file, and restore a backup"
    )]
    Damaged(String),
    /// A statement that changes something was run in a read transaction.
    #[error("a read transaction cannot change the database: this belongs in a write transaction")]
    ReadOnly,
    /// The store was closed before the work could begin.
    #[error("the database is closed because the server is stopping")]
    Closed,
    /// A column does not hold what the caller expects.
    #[error("column {index} holds {found}, expected {wanted}")]
    Column {
        /// Position in the row, from 0.
        index: usize,
        /// The type asked for.
        wanted: &'static str,
        /// The type found, or that there is no such column.
        found: &'static str,
    },
    /// Anything else the database reports, in its own words: a mistake in a statement or an input or output error.
    #[error("the database reported: {0}")]
    Failed(String),
}
