//! Giving accounts to people as they come, so that they have them before they first need them: those of the team's active
//! SSH directory, once the team has a host. Whoever needs one earlier gets it then.

use super::{ensure, numbers};
use crate::directories::{self, Directory};
use crate::events::{self, Changes};
use crate::users::{self, Status, User};
use crate::{Refusal, teams};
use portreeve_store::{Tx, params, statements};
use std::collections::BTreeSet;
use std::sync::Arc;

statements! {
    PLACE = "SELECT position, swept FROM posix_pools WHERE team_id = $1";
    MOVE = "UPDATE posix_pools SET position = $2, swept = $3 WHERE team_id = $1";
    AGAIN = "UPDATE posix_pools SET swept = '' WHERE team_id = $1";
    NEXT = "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND id > $2 ORDER BY id LIMIT $3";
}

/// How many people or changes one transaction looks at.
const BATCH: usize = 200;

/// How far the people of a team were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// Up to where the feed was followed.
    position: i64,
    /// The last one, where all are looked at.
    swept: Option<String>,
}

/// Who was found to need an account, or another name.
#[derive(Debug, Clone)]
pub struct Needing {
    team_id: String,
    directory: Option<Arc<Directory>>,
    ids: Vec<String>,
    /// Where the look began, and where the next one begins.
    places: (Place, Place),
}

/// People of a team are given accounts from now on; doing it twice changes nothing.
pub fn begin(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    numbers::begin(tx, team_id)
}

/// All people are looked at once more, because the rule or the active directory has changed.
pub fn look_at_all(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(AGAIN, &params![team_id])?)
}

/// Looks at the next people of a team. `None`: there is nobody to be looked at.
///
/// It changes nothing, so that whoever writes does not wait for it: of many changes few need an account.
pub fn look(tx: &mut Tx<'_>, team_id: &str) -> Result<Option<Needing>, Refusal> {
    let Some(from) = place(tx, team_id)? else {
        return Ok(None);
    };
    let end = events::last(tx, team_id)?;
    if from.swept.is_none() && from.position == end {
        return Ok(None);
    }
    let mut needing = Needing {
        team_id: team_id.to_owned(),
        directory: None,
        ids: Vec::new(),
        places: (
            from.clone(),
            Place {
                position: end,
                swept: None,
            },
        ),
    };
    if let Some(id) = teams::by_id(tx, team_id)?.active_directory_id {
        let directory = Arc::new(directories::by_id(tx, &id)?);
        let (people, to) = match &from.swept {
            Some(last) => sweep(tx, &id, (&from, last), end)?,
            None => follow(tx, &directory, from.position)?,
        };
        for user in people.iter().filter(|user| user.status == Status::Active) {
            if !super::find(tx, &directory, user)?.is_given() {
                needing.ids.push(user.id.clone());
            }
        }
        needing.directory = Some(directory);
        needing.places.1 = to;
    }
    Ok(Some(needing))
}

/// Gives those who were found their accounts, unless somebody else has done it.
pub fn settle(tx: &mut Tx<'_>, needing: &Needing, now: i64) -> Result<(), Refusal> {
    let Needing {
        team_id,
        directory,
        ids,
        places: (from, to),
    } = needing;
    if place(tx, team_id)?.as_ref() != Some(from) {
        return Ok(());
    }
    if let Some(directory) = directory {
        for id in ids {
            match users::by_id(tx, &directory.id, id) {
                Ok(user) => drop(ensure(tx, team_id, directory, &user, now)?),
                Err(Refusal::NotFound(..)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let row = params![team_id, to.position, to.swept.as_deref()];
    Ok(tx.exec(MOVE, &row)?)
}

/// The next of all people. What changes in the meantime is in the feed after the place where that stood when it began.
fn sweep(
    tx: &mut Tx<'_>,
    directory_id: &str,
    (from, last): (&Place, &str),
    end: i64,
) -> Result<(Vec<User>, Place), Refusal> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let rows = tx.query(NEXT, &params![directory_id, last, limit])?;
    let people: Vec<User> = rows
        .into_iter()
        .map(users::from_row)
        .collect::<Result<_, _>>()?;
    let to = Place {
        position: if last.is_empty() { end } else { from.position },
        swept: people
            .last()
            .filter(|_| people.len() == BATCH)
            .map(|user| user.id.clone()),
    };
    Ok((people, to))
}

/// Those who have changed after a position.
fn follow(
    tx: &mut Tx<'_>,
    directory: &Directory,
    position: i64,
) -> Result<(Vec<User>, Place), Refusal> {
    let (team_id, id) = (&directory.team_id, &directory.id);
    let page = match events::changes(tx, team_id, Some(id), Some(position), BATCH)? {
        Changes::Page(page) => page,
        // Not all that has changed can be known, so that all are looked at.
        Changes::Lost { end, .. } => {
            let all = Place {
                position: end,
                swept: Some(String::new()),
            };
            return Ok((Vec::new(), all));
        }
    };
    let changes = page.changes.iter();
    let users = changes.filter(|change| change.object_kind.as_deref() == Some("User"));
    let ids: BTreeSet<&String> = users
        .filter_map(|change| change.object_id.as_ref())
        .collect();
    let mut people = Vec::new();
    for user_id in ids {
        match users::by_id(tx, id, user_id) {
            Ok(user) => people.push(user),
            Err(Refusal::NotFound(..)) => {}
            Err(error) => return Err(error),
        }
    }
    let to = Place {
        position: page.next,
        swept: None,
    };
    Ok((people, to))
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
