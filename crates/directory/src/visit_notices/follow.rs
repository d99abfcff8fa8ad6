//! What becomes of open visits when whoever is visited cannot be found any more: the visit says since when, and the fallback
//! of the location is told.

use super::{Notice, Occasion, tell, visible};
use crate::Refusal;
use crate::events::{self, Category, Cause, New, Outcome};
use crate::visit_locations;
use crate::visits::{self, State, Visit};
use portreeve_store::{Tx, params, statements};

statements! {
    TURNED = "SELECT v.team_id, v.id FROM visits v WHERE v.state <> 'gone' AND v.host_id IS NOT NULL AND (v.state = 'here' OR v.at >= $1) AND (v.host_gone_at IS NULL) <> EXISTS (SELECT 1 FROM visitor_words w WHERE w.directory_id = v.directory_id AND w.user_id = v.host_id) ORDER BY v.team_id, v.id LIMIT $2";
    SET = "UPDATE visits SET host_gone_at = $3 WHERE team_id = $1 AND id = $2";
}

/// The most visits that are looked at together.
const MOST: i64 = 10_000;
/// So long after they were expected (in microseconds) nobody needs to look after visitors who never came.
const LATE: i64 = 86_400_000_000;

/// The open visits, with their teams, of which it is to be written down that whoever is visited cannot be found any more,
/// or can again. What this costs grows with the number of open visits and with nothing else.
pub fn turned(tx: &mut Tx<'_>, now: i64) -> Result<Vec<(String, String)>, Refusal> {
    let rows = tx.query(TURNED, &params![now.saturating_sub(LATE), MOST])?;
    let mut turned = Vec::new();
    for mut row in rows {
        let (team_id, id) = (row.take_text(0)?, row.take_text(1)?);
        let visit = visits::by_id(tx, &team_id, &id)?;
        // Somebody may be visible and have no words: where the directory is being looked through for the first time.
        if has_turned(tx, &team_id, &visit)? {
            turned.push((team_id, id));
        }
    }
    Ok(turned)
}

/// Writes that down of one visit, and has the fallback told; `base` and `mails` are those of a [`Notice`]. `false`: it is not
/// so any more.
pub fn follow(
    tx: &mut Tx<'_>,
    cause: &Cause<'_>,
    (base, mails): (&str, bool),
    id: &str,
) -> Result<bool, Refusal> {
    let visit = visits::by_id(tx, cause.team_id, id)?;
    if visit.state == State::Gone || !has_turned(tx, cause.team_id, &visit)? {
        return Ok(false);
    }
    let location = visit_locations::find(tx, cause.team_id, &visit.location_id)?;
    let is_gone = visit.host_gone_at.is_none();
    let since = is_gone.then_some(cause.at);
    tx.exec(SET, &params![cause.team_id, id, since])?;
    let event = New {
        category: Category::Visitor,
        action: match is_gone {
            true => "visitor_host_gone",
            false => "visitor_host_back",
        },
        outcome: Outcome::Ok,
        object_kind: Some("Visit"),
        object_id: Some(id),
        object_name: Some(&location.name),
        version: None,
        changes: None,
    };
    events::record_of(tx, cause, &event)?;
    if is_gone {
        let occasion = match visit.state {
            State::Here => Occasion::GoneWhileHere,
            State::Expected | State::Gone => Occasion::GoneBefore,
        };
        let notice = Notice {
            base,
            mails,
            location: &location,
            visit: &visit,
        };
        tell(tx, cause, &notice, (occasion, &[]), None)?;
    }
    Ok(true)
}

/// Whether what is written down of whoever is visited is not so any more.
fn has_turned(tx: &mut Tx<'_>, team_id: &str, visit: &Visit) -> Result<bool, Refusal> {
    let Some((directory_id, user_id)) = &visit.host else {
        return Ok(false);
    };
    let is_there = visible(tx, team_id, (directory_id, user_id))?.is_some();
    Ok(is_there != visit.host_gone_at.is_none())
}
