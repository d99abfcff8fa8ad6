//! Creating, changing and removing users. Each function does the whole change in one transaction, its event included.

use super::*;
use crate::directories::UserRemoval;
use crate::events::{self, Category, Outcome};
use crate::shown::shown;
use crate::{Call, members};
use portreeve_scim::schema::ENTERPRISE;
use portreeve_scim::text::{fold, user_name_key};
use portreeve_scim::{Patch, Resource};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Adds a user. Without `active` in the body the user is active.
pub fn create(tx: &mut Tx<'_>, call: &Call, new: &Resource) -> Result<User, Refusal> {
    let active = new.active();
    if new.as_map().contains_key("active") {
        active_was_sent(tx, call)?;
    }
    let resource = &with_active(call, new.clone(), active);
    let user = User {
        id: call.new_id(),
        status: if active {
            Status::Active
        } else {
            inactive(call)
        },
        level: "user".into(),
        version: 1,
        created_at: call.at,
        updated_at: call.at,
        resource: resource.to_text(),
        groups: Vec::new(),
    };
    let keys = Keys::of(resource);
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
    warn_of_shared_external_id(tx, call, resource, &user.id)?;
    let of = call.directory.catalog.user();
    match shown(of, resource.as_map()) {
        Cow::Borrowed(_) => told(tx, call, "create", &user, resource, Some(&user.resource))?,
        Cow::Owned(map) => {
            let text = Resource::from_stored(map).to_text();
            told(tx, call, "create", &user, resource, Some(&text))?;
        }
    }
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
    only_if.check(What::User, before.version)?;
    let old = before.parsed()?;
    let mut new = old.clone();
    patch.apply(call.directory.catalog.user(), &mut new)?;
    save(tx, call, "patch", before, &old, new)
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
        let new = with_active(call, old.clone(), false);
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
    let groups = members::forget(tx, call, &user.id)?;
    tx.exec(DELETE, &params![&call.directory.id, &user.id])?;
    release_reports(tx, call, &user.id)?;
    let changes = events::to_text(events::lost("groups", &groups, groups.len()));
    told(tx, call, "delete", user, resource, changes.as_deref())
}

/// Writes the changed resource with its indexes and event, and moves the status with `active`. Without `active` the
/// status stays, because a client that leaves it out must not let a leaver in again. After a PUT the answer then says
/// `false`; a PATCH that removes `active` gets its wish, and only that.
fn save(
    tx: &mut Tx<'_>,
    call: &Call,
    verb: &str,
    before: User,
    old: &Resource,
    mut new: Resource,
) -> Result<Written<User>, Refusal> {
    let sent = new.as_map().get("active").and_then(Value::as_bool);
    if sent.is_none() && verb == "replace" {
        new = with_active(call, new, before.status == Status::Active);
    } else if sent.is_some() && sent != old.as_map().get("active").and_then(Value::as_bool) {
        active_was_sent(tx, call)?;
    }
    let active = sent.unwrap_or(before.status == Status::Active);
    let (status, level) = match (active, before.status) {
        (true, Status::Active) | (false, Status::Suspended | Status::Hidden) => {
            (before.status, before.level.clone())
        }
        (true, _) => (Status::Active, "user".to_owned()),
        (false, Status::Active) => (inactive(call), before.level.clone()),
    };
    let text = new.to_text();
    if text == before.resource && status == before.status {
        return Ok(Written {
            now: before,
            changed: false,
        });
    }
    let keys = Keys::of(&new);
    let updated_at = call.at.max(before.updated_at + 1);
    let row = params![
        &call.directory.id,
        &before.id,
        before.version,
        &keys.user_name,
        new.external_id(),
        keys.display_name.as_deref(),
        keys.manager.as_deref(),
        status.name(),
        &level,
        updated_at,
        &text,
    ];
    if tx.query_one(UPDATE, &row)?.is_none() {
        return Err(Refusal::Changed {
            what: What::User,
            found: before.version,
        });
    }
    move_emails(tx, call, &before.id, &Keys::of(old).emails, &keys.emails)?;
    if new.external_id() != old.external_id() {
        warn_of_shared_external_id(tx, call, &new, &before.id)?;
    }
    let of = call.directory.catalog.user();
    let changes = events::diff(&shown(of, old.as_map()), &shown(of, new.as_map()));
    let now = User {
        status,
        level,
        version: before.version + 1,
        updated_at,
        resource: text,
        ..before
    };
    told(tx, call, verb, &now, &new, changes.as_deref())?;
    Ok(Written { now, changed: true })
}

fn with_active(call: &Call, resource: Resource, active: bool) -> Resource {
    if resource.as_map().get("active") == Some(&Value::Bool(active)) {
        return resource;
    }
    let mut map = resource.into_map();
    map.insert("active".into(), Value::Bool(active));
    Resource::arrange(call.directory.catalog.user(), map)
}

/// Remembers that the provider sends `active`, once.
fn active_was_sent(tx: &mut Tx<'_>, call: &Call) -> Result<(), Refusal> {
    if call.directory.active_sent {
        return Ok(());
    }
    Ok(tx.exec(ACTIVE_SENT, &params![&call.directory.id, call.at])?)
}

/// The status of a user whom the provider deactivates.
fn inactive(call: &Call) -> Status {
    match call.directory.settings.users {
        UserRemoval::Hide => Status::Hidden,
        UserRemoval::Suspend | UserRemoval::Delete => Status::Suspended,
    }
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
            category: Category::ScimSync,
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

/// `externalId` is not unique by itself, because clients re-assign people; two users with one are worth a look, though.
fn warn_of_shared_external_id(
    tx: &mut Tx<'_>,
    call: &Call,
    resource: &Resource,
    id: &str,
) -> Result<(), Refusal> {
    let Some(external_id) = resource.external_id() else {
        return Ok(());
    };
    if let Some(other) = tx.query_one(
        SAME_EXTERNAL_ID,
        &params![&call.directory.id, external_id, id],
    )? {
        tracing::warn!(directory = %call.directory.id, external_id, user = id, other = other.text(0)?, "two users have the same externalId");
    }
    Ok(())
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

/// What of a resource is indexed.
struct Keys {
    user_name: String,
    display_name: Option<String>,
    manager: Option<String>,
    emails: BTreeSet<String>,
}

impl Keys {
    fn of(resource: &Resource) -> Self {
        let manager = resource
            .as_map()
            .get(ENTERPRISE)
            .and_then(|e| e.get("manager")?.get("value")?.as_str());
        Self {
            user_name: user_name_key(resource.user_name().unwrap_or_default()),
            display_name: resource.display_name().map(|name| fold(name).into_owned()),
            manager: manager.map(str::to_owned),
            emails: resource
                .emails()
                .map(|email| fold(email).into_owned())
                .collect(),
        }
    }
}
