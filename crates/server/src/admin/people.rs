//! Users and groups as an admin writes them: named members for what is written often, and the resource as SCIM has it for
//! the rest. Both become a resource that is checked by the schemas of the directory.

use portreeve_directory::directories::Directory;
use portreeve_directory::{Refusal, What};
use portreeve_scim::Resource;
use portreeve_scim::resource::Notes;
use portreeve_scim::schema::ResourceType;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// A member that may be left out, or `null` to take the value away.
pub(super) type Change<T> = Option<Option<T>>;

/// Reads a member that is there: with [`Change`], `null` is something else than nothing.
pub(super) fn change<'de, D, T>(deserializer: D) -> Result<Change<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Refuses to edit what the provider of a directory manages.
pub(super) fn edited_here(directory: &Directory, what: What) -> Result<(), Refusal> {
    if directory.is_fed() {
        return Err(Refusal::Managed {
            what,
            directory: directory.name.clone(),
        });
    }
    Ok(())
}

/// Puts members of a resource in place of others, as RFC 7396 says: `null` takes away, objects are merged.
pub(super) fn merge(into: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (name, value) in change {
        match (into.get_mut(name), value) {
            (_, Value::Null) => drop(into.shift_remove(name)),
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}

/// Sets or takes away an attribute.
pub(super) fn set(into: &mut Map<String, Value>, name: &str, change: &Change<String>) {
    match change {
        None => {}
        Some(None) => drop(into.shift_remove(name)),
        Some(Some(value)) => drop(into.insert(name.to_owned(), json!(value))),
    }
}

/// Sets the address that counts, or takes all away.
pub(super) fn set_email(into: &mut Map<String, Value>, change: &Change<String>) {
    let address = match change {
        None => return,
        Some(None) => return drop(into.shift_remove("emails")),
        Some(Some(address)) => address,
    };
    let is_primary = |one: &&mut Value| one["primary"] == json!(true);
    let listed = into.get_mut("emails").and_then(Value::as_array_mut);
    let known = match listed {
        Some(list) if list.iter().any(|one| one["primary"] == json!(true)) => {
            list.iter_mut().find(is_primary)
        }
        Some(list) => list.first_mut(),
        None => None,
    };
    match known.and_then(Value::as_object_mut) {
        Some(email) => drop(email.insert("value".into(), json!(address))),
        None => {
            let email = json!([{"value": address, "type": "work", "primary": true}]);
            into.insert("emails".into(), email);
        }
    }
}

/// Checks a resource by the schemas of the directory. An attribute that none of them has is a mistake here, because whoever
/// writes it reads the answer.
pub(super) fn checked(
    directory: &Directory,
    of: &ResourceType,
    map: Map<String, Value>,
) -> Result<Resource, Refusal> {
    let mut notes = Notes::default();
    let resource = Resource::parse(of, Value::Object(map), directory.profile, &mut notes)?;
    match notes.unknown.first() {
        None => Ok(resource),
        Some(name) => Err(Refusal::Invalid {
            attribute: "resource",
            reason: format!(
                "no schema of the directory has \"{name}\"; leave it out, or define it in user_extensions or group_extensions"
            ),
        }),
    }
}
