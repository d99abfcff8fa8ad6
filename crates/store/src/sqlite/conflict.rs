//! SQLite's errors in the store's words. A broken unique index is reported by SQLite as a list of columns and by
//! PostgreSQL as the index's name; callers get the name from both.

use std::collections::HashMap;

use rusqlite::{Connection, ErrorCode, ffi};

use super::connection::BUSY_TIMEOUT;
use crate::{Error, Result};

/// From `table.column, table.column`, as in SQLite's message, to the name of the unique index over these columns.
pub(super) struct IndexNames(HashMap<String, String>);

impl IndexNames {
    /// Reads the schema, once per start.
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        let mut names = Self(HashMap::new());
        let tables = strings(
            connection,
            "SELECT name FROM sqlite_schema WHERE type = 'table'",
            "",
        )?;
        for table in tables {
            let key = strings(
                connection,
                "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk",
                &table,
            )?;
            names.insert(&table, &key, &format!("{table}_pkey"))?;
            let named = "SELECT name FROM pragma_index_list($1) WHERE \"unique\" AND origin = 'c'";
            for index in strings(connection, named, &table)? {
                let columns = index_columns(connection, &index)?;
                names.insert(&table, &columns, &index)?;
            }
            let inline = "SELECT name FROM pragma_index_list($1) WHERE \"unique\" AND origin = 'u'";
            for index in strings(connection, inline, &table)? {
                let columns = index_columns(connection, &index)?;
                names.insert(
                    &table,
                    &columns,
                    &format!("{table}_{}_key", columns.join("_")),
                )?;
            }
        }
        Ok(names)
    }

    /// Two unique indexes over the same columns cannot be told apart in SQLite's message, so the schema may not have them.
    fn insert(&mut self, table: &str, columns: &[String], name: &str) -> Result<()> {
        if columns.is_empty() {
            return Ok(());
        }
        let columns: Vec<_> = columns
            .iter()
            .map(|column| format!("{table}.{column}"))
            .collect();
        match self.0.insert(columns.join(", "), name.to_string()) {
            Some(other) => Err(Error::Failed(format!(
                "the unique indexes {other} and {name} have the same columns, their conflicts cannot be told apart"
            ))),
            None => Ok(()),
        }
    }

    /// Translates an error of a statement.
    pub(super) fn translate(&self, error: rusqlite::Error) -> Error {
        let rusqlite::Error::SqliteFailure(_, Some(message)) = &error else {
            return unnamed(error);
        };
        let Some(columns) = message.strip_prefix("UNIQUE constraint failed: ") else {
            return unnamed(error);
        };
        // An index over an expression is reported by name.
        let by_name = columns
            .strip_prefix("index '")
            .and_then(|rest| rest.strip_suffix('\''));
        let index = by_name.or_else(|| self.0.get(columns).map(String::as_str));
        Error::Conflict {
            index: index.unwrap_or(columns).to_string(),
        }
    }
}

/// Translates an error that cannot be about a unique index.
pub(super) fn unnamed(error: rusqlite::Error) -> Error {
    let (failure, message) = match error {
        rusqlite::Error::SqliteFailure(failure, message) => (failure, message),
        other => return Error::Failed(other.to_string()),
    };
    let message = message.unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy {
            waited: BUSY_TIMEOUT,
        },
        ErrorCode::DiskFull => Error::Full,
        ErrorCode::ReadOnly => Error::ReadOnly,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::Damaged(message),
        _ if failure.extended_code == ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::ForeignKey,
        _ => Error::Failed(message),
    }
}

fn index_columns(connection: &Connection, index: &str) -> Result<Vec<String>> {
    // An expression has no column name; SQLite reports such an index by name.
    let columns = "SELECT coalesce(name, '') FROM pragma_index_info($1) ORDER BY seqno";
    let columns = strings(connection, columns, index)?;
    Ok(if columns.iter().any(String::is_empty) {
        Vec::new()
    } else {
        columns
    })
}

fn strings(connection: &Connection, sql: &str, param: &str) -> Result<Vec<String>> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(sql)?;
        if statement.parameter_count() == 1 {
            statement.raw_bind_parameter(1, param)?;
        }
        statement.raw_query().mapped(|row| row.get(0)).collect()
    };
    read().map_err(unnamed)
}
