//! What decisions about access rest on: the hosts and grants of a team, and the facts about one person.

use crate::accounts::{self, Found};
use crate::directories::Directory;
use crate::holders::Holder;
use crate::users::{Status, User};
use crate::{
    Refusal, directories, grants, hosts, memberships, remote_identities, service_accounts,
    suspensions, teams, users,
};
use jiff::Timestamp;
use portreeve_access::{self as known, Estate, Grant, Person, Standing};
use portreeve_store::{Tx, params, statements};

mod having;
mod through;

pub(crate) use having::inside;
pub use having::{Who, having, is_larger};

statements! {
    VERSION = "SELECT version FROM estates WHERE team_id = $1";
    CHANGED = "INSERT INTO estates (team_id, version) VALUES ($1, 1) ON CONFLICT (team_id) DO UPDATE SET version = estates.version + 1";
}

/// The hosts and grants of a team.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The hosts, by name.
    pub estate: Estate,
    /// The grants, in the order in which they were made.
    pub grants: Vec<Grant>,
    /// Rises with every change to them.
    pub version: i64,
}

/// The hosts and grants of a team, whole.
pub fn of_team(tx: &mut Tx<'_>, team_id: &str) -> Result<Access, Refusal> {
    Ok(Access {
        version: version(tx, team_id)?,
        estate: Estate::new(hosts::all_known(tx, team_id)?),
        grants: grants::of_team(tx, team_id)?,
    })
}

/// Which state the hosts and grants of a team are in.
pub fn version(tx: &mut Tx<'_>, team_id: &str) -> Result<i64, Refusal> {
    let row = tx.query_one(VERSION, &params![team_id])?;
    Ok(row.map_or(Ok(0), |row| row.int(0))?)
}

/// What is known of somebody, and of their account on hosts.
#[derive(Debug, Clone)]
pub struct Facts {
    /// As decisions take it.
    pub person: Person,
    /// What people call them.
    pub full_name: String,
    /// What their account is, or would be.
    pub account: Found,
}

/// The facts about a user or service account of a team at a time. A name that they have not been given yet is the one that
/// they would get.
///
/// # Errors
/// There is no such user or service account in the team. A local owner is in no directory and has no access to hosts.
pub fn person(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder: &Holder,
    now: i64,
) -> Result<Person, Refusal> {
    Ok(facts(tx, team_id, holder, now)?.person)
}

/// As [`person`], with what is known of the account.
///
/// # Errors
/// As [`person`].
pub fn facts(tx: &mut Tx<'_>, team_id: &str, holder: &Holder, now: i64) -> Result<Facts, Refusal> {
    match holder {
        Holder::User { directory_id, id } => {
            let directory = directories::find_in(tx, team_id, directory_id)?;
            let user = users::by_id(tx, &directory.id, id)?;
            of_user(tx, &directory, &user, now)
        }
        Holder::Service(id) => of_service(tx, team_id, id),
        Holder::Owner(_) => Err(Refusal::Invalid {
            attribute: "user",
            reason: "a local owner is in no directory and has no access to hosts; sign in as a user of the active SSH directory".to_owned(),
        }),
    }
}

/// Gives somebody the account that they are to have.
///
/// # Errors
/// As [`person`].
pub fn give_account(
    tx: &mut Tx<'_>,
    team_id: &str,
    holder: &Holder,
    now: i64,
) -> Result<(), Refusal> {
    match holder {
        Holder::User { directory_id, id } => {
            let directory = directories::find_in(tx, team_id, directory_id)?;
            let user = users::by_id(tx, &directory.id, id)?;
            accounts::ensure(tx, team_id, &directory, &user, now).map(drop)
        }
        Holder::Service(id) => {
            let account = service_accounts::by_id(tx, team_id, id)?;
            accounts::ensure_service(tx, team_id, &account, now).map(drop)
        }
        Holder::Owner(_) => Ok(()),
    }
}

fn of_user(
    tx: &mut Tx<'_>,
    directory: &Directory,
    user: &User,
    now: i64,
) -> Result<Facts, Refusal> {
    let team = teams::by_id(tx, &directory.team_id)?;
    let resource = user.parsed()?;
    let mut remote = remote_identities::list(tx, &directory.team_id, &user.id)?;
    remote.extend(remote_identities::sent(
        tx,
        &directory.team_id,
        &user.id,
        &resource,
    )?);
    let account = accounts::find(tx, directory, user)?;
    let is_out =
        user.status != Status::Active || suspensions::is_suspended(tx, &directory.id, &user.id)?;
    let groups = memberships::of_user(tx, &directory.id, &user.id, now)?;
    let person = Person {
        id: user.id.clone(),
        name: resource.user_name().unwrap_or_default().to_owned(),
        directory: Some(known::Directory {
            is_active: team.active_directory_id.as_deref() == Some(&directory.id),
            id: directory.id.clone(),
            name: directory.name.clone(),
        }),
        standing: match is_out {
            true => Standing::Suspended,
            false => Standing::Active,
        },
        account: account_of(&account),
        remote_identities: remote,
        memberships: through::memberships(tx, &directory.id, groups)?,
    };
    let full_name = resource.display_name().filter(|name| !name.is_empty());
    let full_name = full_name.unwrap_or(&person.name).to_owned();
    Ok(Facts {
        person,
        full_name,
        account,
    })
}

fn of_service(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<Facts, Refusal> {
    let service = service_accounts::by_id(tx, team_id, id)?;
    let account = accounts::find_of_service(tx, team_id, &service)?;
    let person = Person {
        id: service.id.clone(),
        name: service.name.clone(),
        directory: None,
        standing: match service.active {
            true => Standing::Active,
            false => Standing::Suspended,
        },
        account: account_of(&account),
        remote_identities: remote_identities::list(tx, team_id, &service.id)?,
        memberships: Vec::new(),
    };
    Ok(Facts {
        person,
        full_name: service.name,
        account,
    })
}

fn account_of(found: &Found) -> known::Account {
    match &found.name {
        Ok(name) => known::Account::Named(name.clone()),
        Err(problem) => known::Account::None(problem.to_string()),
    }
}

/// The hosts or grants of a team have changed.
pub(crate) fn changed(tx: &mut Tx<'_>, team_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(CHANGED, &params![team_id])?)
}

/// A time as decisions take it, from microseconds since 1970 UTC.
pub fn moment(at: i64) -> Timestamp {
    let nearest = match at < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    };
    Timestamp::from_microsecond(at).unwrap_or(nearest)
}
