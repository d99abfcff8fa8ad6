//! The rules of a directory as an admin writes them: read from a request, applied to settings, compared in events.

use super::accounts::PosixNames;
use portreeve_directory::Refusal;
use portreeve_directory::directories::{Directory, Provider, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error};
use serde_json::{Map, Value, json};

/// The rules that a request sets; what it leaves out stays.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) profile: Option<String>,
    pub(super) users: Option<String>,
    pub(super) groups: Option<String>,
    pub(super) unique_group_names: Option<bool>,
    pub(super) security_events: Option<bool>,
    pub(super) posix_names: Option<PosixNames>,
    pub(super) visitors: Option<bool>,
    pub(super) required_attributes: Option<Vec<String>>,
    /// Schemas in the form of RFC 7643 section 7; the whole list, as all the others.
    pub(super) user_extensions: Option<Vec<Value>>,
    pub(super) group_extensions: Option<Vec<Value>>,
}

impl Rules {
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<(), Refusal> {
        if let Some(profile) = &self.profile {
            settings.profile.clone_from(profile);
        }
        if let Some(users) = &self.users {
            settings.users = choice("users", users)?;
        }
        if let Some(groups) = &self.groups {
            settings.groups = choice("groups", groups)?;
        }
        if let Some(unique) = self.unique_group_names {
            settings.unique_group_names = unique;
        }
        if let Some(security_events) = self.security_events {
            settings.security_events = security_events;
        }
        if let Some(names) = self.posix_names {
            settings.posix_names = names.into();
        }
        if let Some(visitors) = self.visitors {
            settings.visitors = visitors;
        }
        if let Some(required) = &self.required_attributes {
            settings.required_attributes.clone_from(required);
        }
        if let Some(schemas) = &self.user_extensions {
            settings.user_extensions.clone_from(schemas);
        }
        if let Some(schemas) = &self.group_extensions {
            settings.group_extensions.clone_from(schemas);
        }
        Ok(())
    }
}

/// What a directory starts with that is made for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Preset {
    /// People whom visitors come to see.
    VisitorHosts,
}

/// What a new directory starts with.
pub(super) fn start(provider: Provider, preset: Option<&str>) -> Result<Settings, Refusal> {
    let preset = preset.map(|word| choice("preset", word)).transpose()?;
    Ok(match preset {
        None => Settings::of(provider),
        Some(Preset::VisitorHosts) => Settings::for_visitors(provider),
    })
}

/// The provider of that name.
pub(super) fn provider(name: &str) -> Result<Provider, Refusal> {
    choice("provider", name)
}

fn choice<T: DeserializeOwned>(attribute: &'static str, word: &str) -> Result<T, Refusal> {
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(word)).map_err(|error| {
        Refusal::Invalid {
            attribute,
            reason: error.to_string(),
        }
    })
}

/// What an event compares: everything an admin decides.
pub(super) fn decided(directory: &Directory) -> Map<String, Value> {
    let settings = &directory.settings;
    let all = [
        ("name", json!(directory.name)),
        ("provider", json!(directory.provider.name())),
        ("profile", json!(settings.profile)),
        ("users", json!(settings.users)),
        ("groups", json!(settings.groups)),
        ("unique_group_names", json!(settings.unique_group_names)),
        ("security_events", json!(settings.security_events)),
        ("posix_names", json!(settings.posix_names)),
        ("visitors", json!(settings.visitors)),
        ("required_attributes", json!(settings.required_attributes)),
        ("user_extensions", extensions(&settings.user_extensions)),
        ("group_extensions", extensions(&settings.group_extensions)),
    ];
    let decided = all.into_iter().filter(|(_, value)| !value.is_null());
    decided
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The schemas; nothing where there are none.
fn extensions(schemas: &[Value]) -> Value {
    match schemas {
        [] => Value::Null,
        schemas => json!(schemas),
    }
}
