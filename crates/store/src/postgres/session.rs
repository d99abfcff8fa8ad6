//! One connection and the transaction on it.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use tokio_postgres::{RowStream, Statement};

use super::connection::{Connection, Failure};
use super::statements::Statements;
use super::trouble::{Reach, Trouble};
use super::values;
use crate::{Error, Param, Result, Row, Value, clock};

/// How long the server keeps a plan: while a company arrives, what was planned for empty tables would go on reading the
/// wrong index until the server itself counts the rows, which can take minutes.
/// (The tests of this crate do without any, so that all of them see what comes of planning anew.)
const PLANS_KEPT: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 10 });

/// How many statements may be under way before somebody looks for their answers: they take memory here.
const UNDER_WAY: usize = 256;

/// Rows fetched at once from a statement whose answer may be long.
const FETCH: usize = 500;

/// Begins work that can be undone alone.
const SAVEPOINT: &str = "SAVEPOINT work";
const RELEASE: &str = "RELEASE work";
const UNDO: &str = "ROLLBACK TO work; RELEASE work";

/// A connection with its prepared statements and at most one transaction, which is told apart into the work of
/// several closures.
///
/// Nothing is sent before there is a statement to send it with: a transaction without statements costs nothing.
pub(crate) struct Session {
    connection: Connection,
    statements: Statements,
    /// When the server was last told to plan anew.
    planned: Instant,
    /// Commands that go out before the next statement.
    prelude: Vec<String>,
    /// Whether the transaction has begun at the server, as far as this side knows.
    begun: bool,
    /// Whether the server has answered since the transaction began.
    answered: bool,
    /// Whose statements are being sent.
    tag: usize,
    work: Work,
    at_commit: Vec<Later>,
    failure: Option<Failure>,
}

/// How far the current closure's own part of the transaction has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// The transaction is not divided.
    Whole,
    /// It has sent nothing, so there is nothing to undo.
    Untouched,
    /// Its savepoint is set.
    Open,
}

/// A statement for the end of the transaction.
struct Later {
    tag: usize,
    sql: String,
    params: Vec<Value>,
}

impl Session {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            statements: Statements::default(),
            planned: clock::stopwatch(),
            prelude: Vec::new(),
            begun: false,
            answered: false,
            tag: 0,
            work: Work::Whole,
            at_commit: Vec::new(),
            failure: None,
        }
    }

    pub(crate) fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let rows = self.rows(sql, params);
        let rows = self.checked(rows)?;
        rows.iter().map(values::row).collect()
    }

    pub(crate) fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        let sent = self.send(sql, params.iter().map(Value::from).collect());
        self.checked(sent)
    }

    pub(crate) fn exec_at_commit(&mut self, sql: &str, params: &[Param<'_>]) -> Result<()> {
        if self.work == Work::Whole {
            // A read has no later: it is refused now.
            return self.exec(sql, params);
        }
        self.at_commit.push(Later {
            tag: self.tag,
            sql: sql.to_string(),
            params: params.iter().map(Value::from).collect(),
        });
        Ok(())
    }

    /// Runs a query through a cursor, so that the server makes no more rows than are asked for.
    pub(crate) fn each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut f: impl FnMut(Row) -> ControlFlow<()>,
    ) -> Result<()> {
        let declared = self.send(
            &format!("DECLARE each NO SCROLL CURSOR FOR {sql}"),
            params.iter().map(Value::from).collect(),
        );
        self.checked(declared)?;
        loop {
            let rows = self.fetch();
            let rows = self.checked(rows)?;
            for row in &rows {
                if f(values::row(row)?).is_break() {
                    return self.close_cursor();
                }
            }
            if rows.len() < FETCH {
                return self.close_cursor();
            }
        }
    }

    /// Whether the server takes the statement, and its types are ones that the store knows.
    pub(super) fn prepare(&mut self, sql: &str) -> Result<()> {
        let prepared = self.statement(sql);
        self.checked(prepared).map(drop)
    }

    /// Runs commands without parameters and without rows, and waits for them.
    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        let sent = self.control(sql.to_string()).and_then(|()| self.settle());
        self.checked(sent)
    }

    fn rows(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, Failure> {
        self.enter()?;
        let statement = self.fitting(sql, params.len())?;
        let client = self
            .connection
            .client()
            .map_err(|trouble| self.blame(trouble))?;
        let rows =
            async { collect(client.query_raw(&statement, params.iter().copied()).await?).await };
        self.flight(rows)
    }

    fn fetch(&mut self) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let client = self
            .connection
            .client()
            .map_err(|trouble| self.blame(trouble))?;
        let sql = format!("FETCH {FETCH} FROM each");
        let none = std::iter::empty::<(Param<'_>, _)>();
        self.flight(async { collect(client.query_typed_raw(&sql, none).await?).await })
    }

    fn close_cursor(&mut self) -> Result<()> {
        let closed = self.control("CLOSE each".to_string());
        self.checked(closed)
    }

    fn send(&mut self, sql: &str, params: Vec<Value>) -> Result<(), Failure> {
        self.enter()?;
        self.send_now(sql, params)
    }

    fn send_now(&mut self, sql: &str, params: Vec<Value>) -> Result<(), Failure> {
        let statement = self.fitting(sql, params.len())?;
        let client = self
            .connection
            .client()
            .map_err(|trouble| self.blame(trouble))?;
        let request = async move { client.execute_raw(&statement, params).await.map(drop) };
        let tag = self.tag;
        self.connection
            .send(tag, false, request)
            .map_err(|trouble| self.blame(trouble))?;
        if self.connection.under_way() < UNDER_WAY {
            Ok(())
        } else {
            self.settle()
        }
    }

    /// Sends commands that belong to running the transaction.
    fn control(&mut self, commands: String) -> Result<(), Failure> {
        let client = self
            .connection
            .client()
            .map_err(|trouble| self.blame(trouble))?;
        let request = async move { client.batch_execute(&commands).await };
        let tag = self.tag;
        self.connection
            .send(tag, true, request)
            .map_err(|trouble| self.blame(trouble))
    }

    /// Sends what has to come before the closure's next statement.
    fn enter(&mut self) -> Result<(), Failure> {
        if self.work == Work::Untouched {
            self.prelude.push(SAVEPOINT.to_string());
            self.work = Work::Open;
        }
        self.send_prelude()
    }

    fn send_prelude(&mut self) -> Result<(), Failure> {
        if self.prelude.is_empty() {
            return Ok(());
        }
        self.begun = true;
        let commands = std::mem::take(&mut self.prelude).join("; ");
        self.control(commands)
    }

    /// A prepared statement that takes so many parameters.
    fn fitting(&mut self, sql: &str, params: usize) -> Result<Statement, Failure> {
        let statement = self.statement(sql)?;
        let wanted = statement.params().len();
        if wanted == params {
            return Ok(statement);
        }
        let message = format!("{params} parameters given to a statement that has {wanted}: {sql}");
        Err(self.blame(Trouble::closure(message)))
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement);
        }
        let client = self
            .connection
            .client()
            .map_err(|trouble| self.blame(trouble))?;
        let statement = self.flight(async { client.prepare(sql).await })?;
        self.statements.put(sql, statement.clone());
        Ok(statement)
    }

    fn flight<T>(
        &mut self,
        last: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let flown = self.connection.flight(self.tag, last)?;
        self.answered = true;
        Ok(flown)
    }

    fn settle(&mut self) -> Result<(), Failure> {
        self.connection.settle()?;
        self.answered |= self.begun;
        Ok(())
    }

    fn blame(&self, trouble: Trouble) -> Failure {
        Failure {
            tag: self.tag,
            trouble,
        }
    }

    /// Remembers a failure for those who run the transaction; the closure gets its error.
    fn checked<T>(&mut self, result: Result<T, Failure>) -> Result<T> {
        result.map_err(|failure| {
            let error = failure.trouble.error.clone();
            self.failure.get_or_insert(failure);
            error
        })
    }
}

/// Running transactions.
impl Session {
    /// The next statement begins a transaction with these commands.
    pub(super) fn begin(&mut self, commands: &str) {
        self.prelude = vec![commands.to_string()];
        if self.planned.elapsed() >= PLANS_KEPT {
            // Not before the commands: the isolation level is set before anything else.
            self.prelude.push("DISCARD PLANS".to_string());
            self.planned = clock::stopwatch();
        }
        self.begun = false;
        self.answered = false;
        self.work = Work::Whole;
        self.tag = 0;
        self.at_commit.clear();
        self.failure = None;
    }

    /// From now on statements belong to the closure `tag` and can be undone alone.
    pub(super) fn start_work(&mut self, tag: usize) {
        self.tag = tag;
        self.work = Work::Untouched;
    }

    /// Keeps what the closure did. A failure of what it left behind shows later.
    pub(super) fn keep_work(&mut self) {
        if self.work == Work::Open {
            self.prelude.push(RELEASE.to_string());
        }
        self.work = Work::Whole;
    }

    /// Undoes what the closure has done. The answers to all that was sent must be in.
    pub(super) fn undo_work(&mut self) {
        let tag = self.tag;
        self.at_commit.retain(|later| later.tag < tag);
        if self.work == Work::Open {
            self.prelude = vec![UNDO.to_string()];
        }
        self.work = Work::Whole;
    }

    /// Undoes what the closure `tag`, of which a statement failed after it had returned, and those after it have
    /// done. Its savepoint is still the innermost: none could be set after the failure, and none released.
    pub(super) fn undo_since(&mut self, tag: usize) {
        self.at_commit.retain(|later| later.tag < tag);
        self.prelude = vec![UNDO.to_string()];
        self.work = Work::Whole;
    }

    /// What has failed so far, with the answers to everything that closures have sent.
    pub(super) fn look(&mut self) -> Option<Failure> {
        if self.connection.owes() {
            let settled = self.settle();
            let _ = self.checked(settled);
        }
        self.failure.take()
    }

    /// What has failed so far, as far as answers have come.
    pub(super) fn glance(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Sends what was kept for the end, and makes sure that the server has answered in this transaction at all: a
    /// connection that was lost long ago must show before the commit is on its way.
    pub(super) fn ready_to_commit(&mut self) -> Result<(), Failure> {
        if self.begun || !self.at_commit.is_empty() {
            self.send_prelude()?;
        }
        for later in std::mem::take(&mut self.at_commit) {
            self.tag = later.tag;
            self.send_now(&later.sql, later.params)?;
        }
        if self.begun && !self.answered {
            self.settle()
        } else {
            Ok(())
        }
    }

    /// Commits and waits until that is on disk. When the connection is lost meanwhile, the error says that the
    /// outcome is not known.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        self.prelude.clear();
        if !std::mem::take(&mut self.begun) {
            return Ok(());
        }
        let committed = self
            .control("COMMIT".to_string())
            .and_then(|()| self.settle());
        committed.map_err(|mut failure| {
            if failure.trouble.reach == Reach::Connection {
                failure.trouble.reach = Reach::Transaction;
                failure.trouble.error = Error::Unavailable {
                    message: format!(
                        "{}; whether the change was kept is not known",
                        failure.trouble.message()
                    ),
                };
            }
            failure
        })
    }

    /// Ends a transaction that has changed nothing, without waiting for an answer.
    pub(super) fn end(&mut self) {
        self.prelude.clear();
        if std::mem::take(&mut self.begun) {
            // A failure is that of the connection, and shows when it is used next.
            let _ = self.control("COMMIT".to_string());
            self.connection.push();
        }
    }

    /// Gives up the transaction.
    pub(super) fn abandon(&mut self) {
        self.prelude.clear();
        self.at_commit.clear();
        self.work = Work::Whole;
        self.begun = false;
        // Answers to what was sent tell nothing new, and the rollback can only fail with the connection.
        let _ = self.settle();
        let _ = self
            .control("ROLLBACK".to_string())
            .and_then(|()| self.settle());
    }

    /// Has every statement prepared anew.
    pub(super) fn forget_statements(&mut self) {
        self.statements.forget();
    }

    pub(super) fn lost(&self) -> bool {
        self.connection.lost()
    }

    /// Round trips since the last call.
    pub(super) fn take_flights(&mut self) -> u64 {
        self.connection.take_flights()
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

async fn collect(stream: RowStream) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    pin!(stream).try_collect().await
}
