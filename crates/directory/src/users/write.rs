//! Creating, changing and removing users. Each function does the whole change in one transaction, its event included.

use super::keys::Keys;
use super::plan::{Change, Extent, Planned, inactive, plan, plan_patch, with_active};
use super::*;
use crate::directories::{Directory, UserRemoval};
use crate::events::{self, Cause, Outcome};
use crate::shown::shown;
use crate::{Call, holders, local_members, members, visitor_hosts};
use portreeve_scim::schema::ENTERPRISE;
use portreeve_scim::{Patch, Resource};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A new user with all that can be known before the transaction: requests are many, the thread that writes is one.
#[derive(Debug, Clone)]
pub struct NewUser {
    resource: Resource,
    text: String,
    /// What the event tells, where that is less than the whole resource.
    told: Option<String>,
    keys: Keys,
    active_sent: bool,
}

impl NewUser {
    /// Prepares a checked resource. Without `active` in the body the user is active.
    ///
    /// # Errors
    /// When something is missing that the directory requires.
    pub fn of(directory: &Directory, new: Resource) -> Result<Self, Refusal> {
        directory.required.check(&directory.catalog, &new, None)?;
        let active_sent = new.as_map().contains_key("active");
        let active = new.active();
        let resource = with_active(directory, new, active);
        let told = match shown(directory.catalog.user(), resource.as_map()) {
            Cow::Borrowed(_) => None,
            Cow::Owned(map) => Some(Resource::from_stored(map).to_text()),
        };
        Ok(Self {
            text: resource.to_text(),
            told,
            keys: Keys::of(&resource),
            active_sent,
            resource,
        })
    }
}

/// Adds a user.
pub fn create(tx: &mut Tx<'_>, call: &Call, new: &NewUser) -> Result<User, Refusal> {
    if new.active_sent {
        active_was_sent(tx, call)?;
    }
    let NewUser { resource, keys, .. } = new;
    let user = User {
        id: call.new_id(),
        status: if resource.active() {
            Status::Active
        } else {
            inactive(call)
        },
        level: "user".into(),
        version: 1,
        created_at: call.at,
        updated_at: call.at,
        resource: new.text.clone(),
        groups: Vec::new(),
    };
    let row = params![
        &call.directory.id,
        &user.id,
        &keys.user_name,
        resource.external_id(),
        keys.display_name.as_deref(),
        keys.manager.as_deref(),
        user.status.name(),
        user.created_at,
        &user.resource,
    ];
    tx.exec(INSERT, &row)?;
    for email in &keys.emails {
        tx.exec(ADD_EMAIL, &params![&call.directory.id, email, &user.id])?;
    }
    see_shared_external_id(tx, call, resource, &user.id)?;
    visitor_hosts::follow(tx, &call.directory, &user.id, user.status, resource)?;
    let changes = new.told.as_deref().unwrap_or(&user.resource);
    told(tx, call, "create", &user, resource, Some(changes))?;
    Ok(user)
}

/// Applies a PATCH. Nothing is written when it changes nothing.
pub fn patch(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    patch: &Patch,
    only_if: &Precondition,
) -> Result<Written<User>, Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    let planned = plan_patch(call, before, patch, only_if)?;
    carry_out(tx, call, planned)
}

/// Puts a new resource in place of the old one (PUT).
pub fn replace(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    new: &Resource,
    only_if: &Precondition,
) -> Result<Written<User>, Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    only_if.check(What::User, before.version)?;
    let old = before.parsed()?;
    let directory = &call.directory;
    directory.required.check(&directory.catalog, new, None)?;
    save(tx, call, "replace", before, &old, new.clone())
}

/// Removes a user as the directory says: suspended, hidden, or gone with all memberships. People whose manager is gone
/// have none, within the bound of [`release_reports`].
pub fn delete(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    only_if: &Precondition,
) -> Result<(), Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    only_if.check(What::User, before.version)?;
    let old = before.parsed()?;
    if call.directory.settings.users != UserRemoval::Delete {
        let new = with_active(&call.directory, old.clone(), false);
        return save(tx, call, "delete", before, &old, new).map(drop);
    }
    remove(tx, call, &before, &old)
}

/// Removes a user for good, whatever the directory says of deleted users: the way to undo a [`create`].
pub fn discard(tx: &mut Tx<'_>, call: &Call, id: &str) -> Result<(), Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    let old = before.parsed()?;
    remove(tx, call, &before, &old)
}

fn remove(tx: &mut Tx<'_>, call: &Call, user: &User, resource: &Resource) -> Result<(), Refusal> {
    for email in &Keys::of(resource).emails {
        tx.exec(DROP_EMAIL, &params![&call.directory.id, email, &user.id])?;
    }
    let mut groups = members::forget(tx, call, &user.id)?;
    groups.extend(local_members::forget_user(
        tx,
        &call.directory.id,
        &user.id,
    )?);
    groups.sort();
    groups.dedup();
    tx.exec(DELETE, &params![&call.directory.id, &user.id])?;
    visitor_hosts::forget(tx, &call.directory, &user.id)?;
    holders::forget_user(tx, &Cause::of(call), &call.directory.id, &user.id)?;
    release_reports(tx, call, &user.id)?;
    let changes = events::to_text(events::lost("groups", &groups, groups.len()));
    told(tx, call, "delete", user, resource, changes.as_deref())
}

/// Writes a change with its indexes and event, if the user is still at the version it was worked out for.
pub fn write(tx: &mut Tx<'_>, call: &Call, change: &Change) -> Result<User, Refusal> {
    let statement = match change.extent {
        Extent::Keys if change.another_external_id => UPDATE_KEYS_IF_AND_SEE,
        Extent::Keys => UPDATE_KEYS_IF,
        Extent::Standing => UPDATE_STANDING_IF,
        Extent::Resource => UPDATE_RESOURCE_IF,
    };
    let Some(row) = tx.query_one(statement, change.parameters(&change.row(call)))? else {
        // Who is gone is gone; who is not has moved on.
        let found = by_id(tx, &call.directory.id, &change.now.id)?.version;
        return Err(Refusal::Changed {
            what: What::User,
            found,
        });
    };
    if change.another_external_id
        && let Some(other) = row.opt_text(1)?
    {
        warn_of_shared_external_id(call, &change.resource, &change.now.id, other);
    }
    follow_up(tx, call, change)
}

/// As [`write`], for a user that this transaction has read: writes of one directory do not overlap, so it is still so.
fn write_read(tx: &mut Tx<'_>, call: &Call, change: &Change) -> Result<User, Refusal> {
    if change.another_external_id {
        return write(tx, call, change);
    }
    let statement = match change.extent {
        Extent::Keys => UPDATE_KEYS,
        Extent::Standing => UPDATE_STANDING,
        Extent::Resource => UPDATE_RESOURCE,
    };
    tx.exec(statement, change.parameters(&change.row(call)))?;
    follow_up(tx, call, change)
}

/// All that goes with a change but for the row itself.
fn follow_up(tx: &mut Tx<'_>, call: &Call, change: &Change) -> Result<User, Refusal> {
    let Change { now, resource, .. } = change;
    if change.active_sent {
        active_was_sent(tx, call)?;
    }
    move_emails(tx, call, &now.id, &change.old_emails, &change.keys.emails)?;
    visitor_hosts::follow(tx, &call.directory, &now.id, now.status, resource)?;
    told(
        tx,
        call,
        change.verb,
        now,
        resource,
        change.changes.as_deref(),
    )?;
    if change.is_out {
        holders::shut_out(tx, &Cause::of(call), &now.id, "suspended")?;
    }
    Ok(now.clone())
}

fn save(
    tx: &mut Tx<'_>,
    call: &Call,
    verb: &'static str,
    before: User,
    old: &Resource,
    new: Resource,
) -> Result<Written<User>, Refusal> {
    carry_out(tx, call, plan(call, verb, before, old, new))
}

/// Does what was planned for a user that this transaction has read.
fn carry_out(tx: &mut Tx<'_>, call: &Call, planned: Planned) -> Result<Written<User>, Refusal> {
    Ok(match planned {
        Planned::Same(now) => Written {
            now,
            changed: false,
        },
        Planned::Change(change) => Written {
            now: write_read(tx, call, &change)?,
            changed: true,
        },
    })
}

/// Remembers that the provider sends `active`, once.
fn active_was_sent(tx: &mut Tx<'_>, call: &Call) -> Result<(), Refusal> {
    if call.directory.active_sent {
        return Ok(());
    }
    Ok(tx.exec(ACTIVE_SENT, &params![&call.directory.id, call.at])?)
}

fn told(
    tx: &mut Tx<'_>,
    call: &Call,
    action: &str,
    user: &User,
    resource: &Resource,
    changes: Option<&str>,
) -> Result<(), Refusal> {
    events::record(
        tx,
        call,
        &events::New {
            category: call.category(),
            action,
            outcome: Outcome::Ok,
            object_kind: Some("User"),
            object_id: Some(&user.id),
            object_name: resource.user_name(),
            version: Some(user.version),
            changes,
        },
    )
}

fn see_shared_external_id(
    tx: &mut Tx<'_>,
    call: &Call,
    resource: &Resource,
    id: &str,
) -> Result<(), Refusal> {
    let Some(external_id) = resource.external_id() else {
        return Ok(());
    };
    let given = params![&call.directory.id, external_id, id];
    if let Some(other) = tx.query_one(SAME_EXTERNAL_ID, &given)? {
        warn_of_shared_external_id(call, resource, id, other.text(0)?);
    }
    Ok(())
}

/// `externalId` is not unique by itself, because clients re-assign people; two users with one are worth a look, though.
fn warn_of_shared_external_id(call: &Call, resource: &Resource, id: &str, other: &str) {
    let external_id = resource.external_id();
    tracing::warn!(directory = %call.directory.id, external_id, user = id, other, "two users have the same externalId");
}

fn move_emails(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    old: &BTreeSet<String>,
    new: &BTreeSet<String>,
) -> Result<(), Refusal> {
    for gone in old.difference(new) {
        tx.exec(DROP_EMAIL, &params![&call.directory.id, gone, id])?;
    }
    for come in new.difference(old) {
        tx.exec(ADD_EMAIL, &params![&call.directory.id, come, id])?;
    }
    Ok(())
}

/// How many reports one transaction releases. Each is a change with its event; so many keep the only writer for well
/// under a second.
pub const REPORTS_AT_ONCE: i64 = 1000;

/// Takes the reference to a deleted manager from the next [`REPORTS_AT_ONCE`] people who have it, with an event each.
/// Returns whether there may be more.
///
/// [`delete`] and [`discard`] do this once. Who calls them goes on in further transactions while
/// [`has_reports`](super::has_reports), so that no deletion holds the writer for seconds. In between, and should that never
/// happen, the rest refer to an id that does not exist, which is what a client may send as well: such references are
/// kept as sent.
pub fn release_reports(tx: &mut Tx<'_>, call: &Call, manager: &str) -> Result<bool, Refusal> {
    let rows = tx.query(
        REPORTS,
        &params![&call.directory.id, manager, REPORTS_AT_ONCE],
    )?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count == REPORTS_AT_ONCE);
    for row in rows {
        let before = from_row(row)?;
        let old = before.parsed()?;
        let mut map = old.clone().into_map();
        if let Some(Value::Object(extension)) = map.get_mut(ENTERPRISE) {
            extension.shift_remove("manager");
        }
        let new = Resource::arrange(call.directory.catalog.user(), map);
        save(tx, call, "patch", before, &old, new)?;
    }
    Ok(more)
}
