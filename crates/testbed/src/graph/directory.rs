//! The directory inside the double: users, groups and assignments, with everything a delta query must know of them.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Users or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Class {
    User,
    Group,
}

impl Class {
    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Group => "groups",
        }
    }

    pub(super) fn odata_type(self) -> &'static str {
        match self {
            Self::User => "#microsoft.graph.user",
            Self::Group => "#microsoft.graph.group",
        }
    }
}

/// Where an object is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Live,
    /// In the recycle bin.
    Deleted,
    Purged,
}

/// A user or a group. Each part knows the number of the change that touched it last.
#[derive(Debug, Clone)]
struct Entry {
    class: Class,
    life: (Life, u64),
    /// Properties that ever had a value; `null` for those that have none any more.
    properties: BTreeMap<String, (Value, u64)>,
    /// The manager of a user, and the last one before.
    manager: (Option<String>, Option<String>, u64),
    /// Who is a member of a group, and who was.
    members: BTreeMap<String, (bool, u64)>,
}

/// One principal's assignment to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assignment {
    principal: String,
    kind: String,
    role: String,
}

/// What a tenant holds. Tests change it; the double tells of it.
///
/// Deleting a user says nothing to the delta query of the groups it was in, as nothing in Microsoft's documentation
/// promises that; restoring it tells its memberships and its reports again. A group that is restored tells all members
/// that it has and all that have left it.
#[derive(Debug)]
pub struct Directory {
    changes: u64,
    made: u64,
    entries: BTreeMap<String, Entry>,
    roles: Vec<(String, Option<String>, String)>,
    assignments: Vec<Assignment>,
}

/// The role of an assignment without one.
const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

impl Directory {
    pub(super) fn new() -> Self {
        Self {
            changes: 0,
            made: 0,
            entries: BTreeMap::new(),
            roles: Vec::new(),
            assignments: Vec::new(),
        }
    }

    /// Adds a user and gives its id. `ada` becomes `ada@contoso.example` with a display name, enabled.
    pub fn add_user(&mut self, name: &str) -> String {
        let id = self.add(Class::User);
        self.set(
            &id,
            "userPrincipalName",
            json!(format!("{name}@contoso.example")),
        );
        self.set(&id, "displayName", json!(name));
        self.set(&id, "accountEnabled", json!(true));
        id
    }

    /// Adds a security group and gives its id.
    pub fn add_group(&mut self, name: &str) -> String {
        let id = self.add(Class::Group);
        self.set(&id, "displayName", json!(name));
        self.set(&id, "securityEnabled", json!(true));
        id
    }

    /// Sets a property, by its name in Microsoft Graph; `null` takes the value away.
    pub fn set(&mut self, id: &str, property: &str, value: Value) {
        let change = self.change();
        let entry = self.entry(id);
        entry
            .properties
            .insert(property.to_owned(), (value, change));
    }

    /// Gives a user a manager, or takes it away.
    pub fn set_manager(&mut self, user: &str, manager: Option<&str>) {
        let change = self.change();
        let entry = self.entry(user);
        let before = entry.manager.0.take().or(entry.manager.1.take());
        entry.manager = (manager.map(str::to_owned), before, change);
    }

    /// Makes a user, a group, or anything else that has an id, a member of a group.
    pub fn add_member(&mut self, group: &str, member: &str) {
        let change = self.change();
        let entry = self.entry(group);
        entry.members.insert(member.to_owned(), (true, change));
    }

    /// Takes a member out of a group.
    pub fn remove_member(&mut self, group: &str, member: &str) {
        let change = self.change();
        if let Some(membership) = self.entry(group).members.get_mut(member) {
            *membership = (false, change);
        }
    }

    /// Puts an object into the recycle bin.
    pub fn delete(&mut self, id: &str) {
        self.live(id, Life::Deleted);
    }

    /// Takes an object out of the recycle bin, with all that it had.
    pub fn restore(&mut self, id: &str) {
        self.live(id, Life::Live);
        let change = self.changes;
        for entry in self.entries.values_mut() {
            if let Some((true, changed)) = entry.members.get_mut(id) {
                *changed = change;
            }
            if entry.manager.0.as_deref() == Some(id) {
                entry.manager.2 = change;
            }
        }
    }

    /// Removes an object for good, from the recycle bin or from where it is.
    pub fn purge(&mut self, id: &str) {
        self.live(id, Life::Purged);
        self.assignments.retain(|given| given.principal != id);
        for entry in self.entries.values_mut() {
            entry.members.remove(id);
            if entry.manager.0.as_deref() == Some(id) {
                entry.manager.0 = None;
            }
        }
    }

    /// Adds a role to the application and gives its id.
    pub fn add_role(&mut self, value: Option<&str>, display_name: &str) -> String {
        let id = format!("00000000-0000-4000-9000-{:012x}", self.roles.len() + 1);
        self.roles.push((
            id.clone(),
            value.map(str::to_owned),
            display_name.to_owned(),
        ));
        id
    }

    /// Assigns a principal to the application, with a role or with the default access.
    pub fn assign(&mut self, principal: &str, role: Option<&str>) {
        let kind = match self.entries.get(principal).map(|entry| entry.class) {
            Some(Class::User) => "User",
            Some(Class::Group) => "Group",
            None => "ServicePrincipal",
        };
        let assignment = Assignment {
            principal: principal.to_owned(),
            kind: kind.to_owned(),
            role: role.unwrap_or(DEFAULT_ACCESS).to_owned(),
        };
        if !self.assignments.contains(&assignment) {
            self.assignments.push(assignment);
        }
    }

    /// Takes all assignments of a principal away.
    pub fn unassign(&mut self, principal: &str) {
        self.assignments
            .retain(|given| given.principal != principal);
    }

    /// The ids of all users that are there.
    pub fn users(&self) -> Vec<String> {
        self.ids(Class::User)
    }

    /// The ids of all groups that are there.
    pub fn groups(&self) -> Vec<String> {
        self.ids(Class::Group)
    }

    /// The ids of all objects in the recycle bin.
    pub fn deleted(&self) -> Vec<String> {
        let both = [Class::User, Class::Group];
        both.into_iter()
            .flat_map(|class| self.in_life(class, Life::Deleted))
            .collect()
    }

    pub(super) fn ids(&self, class: Class) -> Vec<String> {
        self.in_life(class, Life::Live).collect()
    }

    pub(super) fn recycled(&self, class: Class) -> Vec<Value> {
        self.in_life(class, Life::Deleted)
            .map(|id| json!({"@odata.type": class.odata_type(), "id": id}))
            .collect()
    }

    /// The number of the latest change.
    pub(super) fn latest(&self) -> u64 {
        self.changes
    }

    /// What a delta query tells of objects of this class, in no order that means anything.
    pub(super) fn delta(&self, class: Class, view: &View) -> Vec<Value> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.class == class)
            .filter_map(|(id, entry)| self.told(id, entry, view))
            .collect()
    }

    /// A live object with these properties and, if asked for, its manager.
    pub(super) fn object(&self, id: &str, select: &[String], manager: bool) -> Option<Value> {
        let entry = self.entries.get(id)?;
        if entry.life.0 != Life::Live {
            return None;
        }
        let mut told = Map::new();
        for name in select.iter().filter(|name| *name != "id") {
            // Outside delta queries every property that was asked for is there.
            told.insert(name.clone(), self.property(entry, name));
        }
        told.insert("id".to_owned(), json!(id));
        if manager && let Some(key) = entry.manager.0.as_deref().filter(|key| self.is_live(key)) {
            told.insert(
                "manager".to_owned(),
                json!({"@odata.type": "#microsoft.graph.user", "id": key}),
            );
        }
        Some(Value::Object(told))
    }

    /// The value of a property, or of a member of one (`a/b`).
    pub(super) fn value(&self, id: &str, path: &str) -> Value {
        let Some(entry) = self.entries.get(id) else {
            return Value::Null;
        };
        if path == "id" {
            return json!(id);
        }
        match path.split_once('/') {
            Some((property, member)) => self.property(entry, property)[member].clone(),
            None => self.property(entry, path),
        }
    }

    /// The members of a group that are there.
    pub(super) fn members(&self, group: &str) -> Option<Vec<Value>> {
        let entry = self.entries.get(group)?;
        let present = entry.class == Class::Group && entry.life.0 == Life::Live;
        present.then(|| {
            entry
                .members
                .iter()
                .filter(|(id, membership)| membership.0 && self.is_there(id))
                .map(|(id, _)| json!({"@odata.type": self.odata_type(id), "id": id}))
                .collect()
        })
    }

    pub(super) fn assignments(&self, resource: &str) -> Vec<Value> {
        let live = self
            .assignments
            .iter()
            .filter(|given| self.is_there(&given.principal));
        live.enumerate()
            .map(|(number, given)| {
                json!({
                    "id": format!("assignment-{number}"),
                    "appRoleId": given.role,
                    "principalId": given.principal,
                    "principalType": given.kind,
                    "principalDisplayName": given.principal,
                    "resourceId": resource,
                    "createdDateTime": "2026-01-05T08:00:00Z",
                })
            })
            .collect()
    }

    pub(super) fn roles(&self) -> Vec<Value> {
        self.roles
            .iter()
            .map(|(id, value, name)| json!({"id": id, "value": value, "displayName": name, "isEnabled": true}))
            .collect()
    }

    fn told(&self, id: &str, entry: &Entry, view: &View) -> Option<Value> {
        let is_new = |change: u64| view.since.is_none_or(|since| change > since);
        let (life, changed) = entry.life;
        if life != Life::Live {
            let told = view.since.is_some() && is_new(changed);
            let reason = if life == Life::Purged {
                "deleted"
            } else {
                "changed"
            };
            return told.then(|| json!({"id": id, "@removed": {"reason": reason}}));
        }
        let came = is_new(changed);
        let selected = |name: &str| view.select.iter().any(|other| other == name);
        let (properties, touched) = self.properties(entry, view, came);
        let manager = selected("manager")
            .then(|| self.manager_told(entry, &is_new, came))
            .flatten();
        let members = if selected("members") {
            self.members_told(entry, view, came)
        } else {
            Vec::new()
        };
        if !came && !touched && manager.is_none() && members.is_empty() {
            return None;
        }
        let mut told = properties;
        told.insert("id".to_owned(), json!(id));
        if let Some(manager) = manager {
            told.insert("manager@delta".to_owned(), manager);
        }
        if !members.is_empty() {
            told.insert("members@delta".to_owned(), Value::Array(members));
        }
        Some(Value::Object(told))
    }

    /// The selected properties that ever had a value, and whether one of them has changed.
    fn properties(&self, entry: &Entry, view: &View, came: bool) -> (Map<String, Value>, bool) {
        let mut told = Map::new();
        let mut touched = false;
        for (name, (value, change)) in &entry.properties {
            let is_new = view.since.is_none_or(|since| *change > since);
            if view.select.iter().any(|selected| selected == name) {
                touched |= is_new;
                if !view.minimal || is_new || came {
                    told.insert(name.clone(), value.clone());
                }
            }
        }
        (told, touched)
    }

    fn manager_told(
        &self,
        entry: &Entry,
        is_new: &dyn Fn(u64) -> bool,
        came: bool,
    ) -> Option<Value> {
        let (now, before, change) = &entry.manager;
        let now = now.as_deref().filter(|key| self.is_live(key));
        if *change == 0 || !(is_new(*change) || came) {
            return None;
        }
        let user = "#microsoft.graph.user";
        let mut told = Vec::new();
        if let Some(before) = before.as_deref().filter(|before| Some(*before) != now) {
            told.push(
                json!({"@odata.type": user, "id": before, "@removed": {"reason": "deleted"}}),
            );
        }
        told.extend(now.map(|now| json!({"@odata.type": self.odata_type(now), "id": now})));
        (!told.is_empty()).then_some(Value::Array(told))
    }

    fn members_told(&self, entry: &Entry, view: &View, came: bool) -> Vec<Value> {
        let is_new = |change: u64| view.since.is_none_or(|since| change > since);
        let mut told = Vec::new();
        for (id, (present, change)) in &entry.members {
            let kind = self.odata_type(id);
            if *present && (is_new(*change) || came) && self.is_there(id) {
                told.push(json!({"@odata.type": kind, "id": id}));
            } else if !present && view.since.is_some() && (is_new(*change) || came) {
                told.push(
                    json!({"@odata.type": kind, "id": id, "@removed": {"reason": "deleted"}}),
                );
            }
        }
        told
    }

    fn property(&self, entry: &Entry, name: &str) -> Value {
        let found = entry
            .properties
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(Value::Null, |(_, (value, _))| value.clone())
    }

    fn odata_type(&self, id: &str) -> &'static str {
        self.entries
            .get(id)
            .map_or("#microsoft.graph.device", |entry| entry.class.odata_type())
    }

    fn is_live(&self, id: &str) -> bool {
        self.entries
            .get(id)
            .is_some_and(|entry| entry.life.0 == Life::Live)
    }

    /// Live, or something else than a user or group.
    fn is_there(&self, id: &str) -> bool {
        !self.entries.contains_key(id) || self.is_live(id)
    }

    fn in_life(&self, class: Class, life: Life) -> impl Iterator<Item = String> {
        self.entries
            .iter()
            .filter(move |(_, entry)| entry.class == class && entry.life.0 == life)
            .map(|(id, _)| id.clone())
    }

    fn add(&mut self, class: Class) -> String {
        let change = self.change();
        self.made += 1;
        let id = format!("00000000-0000-4000-8000-{:012x}", self.made);
        let entry = Entry {
            class,
            life: (Life::Live, change),
            properties: BTreeMap::new(),
            manager: (None, None, 0),
            members: BTreeMap::new(),
        };
        self.entries.insert(id.clone(), entry);
        id
    }

    fn live(&mut self, id: &str, life: Life) {
        let change = self.change();
        let entry = self.entry(id);
        assert_ne!(entry.life.0, Life::Purged, "{id} is gone for good");
        entry.life = (life, change);
    }

    fn entry(&mut self, id: &str) -> &mut Entry {
        self.entries.get_mut(id).expect("an object with this id")
    }

    fn change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }
}

/// What a delta query asks for.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// The number of the last change that is known already; without it everything is told.
    pub(super) since: Option<u64>,
    pub(super) select: Vec<String>,
    /// `Prefer: return=minimal`.
    pub(super) minimal: bool,
}
