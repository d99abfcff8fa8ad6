//! PATCH bodies (RFC 7644 section 3.5.2) in the two dialects that Microsoft Entra ID sends.

use serde_json::{Map, Value, json};

use super::answer::ResourceId;
use super::path::Path;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// How PATCH bodies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// What Entra sends by default: capitalised operations, one per attribute, booleans as the words `"True"` and
    /// `"False"`, members removed by value.
    #[default]
    Classic,
    /// What Entra sends with `aadOptscim062020`: as the RFC has it, with the replaced plain attributes together in one
    /// operation without a path.
    Compliant,
}

/// A set of changes to one resource, each of which gives the same result however often it is applied.
///
/// There is at most one change per path: a later one takes the place of an earlier one. An attribute and its own
/// sub-attribute do not belong in one patch, because their order would matter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patch {
    changes: Vec<(String, Change)>,
    joining: Vec<ResourceId>,
    leaving: Vec<ResourceId>,
}

#[derive(Debug, Clone, PartialEq)]
enum Change {
    Add(Value),
    Replace(Value),
    Refer(ResourceId),
    Remove,
}

impl Patch {
    /// A patch that changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a value to an attribute that has none.
    #[must_use]
    pub fn add(self, path: &str, value: Value) -> Self {
        self.with(path, Change::Add(value))
    }

    /// Gives another value to an attribute.
    #[must_use]
    pub fn replace(self, path: &str, value: Value) -> Self {
        self.with(path, Change::Replace(value))
    }

    /// Makes a complex attribute such as the enterprise `manager` refer to a resource.
    #[must_use]
    pub fn refer(self, path: &str, to: ResourceId) -> Self {
        self.with(path, Change::Refer(to))
    }

    /// Takes an attribute's value away.
    #[must_use]
    pub fn remove(self, path: &str) -> Self {
        self.with(path, Change::Remove)
    }

    /// Adds members to a group.
    #[must_use]
    pub fn add_members(mut self, members: impl IntoIterator<Item = ResourceId>) -> Self {
        self.joining.extend(members);
        self
    }

    /// Removes members from a group.
    #[must_use]
    pub fn remove_members(mut self, members: impl IntoIterator<Item = ResourceId>) -> Self {
        self.leaving.extend(members);
        self
    }

    /// Whether nothing would change, so that there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.joining.is_empty() && self.leaving.is_empty()
    }

    /// The request body.
    #[must_use]
    pub fn body(&self, dialect: Dialect) -> Value {
        let operations = match dialect {
            Dialect::Classic => self.classic(),
            Dialect::Compliant => self.compliant(),
        };
        json!({"schemas": [PATCH_OP], "Operations": operations})
    }

    /// Whether members come or go.
    pub(super) fn concerns_members(&self) -> bool {
        !self.joining.is_empty() || !self.leaving.is_empty()
    }

    /// Makes the changes in a resource that was read. `None` when a path has a form that no mapping has.
    pub(super) fn apply(&self, resource: &mut Map<String, Value>) -> Option<()> {
        for (text, change) in &self.changes {
            let path = Path::parse(text)?;
            match change {
                Change::Add(value) | Change::Replace(value) => path.write(resource, value),
                Change::Refer(id) => path.write(resource, &json!({"value": id})),
                Change::Remove => path.remove(resource),
            }
        }
        if self.concerns_members() {
            self.apply_to_members(resource)?;
        }
        Some(())
    }

    fn apply_to_members(&self, resource: &mut Map<String, Value>) -> Option<()> {
        let path = Path::parse("members")?;
        let id_of = |member: &Value| {
            let id = super::member(member.as_object()?, "value")?.as_str()?;
            ResourceId::new(id)
        };
        let leaves = |id: &ResourceId| self.leaving.contains(id);
        let mut members: Vec<Value> = path.read(resource).into_iter().cloned().collect();
        for id in &self.joining {
            if !members
                .iter()
                .any(|member| id_of(member).as_ref() == Some(id))
            {
                members.push(json!({"value": id}));
            }
        }
        // In the order of the request body.
        members.retain(|member| id_of(member).is_none_or(|id| !leaves(&id)));
        path.write(resource, &Value::Array(members));
        Some(())
    }

    fn with(mut self, path: &str, change: Change) -> Self {
        match self
            .changes
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(path))
        {
            Some(known) => known.1 = change,
            None => self.changes.push((path.to_owned(), change)),
        }
        self
    }

    fn classic(&self) -> Vec<Value> {
        let mut operations: Vec<Value> = self
            .changes
            .iter()
            .map(|(path, change)| match change {
                Change::Add(value) => json!({"op": "Add", "path": path, "value": in_words(value)}),
                Change::Replace(value) => {
                    json!({"op": "Replace", "path": path, "value": in_words(value)})
                }
                Change::Refer(id) => json!({"op": "Add", "path": path, "value": id}),
                Change::Remove => json!({"op": "Remove", "path": path}),
            })
            .collect();
        let members = |ids: &[ResourceId]| -> Value {
            ids.iter()
                .map(|id| json!({"$ref": null, "value": id}))
                .collect()
        };
        if !self.joining.is_empty() {
            operations
                .push(json!({"op": "Add", "path": "members", "value": members(&self.joining)}));
        }
        if !self.leaving.is_empty() {
            operations
                .push(json!({"op": "Remove", "path": "members", "value": members(&self.leaving)}));
        }
        operations
    }

    fn compliant(&self) -> Vec<Value> {
        let mut plain = Map::new();
        let mut operations = Vec::new();
        for (path, change) in &self.changes {
            match change {
                Change::Replace(value) if !path.contains('[') => {
                    plain.insert(path.clone(), value.clone());
                }
                Change::Replace(value) => {
                    operations.push(json!({"op": "replace", "path": path, "value": value}))
                }
                Change::Add(value) => {
                    operations.push(json!({"op": "add", "path": path, "value": value}))
                }
                Change::Refer(id) => {
                    operations.push(json!({"op": "add", "path": path, "value": {"value": id}}))
                }
                Change::Remove => operations.push(json!({"op": "remove", "path": path})),
            }
        }
        if !plain.is_empty() {
            operations.push(json!({"op": "replace", "value": plain}));
        }
        if !self.joining.is_empty() {
            let members: Value = self.joining.iter().map(|id| json!({"value": id})).collect();
            operations.push(json!({"op": "add", "path": "members", "value": members}));
        }
        operations.extend(self.leaving.iter().map(|id| {
            let literal = Value::from(id.as_str());
            json!({"op": "remove", "path": format!("members[value eq {literal}]")})
        }));
        operations
    }
}

/// Booleans as Entra's default dialect writes them.
fn in_words(value: &Value) -> Value {
    match value {
        Value::Bool(true) => Value::from("True"),
        Value::Bool(false) => Value::from("False"),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
