//! Whom a request means: a group, a user or a service account of a team, by id or name.

use super::super::{Admin, groups, users};
use super::NewGrant;
use portreeve_directory::directories::{self, Directory};
use portreeve_directory::grants::To;
use portreeve_directory::holders::Holder;
use portreeve_directory::teams::Team;
use portreeve_directory::{Refusal, What, service_accounts};
use portreeve_store::Tx;

/// Who is to have a grant.
pub(super) fn of(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    wanted: &NewGrant,
) -> Result<To, Refusal> {
    let within = wanted.directory.as_deref();
    match (&wanted.group, &wanted.user) {
        (Some(group), None) => group_of(tx, admin, team, within, group),
        (None, Some(user)) => Ok(match holder_of(tx, admin, team, within, user)? {
            Holder::User { directory_id, id } => To::User { directory_id, id },
            Holder::Service(id) | Holder::Owner(id) => To::Service(id),
        }),
        _ => Err(Refusal::Invalid {
            attribute: "group",
            reason: "say who is to have the grant: either a group, or a user for a limited time"
                .to_owned(),
        }),
    }
}

/// The group with that id or name: of the directory that is named, else of the active SSH directory, else of the only other
/// one that has such a group.
fn group_of(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    within: Option<&str>,
    wanted: &str,
) -> Result<To, Refusal> {
    let found = in_directories(tx, team, within, |tx, directory| {
        groups::find(tx, directory, wanted, admin.at).map(|group| group.id)
    })?;
    let (directory, id) = only(found, "group", wanted)?
        .ok_or_else(|| Refusal::NotFound(What::Group, wanted.to_owned()))?;
    Ok(To::Group {
        directory_id: directory.id,
        id,
    })
}

/// The user with that id or `userName`, as [`group_of`] finds groups; or the service account with that id or name.
pub(in super::super) fn holder_of(
    tx: &mut Tx<'_>,
    admin: &Admin,
    team: &Team,
    within: Option<&str>,
    wanted: &str,
) -> Result<Holder, Refusal> {
    let found = in_directories(tx, team, within, |tx, directory| {
        users::find(tx, directory, wanted, admin.at).map(|user| user.id)
    })?;
    if let Some((directory, id)) = only(found, "user", wanted)? {
        return Ok(Holder::User {
            directory_id: directory.id,
            id,
        });
    }
    if within.is_none() {
        match service_accounts::find(tx, &team.id, wanted) {
            Ok(account) => return Ok(Holder::Service(account.id)),
            Err(Refusal::NotFound(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Refusal::NotFound(What::User, wanted.to_owned()))
}

/// What is found in the directory that is named; else in the active SSH directory; else in all others of the team.
fn in_directories(
    tx: &mut Tx<'_>,
    team: &Team,
    within: Option<&str>,
    find: impl Fn(&mut Tx<'_>, &Directory) -> Result<String, Refusal>,
) -> Result<Vec<(Directory, String)>, Refusal> {
    let mut directories = match within {
        Some(which) => vec![directories::find_in(tx, &team.id, which)?],
        None => directories::list(tx)?,
    };
    directories.retain(|directory| directory.team_id == team.id);
    let is_active =
        |directory: &Directory| team.active_directory_id.as_deref() == Some(&directory.id);
    directories.sort_by_key(|directory| !is_active(directory));
    let mut all = Vec::new();
    for directory in directories {
        match find(tx, &directory) {
            Ok(id) if is_active(&directory) => return Ok(vec![(directory, id)]),
            Ok(id) => all.push((directory, id)),
            Err(Refusal::NotFound(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// The only thing that was found, if any.
fn only(
    mut found: Vec<(Directory, String)>,
    attribute: &'static str,
    wanted: &str,
) -> Result<Option<(Directory, String)>, Refusal> {
    match (found.pop(), found.pop()) {
        (Some((one, _)), Some((other, _))) => Err(Refusal::Invalid {
            attribute,
            reason: format!(
                "the directories {} and {} both have \"{wanted}\"; say which by directory",
                other.name, one.name
            ),
        }),
        (found, _) => Ok(found),
    }
}
