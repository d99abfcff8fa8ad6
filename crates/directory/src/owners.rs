//! Local owners: owners of a team who are in no directory. The first one sets a team up; on the day on which no identity
//! provider answers they are the way in.

use crate::{Refusal, What, names};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};

statements! {
    INSERT = "INSERT INTO owners (team_id, id, name, name_key, created_at) VALUES ($1, $2, $3, $4, $5)";
    BY_ID = "SELECT id, name, created_at FROM owners WHERE team_id = $1 AND id = $2";
    BY_NAME = "SELECT id, name, created_at FROM owners WHERE team_id = $1 AND name_key = $2";
    LIST = "SELECT id, name, created_at FROM owners WHERE team_id = $1 ORDER BY name_key";
    DELETE = "DELETE FROM owners WHERE team_id = $1 AND id = $2";
    OWNER_USERS = "SELECT count(*) FROM users u JOIN directories d ON d.id = u.directory_id WHERE d.team_id = $1 AND u.level <> 'user' AND u.level = 'owner' AND u.status = 'active' AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.directory_id = u.directory_id AND s.user_id = u.id)";
}

/// The name of a local owner unless another one is asked for.
pub const DEFAULT_NAME: &str = "owner";

/// A local owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// UUID.
    pub id: String,
    /// What people call them; 1 to 64 characters.
    pub name: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// The local owner of that name, made with the given id if there is none. Whether it was made.
pub fn ensure(
    tx: &mut Tx<'_>,
    team_id: &str,
    name: &str,
    id: &str,
    now: i64,
) -> Result<(Owner, bool), Refusal> {
    let name = names::checked("a local owner", name, 64)?;
    if let Some(row) = tx.query_one(BY_NAME, &params![team_id, fold(name).as_ref()])? {
        return Ok((from_row(row)?, false));
    }
    tx.exec(
        INSERT,
        &params![team_id, id, name, fold(name).as_ref(), now],
    )?;
    let owner = Owner {
        id: id.to_owned(),
        name: name.to_owned(),
        created_at: now,
    };
    Ok((owner, true))
}

/// The local owner with that id.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Owner, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Owner, id.to_owned()))
        .and_then(from_row)
}

/// The local owner with that id or name.
pub fn find(tx: &mut Tx<'_>, team_id: &str, wanted: &str) -> Result<Owner, Refusal> {
    match by_id(tx, team_id, wanted) {
        Err(Refusal::NotFound(..)) => {
            let row = tx.query_one(BY_NAME, &params![team_id, fold(wanted).as_ref()])?;
            row.ok_or_else(|| Refusal::NotFound(What::Owner, wanted.to_owned()))
                .and_then(from_row)
        }
        found => found,
    }
}

/// The local owners of a team by name.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Owner>, Refusal> {
    tx.query(LIST, &params![team_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// Removes a local owner, unless the team would have no owner any more. Sessions and passkeys are the caller's to end.
pub fn delete(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<(), Refusal> {
    tx.exec(DELETE, &params![team_id, id])?;
    someone_must_stay(tx, team_id)
}

/// Refuses a change after which a team has no owner.
pub fn someone_must_stay(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    if has_any(tx, team_id)? {
        return Ok(());
    }
    Err(Refusal::Invalid {
        attribute: "level",
        reason: "this is the last owner of the team; make somebody else owner first".to_owned(),
    })
}

/// Whether a team has an owner: a local one or an active user of that level.
pub fn has_any(tx: &mut Tx<'_>, team_id: &str) -> Result<bool, Refusal> {
    if !list(tx, team_id)?.is_empty() {
        return Ok(true);
    }
    match tx.query_one(OWNER_USERS, &params![team_id])? {
        Some(row) => Ok(row.int(0)? > 0),
        None => Ok(false),
    }
}

fn from_row(mut row: Row) -> Result<Owner, Refusal> {
    Ok(Owner {
        created_at: row.int(2)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
    })
}
