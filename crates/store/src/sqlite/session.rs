//! One connection and how statements run on it.

use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::types::{ToSql, ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement};

use super::conflict::IndexNames;
use crate::{Error, Param, Result, Row, Value};

/// A connection with the names of the schema's unique indexes.
pub(crate) struct Session {
    connection: Connection,
    indexes: Arc<IndexNames>,
}

impl Session {
    pub(super) fn new(connection: Connection, indexes: Arc<IndexNames>) -> Self {
        Self {
            connection,
            indexes,
        }
    }

    pub(crate) fn exec(&self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        while rows
            .next()
            .map_err(|error| self.indexes.translate(error))?
            .is_some()
        {}
        Ok(())
    }

    pub(crate) fn each(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut f: impl FnMut(Row) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut statement = self.bound(sql, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(|error| self.indexes.translate(error))? {
            let values = (0..columns)
                .map(|index| column(row, index))
                .collect::<Result<_>>()?;
            if f(Row::new(values)).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Runs statements without parameters and without rows, parsed anew.
    pub(super) fn batch(&self, sql: &str) -> Result<()> {
        self.connection
            .execute_batch(sql)
            .map_err(|error| self.indexes.translate(error))
    }

    /// Whether the statement can be parsed and its tables and columns exist.
    pub(super) fn prepare(&self, sql: &str) -> Result<()> {
        let statement = self
            .connection
            .prepare(sql)
            .map_err(|error| self.indexes.translate(error))?;
        (1..=statement.parameter_count())
            .try_for_each(|index| parameter_number(&statement, index).map(drop))
    }

    /// Whether a transaction is open. SQLite ends one by itself after some errors, such as a full disk.
    pub(super) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// How many rows were written since the connection was opened, also by what was rolled back.
    pub(super) fn rows_written(&self) -> u64 {
        self.connection.total_changes()
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    fn bound(&self, sql: &str, params: &[Param<'_>]) -> Result<CachedStatement<'_>> {
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| self.indexes.translate(error))?;
        let count = statement.parameter_count();
        if count != params.len() {
            return Err(Error::Failed(format!(
                "{} parameters given to a statement that has {count}: {sql}",
                params.len()
            )));
        }
        for index in 1..=count {
            let number = parameter_number(&statement, index)?;
            let param = params
                .get(number - 1)
                .ok_or_else(|| Error::Failed(format!("there is no parameter ${number}: {sql}")))?;
            statement
                .raw_bind_parameter(index, param)
                .map_err(|error| self.indexes.translate(error))?;
        }
        Ok(statement)
    }
}

/// The number in a parameter's name. To SQLite `$2` is a mere name and its place that of its first mention.
fn parameter_number(statement: &Statement<'_>, index: usize) -> Result<usize> {
    statement
        .parameter_name(index)
        .and_then(|name| name.strip_prefix('$')?.parse().ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| Error::Failed("parameters are written $1, $2, …".to_string()))
}

fn column(row: &rusqlite::Row<'_>, index: usize) -> Result<Value> {
    let mismatch = |found| Error::Column {
        index,
        wanted: "NULL, an integer, text or bytes",
        found,
    };
    match row.get_ref(index).map_err(super::conflict::unnamed)? {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => Ok(Value::Int(value)),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Value::Text(text.to_string())),
            Err(_) => Err(mismatch("text that is not UTF-8")),
        },
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => Err(mismatch("a floating-point number")),
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Owned::Null),
            Self::Bool(value) => ToSqlOutput::Owned(Owned::Integer(i64::from(*value))),
            Self::Int(value) => ToSqlOutput::Owned(Owned::Integer(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}
