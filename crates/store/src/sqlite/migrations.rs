//! Bringing a SQLite database to the program's schema version.

use std::path::Path;

use rusqlite::Connection;

use super::{conflict, connection};
use crate::migrate::{Applied, Migration, pending};
use crate::{Error, Result};

/// SQLite's spelling of the words in migrations. The longest come first.
const DIALECT: &[(&str, &str)] = &[
    ("{strict}, {without_rowid}", "STRICT, WITHOUT ROWID"),
    ("{strict}", "STRICT"),
    ("{without_rowid}", "WITHOUT ROWID"),
    ("{identity}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
    ("{int}", "INTEGER"),
    ("{bool}", "INTEGER"),
    ("{bytes}", "BLOB"),
    ("{json}", "TEXT"),
];

/// Runs what is missing, each migration in a transaction of its own.
pub(super) fn run(path: &Path, known: &[Migration], now: i64) -> Result<()> {
    let connection = connection::open(path, 8 * 1024)?;
    // References are checked as a whole after each migration instead: rebuilding a table, the only way to change
    // most things in SQLite, would otherwise break the references to it half-way (SQLite's "Making Other Kinds Of
    // Table Schema Changes").
    let prepare = "PRAGMA foreign_keys = OFF;
        CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL);";
    connection
        .execute_batch(prepare)
        .map_err(conflict::unnamed)?;
    let applied = applied(&connection).map_err(conflict::unnamed)?;
    for migration in pending(known, &applied)? {
        let sql = migration.expand(DIALECT)?;
        apply(&connection, migration, &sql, now).map_err(|error| {
            match conflict::unnamed(error) {
                Error::Failed(message) => migration.failed(message),
                other => other,
            }
        })?;
        tracing::info!(
            version = migration.version,
            name = migration.name,
            "migrated the database"
        );
    }
    Ok(())
}

pub(super) fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    connection
        .prepare("SELECT version, checksum FROM migrations ORDER BY version")?
        .query_map([], |row| {
            Ok(Applied {
                version: row.get(0)?,
                checksum: row.get(1)?,
            })
        })?
        .collect()
}

/// Dropping the unfinished transaction on an error rolls it back.
fn apply(
    connection: &Connection,
    migration: &Migration,
    sql: &str,
    now: i64,
) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(sql)?;
    transaction.execute(
        "INSERT INTO migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
        (migration.version, migration.name, migration.checksum(), now),
    )?;
    if transaction
        .prepare("PRAGMA foreign_key_check")?
        .exists([])?
    {
        let message = "it leaves references to rows that do not exist".to_string();
        return Err(rusqlite::Error::ToSqlConversionFailure(message.into()));
    }
    transaction.commit()
}
