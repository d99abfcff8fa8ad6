//! The source object: attributes by name, as a directory, a file or a test gives them.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Map;

use crate::value::{Number, Role, Value};

/// The attributes of one object of the source. Names compare with case, as in the language.
///
/// An object is always evaluated whole: one that holds only what has changed would evaluate expressions over other
/// attributes as if those were null.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(from = "Map<String, serde_json::Value>")]
pub struct Object(IndexMap<String, Value<'static>>);

impl Object {
    /// An object without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value<'static>>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of an attribute; null when there is none.
    pub fn get(&self, name: &str) -> Value<'_> {
        self.0.get(name).map_or(Value::Null, Value::borrowed)
    }

    /// The names of the attributes, in the order in which they were set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Reads the attributes from JSON. Numbers, booleans and text stay what they are; `{"$ref": "<id>"}` is a
    /// reference to another object of the source; an object with a `value` is a role
    /// (`{"value": "admin", "displayName": "Administrator"}`); the members of any other object become attributes
    /// with a dot in their name (`onPremisesExtensionAttributes.extensionAttribute1`).
    pub fn from_json(members: &Map<String, serde_json::Value>) -> Self {
        let mut object = Self::new();
        object.read("", members);
        object
    }

    fn read(&mut self, prefix: &str, members: &Map<String, serde_json::Value>) {
        for (name, member) in members {
            let name = format!("{prefix}{name}");
            match member {
                serde_json::Value::Object(inner) => match special(inner) {
                    Some(value) => self.set(name, value),
                    None => self.read(&format!("{name}."), inner),
                },
                other => self.set(name, value(other)),
            }
        }
    }
}

fn value(json: &serde_json::Value) -> Value<'static> {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Boolean(*truth),
        serde_json::Value::Number(number) => Value::Number(Number::from(number)),
        serde_json::Value::String(text) => Value::text(text.clone()),
        serde_json::Value::Array(items) => {
            let items = items.iter().flat_map(|item| value(item).into_items());
            Value::List(items.collect())
        }
        serde_json::Value::Object(inner) => {
            special(inner).unwrap_or_else(|| Value::text(json.to_string()))
        }
    }
}

/// A reference or a role.
fn special(members: &Map<String, serde_json::Value>) -> Option<Value<'static>> {
    let text = |name: &str| members.get(name).and_then(serde_json::Value::as_str);
    if let Some(id) = text("$ref") {
        return Some(Value::Reference(id.to_owned().into()));
    }
    let value = text("value")?.to_owned();
    let display = text("displayName").or_else(|| text("display"));
    let display = display.unwrap_or(&value).to_owned();
    Some(Value::Role(Cow::Owned(Role { value, display })))
}

impl From<Map<String, serde_json::Value>> for Object {
    fn from(members: Map<String, serde_json::Value>) -> Self {
        Self::from_json(&members)
    }
}

impl<N: Into<String>, V: Into<Value<'static>>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(attributes: I) -> Self {
        let pairs = attributes.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl From<&str> for Value<'static> {
    fn from(text: &str) -> Self {
        Self::text(text.to_owned())
    }
}

impl From<String> for Value<'static> {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<bool> for Value<'static> {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}
