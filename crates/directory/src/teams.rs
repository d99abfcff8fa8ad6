//! Teams: one organisation each, the tenant.

use crate::{Refusal, What, events};
use portreeve_scim::text::fold;
use portreeve_store::{Tx, params, statements};
use serde::Serialize;

statements! {
    INSERT = "INSERT INTO teams (id, name, name_key, created_at) VALUES ($1, $2, $3, $4)";
    BY_NAME = "SELECT id, name, created_at FROM teams WHERE name_key = $1";
    LIST = "SELECT id, name, created_at FROM teams ORDER BY name_key";
}

/// The team that exists from the start, so that a first directory needs no team to be made before it.
pub const DEFAULT_NAME: &str = "main";

/// One organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Team {
    /// UUID.
    pub id: String,
    /// Its name, which is in URLs.
    pub name: String,
    /// Microseconds since 1970 UTC.
    #[serde(skip)]
    pub created_at: i64,
}

/// Finds a team by name in any letter case.
pub fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Team, Refusal> {
    let row = tx.query_one(BY_NAME, &params![fold(name).as_ref()])?;
    let mut row = row.ok_or_else(|| Refusal::NotFound(What::Team, name.to_owned()))?;
    Ok(Team {
        id: row.take_text(0)?,
        name: row.take_text(1)?,
        created_at: row.int(2)?,
    })
}

/// Finds the team of that name, or makes it with the given id and an empty feed.
pub fn ensure(tx: &mut Tx<'_>, name: &str, id: &str, now: i64) -> Result<Team, Refusal> {
    match by_name(tx, name) {
        Err(Refusal::NotFound(..)) => {}
        found => return found,
    }
    let name = valid_name(name)?;
    tx.exec(INSERT, &params![id, name, fold(name).as_ref(), now])?;
    events::begin(tx, id)?;
    Ok(Team {
        id: id.to_owned(),
        name: name.to_owned(),
        created_at: now,
    })
}

/// All teams by name.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Team>, Refusal> {
    let rows = tx.query(LIST, &params![])?;
    rows.into_iter()
        .map(|mut r| {
            Ok(Team {
                id: r.take_text(0)?,
                name: r.take_text(1)?,
                created_at: r.int(2)?,
            })
        })
        .collect()
}

/// A team's name stands in URLs: 1 to 63 letters, digits, `-` or `_`, starting with a letter or digit.
fn valid_name(name: &str) -> Result<&str, Refusal> {
    let ok = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(ok)
    {
        return Ok(name);
    }
    Err(Refusal::Invalid {
        attribute: "team",
        reason: format!(
            "\"{name}\" is no team name; use 1 to 63 letters, digits, - or _, starting with a letter or digit"
        ),
    })
}
