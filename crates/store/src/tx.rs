//! A transaction, as a closure sees it.

use std::ops::ControlFlow;

use crate::{Error, Param, Result, Row, postgres, sqlite};

/// A running transaction. It ends with the closure that was given it: committed when that returns `Ok`,
/// rolled back when it returns `Err` or panics.
///
/// A statement that fails dooms the transaction: every later statement answers the same error and nothing is
/// committed, even if the closure overlooks it. PostgreSQL behaves so by itself; SQLite is held to it, because a
/// closure must mean the same on both. Where a conflict is expected, say `ON CONFLICT` in the statement.
pub struct Tx<'a> {
    driver: Driver<'a>,
    failed: Option<Error>,
    statements: u64,
}

enum Driver<'a> {
    Sqlite(&'a sqlite::Session),
    Postgres(&'a mut postgres::Session),
}

impl Tx<'_> {
    /// Runs a statement and returns its rows.
    pub fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.run(params, |driver| driver.query(sql, params))
    }

    /// Runs a statement that gives at most one row. More than one is an error.
    pub fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>> {
        self.run(params, |driver| {
            let mut rows = driver.query(sql, params)?;
            if rows.len() > 1 {
                return Err(Error::Failed(format!(
                    "more than one row where one was expected: {sql}"
                )));
            }
            Ok(rows.pop())
        })
    }

    /// Has a statement run when the closure has returned, after all its others; those given here run in their order.
    ///
    /// For rows that many writers compete for: a database with several writers locks them for the commit alone then.
    /// The closure must not look for what the statement does: on such a database it has not been done yet.
    pub fn exec_at_commit(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.run(params, |driver| match driver {
            // One writer: nobody competes.
            Driver::Sqlite(session) => session.exec(sql, params),
            Driver::Postgres(session) => session.exec_at_commit(sql, params),
        })
    }

    /// Runs a statement whose rows nobody needs.
    ///
    /// A driver that talks to a server holds it back and sends it with the next [`query`](Self::query) or with
    /// the commit; its error then shows there. To learn whether anything was changed, use `RETURNING` and `query`.
    pub fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.run(params, |driver| match driver {
            Driver::Sqlite(session) => session.exec(sql, params),
            Driver::Postgres(session) => session.exec(sql, params),
        })
    }

    /// Runs a `SELECT` and hands over its rows one at a time, so that a long answer never stands in memory.
    /// `f` ends it early with [`ControlFlow::Break`].
    ///
    /// PostgreSQL is asked for 500 rows at a time, through a cursor.
    pub fn each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        f: impl FnMut(Row) -> ControlFlow<()>,
    ) -> Result<()> {
        self.run(params, |driver| match driver {
            Driver::Sqlite(session) => session.each(sql, params, f),
            Driver::Postgres(session) => session.each(sql, params, f),
        })
    }

    /// The time in microseconds since 1970 UTC: that of the database server, which all who use it share. `here` is this
    /// process's own, and the answer of an embedded database, which has no other.
    pub fn now(&mut self, here: i64) -> Result<i64> {
        if let Driver::Sqlite(_) = self.driver {
            return Ok(here);
        }
        let row = self.query_one(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            &[],
        )?;
        row.map_or(Ok(here), |row| row.int(0))
    }

    /// The error that dooms this transaction, if one did.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// How many statements were run.
    pub(crate) fn statements(&self) -> u64 {
        self.statements
    }

    fn run<T>(
        &mut self,
        params: &[Param<'_>],
        statement: impl FnOnce(&mut Driver<'_>) -> Result<T>,
    ) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.statements += 1;
        refuse_nul(params)
            .and_then(|()| statement(&mut self.driver))
            .inspect_err(|error| self.failed = Some(error.clone()))
    }
}

impl Driver<'_> {
    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(session) => {
                let mut rows = Vec::new();
                session.each(sql, params, |row| {
                    rows.push(row);
                    ControlFlow::Continue(())
                })?;
                Ok(rows)
            }
            Self::Postgres(session) => session.query(sql, params),
        }
    }
}

/// PostgreSQL cannot store it, so that no database gets it.
fn refuse_nul(params: &[Param<'_>]) -> Result<()> {
    let has_nul =
        |param: &Param<'_>| matches!(param, Param::Text(text) if text.as_bytes().contains(&0));
    match params.iter().position(has_nul) {
        None => Ok(()),
        Some(index) => Err(Error::Nul {
            parameter: index + 1,
        }),
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn sqlite(session: &'a sqlite::Session) -> Self {
        Self::on(Driver::Sqlite(session))
    }

    pub(crate) fn postgres(session: &'a mut postgres::Session) -> Self {
        Self::on(Driver::Postgres(session))
    }

    fn on(driver: Driver<'a>) -> Self {
        Self {
            driver,
            failed: None,
            statements: 0,
        }
    }
}
