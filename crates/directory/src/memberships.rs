//! Effective memberships: those that the directory manages and those that were added here, together. What SCIM shows is
//! in [`crate::members`] alone.
//!
//! They say who is in a group, not what comes of it: memberships of a suspended user are there and do not count.

use crate::local_members::{self, LocalMember};
use crate::members::{self, CHUNK};
use crate::{Refusal, groups, users};
use portreeve_store::{Param, Tx, params, statements};
use std::cmp::Ordering;
use std::collections::HashMap;

statements! {
    LOCAL_PAGE = "SELECT l.member_id, l.added_at, l.expires_at, u.resource FROM local_members l JOIN users u ON u.directory_id = l.directory_id AND u.id = l.member_id WHERE l.directory_id = $1 AND l.group_id = $2 AND l.member_id > $3 AND (l.expires_at IS NULL OR l.expires_at > $4) ORDER BY l.member_id LIMIT $5";
    ONLY_LOCAL = "SELECT count(*) FROM local_members l WHERE l.directory_id = $1 AND l.group_id = $2 AND (l.expires_at IS NULL OR l.expires_at > $3) AND NOT EXISTS (SELECT 1 FROM members m WHERE m.directory_id = $1 AND m.group_id = $2 AND m.member_id = l.member_id)";
}

/// A group that a user is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InGroup {
    /// Id of the group.
    pub id: String,
    /// Its name.
    pub display: String,
    /// Whether the user is a member itself, and not only through a nested group.
    pub direct: bool,
    /// Whether the directory's own data say that the user is a member itself.
    pub managed: bool,
    /// The membership that was added here.
    pub local: Option<LocalMember>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Id of the user or group.
    pub id: String,
    /// `User` or `Group`.
    pub kind: String,
    /// For people: `displayName`, else `userName`.
    pub name: Option<String>,
    /// Whether the directory's own data say so.
    pub managed: bool,
    /// The membership that was added here.
    pub local: Option<LocalMember>,
}

/// The groups that a user is in at that time, directly or through nested groups, in the order of their ids.
pub fn of_user(
    tx: &mut Tx<'_>,
    directory_id: &str,
    user_id: &str,
    now: i64,
) -> Result<Vec<InGroup>, Refusal> {
    let mut all = of_users(tx, directory_id, &[user_id], now)?;
    Ok(all.remove(user_id).unwrap_or_default())
}

/// The groups of many users, as [`of_user`] says them; who is in none is not there.
pub fn of_users(
    tx: &mut Tx<'_>,
    directory_id: &str,
    user_ids: &[&str],
    now: i64,
) -> Result<HashMap<String, Vec<InGroup>>, Refusal> {
    let mut out: HashMap<String, Vec<InGroup>> = HashMap::new();
    for chunk in user_ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = params![directory_id, now].to_vec();
        let list = members::placeholders(chunk, &mut given);
        // As in `members`: `CROSS JOIN` and sub-selects have each membership and each group looked up by its key.
        let sql = format!(
            "WITH RECURSIVE above (member_id, group_id, direct) AS (SELECT member_id, group_id, 1 FROM members WHERE directory_id = $1 AND member_id IN ({list}) \
             UNION SELECT member_id, group_id, 1 FROM local_members WHERE directory_id = $1 AND member_id IN ({list}) AND (expires_at IS NULL OR expires_at > $2) \
             UNION SELECT a.member_id, m.group_id, 0 FROM above a CROSS JOIN members m WHERE m.directory_id = $1 AND m.member_id = a.group_id) \
             SELECT n.group_id, n.direct, n.display_name, (SELECT 1 FROM members m WHERE m.directory_id = $1 AND m.group_id = n.group_id AND m.member_id = n.member_id), \
             l.added_at, l.expires_at, n.member_id FROM (SELECT a.member_id, a.group_id, max(a.direct) AS direct, \
             (SELECT g.display_name FROM groups g WHERE g.directory_id = $1 AND g.id = a.group_id AND g.status = 'active') AS display_name FROM above a GROUP BY a.member_id, a.group_id) AS n \
             LEFT JOIN local_members l ON l.directory_id = $1 AND l.group_id = n.group_id AND l.member_id = n.member_id AND (l.expires_at IS NULL OR l.expires_at > $2) \
             WHERE n.display_name IS NOT NULL ORDER BY n.member_id, n.group_id"
        );
        for mut row in tx.query(&sql, &given)? {
            let user_id = row.take_text(6)?;
            let local = row.opt_int(4)?.map(|added_at| {
                Ok::<_, Refusal>(LocalMember {
                    user_id: user_id.clone(),
                    added_at,
                    expires_at: row.opt_int(5)?,
                })
            });
            let group = InGroup {
                local: local.transpose()?,
                direct: row.int(1)? == 1,
                managed: row.opt_int(3)?.is_some(),
                id: row.take_text(0)?,
                display: row.take_text(2)?,
            };
            out.entry(user_id).or_default().push(group);
        }
    }
    Ok(out)
}

/// The next `limit` members of a group after an id (empty for the first), by id.
pub fn page(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    after: &str,
    (limit, now): (i64, i64),
) -> Result<Vec<Member>, Refusal> {
    let managed = members::named_page(tx, directory_id, group_id, after, limit)?;
    let mut managed = managed.into_iter().peekable();
    let rows = tx.query(
        LOCAL_PAGE,
        &params![directory_id, group_id, after, now, limit],
    )?;
    let mut local = rows
        .into_iter()
        .map(|row| {
            let name = members::display_of(row.text(3)?);
            Ok((local_members::from_row(row)?, name))
        })
        .collect::<Result<Vec<_>, Refusal>>()?
        .into_iter()
        .peekable();
    let mut page = Vec::new();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    while page.len() < limit {
        let order = match (managed.peek(), local.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((one, _)), Some((other, _))) => one.id.cmp(&other.user_id),
        };
        let one = if order.is_le() { managed.next() } else { None };
        let other = if order.is_ge() { local.next() } else { None };
        page.extend(both(one, other));
    }
    Ok(page)
}

fn both(
    managed: Option<(members::Member, Option<String>)>,
    local: Option<(LocalMember, Option<String>)>,
) -> Option<Member> {
    match (managed, local) {
        (Some((member, name)), local) => Some(Member {
            id: member.id,
            kind: member.kind,
            name,
            managed: true,
            local: local.map(|(local, _)| local),
        }),
        (None, Some((local, name))) => Some(Member {
            id: local.user_id.clone(),
            kind: "User".to_owned(),
            name,
            managed: false,
            local: Some(local),
        }),
        (None, None) => None,
    }
}

/// One member of a group.
pub fn one(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    id: &str,
    now: i64,
) -> Result<Option<Member>, Refusal> {
    let managed = members::present(tx, directory_id, group_id, &[id])?.pop();
    let local = local_members::find(tx, directory_id, group_id, id)?;
    let local = local.filter(|local| local.counts(now));
    let named = match (&managed, &local) {
        (Some(member), _) if member.kind == "Group" => {
            groups::by_id(tx, directory_id, id).map(|group| group.display_name)
        }
        _ => users::by_id(tx, directory_id, id).and_then(|user| user.name()),
    };
    let name = match named {
        Ok(name) => Some(name),
        Err(Refusal::NotFound(..)) => None,
        Err(error) => return Err(error),
    };
    let managed = managed.map(|member| (member, name.clone()));
    Ok(both(managed, local.map(|local| (local, name))))
}

/// How many members a group has.
pub fn count(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    now: i64,
) -> Result<i64, Refusal> {
    let managed = members::count(tx, directory_id, group_id)?;
    let row = tx.query_one(ONLY_LOCAL, &params![directory_id, group_id, now])?;
    Ok(managed + row.map_or(Ok(0), |row| row.int(0))?)
}
