//! Local memberships: users who are in a group because somebody here says so, beside those whom the provider puts there.
//! One may have an end, and counts no longer from that moment on, whenever the row is cleared away.
//!
//! SCIM neither sees nor touches them: a provider that found members which it did not send would try to remove them.

use crate::events::{self, Category, Outcome};
use crate::groups::{self, Group};
use crate::{Call, Refusal, users};
use portreeve_scim::time;
use portreeve_store::{Row, Tx, params, statements};
use serde_json::{Value, json};

statements! {
    ONE = "SELECT member_id, added_at, expires_at FROM local_members WHERE directory_id = $1 AND group_id = $2 AND member_id = $3";
    OF_GROUP = "SELECT member_id FROM local_members WHERE directory_id = $1 AND group_id = $2 AND (expires_at IS NULL OR expires_at > $3) ORDER BY member_id";
    INSERT = "INSERT INTO local_members (directory_id, group_id, member_id, added_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    SET_END = "UPDATE local_members SET expires_at = $4 WHERE directory_id = $1 AND group_id = $2 AND member_id = $3";
    DELETE = "DELETE FROM local_members WHERE directory_id = $1 AND group_id = $2 AND member_id = $3";
    DELETE_OF_GROUP = "DELETE FROM local_members WHERE directory_id = $1 AND group_id = $2";
    DELETE_OF_MEMBER = "DELETE FROM local_members WHERE directory_id = $1 AND member_id = $2 RETURNING group_id";
    ENDED = "SELECT DISTINCT directory_id FROM (SELECT directory_id FROM local_members WHERE expires_at IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2) AS ended";
    ENDED_IN = "SELECT group_id, member_id FROM local_members WHERE directory_id = $1 AND expires_at IS NOT NULL AND expires_at <= $2 ORDER BY expires_at LIMIT $3";
}

/// A membership that was added here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMember {
    /// Id of the user.
    pub user_id: String,
    /// When it was added (microseconds since 1970 UTC).
    pub added_at: i64,
    /// When it ends; `None`: when somebody takes it away.
    pub expires_at: Option<i64>,
}

impl LocalMember {
    /// Whether it counts at that time.
    pub fn counts(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// Puts a user into a group, or moves the end of a membership that was added here before. Whether anything changed.
pub fn add(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    user_id: &str,
    expires_at: Option<i64>,
) -> Result<(LocalMember, bool), Refusal> {
    if expires_at.is_some_and(|end| end <= call.at) {
        return Err(Refusal::Invalid {
            attribute: "expires_at",
            reason: "the end of a membership must lie in the future".to_owned(),
        });
    }
    let directory_id = &call.directory.id;
    let group = groups::by_id(tx, directory_id, group_id)?;
    let user = users::by_id(tx, directory_id, user_id)?;
    let before = find(tx, directory_id, group_id, user_id)?;
    let (sql, added_at) = match &before {
        Some(before) if before.counts(call.at) => {
            if before.expires_at == expires_at {
                return Ok((before.clone(), false));
            }
            tx.exec(
                SET_END,
                &params![directory_id, group_id, user_id, expires_at],
            )?;
            (None, before.added_at)
        }
        Some(_) => {
            tx.exec(DELETE, &params![directory_id, group_id, user_id])?;
            (Some(INSERT), call.at)
        }
        None => (Some(INSERT), call.at),
    };
    if let Some(sql) = sql {
        let row = params![directory_id, group_id, user_id, added_at, expires_at];
        tx.exec(sql, &row)?;
    }
    let mut changes = vec![json!({"attribute": "members", "new": [user.id]})];
    if let Some(end) = expires_at {
        changes.push(json!({"attribute": "expires_at", "new": time::format(end)}));
    }
    told(tx, call, "add_member", &group, changes)?;
    let member = LocalMember {
        user_id: user.id,
        added_at,
        expires_at,
    };
    Ok((member, true))
}

/// Ends a local membership. Whether there was one that counted.
pub fn remove(
    tx: &mut Tx<'_>,
    call: &Call,
    group_id: &str,
    user_id: &str,
) -> Result<bool, Refusal> {
    let directory_id = &call.directory.id;
    let group = groups::by_id(tx, directory_id, group_id)?;
    let Some(before) = find(tx, directory_id, group_id, user_id)? else {
        return Ok(false);
    };
    if !before.counts(call.at) {
        return Ok(false);
    }
    tx.exec(DELETE, &params![directory_id, group_id, user_id])?;
    let changes = vec![json!({"attribute": "members", "old": [user_id]})];
    told(tx, call, "remove_member", &group, changes)?;
    Ok(true)
}

/// The local membership of a user in a group, whether it still counts or not.
pub fn find(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    user_id: &str,
) -> Result<Option<LocalMember>, Refusal> {
    let row = tx.query_one(ONE, &params![directory_id, group_id, user_id])?;
    row.map(from_row).transpose()
}

/// The ids of all local members that a group has at that time, in their order.
pub(crate) fn of_group(
    tx: &mut Tx<'_>,
    directory_id: &str,
    group_id: &str,
    now: i64,
) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(OF_GROUP, &params![directory_id, group_id, now])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// Directories with memberships that have ended by that time, among the first so many of those.
pub fn ended(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(ENDED, &params![now, limit])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

/// Clears memberships of the directory away that have ended, at most so many, each with an event. How many there were.
pub fn clear_ended(tx: &mut Tx<'_>, call: &Call, limit: i64) -> Result<usize, Refusal> {
    let directory_id = &call.directory.id;
    let rows = tx.query(ENDED_IN, &params![directory_id, call.at, limit])?;
    let count = rows.len();
    for mut row in rows {
        let (group_id, user_id) = (row.take_text(0)?, row.take_text(1)?);
        tx.exec(DELETE, &params![directory_id, &group_id, &user_id])?;
        match groups::by_id(tx, directory_id, &group_id) {
            Ok(group) => {
                let changes = vec![json!({"attribute": "members", "old": [user_id]})];
                told(tx, call, "expire_member", &group, changes)?;
            }
            // Kept out of sight, so that nobody had anything from it.
            Err(Refusal::NotFound(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Forgets the local members of a group that is gone.
pub(crate) fn forget_group(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE_OF_GROUP, &params![directory_id, id])?)
}

/// Forgets the local memberships of a user who is gone. The ids of the groups.
pub(crate) fn forget_user(
    tx: &mut Tx<'_>,
    directory_id: &str,
    id: &str,
) -> Result<Vec<String>, Refusal> {
    let rows = tx.query(DELETE_OF_MEMBER, &params![directory_id, id])?;
    rows.into_iter()
        .map(|mut row| Ok(row.take_text(0)?))
        .collect()
}

pub(crate) fn from_row(mut row: Row) -> Result<LocalMember, Refusal> {
    Ok(LocalMember {
        added_at: row.int(1)?,
        expires_at: row.opt_int(2)?,
        user_id: row.take_text(0)?,
    })
}

fn told(
    tx: &mut Tx<'_>,
    call: &Call,
    action: &str,
    group: &Group,
    changes: Vec<Value>,
) -> Result<(), Refusal> {
    let changes = Value::Array(changes).to_string();
    let event = events::New {
        category: Category::Admin,
        action,
        outcome: Outcome::Ok,
        object_kind: Some("Group"),
        object_id: Some(&group.id),
        object_name: Some(&group.display_name),
        version: Some(group.version),
        changes: Some(&changes),
    };
    events::record(tx, call, &event)
}
