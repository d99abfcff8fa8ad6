//! Whether a copy is whole, and what is in it.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{BackupError, Progress, Watch};
use crate::migrate::Applied;
use crate::sqlite::{conflict, migrations};

/// Instructions of SQLite's machine between two looks at the watch: some milliseconds.
const STEP: i32 = 100_000;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The newest migration that was applied.
    pub version: i64,
    /// Every table but that of the migrations, by name.
    pub tables: Vec<Table>,
}

/// A table and how much is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
}

/// Checks every page, index and reference of the file at `path`, which the caller owns, and counts its rows.
/// `name` is what the person calls it.
pub(super) fn run(path: &Path, name: &Path, watch: &Watch) -> Result<Contents, BackupError> {
    Ok(with_migrations(path, name, watch)?.0)
}

/// As [`run`], with the migrations that the file remembers.
pub(super) fn with_migrations(
    path: &Path,
    name: &Path,
    watch: &Watch,
) -> Result<(Contents, Vec<Applied>), BackupError> {
    let unusable = |why: String| BackupError::Unusable {
        path: name.to_owned(),
        why,
    };
    let refused = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => BackupError::Cancelled,
        _ => unusable(conflict::unnamed(error).to_string()),
    };
    if watch(Progress::Checking).is_break() {
        return Err(BackupError::Cancelled);
    }
    let connection = open(path, watch).map_err(refused)?;
    let problem = first_problem(&connection).map_err(refused)?;
    if let Some(problem) = problem {
        return Err(unusable(problem));
    }
    let tables = tables(&connection).map_err(refused)?;
    if !tables.iter().any(|table| table.name == "migrations") {
        return Err(unusable("it is no database of this program".to_string()));
    }
    let applied = migrations::applied(&connection).map_err(refused)?;
    let contents = Contents {
        version: applied.last().map_or(0, |last| last.version),
        tables: tables
            .into_iter()
            .filter(|table| table.name != "migrations")
            .collect(),
    };
    Ok((contents, applied))
}

/// Opens the copy as one file without a log: a page that says otherwise comes from a database that had one.
fn open(path: &Path, watch: &Watch) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    let watch = Watch::clone(watch);
    let cancelled = move || watch(Progress::Checking).is_break();
    connection.progress_handler(STEP, Some(cancelled))?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA journal_mode = DELETE;",
    )?;
    Ok(connection)
}

fn first_problem(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Ok(Some(found));
    }
    let mut references = connection.prepare("PRAGMA foreign_key_check")?;
    let mut broken = references.query([])?;
    let Some(row) = broken.next()? else {
        return Ok(None);
    };
    let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
    Ok(Some(format!(
        "a row of {from} refers to a row of {to} that is not there"
    )))
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let names = connection
        .prepare(names)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let count = |name: String| {
        let quoted = name.replace('"', "\"\"");
        let sql = format!("SELECT count(*) FROM \"{quoted}\"");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(Table {
            name,
            rows: rows.unsigned_abs(),
        })
    };
    names.into_iter().map(count).collect()
}
