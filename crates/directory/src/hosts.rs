//! Hosts: managed machines, chosen by grants by what they are tagged with.

use crate::{Refusal, What, access, accounts, host_policies};
use portreeve_access::tags::{TagError, Tags};
use portreeve_access::{Expression, Host as Known};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};
use std::collections::{BTreeMap, HashMap};

/// What [`from_row`] takes.
macro_rules! select {
    () => {
        "SELECT h.id, h.name, h.tags, h.is_bastion, (SELECT b.name FROM hosts b WHERE b.team_id = h.team_id AND b.id = h.bastion_id), h.version, h.created_at, h.updated_at, h.last_contact_at FROM hosts h WHERE h.team_id = $1"
    };
}

statements! {
    BY_ID = concat!(select!(), " AND h.id = $2");
    BY_NAME = concat!(select!(), " AND h.name_key = $2");
    PAGE = concat!(select!(), " AND h.name_key > $2 ORDER BY h.name_key LIMIT $3");
    KNOWN = "SELECT id, name, tags FROM hosts WHERE team_id = $1 ORDER BY name_key";
    COUNT = "SELECT count(*) FROM hosts WHERE team_id = $1";
    BEHIND = "SELECT name FROM hosts WHERE team_id = $1 AND bastion_id = $2 ORDER BY name_key LIMIT 1";
    BASTIONS = concat!(select!(), " AND h.is_bastion ORDER BY h.name_key");
    THROUGH = "SELECT h.id, b.name FROM hosts h JOIN hosts b ON b.team_id = h.team_id AND b.id = h.bastion_id WHERE h.team_id = $1 AND h.bastion_id IS NOT NULL";
    INSERT = "INSERT INTO hosts (team_id, id, name, name_key, tags, is_bastion, bastion_id, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)";
    UPDATE = "UPDATE hosts SET name = $3, name_key = $4, tags = $5, is_bastion = $6, bastion_id = $7, version = version + 1, updated_at = $8 WHERE team_id = $1 AND id = $2";
    CONTACT = "UPDATE hosts SET last_contact_at = $3 WHERE team_id = $1 AND id = $2 AND (last_contact_at IS NULL OR last_contact_at < $3)";
    DELETE = "DELETE FROM hosts WHERE team_id = $1 AND id = $2";
}

/// How many hosts are read at a time where an expression chooses among them.
const STRETCH: i64 = 1000;

/// A managed machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// UUID; never reused.
    pub id: String,
    /// What `ssh` calls it; unique in the team in any letter case.
    pub name: String,
    /// What expressions choose it by.
    pub tags: Tags,
    /// Whether other hosts are reached through it.
    pub is_bastion: bool,
    /// The name of the host through which it is reached; `None`: directly.
    pub bastion: Option<String>,
    /// Rises with every change an admin makes.
    pub version: i64,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
    /// When it was last heard of (microseconds since 1970 UTC).
    pub last_contact_at: Option<i64>,
}

/// What an admin decides about a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// What `ssh` calls it.
    pub name: String,
    /// What expressions choose it by.
    pub tags: Tags,
    /// Whether other hosts are reached through it.
    pub is_bastion: bool,
    /// Name or id of the host through which it is reached.
    pub bastion: Option<String>,
}

impl Host {
    /// What is decided about it.
    pub fn decided(&self) -> Decided {
        Decided {
            name: self.name.clone(),
            tags: self.tags.clone(),
            is_bastion: self.is_bastion,
            bastion: self.bastion.clone(),
        }
    }

    /// The host as expressions and decisions know it.
    pub fn known(&self) -> Known {
        Known {
            id: self.id.clone(),
            name: self.name.clone(),
            tags: self.tags.clone(),
        }
    }
}

/// Makes a host.
///
/// # Errors
/// The name cannot be one or is taken, or what it is to be reached through is no bastion.
pub fn create(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    new: &Decided,
    now: i64,
) -> Result<Host, Refusal> {
    let (name, bastion) = checked(tx, team_id, None, new)?;
    let (key, tags) = (fold(name), tags_text(&new.tags)?);
    let through = bastion.as_ref().map(|bastion| bastion.id.as_str());
    tx.exec(
        INSERT,
        &params![
            team_id,
            id,
            name,
            key.as_ref(),
            &tags,
            new.is_bastion,
            through,
            now
        ],
    )?;
    access::changed(tx, team_id)?;
    accounts::begin(tx, team_id)?;
    host_policies::begin(tx, team_id)?;
    Ok(Host {
        id: id.to_owned(),
        name: name.to_owned(),
        tags: new.tags.clone(),
        is_bastion: new.is_bastion,
        bastion: bastion.map(|bastion| bastion.name),
        version: 1,
        created_at: now,
        updated_at: now,
        last_contact_at: None,
    })
}

/// Puts a decision about a host in place of another one.
///
/// # Errors
/// As [`create`]; or hosts are reached through it, which is to be no bastion any more.
pub fn update(
    tx: &mut Tx<'_>,
    team_id: &str,
    before: &Host,
    new: &Decided,
    now: i64,
) -> Result<Host, Refusal> {
    let (name, bastion) = checked(tx, team_id, Some(before), new)?;
    if before.is_bastion && !new.is_bastion {
        nobody_behind(tx, team_id, before)?;
    }
    let (key, tags) = (fold(name), tags_text(&new.tags)?);
    let through = bastion.as_ref().map(|bastion| bastion.id.as_str());
    tx.exec(
        UPDATE,
        &params![
            team_id,
            &before.id,
            name,
            key.as_ref(),
            &tags,
            new.is_bastion,
            through,
            now
        ],
    )?;
    access::changed(tx, team_id)?;
    Ok(Host {
        name: name.to_owned(),
        tags: new.tags.clone(),
        is_bastion: new.is_bastion,
        bastion: bastion.map(|bastion| bastion.name),
        version: before.version + 1,
        updated_at: now,
        ..before.clone()
    })
}

/// Removes a host, unless others are reached through it.
///
/// # Errors
/// Others are.
pub fn delete(tx: &mut Tx<'_>, team_id: &str, host: &Host) -> Result<(), Refusal> {
    nobody_behind(tx, team_id, host)?;
    tx.exec(DELETE, &params![team_id, &host.id])?;
    access::changed(tx, team_id)
}

/// The host with that id.
pub fn by_id(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Host, Refusal> {
    let row = tx.query_one(BY_ID, &params![team_id, id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Host, id.to_owned()))
        .and_then(from_row)
}

/// The host with that name, in any letter case.
pub fn by_name(tx: &mut Tx<'_>, team_id: &str, name: &str) -> Result<Host, Refusal> {
    let row = tx.query_one(BY_NAME, &params![team_id, fold(name).as_ref()])?;
    row.ok_or_else(|| Refusal::NotFound(What::Host, name.to_owned()))
        .and_then(from_row)
}

/// The host with that id or name.
pub fn find(tx: &mut Tx<'_>, team_id: &str, id_or_name: &str) -> Result<Host, Refusal> {
    match by_id(tx, team_id, id_or_name) {
        Err(Refusal::NotFound(..)) => by_name(tx, team_id, id_or_name),
        found => found,
    }
}

/// The next `limit` hosts after a name (empty for the first), by name, that an expression chooses and that have a text in
/// their names.
pub fn list(
    tx: &mut Tx<'_>,
    team_id: &str,
    (chosen, named): (&Expression, &str),
    after: &str,
    limit: usize,
) -> Result<Vec<Host>, Refusal> {
    let mut page: Vec<Host> = Vec::new();
    let (mut place, named) = (fold(after).into_owned(), fold(named));
    while page.len() < limit {
        let rows = tx.query(PAGE, &params![team_id, &place, STRETCH])?;
        let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < STRETCH);
        for row in rows {
            let host = from_row(row)?;
            place = fold(&host.name).into_owned();
            let fits = place.contains(named.as_ref()) && chosen.contains(&host.known());
            if fits && page.len() < limit {
                page.push(host);
            }
        }
        if is_last {
            break;
        }
    }
    Ok(page)
}

/// The hosts through which others are reached, by name.
pub fn bastions(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Host>, Refusal> {
    let rows = tx.query(BASTIONS, &params![team_id])?;
    rows.into_iter().map(from_row).collect()
}

/// The hosts of a team that are reached through another one: their ids, and its name.
pub fn bastions_of(tx: &mut Tx<'_>, team_id: &str) -> Result<HashMap<String, String>, Refusal> {
    let rows = tx.query(THROUGH, &params![team_id])?;
    rows.into_iter()
        .map(|mut row| Ok((row.take_text(0)?, row.take_text(1)?)))
        .collect()
}

/// How many hosts a team has.
pub fn count(tx: &mut Tx<'_>, team_id: &str) -> Result<i64, Refusal> {
    let row = tx.query_one(COUNT, &params![team_id])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// Remembers when a host was last heard of; never moves back.
pub fn contact(tx: &mut Tx<'_>, team_id: &str, id: &str, at: i64) -> Result<(), Refusal> {
    Ok(tx.exec(CONTACT, &params![team_id, id, at])?)
}

/// All hosts of a team by name, as expressions and decisions know them.
pub(crate) fn all_known(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Known>, Refusal> {
    let known = |mut row: Row| {
        Ok(Known {
            tags: tags_of(row.text(2)?)?,
            id: row.take_text(0)?,
            name: row.take_text(1)?,
        })
    };
    let rows = tx.query(KNOWN, &params![team_id])?;
    rows.into_iter().map(known).collect()
}

/// The name and the bastion of a decision, if they can be those of a host.
fn checked<'n>(
    tx: &mut Tx<'_>,
    team_id: &str,
    before: Option<&Host>,
    new: &'n Decided,
) -> Result<(&'n str, Option<Host>), Refusal> {
    let name = valid_name(&new.name)?;
    let Some(wanted) = &new.bastion else {
        return Ok((name, None));
    };
    let bastion = find(tx, team_id, wanted)?;
    let wrong = match before {
        Some(before) if before.id == bastion.id => "a host is not reached through itself",
        _ if !bastion.is_bastion => {
            "that host is no bastion; make it one first (--bastion), then say that others are reached through it"
        }
        _ if bastion.bastion.is_some() => {
            "that bastion is reached through another one; name a bastion that is reached directly"
        }
        Some(_) if new.is_bastion => {
            "a bastion is reached directly; leave either the bastion out or what makes it one"
        }
        _ => return Ok((name, Some(bastion))),
    };
    Err(Refusal::Invalid {
        attribute: "bastion",
        reason: wrong.to_owned(),
    })
}

fn nobody_behind(tx: &mut Tx<'_>, team_id: &str, host: &Host) -> Result<(), Refusal> {
    let Some(mut row) = tx.query_one(BEHIND, &params![team_id, &host.id])? else {
        return Ok(());
    };
    Err(Refusal::Invalid {
        attribute: "bastion",
        reason: format!(
            "{} is reached through {}; give it another bastion first",
            row.take_text(0)?,
            host.name
        ),
    })
}

/// A name that `ssh` can be given, and that means nothing else in its configuration.
fn valid_name(name: &str) -> Result<&str, Refusal> {
    let name = name.trim();
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=253).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(ok)
    {
        return Ok(name);
    }
    Err(Refusal::Invalid {
        attribute: "name",
        reason: format!(
            "\"{name}\" cannot be the name of a host; use what ssh is to be given: 1 to 253 letters, digits, '-', '_' or '.', starting with a letter or digit"
        ),
    })
}

pub(crate) fn tags_text(tags: &Tags) -> Result<String, Refusal> {
    let map: BTreeMap<&str, &str> = tags.iter().collect();
    serde_json::to_string(&map).map_err(|error| unreadable(&error))
}

pub(crate) fn tags_of(text: &str) -> Result<Tags, Refusal> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

/// Tags were checked before they were written, so that failure means a damaged database.
fn unreadable(error: &serde_json::Error) -> Refusal {
    Refusal::Store(portreeve_store::Error::Failed(format!(
        "the tags of a host cannot be read: {error}; restore the database from a backup"
    )))
}

impl From<TagError> for Refusal {
    fn from(error: TagError) -> Self {
        Self::Invalid {
            attribute: "tags",
            reason: error.to_string(),
        }
    }
}

fn from_row(mut row: Row) -> Result<Host, Refusal> {
    Ok(Host {
        tags: tags_of(row.text(2)?)?,
        is_bastion: row.bool(3)?,
        bastion: row.take_opt_text(4)?,
        version: row.int(5)?,
        created_at: row.int(6)?,
        updated_at: row.int(7)?,
        last_contact_at: row.opt_int(8)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
    })
}
