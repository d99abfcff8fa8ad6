//! A transaction, as a closure sees it.

use std::ops::ControlFlow;

use crate::{Error, Param, Result, Row, sqlite};

/// A running transaction. It ends with the closure that was given it: committed when that returns `Ok`,
/// rolled back when it returns `Err` or panics.
///
/// A statement that fails dooms the transaction: every later statement answers the same error and nothing is
/// committed, even if the closure overlooks it. PostgreSQL behaves so by itself; SQLite is held to it, because a
/// closure must mean the same on both. Where a conflict is expected, say `ON CONFLICT` in the statement.
pub struct Tx<'a> {
    driver: Driver<'a>,
    failed: Option<Error>,
}

enum Driver<'a> {
    Sqlite(&'a sqlite::Session),
}

impl Tx<'_> {
    /// Runs a statement and returns its rows.
    pub fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.each(sql, params, |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    /// Runs a statement that gives at most one row. More than one is an error.
    pub fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>> {
        let mut found = None;
        let mut more = false;
        self.each(sql, params, |row| {
            more = found.is_some();
            found.get_or_insert(row);
            if more {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if more {
            return self.run(|_| {
                Err(Error::Failed(format!(
                    "more than one row where one was expected: {sql}"
                )))
            });
        }
        Ok(found)
    }

    /// Has a statement run when the closure has returned, after all its others; those given here run in their order.
    ///
    /// For rows that many writers compete for: a database with several writers locks them for the commit alone then.
    /// The closure must not look for what the statement does: on such a database it has not been done yet.
    pub fn exec_at_commit(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.run(|driver| match driver {
            // One writer: nobody competes.
            Driver::Sqlite(session) => session.exec(sql, params),
        })
    }

    /// Runs a statement whose rows nobody needs.
    ///
    /// A driver that talks to a server may hold it back and send it with the next [`query`](Self::query) or with
    /// the commit; its error then shows there. To learn whether anything was changed, use `RETURNING` and `query`.
    pub fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        self.run(|driver| match driver {
            Driver::Sqlite(session) => session.exec(sql, params),
        })
    }

    /// Runs a statement and hands over its rows one at a time, so that a long answer never stands in memory.
    /// `f` ends it early with [`ControlFlow::Break`].
    pub fn each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        f: impl FnMut(Row) -> ControlFlow<()>,
    ) -> Result<()> {
        self.run(|driver| match driver {
            Driver::Sqlite(session) => session.each(sql, params, f),
        })
    }

    /// The error that dooms this transaction, if one did.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    fn run<T>(&mut self, statement: impl FnOnce(&Driver<'_>) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        statement(&self.driver).inspect_err(|error| self.failed = Some(error.clone()))
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn sqlite(session: &'a sqlite::Session) -> Self {
        Self {
            driver: Driver::Sqlite(session),
            failed: None,
        }
    }
}
