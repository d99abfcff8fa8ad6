//! Resources: bodies of POST and PUT made into checked, canonical values.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::schema::{ResourceType, common};

mod body;
mod normalize;
#[cfg(test)]
mod tests;

pub use normalize::normalize;

/// A checked resource: canonical names in canonical order, values of the right types, `schemas` computed from what
/// is present. It has no `id`, no `meta` and no other read-only attribute, no `null`, empty list or empty object,
/// and no password. Equal resources have equal text.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource(Map<String, Value>);

impl Resource {
    /// A resource out of the text that [`to_text`](Self::to_text) gave; it is not checked again.
    pub fn from_stored(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// Brings checked attributes with canonical names into canonical order, drops what is empty and computes
    /// `schemas`; the end of every change to a resource. Attributes that the type does not have are dropped.
    pub fn arrange(t: &ResourceType, mut map: Map<String, Value>) -> Self {
        let mut out = Map::with_capacity(map.len() + 1);
        out.insert("schemas".into(), Value::Null);
        let ours = common().iter().filter(|a| a.name == "externalId");
        for attribute in ours.chain(&t.schema.attributes) {
            if let Some((name, value)) = map.remove_entry(&attribute.name) {
                insert_present(&mut out, name, normalize::ordered(attribute, value));
            }
        }
        for (schema, _) in &t.extensions {
            if let Some((urn, Value::Object(mut had))) = map.remove_entry(&schema.id) {
                let mut kept = Map::with_capacity(had.len());
                for attribute in &schema.attributes {
                    if let Some((name, value)) = had.remove_entry(&attribute.name) {
                        insert_present(&mut kept, name, normalize::ordered(attribute, value));
                    }
                }
                insert_present(&mut out, urn, Value::Object(kept));
            }
        }
        let schemas = schemas_of(t, &out);
        out.insert("schemas".into(), schemas);
        Self(out)
    }

    /// The attributes.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The attributes, to be changed; [`arrange`](Self::arrange) makes a resource of them again.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Compact JSON.
    pub fn to_text(&self) -> String {
        // A map with string keys and finite numbers always has a text.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// The string value of a top-level attribute, by its canonical name.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// `userName`.
    pub fn user_name(&self) -> Option<&str> {
        self.str("userName")
    }

    /// `externalId`.
    pub fn external_id(&self) -> Option<&str> {
        self.str("externalId")
    }

    /// `displayName`.
    pub fn display_name(&self) -> Option<&str> {
        self.str("displayName")
    }

    /// `active`; a user of whom the provider says nothing is active.
    pub fn active(&self) -> bool {
        self.0
            .get("active")
            .and_then(Value::as_bool)
            .unwrap_or(true)
    }

    /// The addresses in `emails`, in the order in which they were sent.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        let list = self
            .0
            .get("emails")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|e| e.get("value")?.as_str())
    }

    /// Takes the members of a group out, each id once, so that they can be kept apart from the rest: a group may
    /// have a hundred thousand. `None` when the attribute was absent or empty.
    pub fn take_members(&mut self) -> Option<Vec<MemberRef>> {
        let Value::Array(list) = self.0.shift_remove("members")? else {
            return None;
        };
        let mut members: Vec<_> = list
            .into_iter()
            .filter_map(MemberRef::from_element)
            .collect();
        let mut seen = HashSet::with_capacity(members.len());
        members.retain(|m| seen.insert(m.value.clone()));
        Some(members)
    }
}

/// A member of a group as the client named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRef {
    /// The id of the member.
    pub value: String,
    /// What the client said it is: by `type`, or by the path of `$ref`.
    pub kind: Option<MemberKind>,
}

/// What a member of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberKind {
    /// A user.
    User,
    /// A group in the group.
    Group,
}

impl MemberRef {
    /// Reads one checked element of `members`; `None` when it has no `value`.
    pub fn from_element(element: Value) -> Option<Self> {
        let Value::Object(mut element) = element else {
            return None;
        };
        let Some(Value::String(value)) = element.remove("value") else {
            return None;
        };
        let kind = match element.get("type").and_then(Value::as_str) {
            Some(t) if t.eq_ignore_ascii_case("User") => Some(MemberKind::User),
            Some(t) if t.eq_ignore_ascii_case("Group") => Some(MemberKind::Group),
            _ => element
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(kind_by_reference),
        };
        Some(Self { value, kind })
    }
}

/// `https://example.com/scim/v2/Users/1` and `../Groups/2` name the type in the last segment but one.
fn kind_by_reference(reference: &str) -> Option<MemberKind> {
    match reference.rsplit('/').nth(1)? {
        "Users" => Some(MemberKind::User),
        "Groups" => Some(MemberKind::Group),
        _ => None,
    }
}

/// What was accepted and ignored, for the administrator: it is noted once and fails nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Paths of attributes and URNs of schemas that nobody here knows; at most 32, each of at most 128 characters.
    pub unknown: BTreeSet<String>,
}

impl Notes {
    const ENTRIES: usize = 32;
    const CHARACTERS: usize = 128;

    /// Notes an unknown name, as far as there is room.
    pub fn add(&mut self, name: &str) {
        if self.unknown.len() < Self::ENTRIES {
            self.unknown
                .insert(name.chars().take(Self::CHARACTERS).collect());
        }
    }
}

/// The URNs of the schemas whose attributes are present (RFC 7643 section 3): the base schema, and each extension
/// with data.
pub(crate) fn schemas_of(t: &ResourceType, map: &Map<String, Value>) -> Value {
    let extensions = t
        .extensions
        .iter()
        .map(|(schema, _)| &schema.id)
        .filter(|urn| map.contains_key(*urn));
    std::iter::once(&t.schema.id)
        .chain(extensions)
        .map(String::as_str)
        .collect()
}

/// Inserts a value unless it is none (RFC 7643 section 2.5).
fn insert_present(map: &mut Map<String, Value>, name: String, value: Value) {
    let none = match &value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    };
    if !none {
        map.insert(name, value);
    }
}
