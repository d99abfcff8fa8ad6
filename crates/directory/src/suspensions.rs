//! Suspensions: users whom an admin has suspended here. Whatever the provider sends, they stay out until somebody here
//! reinstates them.
//!
//! The provider goes on seeing its own `active` in SCIM, because that is what it manages: an answer that contradicts it
//! would have it repair the user for ever. Everything that decides what somebody may do asks both.

use crate::events::Cause;
use crate::levels::{told, touched};
use crate::members::{self, CHUNK};
use crate::permissions::Level;
use crate::users::{self, Precondition, Status, User, Written};
use crate::{Call, Refusal, What, holders, owners, visitor_hosts};
use portreeve_store::{Param, Tx, params, statements};
use serde_json::json;
use std::collections::HashSet;

statements! {
    INSERT = "INSERT INTO suspensions (directory_id, user_id, at) VALUES ($1, $2, $3)";
    DELETE = "DELETE FROM suspensions WHERE directory_id = $1 AND user_id = $2";
    ONE = "SELECT 1 FROM suspensions WHERE directory_id = $1 AND user_id = $2";
    SET = "UPDATE users SET level = $3, version = version + 1, updated_at = $4 WHERE directory_id = $1 AND id = $2";
}

/// Suspends a user here, whatever the provider says, ends their sessions and revokes their certificates. Memberships stay
/// and do not count. Refused for the last owner of the team.
pub fn suspend(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    only_if: &Precondition,
) -> Result<Written<User>, Refusal> {
    let directory_id = &call.directory.id;
    let before = users::by_id(tx, directory_id, id)?;
    only_if.check(What::User, before.version)?;
    if is_suspended(tx, directory_id, id)? {
        return Ok(unchanged(before));
    }
    tx.exec(INSERT, &params![directory_id, id, call.at])?;
    let now = write(tx, call, &before, &before.level)?;
    if before.level == Level::Owner.name() && before.status == Status::Active {
        owners::someone_must_stay(tx, &call.directory.team_id)?;
    }
    let changes = json!([{"attribute": "status", "old": before.status, "new": "suspended"}]);
    told(tx, call, "suspend", &now, &changes.to_string())?;
    holders::shut_out(tx, &Cause::of(call), id, "suspended")?;
    Ok(Written { now, changed: true })
}

/// Takes a suspension back. Whoever comes back is `user` again; whom the provider has deactivated stays out.
pub fn reinstate(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    only_if: &Precondition,
) -> Result<Written<User>, Refusal> {
    let directory_id = &call.directory.id;
    let before = users::by_id(tx, directory_id, id)?;
    only_if.check(What::User, before.version)?;
    if !is_suspended(tx, directory_id, id)? {
        return Ok(unchanged(before));
    }
    tx.exec(DELETE, &params![directory_id, id])?;
    let now = write(tx, call, &before, Level::User.name())?;
    let mut changes =
        vec![json!({"attribute": "status", "old": "suspended", "new": before.status})];
    if before.level != now.level {
        changes.push(json!({"attribute": "level", "old": before.level, "new": now.level}));
    }
    told(tx, call, "reinstate", &now, &json!(changes).to_string())?;
    Ok(Written { now, changed: true })
}

/// Whether a user is suspended here.
pub fn is_suspended(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<bool, Refusal> {
    Ok(tx.query_one(ONE, &params![directory_id, id])?.is_some())
}

/// Which of these users are suspended here.
pub fn among(
    tx: &mut Tx<'_>,
    directory_id: &str,
    ids: &[&str],
) -> Result<HashSet<String>, Refusal> {
    let mut found = HashSet::new();
    for chunk in ids.chunks(CHUNK) {
        let mut given: Vec<Param<'_>> = vec![directory_id.into()];
        let list = members::placeholders(chunk, &mut given);
        let sql = format!(
            "SELECT user_id FROM suspensions WHERE directory_id = $1 AND user_id IN ({list})"
        );
        for mut row in tx.query(&sql, &given)? {
            found.insert(row.take_text(0)?);
        }
    }
    Ok(found)
}

/// Gives users the status that counts: whoever is suspended here is, whatever the provider says.
pub fn apply(tx: &mut Tx<'_>, directory_id: &str, users: &mut [User]) -> Result<(), Refusal> {
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    let suspended = among(tx, directory_id, &ids)?;
    for user in users {
        if user.status == Status::Active && suspended.contains(&user.id) {
            user.status = Status::Suspended;
        }
    }
    Ok(())
}

/// Forgets a user who is gone.
pub(crate) fn forget(tx: &mut Tx<'_>, directory_id: &str, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE, &params![directory_id, id])?)
}

fn unchanged(now: User) -> Written<User> {
    Written {
        now,
        changed: false,
    }
}

fn write(tx: &mut Tx<'_>, call: &Call, before: &User, level: &str) -> Result<User, Refusal> {
    let now = User {
        level: level.to_owned(),
        ..touched(call, before)
    };
    let row = params![&call.directory.id, &now.id, level, now.updated_at];
    tx.exec(SET, &row)?;
    visitor_hosts::follow(tx, &call.directory, &now.id, now.status, &now.parsed()?)?;
    Ok(now)
}
