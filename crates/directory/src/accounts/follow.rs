//! Giving accounts to people as they come, so that they have them before they first need them: those of the team's active
//! SSH directory, once the team has a host. Whoever needs one earlier gets it then.

use super::{ensure, numbers};
use crate::events::{self, Changes};
use crate::users::{self, Status, User};
use crate::{Refusal, directories, teams};
use portreeve_store::{Tx, params, statements};

statements! {
    PLACE = "SELECT position, swept FROM posix_pools WHERE team_id = $1";
    MOVE = "UPDATE posix_pools SET position = $2, swept = $3 WHERE team_id = $1";
    AGAIN = "UPDATE posix_pools SET swept = '' WHERE team_id = $1";
    NEXT = "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND id > $2 ORDER BY id LIMIT $3";
}

/// How many people or changes one transaction looks at.
const BATCH: usize = 200;

/// How far the people of a team were looked at.
struct Place {
    position: i64,
    /// The last one, where all are looked at.
    swept: Option<String>,
}

/// People of a team are given accounts from now on; doing it twice changes nothing.
pub fn begin(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    numbers::begin(tx, team_id)
}

/// All people are looked at once more, because the rule or the active directory has changed.
pub fn look_at_all(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(AGAIN, &params![team_id])?)
}

/// Whether there is somebody to be looked at.
pub fn is_behind(tx: &mut Tx<'_>, team_id: &str) -> Result<bool, Refusal> {
    match place(tx, team_id)? {
        None => Ok(false),
        Some(place) => Ok(place.swept.is_some() || place.position < events::last(tx, team_id)?),
    }
}

/// Gives the next people of a team accounts. Whether there are more.
pub fn advance(tx: &mut Tx<'_>, team_id: &str, now: i64) -> Result<bool, Refusal> {
    let Some(place) = place(tx, team_id)? else {
        return Ok(false);
    };
    let Some(directory_id) = teams::by_id(tx, team_id)?.active_directory_id else {
        let end = events::last(tx, team_id)?;
        stand(tx, team_id, end, None)?;
        return Ok(false);
    };
    match place.swept {
        Some(last) => sweep(tx, team_id, &directory_id, (place.position, &last), now),
        None => follow(tx, team_id, &directory_id, place.position, now),
    }
}

/// Looks at the next of all people. What changes in the meantime is in the feed after the place where that stood when it
/// began.
fn sweep(
    tx: &mut Tx<'_>,
    team_id: &str,
    directory_id: &str,
    (position, last): (i64, &str),
    now: i64,
) -> Result<bool, Refusal> {
    let position = match last {
        "" => events::last(tx, team_id)?,
        _ => position,
    };
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let rows = tx.query(NEXT, &params![directory_id, last, limit])?;
    let is_last = rows.len() < BATCH;
    let mut people = Vec::with_capacity(rows.len());
    for row in rows {
        people.push(users::from_row(row)?);
    }
    let last = people.last().map(|user| user.id.clone());
    look_at(tx, team_id, directory_id, &people, now)?;
    stand(tx, team_id, position, last.as_deref().filter(|_| !is_last))?;
    Ok(true)
}

/// Looks at those who have changed since.
fn follow(
    tx: &mut Tx<'_>,
    team_id: &str,
    directory_id: &str,
    position: i64,
    now: i64,
) -> Result<bool, Refusal> {
    let page = match events::changes(tx, team_id, Some(directory_id), Some(position), BATCH)? {
        Changes::Page(page) => page,
        Changes::Lost { end, .. } => {
            stand(tx, team_id, end, Some(""))?;
            return Ok(true);
        }
    };
    let mut people: Vec<User> = Vec::new();
    for change in &page.changes {
        let id = match (change.object_kind.as_deref(), &change.object_id) {
            (Some("User"), Some(id)) => id,
            _ => continue,
        };
        if people.iter().any(|user| user.id == *id) {
            continue;
        }
        match users::by_id(tx, directory_id, id) {
            Ok(user) => people.push(user),
            Err(Refusal::NotFound(..)) => {}
            Err(error) => return Err(error),
        }
    }
    look_at(tx, team_id, directory_id, &people, now)?;
    stand(tx, team_id, page.next, None)?;
    Ok(page.next < page.end)
}

fn look_at(
    tx: &mut Tx<'_>,
    team_id: &str,
    directory_id: &str,
    people: &[User],
    now: i64,
) -> Result<(), Refusal> {
    let directory = directories::by_id(tx, directory_id)?;
    for user in people.iter().filter(|user| user.status == Status::Active) {
        ensure(tx, team_id, &directory, user, now)?;
    }
    Ok(())
}

fn place(tx: &mut Tx<'_>, team_id: &str) -> Result<Option<Place>, Refusal> {
    let row = tx.query_one(PLACE, &params![team_id])?;
    row.map(|mut row| {
        Ok(Place {
            position: row.int(0)?,
            swept: row.take_opt_text(1)?,
        })
    })
    .transpose()
}

fn stand(
    tx: &mut Tx<'_>,
    team_id: &str,
    position: i64,
    swept: Option<&str>,
) -> Result<(), Refusal> {
    Ok(tx.exec(MOVE, &params![team_id, position, swept])?)
}
