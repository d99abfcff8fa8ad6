//! What visitors see of somebody.

use crate::visit_locations::{NameStyle, Settings};
use crate::{Refusal, memberships};
use portreeve_scim::Resource;
use portreeve_scim::schema::ENTERPRISE;
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Somebody as visitors see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seen {
    /// The name, or as much of it as visitors of the location see.
    pub name: String,
    /// Where they work, if visitors of the location see that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
}

/// What the visitors of a location see of somebody whom they find.
pub fn seen(user: &Resource, settings: &Settings) -> Seen {
    let enterprise = user.as_map().get(ENTERPRISE);
    let department = enterprise.and_then(|it| it.get("department")?.as_str());
    let department = department.filter(|text| settings.departments && !text.trim().is_empty());
    Seen {
        name: match settings.names {
            NameStyle::Full => full(user),
            NameStyle::Short => short(user),
        },
        department: department.map(str::to_owned),
    }
}

/// Whether somebody is in one of these groups at that time, as [`search`](super::search) has it; in any, if there are none.
pub fn is_in(
    tx: &mut Tx<'_>,
    directory_id: &str,
    user_id: &str,
    (groups, now): (&[String], i64),
) -> Result<bool, Refusal> {
    if groups.is_empty() {
        return Ok(true);
    }
    let theirs = memberships::of_user(tx, directory_id, user_id, now)?;
    let mut direct = theirs.iter().filter(|group| group.direct);
    Ok(direct.any(|group| groups.contains(&group.id)))
}

/// What somebody is called: the display name, else first and last name; `None` where neither is said.
pub fn called(user: &Resource) -> Option<String> {
    let display = user.display_name().filter(|name| !name.trim().is_empty());
    let parts = [part(user, "givenName"), part(user, "familyName")];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    match display {
        Some(display) => Some(display.to_owned()),
        None if parts.is_empty() => None,
        None => Some(parts.join(" ")),
    }
}

/// What somebody is called. A user name is often an address, of which visitors see no more than the part that names somebody.
fn full(user: &Resource) -> String {
    called(user).unwrap_or_else(|| {
        let user_name = user.user_name().unwrap_or_default();
        user_name.split('@').next().unwrap_or_default().to_owned()
    })
}

/// The first name, and the first letter of the last.
fn short(user: &Resource) -> String {
    let full = full(user);
    let (first, last) = match (part(user, "givenName"), part(user, "familyName")) {
        (Some(first), last) => (first, last),
        (None, _) => match full.split_once(' ') {
            Some((first, _)) => (first, full.split(' ').next_back()),
            None => (full.as_str(), None),
        },
    };
    match last.and_then(|last| last.chars().next()) {
        Some(letter) => format!("{first} {letter}."),
        None => first.to_owned(),
    }
}

fn part<'a>(user: &'a Resource, name: &str) -> Option<&'a str> {
    let part = user.as_map().get("name")?.get(name).and_then(Value::as_str);
    part.map(str::trim).filter(|text| !text.is_empty())
}
