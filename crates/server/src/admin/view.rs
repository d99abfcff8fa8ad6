//! The forms that views share.

use portreeve_directory::directories::{Directory, Provider};
use portreeve_scim::time;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// A time: microseconds since 1970 UTC, in answers as RFC 3339 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(pub(crate) i64);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time::format(self.0))
    }
}

impl JsonSchema for At {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// A secret that is in one answer only.
#[derive(Debug, Clone)]
pub(crate) struct Shown(pub(crate) SecretString);

impl Shown {
    /// The secret itself.
    pub(crate) fn text(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl JsonSchema for Shown {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// Where something is changed: at the provider of a directory, or here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", content = "name", rename_all = "lowercase")]
pub(crate) enum ManagedBy {
    /// By the provider of the directory of that name.
    Directory(String),
    /// Here.
    Portreeve(&'static str),
}

impl ManagedBy {
    /// Portreeve.
    pub(crate) const HERE: Self = Self::Portreeve("Portreeve");

    /// Whoever manages the users and groups of a directory.
    pub(crate) fn of(directory: &Directory) -> Self {
        match directory.provider {
            Provider::Native => Self::HERE,
            _ => Self::Directory(directory.name.clone()),
        }
    }
}
