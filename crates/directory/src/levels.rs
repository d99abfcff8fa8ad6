//! Levels of users: what an owner or admin gives somebody, beside what the provider says of them.

use crate::events::{self, Category, Outcome};
use crate::permissions::Level;
use crate::users::{self, Precondition, Status, User, Written};
use crate::{Call, Refusal, What, owners, suspensions};
use portreeve_store::{Tx, params, statements};
use serde_json::json;

statements! {
    HIGHEST = "SELECT DISTINCT level FROM users WHERE directory_id = $1 AND level <> 'user'";
    ABOVE = "SELECT id, status, level, version, created_at, updated_at, resource FROM users WHERE directory_id = $1 AND level <> 'user' ORDER BY level, id";
    SET = "UPDATE users SET level = $3, version = version + 1, updated_at = $4 WHERE directory_id = $1 AND id = $2";
}

/// The users of a directory who are more than `user`. There are few.
pub fn above_user(tx: &mut Tx<'_>, directory_id: &str) -> Result<Vec<User>, Refusal> {
    let rows = tx.query(ABOVE, &params![directory_id])?;
    rows.into_iter().map(users::from_row).collect()
}

/// The highest level that a user of a directory has.
pub fn highest(tx: &mut Tx<'_>, directory_id: &str) -> Result<Level, Refusal> {
    let mut highest = Level::User;
    for row in tx.query(HIGHEST, &params![directory_id])? {
        highest = highest.max(Level::parse(row.text(0)?).unwrap_or(Level::User));
    }
    Ok(highest)
}

/// Gives a user a level. Whether whoever asks may do that is the caller's to check ([`Level::is_guarded`]). Refused when
/// the team would have no owner any more, and for somebody who is suspended, because a level does not outlast that.
pub fn set(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    level: Level,
    only_if: &Precondition,
) -> Result<Written<User>, Refusal> {
    let before = users::by_id(tx, &call.directory.id, id)?;
    only_if.check(What::User, before.version)?;
    if before.level == level.name() {
        return Ok(Written {
            now: before,
            changed: false,
        });
    }
    let is_out =
        before.status != Status::Active || suspensions::is_suspended(tx, &call.directory.id, id)?;
    if is_out && level != Level::User {
        return Err(Refusal::Invalid {
            attribute: "level",
            reason: "the user is suspended, and whoever comes back is \"user\" again; reinstate them first".to_owned(),
        });
    }
    let now = User {
        level: level.name().to_owned(),
        ..touched(call, &before)
    };
    let row = params![&call.directory.id, id, level.name(), now.updated_at];
    tx.exec(SET, &row)?;
    if before.level == Level::Owner.name() {
        owners::someone_must_stay(tx, &call.directory.team_id)?;
    }
    let changes = json!([{"attribute": "level", "old": before.level, "new": level.name()}]);
    told(tx, call, "level", &now, &changes.to_string())?;
    Ok(Written { now, changed: true })
}

/// The user at its next version.
pub(crate) fn touched(call: &Call, before: &User) -> User {
    User {
        version: before.version + 1,
        updated_at: call.at.max(before.updated_at + 1),
        ..before.clone()
    }
}

/// Leaves the event of what was decided here about a user.
pub(crate) fn told(
    tx: &mut Tx<'_>,
    call: &Call,
    action: &str,
    user: &User,
    changes: &str,
) -> Result<(), Refusal> {
    let resource = user.parsed()?;
    let event = events::New {
        category: Category::Admin,
        action,
        outcome: Outcome::Ok,
        object_kind: Some("User"),
        object_id: Some(&user.id),
        object_name: resource.user_name(),
        version: Some(user.version),
        changes: Some(changes),
    };
    events::record(tx, call, &event)
}
