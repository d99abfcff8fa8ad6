//! Backups of an embedded database: copied while a server uses it, checked before they count, put back in one step.
//!
//! A backup is one SQLite database file. It holds what was committed when it began and nothing of what came later.
//! Until it is whole, checked and on disk it has the name `<file>.partial`, so that a file with the right name is
//! always a good one.

mod check;
mod partial;
mod restore;

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{conflict, connection};
use crate::Error;

pub use self::check::{Contents, Table};
pub use self::partial::Partial;
pub use self::restore::{Restored, restore};

/// What a backup is called behind its name until it is finished.
pub const PARTIAL: &str = ".partial";

/// Pages copied between two looks at the watch: 4 MiB, some milliseconds.
const STEP: i32 = 1024;

/// Page cache of a connection that reads everything once, in KiB.
const CACHE_KIB: u32 = 2 * 1024;

/// Told how far the work has come; ends it with [`ControlFlow::Break`]. May be asked from another thread.
pub type Watch = Arc<dyn Fn(Progress) -> ControlFlow<()> + Send + Sync>;

/// How far a backup or its restoration has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The database is being copied.
    Copying {
        /// Bytes copied.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The copy is being checked. How long that takes is not known beforehand.
    Checking,
}

/// Why there is no backup, or why it was not put in place. In either case everything is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is a file of this name, and it was not to be replaced.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The backup and the database are one file, or would be.
    #[error("{} belongs to the database itself: a backup is another file", .0.display())]
    Itself(PathBuf),
    /// Another process is at work on the same file.
    #[error("{} is being written by another process", .0.display())]
    UnderWay(PathBuf),
    /// A program other than a server has the database open.
    #[error("another program has {} open: end it first", .0.display())]
    InUse(PathBuf),
    /// A file could not be read or written.
    #[error("{}: {cause}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// No space for the copy.
    #[error("the disk with {} is full: free some space there, or choose another place", .0.display())]
    Full(PathBuf),
    /// The copy could not be made.
    #[error("{} could not be written: {cause}", .path.display())]
    Copy {
        /// The file that was being written.
        path: PathBuf,
        /// What the database said.
        cause: Error,
    },
    /// The file is not a whole backup.
    #[error("{} is no usable backup: {why}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The backup was made by a newer program.
    #[error("{} has schema version {found}, this program knows versions up to {known}", .path.display())]
    Newer {
        /// The backup.
        path: PathBuf,
        /// The newest version in the backup.
        found: i64,
        /// The newest version this program has.
        known: i64,
    },
    /// The watch ended it.
    #[error("it was cancelled")]
    Cancelled,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Copies the database at `database`, whether a server uses it or not, into `file`, readable by its owner alone.
///
/// Writers go on meanwhile. What they commit stays in the write-ahead log until the copy is made, so the log grows.
///
/// # Errors
/// Whatever the error, there is no new `file` and an old one is untouched.
pub fn save(
    database: &Path,
    file: &Path,
    replace: bool,
    watch: &Watch,
) -> Result<Contents, BackupError> {
    apart(database, file)?;
    apart(database, &with_suffix(file, PARTIAL))?;
    let partial = Partial::make(file, PARTIAL, replace)?;
    let source = open_source(database)?;
    copy(&source, partial.path(), watch)?;
    drop(source);
    let contents = check::run(partial.path(), file, watch).map_err(|error| match error {
        // The copy is true to the page, so it is the database that is not whole.
        BackupError::Unusable { why, .. } => Error::Damaged(why).into(),
        other => other,
    })?;
    partial.publish()?;
    Ok(contents)
}

/// A missing file would otherwise be reported as one that cannot be opened, for whatever reason.
fn open_source(database: &Path) -> Result<Connection, BackupError> {
    let cannot = |message: String| Error::Open {
        path: database.to_owned(),
        message,
    };
    std::fs::metadata(database).map_err(|error| cannot(error.to_string()))?;
    let opened = connection::open(database, CACHE_KIB).map_err(|error| match error {
        Error::ReadOnly => cannot(
            "this user may not write it, which even reading needs: readers leave marks beside it"
                .to_string(),
        ),
        Error::Failed(message) => cannot(message),
        other => other,
    });
    Ok(opened?)
}

/// Copies page by page from one snapshot: its read transaction is open before the first step and after the last.
fn copy(source: &Connection, path: &Path, watch: &Watch) -> Result<(), BackupError> {
    let read = |error| BackupError::Store(conflict::unnamed(error));
    let written = |error| match conflict::unnamed(error) {
        Error::Full => BackupError::Full(path.to_owned()),
        cause => BackupError::Copy {
            path: path.to_owned(),
            cause,
        },
    };
    let snapshot = source.unchecked_transaction().map_err(read)?;
    let page: u64 = snapshot
        .query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))
        .map_err(read)?
        .unsigned_abs();
    snapshot
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(read)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(path, flags).map_err(written)?;
    // A copy that is not finished is thrown away, so it needs no journal; it is flushed once, at its end.
    target
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(written)?;
    let backup = Backup::new(&snapshot, &mut target).map_err(written)?;
    loop {
        let step = backup.step(STEP).map_err(written)?;
        let (all, left) = (backup.progress().pagecount, backup.progress().remaining);
        let progress = Progress::Copying {
            done: page * u64::from((all - left).unsigned_abs()),
            total: page * u64::from(all.unsigned_abs()),
        };
        if watch(progress).is_break() {
            return Err(BackupError::Cancelled);
        }
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Nobody else knows the copy, and the snapshot is ours.
            _ => return Err(BackupError::UnderWay(path.to_owned())),
        }
    }
}

/// Refuses a file that is the database or stands beside it under a name that SQLite or the server gives a meaning.
fn apart(database: &Path, file: &Path) -> Result<(), BackupError> {
    let taken = ["", "-wal", "-shm", "-journal", ".lock"];
    let (database, file) = (resolved(database), resolved(file));
    if taken
        .iter()
        .any(|suffix| with_suffix(&database, suffix) == file)
    {
        return Err(BackupError::Itself(file));
    }
    Ok(())
}

/// The path without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// The path with something behind its last name.
fn with_suffix(path: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
