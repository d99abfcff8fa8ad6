//! Creating, changing and removing groups, each in one transaction with its event.

use super::*;
use crate::Call;
use crate::directories::GroupRemoval;
use crate::events::{self, Outcome};
use crate::members::{self, Moved};
use crate::shown::shown;
use crate::users::{Precondition, Written};
use crate::{local_members, memberships};
use portreeve_scim::patch::MemberStep;
use portreeve_scim::resource::MemberRef;
use portreeve_scim::text::fold;
use portreeve_scim::{Patch, Resource};
use serde_json::Value;

/// Adds a group with its first members. Where the directory keeps deleted groups, one of the same name is revived
/// with its id, so that what was granted to it holds again.
pub fn create(
    tx: &mut Tx<'_>,
    call: &Call,
    new: &Resource,
    first: &[MemberRef],
) -> Result<Group, Refusal> {
    let name = new.display_name().unwrap_or_default().to_owned();
    let key = fold(&name).into_owned();
    if call.directory.settings.groups == GroupRemoval::Keep
        && let Some(row) = tx.query_one(KEPT, &params![&call.directory.id, &key])?
    {
        let kept = from_row(row)?;
        let old = kept.parsed()?;
        members::set(tx, call, &kept.id, first)?;
        let now = write(tx, call, &kept, new, "active")?;
        // Nobody had anything from the group while it was kept, so all its members are new ones, and so are those who
        // were added here before it was.
        let local = local_members::of_group(tx, &call.directory.id, &kept.id, call.at)?;
        let named = first.iter().map(|member| member.value.clone());
        let come = Moved {
            added: named.chain(local).collect(),
            ..Moved::default()
        };
        let changes = changes(call, &old, new, &come);
        told(tx, call, "create", &now, changes.as_deref())?;
        return Ok(now);
    }
    let group = Group {
        id: call.new_id(),
        display_name: name,
        version: 1,
        created_at: call.at,
        updated_at: call.at,
        resource: new.to_text(),
    };
    let row = params![
        &call.directory.id,
        &group.id,
        &group.display_name,
        &key,
        unique_key(call, &key),
        new.external_id(),
        group.created_at,
        &group.resource,
    ];
    tx.exec(INSERT, &row)?;
    let moved = if first.is_empty() {
        Moved::default()
    } else {
        members::begin(tx, call, &group.id, first)?
    };
    let nothing = Resource::from_stored(serde_json::Map::new());
    let changes = changes(call, &nothing, new, &moved);
    told(tx, call, "create", &group, changes.as_deref())?;
    Ok(group)
}

/// Applies a PATCH; what it does to members costs what it changes.
pub fn patch(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    patch: &Patch,
    only_if: &Precondition,
) -> Result<Written<Group>, Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    only_if.check(What::Group, before.version)?;
    let old = before.parsed()?;
    let mut new = old.clone();
    patch.apply(call.directory.catalog.group(), &mut new)?;
    save(tx, call, "patch", before, (&old, &new), patch.members())
}

/// Puts a new resource in place of the old one (PUT). An absent `members` means none, as RFC 7644 section 3.5.1 says.
pub fn replace(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    new: &Resource,
    all: &[MemberRef],
    only_if: &Precondition,
) -> Result<Written<Group>, Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    only_if.check(What::Group, before.version)?;
    let old = before.parsed()?;
    let steps = [MemberStep::Clear, MemberStep::Add(all.to_vec())];
    save(tx, call, "replace", before, (&old, new), &steps)
}

/// Puts other attributes in place of the old ones; members stay.
pub fn update(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    new: &Resource,
    only_if: &Precondition,
) -> Result<Written<Group>, Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    only_if.check(What::Group, before.version)?;
    let old = before.parsed()?;
    save(tx, call, "patch", before, (&old, new), &[])
}

/// Changes members alone.
pub fn change_members(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    steps: &[MemberStep],
) -> Result<Written<Group>, Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    let same = before.parsed()?;
    save(tx, call, "patch", before, (&same, &same), steps)
}

/// Removes a group as the directory says: kept out of sight with its own members, or gone. Either way it leaves the
/// groups it is in, and does not come back to them when it is revived.
pub fn delete(
    tx: &mut Tx<'_>,
    call: &Call,
    id: &str,
    only_if: &Precondition,
) -> Result<(), Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    only_if.check(What::Group, before.version)?;
    match call.directory.settings.groups {
        GroupRemoval::Keep => {
            let resource = before.parsed()?;
            let members = lost_members(tx, call, id)?;
            let now = write(tx, call, &before, &resource, "kept")?;
            gone(tx, call, &now, members)
        }
        GroupRemoval::Delete => remove(tx, call, &before),
    }
}

/// Removes a group for good, whatever the directory says of deleted groups: the way to undo a [`create`].
pub fn discard(tx: &mut Tx<'_>, call: &Call, id: &str) -> Result<(), Refusal> {
    let before = by_id(tx, &call.directory.id, id)?;
    remove(tx, call, &before)
}

fn remove(tx: &mut Tx<'_>, call: &Call, group: &Group) -> Result<(), Refusal> {
    let members = lost_members(tx, call, &group.id)?;
    tx.exec(members::DROP_ALL, &params![&call.directory.id, &group.id])?;
    tx.exec(DELETE, &params![&call.directory.id, &group.id])?;
    local_members::forget_group(tx, &call.directory.id, &group.id)?;
    gone(tx, call, group, members)
}

/// Who loses what the group gave, for the event.
fn lost_members(tx: &mut Tx<'_>, call: &Call, id: &str) -> Result<Option<Value>, Refusal> {
    let directory = &call.directory.id;
    let one_more = i64::try_from(events::NAMED + 1).unwrap_or(i64::MAX);
    let first = members::page(tx, directory, id, "", one_more)?;
    let mut ids: Vec<String> = first.into_iter().map(|member| member.id).collect();
    ids.extend(local_members::of_group(tx, directory, id, call.at)?);
    ids.sort();
    ids.dedup();
    let count = if ids.len() > events::NAMED {
        usize::try_from(memberships::count(tx, directory, id, call.at)?).unwrap_or(ids.len())
    } else {
        ids.len()
    };
    Ok(events::lost("members", &ids, count))
}

/// Takes a removed group out of the groups it is in and tells of the removal.
fn gone(
    tx: &mut Tx<'_>,
    call: &Call,
    group: &Group,
    members: Option<Value>,
) -> Result<(), Refusal> {
    let left = members::forget(tx, call, &group.id)?;
    let groups = events::lost("groups", &left, left.len());
    let changes = events::to_text(groups.into_iter().chain(members));
    told(tx, call, "delete", group, changes.as_deref())
}

/// Makes the names of all groups unique or not, after the setting has changed. Refuses when two groups share a name.
pub fn refresh_unique_names(
    tx: &mut Tx<'_>,
    directory_id: &str,
    unique: bool,
) -> Result<(), Refusal> {
    Ok(tx.exec(
        if unique { UNIQUE_ON } else { UNIQUE_OFF },
        &params![directory_id],
    )?)
}

fn save(
    tx: &mut Tx<'_>,
    call: &Call,
    verb: &str,
    before: Group,
    (old, new): (&Resource, &Resource),
    steps: &[MemberStep],
) -> Result<Written<Group>, Refusal> {
    let moved = members::apply(tx, call, &before.id, steps)?;
    if moved.is_empty() && old == new {
        return Ok(Written {
            now: before,
            changed: false,
        });
    }
    let now = write(tx, call, &before, new, "active")?;
    told(
        tx,
        call,
        verb,
        &now,
        changes(call, old, new, &moved).as_deref(),
    )?;
    Ok(Written { now, changed: true })
}

/// Writes a group that this transaction has read: writes of one directory do not overlap, so it is still so.
fn write(
    tx: &mut Tx<'_>,
    call: &Call,
    before: &Group,
    new: &Resource,
    status: &str,
) -> Result<Group, Refusal> {
    let now = Group {
        id: before.id.clone(),
        display_name: new.display_name().unwrap_or_default().to_owned(),
        version: before.version + 1,
        created_at: before.created_at,
        updated_at: call.at.max(before.updated_at + 1),
        resource: new.to_text(),
    };
    let key = fold(&now.display_name).into_owned();
    let row = params![
        &call.directory.id,
        &now.id,
        before.version,
        &now.display_name,
        &key,
        if status == "active" {
            unique_key(call, &key)
        } else {
            None
        },
        new.external_id(),
        status,
        now.updated_at,
        &now.resource,
    ];
    tx.exec(UPDATE, &row)?;
    Ok(now)
}

fn unique_key<'a>(call: &Call, key: &'a str) -> Option<&'a str> {
    call.directory.settings.unique_group_names.then_some(key)
}

fn changes(call: &Call, old: &Resource, new: &Resource, moved: &Moved) -> Option<String> {
    let of = call.directory.catalog.group();
    let attributes = events::diff(&shown(of, old.as_map()), &shown(of, new.as_map()));
    if moved.is_empty() {
        return attributes;
    }
    let mut list: Vec<Value> = attributes
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    list.push(moved.to_json());
    Some(Value::Array(list).to_string())
}

fn told(
    tx: &mut Tx<'_>,
    call: &Call,
    action: &str,
    group: &Group,
    changes: Option<&str>,
) -> Result<(), Refusal> {
    events::record(
        tx,
        call,
        &events::New {
            category: call.category(),
            action,
            outcome: Outcome::Ok,
            object_kind: Some("Group"),
            object_id: Some(&group.id),
            object_name: Some(&group.display_name),
            version: Some(group.version),
            changes,
        },
    )
}
