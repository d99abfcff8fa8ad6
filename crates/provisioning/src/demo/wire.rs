//! The sample company in SCIM: the bodies that Entra's default mappings make, and the differences to what is there.

use serde_json::{Map, Value, json};

use crate::target::{Patch, Resource, member};

use super::company::{Group, Person};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The second schema that Entra names for groups; targets ignore it.
const ENTRA_GROUP: &str =
    "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

/// The path of a person's manager.
pub(super) const MANAGER: &str =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// The body of the POST that creates a person. The manager follows later, because it may not exist yet.
pub(super) fn new_user(person: &Person) -> Value {
    let mut body = json!({"schemas": [USER, ENTERPRISE]});
    for (path, value) in user_attributes(person) {
        Place::of(path).write(&mut body, value);
    }
    body["meta"] = json!({"resourceType": "User"});
    body["roles"] = json!([]);
    body
}

/// The body of the POST that creates a group. The members follow later.
pub(super) fn new_group(group: &Group) -> Value {
    json!({
        "schemas": [GROUP, ENTRA_GROUP],
        "externalId": group.id,
        "displayName": group.display_name,
        "meta": {"resourceType": "Group"},
    })
}

/// What is to be sent so that the target's user becomes this person.
pub(super) fn user_differences(person: &Person, there: &Resource) -> Patch {
    differences(user_attributes(person), there)
}

/// What is to be sent so that the target's group becomes this group, members aside.
pub(super) fn group_differences(group: &Group, there: &Resource) -> Patch {
    let attributes = [
        ("displayName", json!(group.display_name)),
        ("externalId", json!(group.id)),
    ];
    differences(attributes, there)
}

/// The id of the manager that the target has for a user.
pub(super) fn manager_of(user: &Resource) -> Option<&str> {
    let manager = Place::of(MANAGER).read(user.attributes())?;
    manager
        .as_object()
        .and_then(|manager| member(manager, "value"))?
        .as_str()
}

/// The ids of the members that the target has in a group.
pub(super) fn members_of(group: &Resource) -> impl Iterator<Item = &str> {
    let members = group.attribute("members").and_then(Value::as_array);
    members
        .into_iter()
        .flatten()
        .filter_map(|entry| member(entry.as_object()?, "value")?.as_str())
}

/// Entra's default mappings: each attribute that the person has, by its path at the target.
fn user_attributes(person: &Person) -> Vec<(&'static str, Value)> {
    let full_name = format!("{} {}", person.given_name, person.family_name);
    let texts = [
        ("externalId", &*person.id),
        ("userName", &*person.user_name),
        ("displayName", &*person.display_name),
        ("title", &*person.title),
        ("preferredLanguage", &*person.language),
        ("name.formatted", full_name.trim()),
        ("name.familyName", &*person.family_name),
        ("name.givenName", &*person.given_name),
        (r#"emails[type eq "work"].value"#, &*person.mail),
        (r#"phoneNumbers[type eq "work"].value"#, &*person.work_phone),
        (
            r#"phoneNumbers[type eq "mobile"].value"#,
            &*person.mobile_phone,
        ),
        (r#"addresses[type eq "work"].formatted"#, &*person.office),
        (r#"addresses[type eq "work"].locality"#, &*person.city),
        (r#"addresses[type eq "work"].country"#, &*person.country),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
            &*person.employee_number,
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            &*person.department,
        ),
    ];
    let texts = texts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(path, text)| (path, json!(text)));
    texts.chain([("active", json!(person.enabled))]).collect()
}

/// `Add` for what the target lacks, `Replace` for what it has otherwise. Entra never takes a value away.
fn differences(wanted: impl IntoIterator<Item = (&'static str, Value)>, there: &Resource) -> Patch {
    wanted
        .into_iter()
        .fold(Patch::new(), |patch, (path, value)| {
            match Place::of(path).read(there.attributes()) {
                None | Some(Value::Null) => patch.add(path, value),
                Some(known) if *known == value => patch,
                Some(_) => patch.replace(path, value),
            }
        })
}

/// Where in a resource a path leads, for the forms that the mappings use.
enum Place<'a> {
    Attribute(&'a str),
    SubAttribute(&'a str, &'a str),
    /// A sub-attribute of the element with this `type` of a multi-valued attribute.
    Element {
        attribute: &'a str,
        kind: &'a str,
        sub: &'a str,
    },
    Enterprise(&'a str),
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        if let Some(name) = path
            .strip_prefix(ENTERPRISE)
            .and_then(|rest| rest.strip_prefix(':'))
        {
            return Self::Enterprise(name);
        }
        if let Some((attribute, rest)) = path.split_once(r#"[type eq ""#)
            && let Some((kind, sub)) = rest.split_once(r#""]."#)
        {
            return Self::Element {
                attribute,
                kind,
                sub,
            };
        }
        match path.split_once('.') {
            Some((attribute, sub)) => Self::SubAttribute(attribute, sub),
            None => Self::Attribute(path),
        }
    }

    fn read<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        match self {
            Self::Attribute(name) => member(resource, name),
            Self::SubAttribute(attribute, sub) => {
                member(member(resource, attribute)?.as_object()?, sub)
            }
            Self::Enterprise(name) => member(member(resource, ENTERPRISE)?.as_object()?, name),
            Self::Element {
                attribute,
                kind,
                sub,
            } => {
                let mut elements = member(resource, attribute)?
                    .as_array()?
                    .iter()
                    .filter_map(Value::as_object);
                let is_kind = |element: &&Map<_, _>| {
                    member(element, "type").and_then(Value::as_str) == Some(kind)
                };
                member(elements.find(is_kind)?, sub)
            }
        }
    }

    fn write(&self, body: &mut Value, value: Value) {
        match self {
            Self::Attribute(name) => body[*name] = value,
            Self::SubAttribute(attribute, sub) => body[*attribute][*sub] = value,
            Self::Enterprise(name) => body[ENTERPRISE][*name] = value,
            Self::Element {
                attribute,
                kind,
                sub,
            } => {
                let mut elements = body[*attribute].as_array().cloned().unwrap_or_default();
                match elements.iter_mut().find(|element| element["type"] == *kind) {
                    Some(element) => element[*sub] = value,
                    None => {
                        let mut element = new_element(kind);
                        element[*sub] = value;
                        elements.push(element);
                    }
                }
                body[*attribute] = Value::Array(elements);
            }
        }
    }
}

/// An element of a multi-valued attribute; Entra makes the work ones primary.
fn new_element(kind: &str) -> Value {
    if kind == "work" {
        json!({"primary": true, "type": kind})
    } else {
        json!({"type": kind})
    }
}
