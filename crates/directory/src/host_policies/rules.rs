//! What all hosts of a team go by: what an admin has decided, and the groups that are made there with their numbers.

use super::{raise, raise_all};
use crate::accounts::numbers;
use crate::{Refusal, hosts};
use portreeve_access::posix::{PosixProblem, posix_problem};
use portreeve_store::{Tx, params, statements};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

statements! {
    RULES = "SELECT settings, people_gid, sudo_gid, (SELECT min(n.number) FROM posix_numbers n WHERE n.team_id = p.team_id) FROM host_policy_feed p WHERE p.team_id = $1";
    SET_NUMBERS = "UPDATE host_policy_feed SET people_gid = $2, sudo_gid = $3 WHERE team_id = $1";
    SET_SETTINGS = "UPDATE host_policy_feed SET settings = $2 WHERE team_id = $1";
    LEASE = "SELECT lease FROM host_leases WHERE team_id = $1 AND host_id = $2";
    SET_LEASE = "INSERT INTO host_leases (team_id, host_id, lease) VALUES ($1, $2, $3) ON CONFLICT (team_id, host_id) DO UPDATE SET lease = excluded.lease";
    FORGET_LEASE = "DELETE FROM host_leases WHERE team_id = $1 AND host_id = $2";
    FORGET_LEASE_OF_GONE = "DELETE FROM host_leases WHERE team_id = $1 AND host_id = $2 AND NOT EXISTS (SELECT 1 FROM hosts h WHERE h.team_id = $1 AND h.id = $2)";
    GROUPS = "SELECT name, gid, is_managed FROM posix_groups WHERE team_id = $1 ORDER BY name";
    INSERT_GROUP = "INSERT INTO posix_groups (team_id, name, gid, is_managed) VALUES ($1, $2, $3, TRUE)";
    SET_MANAGED = "UPDATE posix_groups SET is_managed = $3 WHERE team_id = $1 AND name = $2";
}

/// The group of everybody who may log in to a host, by which its `sshd` tells people from local accounts.
pub const PEOPLE: &str = "portreeve";

/// The group of those who may use `sudo`.
pub const SUDO: &str = "portreeve-sudo";

/// The shortest lease: a host asks again long before, also when the server was away for a moment.
const SHORTEST_LEASE: i64 = 300;

/// The longest: who wants longer says that it never ends.
const LONGEST_LEASE: i64 = 365 * 24 * 3600;

/// The most groups that are made on hosts.
const MOST_GROUPS: usize = 1000;

/// What an admin has decided about the hosts of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether open sessions end when access does.
    pub end_sessions: bool,
    /// For how many seconds a host goes by a document without hearing of us; `None`: for ever.
    pub lease: Option<i64>,
    /// The folder that homes are in.
    pub home_prefix: String,
    /// The shell of accounts.
    pub shell: String,
}

/// What all documents of a team say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What an admin has decided.
    pub settings: Settings,
    /// Number of the group [`PEOPLE`].
    pub people_gid: u32,
    /// Number of the group [`SUDO`].
    pub sudo_gid: u32,
    /// The lowest and the highest number that an account or group of the team has or can get.
    pub ids: (u32, u32),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            end_sessions: true,
            lease: Some(72 * 3600),
            home_prefix: "/home".to_owned(),
            shell: "/bin/bash".to_owned(),
        }
    }
}

impl Settings {
    /// Whether hosts can go by it.
    ///
    /// # Errors
    /// What they cannot.
    pub fn check(&self) -> Result<(), Refusal> {
        if let Some(lease) = self.lease {
            check_lease(lease)?;
        }
        path("home_prefix", &self.home_prefix)?;
        path("shell", &self.shell)
    }
}

/// What all hosts of a team go by.
pub fn rules(tx: &mut Tx<'_>, team_id: &str) -> Result<Rules, Refusal> {
    let numbers = numbers::whole();
    let mut rules = Rules {
        settings: Settings::default(),
        people_gid: 0,
        sudo_gid: 0,
        ids: (*numbers.start(), *numbers.end()),
    };
    if let Some(row) = tx.query_one(RULES, &params![team_id])? {
        rules.settings = read(row.text(0)?)?;
        let number = |column| row.opt_int(column).map(|gid| gid.map(u32::try_from));
        if let (Some(Ok(people)), Some(Ok(sudo))) = (number(1)?, number(2)?) {
            (rules.people_gid, rules.sudo_gid) = (people, sudo);
        }
        // Numbers that a provider sends may lie below the pool.
        if let Some(Ok(lowest)) = number(3)? {
            rules.ids.0 = rules.ids.0.min(lowest);
        }
    }
    Ok(rules)
}

/// Puts another decision in place of the one before: all hosts get another version.
///
/// # Errors
/// Hosts cannot go by it.
pub fn set_settings(tx: &mut Tx<'_>, team_id: &str, settings: &Settings) -> Result<(), Refusal> {
    settings.check()?;
    super::begin(tx, team_id)?;
    let text = serde_json::to_string(settings).map_err(|error| unreadable(&error))?;
    tx.exec(SET_SETTINGS, &params![team_id, &text])?;
    raise_all(tx, team_id)
}

/// What is decided about the lease of one host: `None`: what the team has; `Some(None)`: it never ends.
pub fn lease_of(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
) -> Result<Option<Option<i64>>, Refusal> {
    let row = tx.query_one(LEASE, &params![team_id, host_id])?;
    row.map(|row| Ok(Some(row.int(0)?).filter(|lease| *lease != 0)))
        .transpose()
}

/// Decides about the lease of one host, in seconds; `None`: it never ends.
///
/// # Errors
/// It is too short or too long, or there is no such host.
pub fn set_lease(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
    lease: Option<i64>,
) -> Result<(), Refusal> {
    if let Some(lease) = lease {
        check_lease(lease)?;
    }
    hosts::by_id(tx, team_id, host_id)?;
    tx.exec(SET_LEASE, &params![team_id, host_id, lease.unwrap_or(0)])?;
    raise(tx, team_id, &[host_id]).map(drop)
}

/// The lease of a host is that of the team again.
pub fn forget_lease(tx: &mut Tx<'_>, team_id: &str, host_id: &str) -> Result<(), Refusal> {
    tx.exec(FORGET_LEASE, &params![team_id, host_id])?;
    raise(tx, team_id, &[host_id]).map(drop)
}

/// The names of the groups that are made on hosts, in order.
pub fn managed_groups(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<String>, Refusal> {
    let groups = managed(tx, team_id)?;
    Ok(groups.into_iter().map(|(name, _)| name).collect())
}

/// Says which groups are made on hosts where somebody is in them. All others that grants name must exist there. A group that
/// comes back has the number that it had. All hosts get another version.
///
/// # Errors
/// There are too many, or one cannot be the name of a group.
pub fn set_managed_groups(
    tx: &mut Tx<'_>,
    team_id: &str,
    names: &BTreeSet<String>,
) -> Result<(), Refusal> {
    if names.len() > MOST_GROUPS {
        return Err(invalid(
            "managed_groups",
            &format!("a team has at most {MOST_GROUPS} of them"),
        ));
    }
    if let Some((name, problem)) = names
        .iter()
        .find_map(|name| Some((name, group_problem(name)?)))
    {
        return Err(invalid(
            "managed_groups",
            &format!(
                "\"{name}\" cannot be one: {problem}; a group of the host itself is left out here, and only named in grants"
            ),
        ));
    }
    super::begin(tx, team_id)?;
    let mut rest: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for mut row in tx.query(GROUPS, &params![team_id])? {
        let (name, was) = (row.take_text(0)?, row.bool(2)?);
        let is = rest.remove(name.as_str());
        if is != was {
            tx.exec(SET_MANAGED, &params![team_id, &name, is])?;
        }
    }
    for name in rest {
        let gid = numbers::give(tx, team_id)?;
        tx.exec(INSERT_GROUP, &params![team_id, name, i64::from(gid)])?;
    }
    raise_all(tx, team_id)
}

/// The groups that are made on hosts, with their numbers, by name.
pub(super) fn managed(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<(String, u32)>, Refusal> {
    let mut groups = Vec::new();
    for mut row in tx.query(GROUPS, &params![team_id])? {
        if row.bool(2)? {
            groups.push((row.take_text(0)?, numbers::of(&row, 1)?));
        }
    }
    Ok(groups)
}

/// Gives the groups of the team their numbers where they have none.
pub(super) fn ensure_numbers(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    if rules(tx, team_id)?.people_gid != 0 {
        return Ok(());
    }
    let people = numbers::give(tx, team_id)?;
    let sudo = numbers::give(tx, team_id)?;
    let row = params![team_id, i64::from(people), i64::from(sudo)];
    Ok(tx.exec(SET_NUMBERS, &row)?)
}

pub(super) fn forget_lease_of_gone(
    tx: &mut Tx<'_>,
    team_id: &str,
    host_id: &str,
) -> Result<(), Refusal> {
    Ok(tx.exec(FORGET_LEASE_OF_GONE, &params![team_id, host_id])?)
}

fn group_problem(name: &str) -> Option<String> {
    match name {
        PEOPLE | SUDO => Some("Portreeve has a group of that name for everybody".to_owned()),
        name => posix_problem(name).map(|problem: PosixProblem| problem.to_string()),
    }
}

fn check_lease(lease: i64) -> Result<(), Refusal> {
    match (SHORTEST_LEASE..=LONGEST_LEASE).contains(&lease) {
        true => Ok(()),
        false => Err(invalid(
            "lease",
            "it lasts from five minutes to a year, or for ever (\"never\")",
        )),
    }
}

/// A path that means the same to everybody who reads it.
fn path(attribute: &'static str, path: &str) -> Result<(), Refusal> {
    let part = |part: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
        !part.is_empty() && part != "." && part != ".." && part.chars().all(fits)
    };
    let rest = path.strip_prefix('/').filter(|_| path.len() <= 128);
    match rest.is_some_and(|rest| rest.split('/').all(part)) {
        true => Ok(()),
        false => Err(invalid(
            attribute,
            &format!(
                "\"{path}\" cannot be one: it begins with / and ends without, and has letters, digits, '-', '_', '.' and '+' only"
            ),
        )),
    }
}

fn read(text: &str) -> Result<Settings, Refusal> {
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

fn invalid(attribute: &'static str, reason: &str) -> Refusal {
    Refusal::Invalid {
        attribute,
        reason: reason.to_owned(),
    }
}

/// This program wrote it, so that failure means a damaged database.
fn unreadable(error: &serde_json::Error) -> Refusal {
    Refusal::Store(portreeve_store::Error::Failed(format!(
        "what is decided about hosts cannot be read: {error}; restore the database from a backup"
    )))
}
