//! Records: the provisioning log, in the order in which it was written. Entries never change.

use crate::Refusal;
use portreeve_store::{Row, Tx, params, statements};

/// What [`from_row`] takes.
macro_rules! columns {
    () => {
        "position, id, cycle_id, change_id, at, kind, action, status, error_code, source_key, target_id, name, body"
    };
}

statements! {
    COUNT = "UPDATE applications SET record = record + $3 WHERE team_id = $1 AND id = $2 RETURNING record";
    INSERT = concat!("INSERT INTO provisioning_records (application_id, ", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    AFTER = concat!("SELECT ", columns!(), " FROM provisioning_records WHERE application_id = $1 AND position > $2 ORDER BY position LIMIT $3");
    BEFORE = concat!("SELECT ", columns!(), " FROM provisioning_records WHERE application_id = $1 AND position < $2 ORDER BY position DESC LIMIT $3");
    PRUNE = "DELETE FROM provisioning_records WHERE application_id = $1 AND position IN (SELECT position FROM (SELECT position, at FROM provisioning_records WHERE application_id = $1 ORDER BY position LIMIT $3) AS oldest WHERE at < $2) RETURNING position";
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Rises from entry to entry of an application, in the order of commits. Not read when one is written.
    pub position: i64,
    /// UUID.
    pub id: String,
    /// The cycle it belongs to.
    pub cycle_id: String,
    /// The change it tells of.
    pub change_id: String,
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// `user` or `group`.
    pub kind: String,
    /// What was done, or was to be done.
    pub action: String,
    /// How it went.
    pub status: String,
    /// Why it failed or was skipped.
    pub error_code: Option<String>,
    /// The object's key at the source.
    pub source_key: String,
    /// The resource's id at the target.
    pub target_id: Option<String>,
    /// The object's name for people.
    pub name: String,
    /// The whole entry as JSON.
    pub body: String,
}

/// Writes entries.
pub fn append(
    tx: &mut Tx<'_>,
    team_id: &str,
    application_id: &str,
    records: &[Record],
) -> Result<(), Refusal> {
    let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Ok(());
    }
    let Some(row) = tx.query_one(COUNT, &params![team_id, application_id, count])? else {
        return Err(super::missing(application_id));
    };
    let first = row.int(0)? - count + 1;
    for (position, record) in (first..).zip(records) {
        let row = params![
            application_id,
            position,
            &record.id,
            &record.cycle_id,
            &record.change_id,
            record.at,
            &record.kind,
            &record.action,
            &record.status,
            record.error_code.as_ref(),
            &record.source_key,
            record.target_id.as_ref(),
            &record.name,
            &record.body
        ];
        tx.exec(INSERT, &row)?;
    }
    Ok(())
}

/// The next `limit` entries after a position, oldest first.
pub fn after(
    tx: &mut Tx<'_>,
    application_id: &str,
    position: i64,
    limit: i64,
) -> Result<Vec<Record>, Refusal> {
    let rows = tx.query(AFTER, &params![application_id, position, limit])?;
    rows.into_iter().map(from_row).collect()
}

/// The last `limit` entries before a position (`i64::MAX` for the newest), newest first.
pub fn before(
    tx: &mut Tx<'_>,
    application_id: &str,
    position: i64,
    limit: i64,
) -> Result<Vec<Record>, Refusal> {
    let rows = tx.query(BEFORE, &params![application_id, position, limit])?;
    rows.into_iter().map(from_row).collect()
}

/// Removes the oldest entries, `limit` at most, as far as they are from before a time (microseconds since 1970 UTC);
/// returns how many there were. None means that there are no more.
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

fn from_row(mut row: Row) -> Result<Record, Refusal> {
    Ok(Record {
        position: row.int(0)?,
        at: row.int(4)?,
        id: row.take_text(1)?,
        cycle_id: row.take_text(2)?,
        change_id: row.take_text(3)?,
        kind: row.take_text(5)?,
        action: row.take_text(6)?,
        status: row.take_text(7)?,
        error_code: row.take_opt_text(8)?,
        source_key: row.take_text(9)?,
        target_id: row.take_opt_text(10)?,
        name: row.take_text(11)?,
        body: row.take_text(12)?,
    })
}
