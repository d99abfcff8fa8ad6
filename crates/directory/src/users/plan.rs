//! What a change to a user comes to, worked out beside the thread that writes.

use super::keys::Keys;
use super::{Precondition, Status, User};
use crate::directories::{Directory, UserRemoval};
use crate::shown::shown;
use crate::{Call, Refusal, What, events};
use portreeve_scim::{Patch, Resource};
use portreeve_store::{Param, params};
use serde_json::Value;
use std::collections::BTreeSet;

/// A change to a user, worked out against the version that was read: writing it is a few statements.
#[derive(Debug, Clone)]
pub struct Change {
    pub(super) verb: &'static str,
    /// The user as it will be.
    pub(super) now: User,
    pub(super) resource: Resource,
    pub(super) keys: Keys,
    pub(super) old_emails: BTreeSet<String>,
    pub(super) extent: Extent,
    pub(super) another_external_id: bool,
    pub(super) active_sent: bool,
    /// Whether the user was active and is not any more.
    pub(super) is_out: bool,
    pub(super) changes: Option<String>,
}

/// Which columns of the user's row a change is about. Each takes the parameters of the one before it, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Those that no index has.
    Resource,
    /// Status and level as well.
    Standing,
    /// All.
    Keys,
}

/// What a request comes to.
#[derive(Debug, Clone)]
pub enum Planned {
    /// Nothing would be different.
    Same(User),
    /// Something would.
    Change(Box<Change>),
}

impl Change {
    /// Those of a row's values that the statements of its extent take.
    pub(super) fn parameters<'a, 'v>(&self, row: &'a [Param<'v>; 11]) -> &'a [Param<'v>] {
        match self.extent {
            Extent::Resource => &row[..5],
            Extent::Standing => &row[..7],
            Extent::Keys => row,
        }
    }

    /// All values of the row, in the order of the statements' parameters.
    pub(super) fn row<'a>(&'a self, call: &'a Call) -> [Param<'a>; 11] {
        let Self {
            now,
            resource,
            keys,
            ..
        } = self;
        params![
            &call.directory.id,
            &now.id,
            now.version - 1,
            now.updated_at,
            &now.resource,
            now.status.name(),
            &now.level,
            &keys.user_name,
            resource.external_id(),
            keys.display_name.as_deref(),
            keys.manager.as_deref(),
        ]
    }
}

/// Works a PATCH out before the transaction, on a user read a moment ago: requests are many, the thread that writes is
/// one. [`write()`](super::write()) then refuses with [`Refusal::Changed`] if somebody else was faster.
pub fn plan_patch(
    call: &Call,
    before: User,
    patch: &Patch,
    only_if: &Precondition,
) -> Result<Planned, Refusal> {
    only_if.check(What::User, before.version)?;
    let old = before.parsed()?;
    let mut new = old.clone();
    let directory = &call.directory;
    patch.apply(directory.catalog.user(), &mut new)?;
    directory
        .required
        .check(&directory.catalog, &new, Some(&old))?;
    Ok(plan(call, "patch", before, &old, new))
}

/// Works out what a changed resource comes to: indexes, event, and the status, which moves with `active`. Without
/// `active` the status stays, because a client that leaves it out must not let a leaver in again. After a PUT the answer
/// then says `false`; a PATCH that removes `active` gets its wish, and only that.
pub(super) fn plan(
    call: &Call,
    verb: &'static str,
    before: User,
    old: &Resource,
    mut new: Resource,
) -> Planned {
    let sent = new.as_map().get("active").and_then(Value::as_bool);
    let active = sent.unwrap_or(before.status == Status::Active);
    if sent.is_none() && verb == "replace" {
        new = with_active(&call.directory, new, active);
    }
    let (status, level) = match (active, before.status) {
        (true, Status::Active) | (false, Status::Suspended | Status::Hidden) => {
            (before.status, before.level.clone())
        }
        (true, _) => (Status::Active, "user".to_owned()),
        (false, Status::Active) => (inactive(call), before.level.clone()),
    };
    let text = new.to_text();
    if text == before.resource && status == before.status {
        return Planned::Same(before);
    }
    let of = call.directory.catalog.user();
    let (old_keys, keys) = (Keys::of(old), Keys::of(&new));
    let another_external_id = new.external_id() != old.external_id();
    let extent = if another_external_id || !keys.has_columns_of(&old_keys) {
        Extent::Keys
    } else if (status, &level) != (before.status, &before.level) {
        Extent::Standing
    } else {
        Extent::Resource
    };
    let was_active = old.as_map().get("active").and_then(Value::as_bool);
    Planned::Change(Box::new(Change {
        verb,
        keys,
        old_emails: old_keys.emails,
        extent,
        another_external_id,
        active_sent: sent.is_some() && sent != was_active,
        is_out: before.status == Status::Active && status != Status::Active,
        changes: events::diff(&shown(of, old.as_map()), &shown(of, new.as_map())),
        resource: new,
        now: User {
            status,
            level,
            version: before.version + 1,
            updated_at: call.at.max(before.updated_at + 1),
            resource: text,
            ..before
        },
    }))
}

/// The resource with that `active`.
pub(super) fn with_active(directory: &Directory, resource: Resource, active: bool) -> Resource {
    if resource.as_map().get("active") == Some(&Value::Bool(active)) {
        return resource;
    }
    let mut map = resource.into_map();
    map.insert("active".into(), Value::Bool(active));
    Resource::arrange(directory.catalog.user(), map)
}

/// The status of a user whom the provider deactivates.
pub(super) fn inactive(call: &Call) -> Status {
    match call.directory.settings.users {
        UserRemoval::Hide => Status::Hidden,
        UserRemoval::Suspend | UserRemoval::Delete => Status::Suspended,
    }
}
