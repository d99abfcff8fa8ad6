//! One row of a table or one line of JSON, as both are seen by the reading.

use serde_json::{Map, Value};

use crate::source::{Kind, Object};

/// What stands on a line.
pub(super) enum Item<'a> {
    /// A row with a key.
    Row(Row<'a>),
    /// Something that cannot be used.
    Broken(Broken),
}

/// A row with a key; the rest of it is looked at only where it is needed.
pub(super) struct Row<'a> {
    /// Counted from 1; the first line of the row.
    pub(super) line: u64,
    pub(super) key: &'a str,
    /// Whether it is still what it was.
    pub(super) mark: u64,
    pub(super) content: &'a dyn Content,
}

/// What is in a row.
pub(super) trait Content {
    /// Everything that has a value, without the list of members.
    fn attributes(&self) -> Map<String, Value>;

    /// Keys of members, where the row names them; what is wrong with the list otherwise.
    fn members(&self) -> Result<Vec<String>, String>;
}

/// A row that cannot be used.
pub(super) struct Broken {
    pub(super) line: u64,
    /// Whose row it is, if that much can be read.
    pub(super) key: Option<String>,
    pub(super) reason: String,
}

impl Row<'_> {
    /// The object, or what is wrong with it.
    pub(super) fn object(&self, kind: Kind) -> Result<Object, String> {
        let mut attributes = self.content.attributes();
        if let Some(enabled) = attributes.get_mut("accountEnabled") {
            *enabled = Value::Bool(truth(enabled)?);
        }
        Ok(Object {
            kind,
            key: self.key.to_owned(),
            attributes,
        })
    }
}

/// `accountEnabled` decides whether a person gets in, so it is understood or refused, never guessed.
fn truth(value: &Value) -> Result<bool, String> {
    let word = match value {
        Value::Bool(truth) => return Ok(*truth),
        Value::String(text) => text.to_ascii_lowercase(),
        other => other.to_string(),
    };
    match word.as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(format!("accountEnabled is \"{word}\"; write true or false")),
    }
}
