//! What a stream's receiver has not taken yet, and remembering what it took.

use super::*;
use crate::events::Event;
use std::collections::HashSet;

/// Events per read of the feed.
const PAGE: i64 = 100;
/// Positions per read where only positions are needed. The next one is mostly the last one looked at.
const STRIDE: i64 = 16;

/// What a receiver has not taken yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pending {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Whether there are others after these.
    pub more: bool,
    /// Where the feed ends now, if nothing is pending: the next look can begin there.
    pub end: Option<i64>,
}

/// The oldest events that a receiver has not acknowledged, `limit` at most.
///
/// The stream must have been read in the same transaction. The look begins at its position, or at `after`, an `end` that
/// an earlier look has given.
pub fn pending(
    tx: &mut Tx<'_>,
    directory: &Directory,
    stream: &Stream,
    after: Option<i64>,
    limit: usize,
) -> Result<Pending, Refusal> {
    let mut found = Pending::default();
    let mut place = after.map_or(stream.position, |after| after.max(stream.position));
    loop {
        let page = events::streamable(tx, &directory.team_id, &directory.id, place, PAGE)?;
        let Some(last) = page.last().map(|event| event.position) else {
            break;
        };
        let whole = page.len() as i64 == PAGE;
        let acked = acked(tx, &directory.id, &stream.id, place, last)?;
        for event in page {
            if acked.contains(&event.position) {
                continue;
            }
            if found.events.len() == limit {
                found.more = true;
                return Ok(found);
            }
            found.events.push(event);
        }
        if !whole {
            break;
        }
        place = last;
    }
    if found.events.is_empty() {
        found.end = Some(events::last(tx, &directory.team_id)?);
    }
    Ok(found)
}

/// Remembers that the receiver has these events, in any order; they are not delivered again. Ids that are no events of
/// the directory, and those acknowledged before, change nothing.
pub fn settle(
    tx: &mut Tx<'_>,
    directory: &Directory,
    stream_id: &str,
    event_ids: &[String],
) -> Result<(), Refusal> {
    let stream = by_id(tx, &directory.id, stream_id)?;
    let (team, position) = (&directory.team_id, stream.position);
    for id in event_ids {
        let ack = params![team, &directory.id, stream_id, id, position];
        tx.exec(ACK, &ack)?;
    }
    let position = reach(tx, directory, &stream)?;
    if position > stream.position {
        tx.exec(MOVE, &params![&directory.id, stream_id, position])?;
        tx.exec(FORGET_ACKS, &params![&directory.id, stream_id, position])?;
    }
    Ok(())
}

/// The place up to which a receiver has everything: the end of the feed when nothing is missing, so that what does not
/// concern the stream is passed once and not on every look. Nothing of this directory can be committed between the two
/// reads, because writes of one scope wait for one another.
fn reach(tx: &mut Tx<'_>, directory: &Directory, stream: &Stream) -> Result<i64, Refusal> {
    let mut place = stream.position;
    loop {
        let from = params![&directory.team_id, place, &directory.id, STRIDE];
        let page = tx
            .query(STREAMABLE_PLACES, &from)?
            .into_iter()
            .map(|row| Ok(row.int(0)?))
            .collect::<Result<Vec<_>, Refusal>>()?;
        let Some(&last) = page.last() else {
            return Ok(events::last(tx, &directory.team_id)?.max(place));
        };
        let acked = acked(tx, &directory.id, &stream.id, place, last)?;
        for position in page {
            if !acked.contains(&position) {
                return Ok(place);
            }
            place = position;
        }
    }
}

fn acked(
    tx: &mut Tx<'_>,
    directory_id: &str,
    stream_id: &str,
    after: i64,
    last: i64,
) -> Result<HashSet<i64>, Refusal> {
    tx.query(ACKED, &params![directory_id, stream_id, after, last])?
        .into_iter()
        .map(|row| Ok(row.int(0)?))
        .collect()
}

/// All streams that are pushed, of every directory, each with the end of its feed.
pub fn pushes(tx: &mut Tx<'_>) -> Result<Vec<(Stream, i64)>, Refusal> {
    tx.query(PUSHES, &params![])?
        .into_iter()
        .map(|row| {
            let end = row.opt_int(12)?.unwrap_or(0);
            Ok((from_row(row)?, end))
        })
        .collect()
}

/// Remembers that the receiver took events now.
pub fn delivered(tx: &mut Tx<'_>, directory_id: &str, id: &str, now: i64) -> Result<(), Refusal> {
    Ok(tx.exec(DELIVERED, &params![directory_id, id, now])?)
}

/// Remembers that a delivery failed, why, and when to try again.
pub fn failed(
    tx: &mut Tx<'_>,
    directory_id: &str,
    id: &str,
    error: &str,
    next_attempt_at: i64,
) -> Result<(), Refusal> {
    Ok(tx.exec(FAILED, &params![directory_id, id, next_attempt_at, error])?)
}

/// Remembers what the receiver said of an event that it could not use; delivery goes on with the next one.
pub fn told(tx: &mut Tx<'_>, directory_id: &str, id: &str, error: &str) -> Result<(), Refusal> {
    Ok(tx.exec(TOLD, &params![directory_id, id, error])?)
}
