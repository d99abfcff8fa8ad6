//! Effective memberships: those that the directory manages and those that were added here, together. What SCIM shows is
//! in [`crate::members`] alone.
//!
//! They say who is in a group, not what comes of it: memberships of a suspended user are there and do not count.

use crate::local_members::{self, LocalMember};
use crate::{Refusal, members};
use portreeve_store::{Row, Tx, params, statements};
use std::cmp::Ordering;

statements! {
    OF_USER = "WITH RECURSIVE above (group_id, direct) AS (SELECT group_id, 1 FROM members WHERE directory_id = $1 AND member_id = $2 UNION SELECT group_id, 1 FROM local_members WHERE directory_id = $1 AND member_id = $2 AND (expires_at IS NULL OR expires_at > $3) UNION SELECT m.group_id, 0 FROM above a CROSS JOIN members m WHERE m.directory_id = $1 AND m.member_id = a.group_id) SELECT n.group_id, n.direct, n.display_name, (SELECT 1 FROM members m WHERE m.directory_id = $1 AND m.group_id = n.group_id AND m.member_id = $2), l.member_id, l.added_at, l.expires_at FROM (SELECT a.group_id, max(a.direct) AS direct, (SELECT g.display_name FROM groups g WHERE g.directory_id = $1 AND g.id = a.group_id AND g.status = 'active') AS display_name FROM above a GROUP BY a.group_id) AS n LEFT JOIN local_members l ON l.directory_id = $1 AND l.group_id = n.group_id AND l.member_id = $2 AND (l.expires_at IS NULL OR l.expires_at > $3) WHERE n.display_name IS NOT NULL ORDER BY n.group_id";
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
    let rows = tx.query(OF_USER, &params![directory_id, user_id, now])?;
    rows.into_iter().map(in_group).collect()
}

fn in_group(mut row: Row) -> Result<InGroup, Refusal> {
    let local = match row.take_opt_text(4)? {
        None => None,
        Some(user_id) => Some(LocalMember {
            user_id,
            added_at: row.int(5)?,
            expires_at: row.opt_int(6)?,
        }),
    };
    Ok(InGroup {
        direct: row.int(1)? == 1,
        managed: row.opt_int(3)?.is_some(),
        id: row.take_text(0)?,
        display: row.take_text(2)?,
        local,
    })
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
