//! Teams: one organisation each, the tenant.

use crate::{Refusal, What, accounts, directories, events};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};
use serde::Serialize;

/// Users of directory `$1` who may come in and have no such namesake in directory `$2`.
macro_rules! only_in {
    () => {
        " FROM users o WHERE o.directory_id = $1 AND o.status = 'active' AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.directory_id = $1 AND s.user_id = o.id) AND NOT EXISTS (SELECT 1 FROM users n WHERE n.directory_id = $2 AND n.user_name_key = o.user_name_key AND n.status = 'active' AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.directory_id = $2 AND s.user_id = n.id))"
    };
}

statements! {
    INSERT = "INSERT INTO teams (id, name, name_key, created_at) VALUES ($1, $2, $3, $4)";
    BY_ID = "SELECT id, name, created_at, active_directory_id FROM teams WHERE id = $1";
    BY_NAME = "SELECT id, name, created_at, active_directory_id FROM teams WHERE name_key = $1";
    LIST = "SELECT id, name, created_at, active_directory_id FROM teams ORDER BY name_key";
    FIRST = "SELECT id, name, created_at, active_directory_id FROM teams ORDER BY created_at, id LIMIT 1";
    RENAME = "UPDATE teams SET name = $2, name_key = $3 WHERE id = $1";
    ACTIVATE = "UPDATE teams SET active_directory_id = $2 WHERE id = $1";
    COUNT_ONLY_IN = concat!("SELECT count(*)", only_in!());
    NAME_ONLY_IN = concat!("SELECT o.resource", only_in!(), " ORDER BY o.user_name_key LIMIT $3");
}

/// The name of the team that exists from the start, so that a first directory needs no team to be made before it, until
/// somebody gives it another one.
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
    /// The directory whose people may reach machines; `None`: none yet.
    #[serde(skip)]
    pub active_directory_id: Option<String>,
}

/// Finds a team by name in any letter case.
pub fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Team, Refusal> {
    let row = tx.query_one(BY_NAME, &params![fold(name).as_ref()])?;
    row.ok_or_else(|| Refusal::NotFound(What::Team, name.to_owned()))
        .and_then(from_row)
}

/// Finds a team by its id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Team, Refusal> {
    let row = tx.query_one(BY_ID, &params![id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Team, id.to_owned()))
        .and_then(from_row)
}

/// The team that was made first: the one that is meant where none is named.
pub fn first(tx: &mut Tx<'_>) -> Result<Team, Refusal> {
    let row = tx.query_one(FIRST, &params![])?;
    row.ok_or_else(|| Refusal::NotFound(What::Team, DEFAULT_NAME.to_owned()))
        .and_then(from_row)
}

/// The team that was made first; where there is none it is made with the given id.
pub fn ensure_first(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<Team, Refusal> {
    match first(tx) {
        Err(Refusal::NotFound(..)) => create(tx, DEFAULT_NAME, id, now),
        found => found,
    }
}

/// Finds the team of that name, or makes it with the given id and an empty feed.
pub fn ensure(tx: &mut Tx<'_>, name: &str, id: &str, now: i64) -> Result<Team, Refusal> {
    match by_name(tx, name) {
        Err(Refusal::NotFound(..)) => create(tx, name, id, now),
        found => found,
    }
}

/// Makes a team with the given id and an empty feed.
pub fn create(tx: &mut Tx<'_>, name: &str, id: &str, now: i64) -> Result<Team, Refusal> {
    let name = valid_name(name)?;
    tx.exec(INSERT, &params![id, name, fold(name).as_ref(), now])?;
    events::begin(tx, id)?;
    Ok(Team {
        id: id.to_owned(),
        name: name.to_owned(),
        created_at: now,
        active_directory_id: None,
    })
}

/// All teams by name.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Team>, Refusal> {
    let rows = tx.query(LIST, &params![])?;
    rows.into_iter().map(from_row).collect()
}

/// Gives a team another name.
pub fn rename(tx: &mut Tx<'_>, team: &Team, name: &str) -> Result<Team, Refusal> {
    let name = valid_name(name)?;
    tx.exec(RENAME, &params![&team.id, name, fold(name).as_ref()])?;
    Ok(Team {
        name: name.to_owned(),
        ..team.clone()
    })
}

/// Says which directory's people may reach machines; `None`: nobody's.
pub fn activate(tx: &mut Tx<'_>, team: &Team, directory_id: Option<&str>) -> Result<Team, Refusal> {
    if let Some(id) = directory_id {
        directories::find_in(tx, &team.id, id)?;
    }
    tx.exec(ACTIVATE, &params![&team.id, directory_id])?;
    accounts::look_at_all(tx, &team.id)?;
    Ok(Team {
        active_directory_id: directory_id.map(str::to_owned),
        ..team.clone()
    })
}

/// What a switch of the active directory would come to. The same person is known in both by `userName`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Who may reach machines now and could not any more.
    pub losing: People,
    /// Who may not now, and could.
    pub gaining: People,
}

/// How many people there are, and who the first of them are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// How many.
    pub count: i64,
    /// The first [`NAMED`] by their `userName`: display name, else user name.
    pub first: Vec<String>,
}

/// How many people a preview names.
pub const NAMED: i64 = 100;

/// What it would come to if another directory were the active one.
pub fn preview(tx: &mut Tx<'_>, team: &Team, to: Option<&str>) -> Result<Switch, Refusal> {
    // No directory has this id, and nobody is in it.
    let from = team.active_directory_id.as_deref().unwrap_or_default();
    let to = to.unwrap_or_default();
    Ok(Switch {
        losing: only_in(tx, from, to)?,
        gaining: only_in(tx, to, from)?,
    })
}

fn only_in(tx: &mut Tx<'_>, one: &str, other: &str) -> Result<People, Refusal> {
    if one == other {
        return Ok(People::default());
    }
    let row = tx.query_one(COUNT_ONLY_IN, &params![one, other])?;
    let count = row.map_or(Ok(0), |row| row.int(0))?;
    let rows = tx.query(NAME_ONLY_IN, &params![one, other, NAMED])?;
    let name = |row: &Row| Ok(crate::members::display_of(row.text(0)?).unwrap_or_default());
    let first = rows.iter().map(name).collect::<Result<_, Refusal>>()?;
    Ok(People { count, first })
}

fn from_row(mut row: Row) -> Result<Team, Refusal> {
    Ok(Team {
        created_at: row.int(2)?,
        active_directory_id: row.take_opt_text(3)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
    })
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
