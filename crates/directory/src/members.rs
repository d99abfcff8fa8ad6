//! Memberships: who is in which group. A change costs what it changes and never reads a group's other members.
//!
//! A group that is deleted and kept is a member of no group: it is taken out when it is kept, and [`apply`] adds only
//! active ones. So whoever walks along memberships, upwards or downwards, passes through active groups only.

mod steps;

pub use steps::{Moved, apply, begin, present, set};

use crate::users::{self, InGroup, User};
use crate::{Call, Refusal, What};
use portreeve_scim::resource::MemberKind;
use portreeve_store::{Param, Row, Tx, params, statements};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// The groups above one member: those it is in itself, and on from each. A group that it is in itself and through another
/// one comes twice. [`InGroups`] puts that right, and the order: the database would need a table for each.
///
/// `CROSS JOIN`, here and below, has SQLite look a membership up for each group it has found, in this order. Left to
/// itself it may read all memberships of the directory for each of them.
macro_rules! above {
    () => {
        "WITH RECURSIVE above (group_id, direct) AS (SELECT group_id, 1 FROM members WHERE directory_id = $1 AND member_id = $2 UNION SELECT m.group_id, 0 FROM above a CROSS JOIN members m WHERE m.directory_id = $1 AND m.member_id = a.group_id) "
    };
}

/// The name of a group found above, if it is active. It is asked for group by group: joined, and without statistics,
/// PostgreSQL reads all groups of the directory first.
macro_rules! named {
    () => {
        "(SELECT g.display_name FROM groups g WHERE g.directory_id = $1 AND g.id = a.group_id AND g.status = 'active')"
    };
}

statements! {
    FORGET = "DELETE FROM members WHERE directory_id = $1 AND member_id = $2 RETURNING group_id";
    CLEAR = "DELETE FROM members WHERE directory_id = $1 AND group_id = $2 RETURNING member_id";
    DROP_ALL = "DELETE FROM members WHERE directory_id = $1 AND group_id = $2";
    KINDS = "SELECT member_id, kind FROM members WHERE directory_id = $1 AND group_id = $2";
    PAGE = "SELECT member_id, kind FROM members WHERE directory_id = $1 AND group_id = $2 AND member_id > $3 ORDER BY member_id LIMIT $4";
    NAMED = "SELECT m.member_id, m.kind, u.resource, g.display_name FROM members m LEFT JOIN users u ON m.kind = 'User' AND u.directory_id = m.directory_id AND u.id = m.member_id LEFT JOIN groups g ON m.kind = 'Group' AND g.directory_id = m.directory_id AND g.id = m.member_id WHERE m.directory_id = $1 AND m.group_id = $2 AND m.member_id > $3 ORDER BY m.member_id LIMIT $4";
    COUNT = "SELECT count(*) FROM members WHERE directory_id = $1 AND group_id = $2";
    HAS_GROUPS = "SELECT 1 FROM members WHERE directory_id = $1 AND group_id = $2 AND kind = 'Group' LIMIT 1";
    GROUPS_OF_ONE = concat!(above!(), "SELECT a.group_id, a.direct, ", named!(), " FROM above a");
    /// A row for the user, and one for each group, which has no status.
    USER_IN_GROUPS = concat!(above!(), "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND id = $2 UNION ALL SELECT a.group_id, '', '', a.direct, 0, 0, ", named!(), " FROM above a");
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Id of the user or group.
    pub id: String,
    /// `User` or `Group`.
    pub kind: String,
}

/// Groups that somebody is in, as they are read: by id.
#[derive(Default)]
struct InGroups(BTreeMap<String, (String, bool)>);

impl InGroups {
    /// Takes a group from three columns of a row: its id, whether the user is a member itself, and its name. One without
    /// a name does not count.
    fn add(&mut self, row: &mut Row, [id, direct, name]: [usize; 3]) -> Result<(), Refusal> {
        if let Some(name) = row.take_opt_text(name)? {
            let direct = row.int(direct)? == 1;
            let group = self.0.entry(row.take_text(id)?).or_insert((name, direct));
            group.1 |= direct;
        }
        Ok(())
    }

    fn into_vec(self) -> Vec<InGroup> {
        let group = |(id, (display, direct))| InGroup {
            id,
            display,
            direct,
        };
        self.0.into_iter().map(group).collect()
    }
}

/// The groups a user is in, directly or through nested groups; cycles do no harm.
pub fn groups_of(
    tx: &mut Tx<'_>,
    directory_id: &str,
    user_id: &str,
) -> Result<Vec<InGroup>, Refusal> {
    let mut groups = InGroups::default();
    for mut row in tx.query(GROUPS_OF_ONE, &params![directory_id, user_id])? {
        groups.add(&mut row, [0, 1, 2])?;
    }
    Ok(groups.into_vec())
}

/// The user with that id and its groups, in one statement.
pub fn user_in_groups(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<User, Refusal> {
    let (mut user, mut groups) = (None, InGroups::default());
    for mut row in tx.query(USER_IN_GROUPS, &params![directory_id, id])? {
        if row.text(1)?.is_empty() {
            groups.add(&mut row, [0, 3, 6])?;
        } else {
            user = Some(users::from_row(row)?);
        }
    }
    let user = user.ok_or_else(|| Refusal::NotFound(What::User, id.to_owned()))?;
    let groups = groups.into_vec();
    Ok(User { groups, ..user })
}

/// The groups of many users at once, in one statement.
pub fn groups_of_all(
    tx: &mut Tx<'_>,
    directory_id: &str,
    user_ids: &[&str],
) -> Result<HashMap<String, Vec<InGroup>>, Refusal> {
    let mut of: HashMap<String, InGroups> = HashMap::new();
    for chunk in user_ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = vec![directory_id.into()];
        let list = placeholders(chunk, &mut given);
        let sql = format!(
            "WITH RECURSIVE above (member_id, group_id, direct) AS (SELECT member_id, group_id, 1 FROM members WHERE directory_id = $1 AND member_id IN ({list}) \
             UNION SELECT a.member_id, m.group_id, 0 FROM above a CROSS JOIN members m WHERE m.directory_id = $1 AND m.member_id = a.group_id) \
             SELECT a.group_id, a.direct, {}, a.member_id FROM above a",
            named!()
        );
        for mut row in tx.query(&sql, &given)? {
            let user = row.take_text(3)?;
            of.entry(user).or_default().add(&mut row, [0, 1, 2])?;
        }
    }
    let groups = |(user, groups): (String, InGroups)| (user, groups.into_vec());
    Ok(of.into_iter().map(groups).collect())
}

/// The next `limit` members of a group after an id (empty for the first).
pub fn page(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Member>, Refusal> {
    let rows = tx.query(PAGE, &params![directory_id, group_id, after, limit])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Member {
                id: row.take_text(0)?,
                kind: row.take_text(1)?,
            })
        })
        .collect()
}

/// As [`page`], each member with a name for people: `displayName`, else `userName`.
pub fn named_page(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<(Member, Option<String>)>, Refusal> {
    let rows = tx.query(NAMED, &params![directory_id, group_id, after, limit])?;
    let named = |mut row: Row| {
        let name = match row.opt_text(2)? {
            Some(resource) => display_of(resource),
            None => row.take_opt_text(3)?,
        };
        Ok((
            Member {
                id: row.take_text(0)?,
                kind: row.take_text(1)?,
            },
            name,
        ))
    };
    rows.into_iter().map(named).collect()
}

/// All members of a group with what they are.
pub(crate) fn kinds(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
) -> Result<BTreeMap<String, MemberKind>, Refusal> {
    let mut out = BTreeMap::new();
    let mut problem = None;
    let mut take = |mut row: Row| -> Result<(), portreeve_store::Error> {
        let kind = kind_by_name(row.text(1)?);
        out.insert(row.take_text(0)?, kind);
        Ok(())
    };
    tx.each(KINDS, &params![directory_id, group_id], |row| {
        match take(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                problem = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    problem.map_or(Ok(out), |error| Err(error.into()))
}

/// How many members a group has.
pub fn count(tx: &mut Tx<'_>, directory_id: &str, group_id: &str) -> Result<i64, Refusal> {
    Ok(tx
        .query_one(COUNT, &params![directory_id, group_id])?
        .map_or(Ok(0), |row| row.int(0))?)
}

/// Whether a group has groups as members; Entra does not expand those, so screens warn of it.
pub fn has_groups(tx: &mut Tx<'_>, directory_id: &str, group_id: &str) -> Result<bool, Refusal> {
    Ok(tx
        .query_one(HAS_GROUPS, &params![directory_id, group_id])?
        .is_some())
}

/// Takes a deleted user or group out of all groups and moves their versions. Returns the ids of the groups it left;
/// those that are kept out of sight are not named.
pub(crate) fn forget(
    tx: &mut Tx<'_>,
    call: &Call,
    member_id: &str,
) -> Result<Vec<String>, Refusal> {
    let mut groups = Vec::new();
    for mut row in tx.query(FORGET, &params![&call.directory.id, member_id])? {
        groups.push(row.take_text(0)?);
    }
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let mut left = Vec::new();
    for chunk in groups.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![&call.directory.id, call.at].to_vec();
        let list = placeholders(chunk, &mut given);
        let sql = format!(
            "UPDATE groups SET version = version + 1, updated_at = CASE WHEN updated_at < $2 THEN $2 ELSE updated_at + 1 END \
             WHERE directory_id = $1 AND id IN ({list}) AND status = 'active' RETURNING id"
        );
        for mut row in tx.query(&sql, &given)? {
            left.push(row.take_text(0)?);
        }
    }
    left.sort();
    Ok(left)
}

/// The numbers of places that lists of ids have in statements: few, because each makes another text to prepare.
const PLACES: [usize; 5] = [1, 8, 64, 256, CHUNK];

/// How many ids go into one statement.
pub(crate) const CHUNK: usize = 1024;

/// `$n, $n+1, …` for a list of at most [`CHUNK`] ids, filled up to one of [`PLACES`] by repeating the last one.
pub(crate) fn placeholders<'a>(ids: &[&'a str], given: &mut Vec<Param<'a>>) -> String {
    rows(ids, given, |place| place)
}

/// As [`placeholders`], with a row made of each place.
fn rows<'a>(ids: &[&'a str], given: &mut Vec<Param<'a>>, row: impl Fn(String) -> String) -> String {
    let places = PLACES
        .into_iter()
        .find(|n| ids.len() <= *n)
        .unwrap_or(CHUNK);
    let last = ids.last().copied().unwrap_or_default();
    let mut list = Vec::with_capacity(places);
    for i in 0..places {
        given.push(Param::Text(ids.get(i).copied().unwrap_or(last)));
        list.push(row(format!("${}", given.len())));
    }
    list.join(",")
}

/// The name of a kind in the database and on the wire.
fn kind_name(kind: MemberKind) -> &'static str {
    match kind {
        MemberKind::User => "User",
        MemberKind::Group => "Group",
    }
}

fn kind_by_name(name: &str) -> MemberKind {
    if name == kind_name(MemberKind::Group) {
        MemberKind::Group
    } else {
        MemberKind::User
    }
}

/// The name shown for a user in a member list: `displayName`, else `userName`.
pub(crate) fn display_of(resource: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Names {
        display_name: Option<String>,
        user_name: Option<String>,
    }
    let names: Names = serde_json::from_str(resource).ok()?;
    names.display_name.or(names.user_name)
}
