//! Remote identities: the account names that a person or service account has on hosts that do not take the usual one.

use crate::members::{self, CHUNK};
use crate::{Refusal, accounts};
use portreeve_access::posix::{PosixProblem, posix_problem};
use portreeve_access::{Expression, RemoteIdentity};
use portreeve_scim::Resource;
use portreeve_scim::schema::POSIX;
use portreeve_store::{Param, Row, Tx, params, statements};
use std::collections::BTreeMap;

statements! {
    LIST = "SELECT hosts, name FROM remote_identities WHERE team_id = $1 AND holder_id = $2 ORDER BY place";
    INSERT = "INSERT INTO remote_identities (team_id, holder_id, place, directory_id, hosts, name) VALUES ($1, $2, $3, $4, $5, $6)";
    DELETE = "DELETE FROM remote_identities WHERE team_id = $1 AND holder_id = $2";
}

/// The most that one person has.
pub const MOST: usize = 20;

/// The tag of hosts on which the name counts that a provider sends as `remoteIdentity`.
pub const TAG: &str = "remote-identity";

/// Those of a person or service account, in their order: the first whose hosts fit counts.
pub fn list(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_id: &str,
) -> Result<Vec<RemoteIdentity>, Refusal> {
    let one = |row: Row| {
        Ok(RemoteIdentity {
            hosts: row.text(0)?.parse()?,
            name: row.text(1)?.to_owned(),
        })
    };
    let rows = tx.query(LIST, &params![team_id, holder_id])?;
    rows.into_iter().map(one).collect()
}

/// Puts others in the place of those of a person (of that directory) or service account.
///
/// # Errors
/// There are too many, or one cannot be the name of an account. The names of other accounts of a host may be given, but for
/// `root`: who is to be root there uses `sudo`; and none of another person.
pub fn set(
    tx: &mut Tx<'_>,
    team_id: &str,
    (directory_id, holder_id): (Option<&str>, &str),
    wanted: &[RemoteIdentity],
) -> Result<(), Refusal> {
    if wanted.len() > MOST {
        return Err(invalid(format!(
            "somebody has at most {MOST} of them; use expressions that fit more hosts"
        )));
    }
    if let Some((name, problem)) = wanted
        .iter()
        .find_map(|one| Some((&one.name, problem_of(&one.name)?)))
    {
        return Err(invalid(format!("\"{name}\" cannot be one: {problem}")));
    }
    for one in wanted {
        if let Some(by) = accounts::taken(tx, (team_id, ""), holder_id, &one.name)? {
            return Err(invalid(format!(
                "\"{}\" is the account of {by}, and nobody logs in as somebody else",
                one.name
            )));
        }
    }
    tx.exec(DELETE, &params![team_id, holder_id])?;
    for (place, one) in (0_i64..).zip(wanted) {
        let hosts = one.hosts.to_string();
        tx.exec(
            INSERT,
            &params![team_id, holder_id, place, directory_id, &hosts, &one.name],
        )?;
    }
    Ok(())
}

/// Forgets those of somebody who is gone.
pub(crate) fn forget(tx: &mut Tx<'_>, team_id: &str, holder_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE, &params![team_id, holder_id])?)
}

/// Those of many people and service accounts; who has none is not there.
pub(crate) fn of_many(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder_ids: &[&str],
) -> Result<BTreeMap<String, Vec<RemoteIdentity>>, Refusal> {
    let mut all: BTreeMap<String, Vec<RemoteIdentity>> = BTreeMap::new();
    for chunk in holder_ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = vec![team_id.into()];
        let list = members::placeholders(chunk, &mut given);
        let sql = format!(
            "SELECT holder_id, hosts, name FROM remote_identities WHERE team_id = $1 AND holder_id IN ({list}) ORDER BY holder_id, place"
        );
        for mut row in tx.query(&sql, &given)? {
            let one = RemoteIdentity {
                hosts: row.text(1)?.parse()?,
                name: row.take_text(2)?,
            };
            all.entry(row.take_text(0)?).or_default().push(one);
        }
    }
    Ok(all)
}

/// The one that a provider sends for a user, if it can be one: on hosts with the tag [`TAG`]. A provider makes nobody an
/// account of the system, nor somebody else.
pub(crate) fn sent(
    tx: &mut Tx<'_>,
    team_id: &str,
    user_id: &str,
    resource: &Resource,
) -> Result<Option<RemoteIdentity>, Refusal> {
    let posix = resource.as_map().get(POSIX);
    let name = posix.and_then(|posix| posix.get("remoteIdentity")?.as_str());
    let Some(name) = name.filter(|name| posix_problem(name).is_none()) else {
        return Ok(None);
    };
    if accounts::taken(tx, (team_id, ""), user_id, name)?.is_some() {
        return Ok(None);
    }
    Ok(Some(RemoteIdentity {
        hosts: TAG.parse::<Expression>()?,
        name: name.to_owned(),
    }))
}

fn problem_of(name: &str) -> Option<PosixProblem> {
    match posix_problem(name)? {
        PosixProblem::Reserved if !matches!(name, "root" | "toor") => None,
        problem => Some(problem),
    }
}

fn invalid(reason: String) -> Refusal {
    Refusal::Invalid {
        attribute: "remote_identities",
        reason,
    }
}
