//! How many events there were in each hour, for charts: counted behind the log a stretch at a time, so that neither writing
//! nor looking costs more the longer the log is.

use crate::{Refusal, events};
use portreeve_store::{Tx, params, statements};

statements! {
    COUNTED = "SELECT position FROM event_counted WHERE team_id = $1";
    BEGIN = "INSERT INTO event_counted (team_id, position) VALUES ($1, $2)";
    ADVANCE = "UPDATE event_counted SET position = $2 WHERE team_id = $1";
    STRETCH = "SELECT at / 3600000000, category, outcome, count(*) FROM events WHERE team_id = $1 AND position > $2 AND position <= $3 GROUP BY 1, 2, 3";
    ADD = "INSERT INTO event_counts (team_id, hour, category, outcome, number) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (team_id, hour, category, outcome) DO UPDATE SET number = event_counts.number + excluded.number";
    SINCE = "SELECT hour, category, outcome, number FROM event_counts WHERE team_id = $1 AND hour >= $2 ORDER BY hour, category, outcome";
    PRUNE = "DELETE FROM event_counts WHERE team_id = $1 AND hour < $2";
}

/// The most events that are counted in one transaction.
const STRETCH_LENGTH: i64 = 20_000;

/// Microseconds of an hour.
pub const HOUR: i64 = 3_600_000_000;

/// How many events of one kind there were in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Which hour: hours since 1970 UTC.
    pub hour: i64,
    /// `SCIM_SYNC`, `AUTH`, ….
    pub category: String,
    /// Whether they were refused.
    pub refused: bool,
    /// How many.
    pub number: i64,
}

/// Counts the next stretch of a team's log. Whether there is more.
pub fn advance(tx: &mut Tx<'_>, team_id: &str) -> Result<bool, Refusal> {
    let known = tx.query_one(COUNTED, &params![team_id])?;
    let from = known.as_ref().map(|row| row.int(0)).transpose()?;
    let (end, start) = (events::last(tx, team_id)?, from.unwrap_or(0));
    let to = end.min(start + STRETCH_LENGTH);
    if to == start {
        return Ok(false);
    }
    for row in tx.query(STRETCH, &params![team_id, start, to])? {
        let (hour, number) = (row.int(0)?, row.int(3)?);
        tx.exec(
            ADD,
            &params![team_id, hour, row.text(1)?, row.text(2)?, number],
        )?;
    }
    let place = if from.is_some() { ADVANCE } else { BEGIN };
    tx.exec(place, &params![team_id, to])?;
    Ok(to < end)
}

/// Whether there is something to be counted.
pub fn is_behind(tx: &mut Tx<'_>, team_id: &str) -> Result<bool, Refusal> {
    let known = tx.query_one(COUNTED, &params![team_id])?;
    let counted = known.map_or(Ok(0), |row| row.int(0))?;
    Ok(events::last(tx, team_id)? > counted)
}

/// What was counted from an hour on.
pub fn since(tx: &mut Tx<'_>, team_id: &str, hour: i64) -> Result<Vec<Count>, Refusal> {
    let rows = tx.query(SINCE, &params![team_id, hour])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Count {
                hour: row.int(0)?,
                refused: row.text(2)? == "refused",
                number: row.int(3)?,
                category: row.take_text(1)?,
            })
        })
        .collect()
}

/// Forgets what was counted before an hour.
pub fn prune(tx: &mut Tx<'_>, team_id: &str, hour: i64) -> Result<(), Refusal> {
    Ok(tx.exec(PRUNE, &params![team_id, hour])?)
}
