//! The feed of a team: where it begins and ends, the changes it tells, and what of it is kept.

use super::{BEGIN, CHANGES, CHANGES_OF, EXTENT, PRUNE_AUDIT, PRUNE_REQUESTS, RAISE};
use super::{Event, read};
use crate::Refusal;
use portreeve_store::{Param, Tx, params};
use std::ops::ControlFlow;

/// How many positions one look at the changes passes over at most, so that a directory that changes seldom among busy
/// ones costs a bounded read.
const SPAN: i64 = 10_000;

/// How much text of changes (bytes) ends a page, once it has one change at least.
const PAGE_BYTES: usize = 256 << 10;

/// What there is after a place in the feed.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    /// The next changes.
    Page(Page),
    /// Changes after that place are not kept any more, or the feed does not reach that far: the database was put back to
    /// an earlier state. Whoever follows the feed has to read everything anew and to go on after `end`.
    Lost {
        /// Whether the place lies beyond the end.
        ahead: bool,
        /// Where the feed ends now.
        end: i64,
    },
}

/// A stretch of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Oldest first.
    pub changes: Vec<Event>,
    /// The place to go on from.
    pub next: i64,
    /// Where the feed ends now.
    pub end: i64,
}

/// The two halves of the log, which are kept for different times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// What was done, and whatever else concerns an admin.
    Audit,
    /// Requests of providers that were refused.
    Requests,
}

/// Starts the feed of a new team.
pub(crate) fn begin(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(BEGIN, &params![team_id])?)
}

/// The position of the newest event of a team, which is the end of its feed; 0 when there is none.
pub fn last(tx: &mut Tx<'_>, team_id: &str) -> Result<i64, Refusal> {
    Ok(extent(tx, team_id)?.0)
}

/// The changes of a team, or of one of its directories, after a position; without one, all that are kept without a gap.
///
/// A page ends after `limit` changes, after a quarter of a mebibyte of them, or where enough of the feed was looked at; it can be
/// empty before the end of the feed.
pub fn changes(
    tx: &mut Tx<'_>,
    team_id: &str,
    directory_id: Option<&str>,
    after: Option<i64>,
    limit: usize,
) -> Result<Changes, Refusal> {
    let (end, floor) = extent(tx, team_id)?;
    let after = after.unwrap_or(floor);
    if !(floor..=end).contains(&after) {
        let ahead = after > end;
        return Ok(Changes::Lost { ahead, end });
    }
    let until = end.min(after.saturating_add(SPAN));
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut given = params![team_id, after, until, at_most].to_vec();
    given.extend(directory_id.map(Param::from));
    let statement = match directory_id {
        Some(_) => CHANGES_OF,
        None => CHANGES,
    };
    let (mut changes, mut bytes, mut failed) = (Vec::new(), 0, None);
    tx.each(statement, &given, |row| {
        bytes += read::weight(&row);
        match read::from_row(row) {
            Ok(event) => changes.push(event),
            Err(error) => failed = Some(error),
        }
        match failed.is_some() || bytes > PAGE_BYTES {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let cut = changes.len() >= limit || bytes > PAGE_BYTES;
    let next = match changes.last() {
        Some(last) if cut => last.position,
        _ => until,
    };
    Ok(Changes::Page(Page { changes, next, end }))
}

/// Removes the oldest events of one half of a team's log, `limit` at most, as far as they are older than a time
/// (microseconds since 1970 UTC); returns how many there were. None means that there are no more.
///
/// Events from after `now` were written when the clock was wrong. They are passed over, so that the rest need not wait
/// until their time has come. Nobody who records events waits for it, so it can be in any scope.
pub fn prune(
    tx: &mut Tx<'_>,
    team_id: &str,
    log: Log,
    older_than: i64,
    now: i64,
    limit: i64,
) -> Result<usize, Refusal> {
    let statement = match log {
        Log::Audit => PRUNE_AUDIT,
        Log::Requests => PRUNE_REQUESTS,
    };
    let gone = tx.query(statement, &params![team_id, older_than, limit, now])?;
    let mut floor = 0;
    for row in &gone {
        floor = row.int(0)?.max(floor);
    }
    if floor > 0 {
        pruned_to(tx, team_id, floor)?;
    }
    Ok(gone.len())
}

/// Notes that changes up to this position are not all kept any more, so that nobody is told the rest as if it were all.
pub fn pruned_to(tx: &mut Tx<'_>, team_id: &str, position: i64) -> Result<(), Refusal> {
    Ok(tx.exec_at_commit(RAISE, &params![team_id, position])?)
}

/// Where the feed of a team ends, and the highest position of a change that is not kept any more.
fn extent(tx: &mut Tx<'_>, team_id: &str) -> Result<(i64, i64), Refusal> {
    match tx.query_one(EXTENT, &params![team_id])? {
        Some(row) => Ok((row.int(0)?, row.int(1)?)),
        None => Ok((0, 0)),
    }
}
