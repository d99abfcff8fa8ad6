//! The import: what a source tells is merged into what the job knows, page by page.
//!
//! A page is one transaction, with the place to read on. Whatever differs from what was known is marked as dirty; what
//! was told again is not. Sources repeat themselves, so the same page may come twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use portreeve_directory::Refusal;
use portreeve_directory::applications::links::{self, Link, Presence};
use portreeve_directory::applications::references::{self, Reference};
use portreeve_directory::applications::{self, Kind as RowKind};
use portreeve_store::Tx;
use serde_json::{Map, Value};

use super::progress::Counters;
use super::references::MEMBERS;
use super::state::{Owner, row_kind};
use crate::source::{Change, Kind, Member, Object};

/// What a page is merged with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// The number of the full read; 0 when what has changed is read.
    pub(super) epoch: i64,
    /// The number of the telling of all assignments; 0 while there was none in this cycle.
    pub(super) roles_epoch: i64,
    /// Whether nested groups are expanded, so that who is wanted in a group is worked out later.
    pub(super) expand: bool,
}

/// A row of the source that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable {
    pub(super) place: String,
    pub(super) reason: String,
}

/// Merges a page. Returns what its telling of assignments is numbered, and the rows that cannot be used.
pub(super) fn merge(
    tx: &mut Tx<'_>,
    owner: &Owner,
    reading: Reading,
    changes: &[Change],
    counters: &mut Counters,
) -> Result<(i64, Vec<Unusable>), Refusal> {
    let mut merge = Merge {
        owner,
        reading,
        known: known(tx, owner, changes)?,
        members: Members::default(),
        reassigned: Vec::new(),
        unusable: Vec::new(),
    };
    for change in changes {
        merge.change(tx, change, counters)?;
    }
    merge.write(tx)?;
    Ok((merge.reading.roles_epoch, merge.unusable))
}

/// The key of an object, told apart from others of the same key.
type Key = (Kind, String);

/// A group, one of its members, and what that is said to be.
type Membership = (String, String, Option<Kind>);

/// Members who come (`true`) or go, the last word about each.
#[derive(Default)]
struct Members {
    words: HashMap<Membership, bool>,
    order: Vec<Membership>,
}

/// An object with what has become of it.
struct Row {
    link: Link,
    is_changed: bool,
    /// Whether a full read has come across it.
    is_seen: bool,
}

impl Row {
    fn new(link: Link) -> Self {
        Self {
            link,
            is_changed: false,
            is_seen: false,
        }
    }

    fn see(&mut self, epoch: i64) {
        if self.link.seen < epoch {
            self.link.seen = epoch;
            self.is_seen = true;
        }
    }
}

struct Merge<'a> {
    owner: &'a Owner,
    reading: Reading,
    known: HashMap<Key, Row>,
    members: Members,
    /// Groups whose members are to be looked at again, because of their assignment.
    reassigned: Vec<String>,
    unusable: Vec<Unusable>,
}

/// Everything that the changes speak of, as far as it is known.
fn known(tx: &mut Tx<'_>, owner: &Owner, changes: &[Change]) -> Result<HashMap<Key, Row>, Refusal> {
    let mut known = HashMap::new();
    for kind in [Kind::User, Kind::Group] {
        let mut keys: Vec<&str> = changes
            .iter()
            .filter_map(|change| spoken_of(change, kind))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        for link in links::of(tx, &owner.application_id, row_kind(kind), &keys)? {
            known.insert((kind, link.source_key.clone()), Row::new(link));
        }
    }
    Ok(known)
}

/// The object of a kind that a change speaks of.
fn spoken_of(change: &Change, wanted: Kind) -> Option<&str> {
    let (kind, key) = match change {
        Change::Present(object) | Change::Altered(object) => (object.kind, &object.key),
        Change::Suspended { kind, key }
        | Change::Gone { kind, key }
        | Change::Assigned { kind, key, .. }
        | Change::Unassigned { kind, key } => (*kind, key),
        Change::Members { group, .. } => (Kind::Group, group),
        Change::AssignmentsAnew | Change::Unusable { .. } => return None,
    };
    (kind == wanted).then_some(key.as_str())
}

impl Merge<'_> {
    fn change(
        &mut self,
        tx: &mut Tx<'_>,
        change: &Change,
        counters: &mut Counters,
    ) -> Result<(), Refusal> {
        match change {
            Change::Present(object) => {
                counters.imported += 1;
                self.present(object, false);
            }
            Change::Altered(object) => {
                counters.imported += 1;
                self.present(object, true);
            }
            Change::Suspended { kind, key } => {
                counters.imported += 1;
                self.absent(*kind, key, Presence::Suspended);
            }
            Change::Gone { kind, key } => {
                counters.imported += 1;
                self.absent(*kind, key, Presence::Gone);
            }
            Change::Members {
                group,
                added,
                removed,
            } => {
                counters.imported_references += (added.len() + removed.len()) as u64;
                self.members.say(group, removed, false);
                self.members.say(group, added, true);
            }
            Change::AssignmentsAnew => {
                let Owner {
                    team_id,
                    application_id,
                } = self.owner;
                self.reading.roles_epoch = applications::next_epoch(tx, team_id, application_id)?;
            }
            Change::Assigned { kind, key, roles } => self.assigned(*kind, key, roles),
            Change::Unassigned { kind, key } => self.unassigned(*kind, key),
            Change::Unusable { place, reason } => {
                counters.unusable += 1;
                self.unusable.push(Unusable {
                    place: place.clone(),
                    reason: reason.clone(),
                });
            }
        }
        Ok(())
    }

    /// An object is there. `partly`: only what is told has changed.
    fn present(&mut self, object: &Object, partly: bool) {
        let Reading { epoch, expand, .. } = self.reading;
        let row = self.row(object.kind, &object.key);
        // A full read starts from nothing.
        let attributes = match partly && row.link.seen >= epoch {
            true => altered(&row.link.attributes, &object.attributes),
            false => canonical(&object.attributes),
        };
        let comes = row.link.presence != Presence::Present;
        if comes || row.link.attributes != attributes {
            row.link.presence = Presence::Present;
            row.link.attributes = attributes;
            row.link.dirty = true;
            // A member of this key that nobody has said to be a group was taken for a person until now.
            row.link.stale |= expand && comes && object.kind == Kind::Group;
            row.is_changed = true;
        }
        row.see(epoch);
        if comes && object.kind == Kind::Group && row.link.roles.is_some() {
            self.reassigned.push(object.key.clone());
        }
    }

    /// An object is there no more. One that nobody knew is nothing to us.
    fn absent(&mut self, kind: Kind, key: &str, presence: Presence) {
        let epoch = self.reading.epoch;
        let Some(row) = self.known.get_mut(&(kind, key.to_owned())) else {
            return;
        };
        if row.link.presence != presence {
            row.link.presence = presence;
            row.link.dirty = true;
            row.is_changed = true;
            if kind == Kind::Group && row.link.roles.is_some() {
                self.reassigned.push(key.to_owned());
            }
        }
        row.see(epoch);
    }

    fn assigned(&mut self, kind: Kind, key: &str, roles: &[String]) {
        let roles_epoch = self.reading.roles_epoch;
        let row = self.row(kind, key);
        let mut all = match row.link.roles_seen < roles_epoch {
            true => Vec::new(),
            false => row.link.roles.as_deref().map_or_else(Vec::new, listed),
        };
        all.extend(roles.iter().cloned());
        all.sort_unstable();
        all.dedup();
        let all = Some(list(&all));
        let is_new = row.link.roles != all;
        if is_new {
            row.link.roles = all;
            row.link.dirty = true;
        }
        if is_new || row.link.roles_seen != roles_epoch {
            row.link.roles_seen = roles_epoch;
            row.is_changed = true;
        }
        if is_new && kind == Kind::Group {
            self.reassigned.push(key.to_owned());
        }
    }

    fn unassigned(&mut self, kind: Kind, key: &str) {
        let Some(row) = self.known.get_mut(&(kind, key.to_owned())) else {
            return;
        };
        if row.link.roles.take().is_some() {
            row.link.dirty = true;
            row.is_changed = true;
            if kind == Kind::Group {
                self.reassigned.push(key.to_owned());
            }
        }
    }

    fn row(&mut self, kind: Kind, key: &str) -> &mut Row {
        match self.known.entry((kind, key.to_owned())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Row::new(Link::unknown(key))),
        }
    }

    fn write(&mut self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let id = &self.owner.application_id;
        let moved = self.write_members(tx)?;
        for kind in [Kind::User, Kind::Group] {
            let mut seen = Vec::new();
            let rows = self.known.iter().filter(|((of, _), _)| *of == kind);
            for (_, row) in rows {
                if row.is_changed {
                    links::put(tx, id, row_kind(kind), &row.link)?;
                } else if row.is_seen {
                    seen.push(row.link.source_key.as_str());
                }
            }
            links::see(tx, id, row_kind(kind), &seen, self.reading.epoch)?;
        }
        for group in &self.reassigned {
            links::touch_members(tx, id, group)?;
        }
        let moved: Vec<&str> = moved.iter().map(String::as_str).collect();
        links::touch(tx, id, RowKind::User, &moved)
    }

    /// Writes who comes to groups and who goes. Returns the people whose assignment that may change.
    fn write_members(&mut self, tx: &mut Tx<'_>) -> Result<Vec<String>, Refusal> {
        let id = &self.owner.application_id;
        let Members { mut words, order } = std::mem::take(&mut self.members);
        let pairs: Vec<(&str, &str)> = order
            .iter()
            .map(|(group, member, _)| (group.as_str(), member.as_str()))
            .collect();
        let mut there: HashMap<(String, String), Vec<Reference>> = HashMap::new();
        for reference in references::members(tx, id, &pairs)? {
            let pair = (reference.source_key.clone(), reference.other_key.clone());
            there.entry(pair).or_default().push(reference);
        }
        let mut moved = Vec::new();
        for membership in &order {
            let Some(comes) = words.remove(membership) else {
                continue;
            };
            let (group, member, kind) = membership;
            let known = there.get(&(group.clone(), member.clone()));
            let same = known.into_iter().flatten().find(|it| {
                it.other_kind == kind.map(row_kind) || it.other_kind.is_none() || kind.is_none()
            });
            if self.write_member(tx, membership, comes, same)? && *kind != Some(Kind::Group) {
                let holder = self.known.get(&(Kind::Group, group.clone()));
                if holder.is_some_and(|row| row.link.roles.is_some()) {
                    moved.push(member.clone());
                }
            }
        }
        Ok(moved)
    }

    /// Writes one member; `false` where nothing changes.
    fn write_member(
        &mut self,
        tx: &mut Tx<'_>,
        (group, member, kind): &Membership,
        comes: bool,
        there: Option<&Reference>,
    ) -> Result<bool, Refusal> {
        let id = &self.owner.application_id;
        let Reading { epoch, expand, .. } = self.reading;
        match there {
            Some(known) if known.told == comes => {
                if comes && known.seen < epoch {
                    references::see(tx, id, group, member, epoch)?;
                }
                return Ok(false);
            }
            None if !comes => return Ok(false),
            _ => {}
        }
        let mut reference = there.cloned().unwrap_or_else(|| Reference {
            kind: RowKind::Group,
            source_key: group.clone(),
            attribute: MEMBERS.to_owned(),
            other_key: member.clone(),
            other_kind: kind.map(row_kind),
            told: false,
            wanted: false,
            applied: false,
            due: false,
            seen: 0,
        });
        reference.seen = reference.seen.max(epoch);
        let holder = self.row(Kind::Group, group);
        let is_linked = matches!(
            holder.link.state,
            links::State::Managed | links::State::Disabled
        );
        if expand {
            holder.link.stale = true;
            holder.is_changed = true;
        }
        tell(
            tx,
            &self.owner.application_id,
            reference,
            comes,
            expand,
            is_linked,
        )?;
        Ok(!expand)
    }
}

/// Writes that the source tells of a member, or no more.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    application_id: &str,
    mut reference: Reference,
    told: bool,
    expand: bool,
    is_linked: bool,
) -> Result<(), Refusal> {
    reference.told = told;
    if !expand {
        reference.wanted = told;
    }
    reference.due = is_linked && reference.wanted != reference.applied;
    match reference.told || reference.wanted || reference.applied {
        true => references::put(tx, application_id, &reference),
        false => references::remove(tx, application_id, &reference),
    }
}

impl Members {
    fn say(&mut self, group: &str, members: &[Member], comes: bool) {
        for member in members {
            let membership = (group.to_owned(), member.key.clone(), member.kind);
            if self.words.insert(membership.clone(), comes).is_none() {
                self.order.push(membership);
            }
        }
    }
}

/// Attributes as text that is the same for the same attributes.
pub(super) fn canonical(attributes: &Map<String, Value>) -> String {
    let valued = attributes.iter().filter(|(_, value)| !value.is_null());
    let valued = valued.map(|(name, value)| (name.clone(), value.clone()));
    let mut attributes = Value::Object(valued.collect());
    attributes.sort_all_objects();
    attributes.to_string()
}

/// Attributes with those that are told in their place.
fn altered(earlier: &str, told: &Map<String, Value>) -> String {
    let mut attributes: Map<String, Value> = serde_json::from_str(earlier).unwrap_or_default();
    for (name, value) in told {
        attributes.insert(name.clone(), value.clone());
    }
    canonical(&attributes)
}

/// Roles as they are kept: a JSON list.
pub(super) fn listed(roles: &str) -> Vec<String> {
    serde_json::from_str(roles).unwrap_or_default()
}

fn list(roles: &[String]) -> String {
    Value::from(roles).to_string()
}
