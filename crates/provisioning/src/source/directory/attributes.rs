//! Attributes of users and groups, in SCIM's names and in those of Microsoft Entra ID.
//!
//! A simple attribute has its own name. A member of a structure is joined to it by a dot, `name.givenName`. Of a list,
//! the entry of a type is named by the type, `emails.work`, and its members where it has no value of its own,
//! `addresses.work.locality`; `emails` is the list of all values. Attributes of the enterprise extension have no prefix;
//! those of any other extension begin with its URN, `urn:example:2.0:User:badge`. `active` and `accountEnabled` say
//! whether the user may do anything, whatever the stored resource says.
//!
//! Mappings made for Entra work unchanged, because these are told as well, each where the other has a value:
//!
//! | Entra's name | SCIM's |
//! |---|---|
//! | `objectId` | `id` |
//! | `userPrincipalName` | `userName` |
//! | `mailNickname` | `userName` up to the `@` |
//! | `mail` | the primary of the `emails`, else that of type `work`, else the first |
//! | `givenName`, `surname` | `name.givenName`, `name.familyName` |
//! | `jobTitle` | `title` |
//! | `employeeId` | `employeeNumber` |
//! | `companyName` | `organization` |
//! | `telephoneNumber`, `mobile`, `facsimileTelephoneNumber` | `phoneNumbers.work`, `.mobile`, `.fax` |
//! | `streetAddress`, `city`, `state`, `postalCode`, `country` | `addresses.work.streetAddress`, `.locality`, `.region`, `.postalCode`, `.country` |
//! | `physicalDeliveryOfficeName` | `addresses.work.formatted` |
//! | `manager` | the id of the manager |
//!
//! What a schema never returns is not told.

use portreeve_directory::groups::Group;
use portreeve_directory::shown::shown;
use portreeve_directory::users::{Status, User};
use portreeve_scim::schema::ENTERPRISE;
use serde_json::{Map, Value};

use super::Rules;
use crate::source::{Error, Kind, Object};

/// Entra's names, and what they stand for.
const ALIASES: [(&str, &str); 15] = [
    ("userPrincipalName", "userName"),
    ("givenName", "name.givenName"),
    ("surname", "name.familyName"),
    ("jobTitle", "title"),
    ("employeeId", "employeeNumber"),
    ("companyName", "organization"),
    ("telephoneNumber", "phoneNumbers.work"),
    ("mobile", "phoneNumbers.mobile"),
    ("facsimileTelephoneNumber", "phoneNumbers.fax"),
    ("streetAddress", "addresses.work.streetAddress"),
    ("city", "addresses.work.locality"),
    ("state", "addresses.work.region"),
    ("postalCode", "addresses.work.postalCode"),
    ("country", "addresses.work.country"),
    ("physicalDeliveryOfficeName", "addresses.work.formatted"),
];

/// What the database has an index for, and the SCIM path of it.
const INDEXED: [(&str, &str); 7] = [
    ("id", "id"),
    ("objectId", "id"),
    ("userName", "userName"),
    ("userPrincipalName", "userName"),
    ("displayName", "displayName"),
    ("externalId", "externalId"),
    ("mail", "emails.value"),
];

/// A path by which the database finds everything whose attribute has a value, and perhaps more.
pub(super) fn indexed(attribute: &str) -> Option<&'static str> {
    let mut known = INDEXED.iter();
    known
        .find(|(name, _)| name.eq_ignore_ascii_case(attribute))
        .map(|(_, path)| *path)
}

pub(super) fn of_user(directory: &Rules, user: &User) -> Result<Object, Error> {
    let resource = user.parsed()?.into_map();
    let resource = shown(directory.catalog.user(), &resource);
    Ok(user_shown(
        &user.id,
        user.status == Status::Active,
        &resource,
    ))
}

pub(super) fn of_group(directory: &Rules, group: &Group) -> Result<Object, Error> {
    let resource = group.parsed()?.into_map();
    let resource = shown(directory.catalog.group(), &resource);
    Ok(group_shown(&group.id, &resource))
}

/// A user whose resource a server shows, as the source tells of it there.
#[must_use]
pub fn user_shown(id: &str, is_active: bool, resource: &Map<String, Value>) -> Object {
    let mut told = Map::new();
    flatten("", resource, &mut told);
    named(&mut told, "mail", mail(resource));
    for (alias, name) in ALIASES {
        let value = told.get(name).cloned();
        named(&mut told, alias, value);
    }
    let local_part = told.get("userName").and_then(Value::as_str);
    let local_part = local_part.and_then(|name| name.split('@').next());
    let local_part = local_part.map(Value::from);
    named(&mut told, "mailNickname", local_part);
    let active = Value::Bool(is_active);
    told.insert("active".to_owned(), active.clone());
    told.insert("accountEnabled".to_owned(), active);
    object(Kind::User, id, told)
}

/// The same of a group.
#[must_use]
pub fn group_shown(id: &str, resource: &Map<String, Value>) -> Object {
    let mut told = Map::new();
    flatten("", resource, &mut told);
    object(Kind::Group, id, told)
}

fn object(kind: Kind, id: &str, mut attributes: Map<String, Value>) -> Object {
    attributes.insert("id".to_owned(), id.into());
    attributes.insert("objectId".to_owned(), id.into());
    Object {
        kind,
        key: id.to_owned(),
        attributes,
    }
}

fn flatten(prefix: &str, members: &Map<String, Value>, told: &mut Map<String, Value>) {
    for (name, value) in members {
        match value {
            Value::Array(_) if name == "schemas" => {}
            Value::Object(extension) if name == ENTERPRISE => flatten("", extension, told),
            Value::Object(extension) if name.contains(':') => {
                flatten(&format!("{name}:"), extension, told);
            }
            Value::Object(manager) if name == "manager" && prefix.is_empty() => {
                named(told, "manager", manager.get("value").cloned());
            }
            Value::Object(structure) => flatten(&format!("{prefix}{name}."), structure, told),
            Value::Array(entries) => list(&format!("{prefix}{name}"), entries, told),
            single => named(told, &format!("{prefix}{name}"), Some(single.clone())),
        }
    }
}

fn list(name: &str, entries: &[Value], told: &mut Map<String, Value>) {
    let values = entries.iter().filter_map(|entry| match entry {
        Value::Object(members) => members.get("value").map(text),
        single => Some(text(single)),
    });
    let values: Vec<Value> = values.map(Value::from).collect();
    if !values.is_empty() {
        named(told, name, Some(Value::Array(values)));
    }
    for entry in entries.iter().filter_map(Value::as_object) {
        let Some(of_type) = entry.get("type").and_then(Value::as_str) else {
            continue;
        };
        let name = format!("{name}.{}", of_type.to_lowercase());
        if let Some(value) = entry.get("value") {
            named(told, &name, Some(value.clone()));
            continue;
        }
        let members = entry.iter().filter(|(member, value)| {
            !matches!(member.as_str(), "type" | "primary") && !value.is_object()
        });
        for (member, value) in members {
            named(told, &format!("{name}.{member}"), Some(value.clone()));
        }
    }
}

/// A list of values is a list of texts.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn mail(resource: &Map<String, Value>) -> Option<Value> {
    let emails = resource.get("emails")?.as_array()?;
    let is_work = |email: &&Value| {
        email["type"]
            .as_str()
            .is_some_and(|word| word.eq_ignore_ascii_case("work"))
    };
    let best = emails
        .iter()
        .find(|email| email["primary"] == true)
        .or_else(|| emails.iter().find(is_work))
        .or_else(|| emails.first());
    best?.get("value").cloned()
}

/// Adds a value under a name that is not taken.
fn named(told: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        told.entry(name).or_insert(value);
    }
}
