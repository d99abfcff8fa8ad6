//! Cycles: each run of a job, with the place it has reached. A cycle that was interrupted is found here and goes on.

use crate::Refusal;
use portreeve_store::{Row, Tx, params, statements};

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "number, id, kind, phase, place, epoch, roles_epoch, forced, held, counters, began_at, ended_at, result, error"
    };
}

statements! {
    INSERT = "INSERT INTO cycles (application_id, number, id, kind, phase, place, epoch, roles_epoch, forced, held, counters, began_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    BY_NUMBER = concat!("SELECT ", columns!(), " FROM cycles WHERE application_id = $1 AND number = $2");
    NEWEST = concat!("SELECT ", columns!(), " FROM cycles WHERE application_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3");
    ADVANCE = "UPDATE cycles SET kind = $3, phase = $4, place = $5, epoch = $6, roles_epoch = $7, held = $8, counters = $9 WHERE application_id = $1 AND number = $2";
    COUNT = "UPDATE cycles SET counters = $3 WHERE application_id = $1 AND number = $2";
    END = "UPDATE cycles SET ended_at = $3, result = $4, error = $5 WHERE application_id = $1 AND number = $2";
    PRUNE = "DELETE FROM cycles WHERE application_id = $1 AND number IN (SELECT number FROM cycles WHERE application_id = $1 AND ended_at < $2 AND number < (SELECT max(number) FROM cycles WHERE application_id = $1) ORDER BY number LIMIT $3) RETURNING number";
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// Counts the cycles of an application from 1.
    pub number: i64,
    /// UUID, which the records of the cycle carry.
    pub id: String,
    /// `initial` or `incremental`.
    pub kind: String,
    /// `import`, `absent`, `plan`, `export`, `references` or `end`.
    pub phase: String,
    /// Where the import reads on; `None`: where it begins.
    pub place: Option<String>,
    /// The number of its full read; 0 when it reads what has changed.
    pub epoch: i64,
    /// The number of its telling of all assignments; 0 when there was none.
    pub roles_epoch: i64,
    /// Whether the guard against accidental deletions lets it through, whatever it would take away.
    pub forced: bool,
    /// Whether the guard holds what it would take away.
    pub held: bool,
    /// What was done so far, as JSON.
    pub counters: String,
    /// Microseconds since 1970 UTC.
    pub began_at: i64,
    /// Microseconds since 1970 UTC; `None` while it runs, or when it was interrupted.
    pub ended_at: Option<i64>,
    /// How it ended, in a word.
    pub result: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Begins a cycle. Its number is that of [`super::begin_cycle`].
pub fn begin(tx: &mut Tx<'_>, application_id: &str, cycle: &Cycle) -> Result<(), Refusal> {
    let row = params![
        application_id,
        cycle.number,
        &cycle.id,
        &cycle.kind,
        &cycle.phase,
        cycle.place.as_ref(),
        cycle.epoch,
        cycle.roles_epoch,
        cycle.forced,
        cycle.held,
        &cycle.counters,
        cycle.began_at
    ];
    Ok(tx.exec(INSERT, &row)?)
}

/// The cycle of that number.
pub fn by_number(
    tx: &mut Tx<'_>,
    application_id: &str,
    number: i64,
) -> Result<Option<Cycle>, Refusal> {
    tx.query_one(BY_NUMBER, &params![application_id, number])?
        .map(from_row)
        .transpose()
}

/// The newest `limit` cycles before a number (`i64::MAX` for all), newest first.
pub fn newest(
    tx: &mut Tx<'_>,
    application_id: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Cycle>, Refusal> {
    let rows = tx.query(NEWEST, &params![application_id, before, limit])?;
    rows.into_iter().map(from_row).collect()
}

/// Notes how far a cycle has come, in the transaction that does the step.
pub fn advance(tx: &mut Tx<'_>, application_id: &str, cycle: &Cycle) -> Result<(), Refusal> {
    let row = params![
        application_id,
        cycle.number,
        &cycle.kind,
        &cycle.phase,
        cycle.place.as_ref(),
        cycle.epoch,
        cycle.roles_epoch,
        cycle.held,
        &cycle.counters
    ];
    Ok(tx.exec(ADVANCE, &row)?)
}

/// Notes what a cycle has done so far, as JSON.
pub fn count(
    tx: &mut Tx<'_>,
    application_id: &str,
    number: i64,
    counters: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(COUNT, &params![application_id, number, counters])?)
}

/// Ends a cycle with a word, and with the reason where it failed.
pub fn end(
    tx: &mut Tx<'_>,
    application_id: &str,
    number: i64,
    at: i64,
    result: &str,
    error: Option<&str>,
) -> Result<(), Refusal> {
    Ok(tx.exec(END, &params![application_id, number, at, result, error])?)
}

/// Removes cycles that ended before a time (microseconds since 1970 UTC), `limit` at most, but never the latest;
/// returns how many there were.
pub fn prune(
    tx: &mut Tx<'_>,
    application_id: &str,
    older_than: i64,
    limit: i64,
) -> Result<usize, Refusal> {
    Ok(tx
        .query(PRUNE, &params![application_id, older_than, limit])?
        .len())
}

fn from_row(mut row: Row) -> Result<Cycle, Refusal> {
    Ok(Cycle {
        number: row.int(0)?,
        epoch: row.int(5)?,
        roles_epoch: row.int(6)?,
        forced: row.bool(7)?,
        held: row.bool(8)?,
        began_at: row.int(10)?,
        ended_at: row.opt_int(11)?,
        id: row.take_text(1)?,
        kind: row.take_text(2)?,
        phase: row.take_text(3)?,
        place: row.take_opt_text(4)?,
        counters: row.take_text(9)?,
        result: row.take_opt_text(12)?,
        error: row.take_opt_text(13)?,
    })
}
