//! The people whom grants concern.

use super::{Facts, account_of, facts, through};
use crate::directories::{self, Directory};
use crate::holders::Holder;
use crate::members::{self, CHUNK};
use crate::users::{self, User};
use crate::{Refusal, accounts, memberships, remote_identities, service_accounts, teams};
use portreeve_access::grant::Subject;
use portreeve_access::{self as known, Person, Standing};
use portreeve_store::{Param, Tx, params};
use std::collections::{BTreeMap, BTreeSet};

/// Somebody whom a grant concerns.
#[derive(Debug, Clone)]
pub struct Who {
    /// The directory of a user; `None` for service accounts.
    pub directory_id: Option<String>,
    /// As decisions take them.
    pub person: Person,
}

/// The people and service accounts of a team who have one of some grants at a time and may come in: the active people of
/// the active SSH directory who are in the groups, also through others, and whoever has temporary access.
pub fn having<'s>(
    tx: &mut Tx<'_>,
    team_id: &str,
    subjects: impl Iterator<Item = &'s Subject>,
    now: i64,
) -> Result<Vec<Who>, Refusal> {
    let (mut groups, mut ones): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
    for subject in subjects {
        match subject {
            Subject::Group(id) => groups.insert(id),
            Subject::User(id) => ones.insert(id),
        };
    }
    let mut people = Vec::new();
    if let Some(directory_id) = teams::by_id(tx, team_id)?.active_directory_id {
        let directory = directories::by_id(tx, &directory_id)?;
        let mut ids = inside(tx, &directory_id, &groups, now, usize::MAX)?;
        ids.extend(ones.iter().map(|id| (*id).to_owned()));
        let active = active(tx, &directory_id, &ids)?;
        people = of_users(tx, &directory, &active, now)?;
    }
    for id in ones {
        match service_accounts::by_id(tx, team_id, id) {
            Ok(_) => {
                let Facts { person, .. } =
                    facts(tx, team_id, &Holder::Service(id.to_owned()), now)?;
                people.push(Who {
                    directory_id: None,
                    person,
                });
            }
            Err(Refusal::NotFound(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(people)
}

/// Whether more than so many people are in the group that has a grant, whether they may come in or not.
pub fn is_larger(
    tx: &mut Tx<'_>,
    team_id: &str,
    subject: &Subject,
    now: i64,
    than: usize,
) -> Result<bool, Refusal> {
    let (Subject::Group(id), Some(directory_id)) =
        (subject, teams::by_id(tx, team_id)?.active_directory_id)
    else {
        return Ok(false);
    };
    let group = BTreeSet::from([id.as_str()]);
    let found = inside(tx, &directory_id, &group, now, than.saturating_add(1))?;
    Ok(found.len() > than)
}

/// The ids of the users in some groups at a time, also through others; at most so many.
pub(crate) fn inside(
    tx: &mut Tx<'_>,
    directory_id: &str,
    groups: &BTreeSet<&str>,
    now: i64,
    most: usize,
) -> Result<BTreeSet<String>, Refusal> {
    let groups: Vec<&str> = groups.iter().copied().collect();
    let mut inside = BTreeSet::new();
    for chunk in groups.chunks(CHUNK) {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut given: Vec<Param<'_>> = params![directory_id, now, most].to_vec();
        let list = members::placeholders(chunk, &mut given);
        // As in `members`: `CROSS JOIN` has each group looked up by its key.
        let sql = format!(
            "WITH RECURSIVE below (group_id) AS (SELECT id FROM groups WHERE directory_id = $1 AND id IN ({list}) AND status = 'active' \
             UNION SELECT m.member_id FROM below b CROSS JOIN members m WHERE m.directory_id = $1 AND m.group_id = b.group_id AND m.kind = 'Group') \
             SELECT m.member_id FROM below b CROSS JOIN members m WHERE m.directory_id = $1 AND m.group_id = b.group_id AND m.kind = 'User' \
             UNION SELECT l.member_id FROM below b CROSS JOIN local_members l WHERE l.directory_id = $1 AND l.group_id = b.group_id AND (l.expires_at IS NULL OR l.expires_at > $2) LIMIT $3"
        );
        for mut row in tx.query(&sql, &given)? {
            inside.insert(row.take_text(0)?);
        }
    }
    Ok(inside)
}

/// Those of some users who may come in.
fn active(
    tx: &mut Tx<'_>,
    directory_id: &str,
    ids: &BTreeSet<String>,
) -> Result<Vec<User>, Refusal> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut active = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = vec![directory_id.into()];
        let list = members::placeholders(chunk, &mut given);
        let sql = format!(
            "SELECT id, status, level, version, created_at, updated_at, resource FROM users u WHERE directory_id = $1 AND id IN ({list}) AND status = 'active' \
             AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.directory_id = u.directory_id AND s.user_id = u.id) ORDER BY id"
        );
        for row in tx.query(&sql, &given)? {
            active.push(users::from_row(row)?);
        }
    }
    Ok(active)
}

/// Active people of the active SSH directory, as decisions take them.
fn of_users(
    tx: &mut Tx<'_>,
    directory: &Directory,
    users: &[User],
    now: i64,
) -> Result<Vec<Who>, Refusal> {
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    let mut groups = memberships::of_users(tx, &directory.id, &ids, now)?;
    let mut remote: BTreeMap<String, _> = remote_identities::of_many(tx, &directory.team_id, &ids)?;
    let mut people = Vec::with_capacity(users.len());
    for user in users {
        let resource = user.parsed()?;
        let mut identities = remote.remove(&user.id).unwrap_or_default();
        let sent = remote_identities::sent(tx, &directory.team_id, &user.id, &resource)?;
        identities.extend(sent);
        let account = accounts::find(tx, directory, user)?;
        let groups = groups.remove(&user.id).unwrap_or_default();
        people.push(Who {
            directory_id: Some(directory.id.clone()),
            person: Person {
                id: user.id.clone(),
                name: resource.user_name().unwrap_or_default().to_owned(),
                directory: Some(known::Directory {
                    id: directory.id.clone(),
                    name: directory.name.clone(),
                    is_active: true,
                }),
                standing: Standing::Active,
                account: account_of(&account),
                remote_identities: identities,
                memberships: through::memberships(tx, &directory.id, groups)?,
            },
        });
    }
    Ok(people)
}
