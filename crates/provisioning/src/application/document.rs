//! Definitions as text: TOML in files, JSON in the API.
//!
//! Between the two a definition is a JSON object as it was written, so that what nobody asked for is neither added nor
//! lost on the way.

use std::ops::Range;

use portreeve_mapping::closest;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{Definition, DefinitionError};

impl Definition {
    /// Reads a definition in TOML.
    ///
    /// # Errors
    /// The first mistake, with its line and what may be meant.
    pub fn from_toml(text: &str) -> Result<Self, DefinitionError> {
        let deserializer =
            toml::de::Deserializer::parse(text).map_err(|error| in_toml(text, &error))?;
        Self::deserialize(deserializer).map_err(|error| in_toml(text, &error))
    }

    /// Reads a definition in JSON.
    ///
    /// # Errors
    /// The first mistake, and what may be meant.
    pub fn from_json(document: &Value) -> Result<Self, DefinitionError> {
        Self::deserialize(document).map_err(|error| in_json(&error))
    }
}

/// A definition in TOML as the JSON object that the API takes.
///
/// # Errors
/// It is no TOML.
pub fn to_json(toml: &str) -> Result<Value, DefinitionError> {
    let members: Map<String, Value> =
        toml::from_str(toml).map_err(|error| in_toml(toml, &error))?;
    Ok(Value::Object(members))
}

/// A definition of the API as TOML for a file. Members without a value are left out, because TOML has no null.
///
/// # Errors
/// It is no JSON object, or holds what TOML cannot say.
pub fn to_toml(document: &Value) -> Result<String, DefinitionError> {
    let mut document = document.clone();
    without_nulls(&mut document);
    toml::to_string_pretty(&document).map_err(|error| DefinitionError::Text {
        line: None,
        problem: format!("this cannot be written as TOML: {error}"),
    })
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(without_nulls);
        }
        _ => {}
    }
}

/// What is wrong with a text in TOML, and in which line.
pub(super) fn in_toml(text: &str, error: &toml::de::Error) -> DefinitionError {
    let mistake = Mistake::of(error.message());
    let span = error.span();
    let key = mistake.unknown.as_deref();
    let at = key
        .and_then(|key| place_of(text, key, span.as_ref()))
        .or(span.map(|span| span.start));
    DefinitionError::Text {
        line: at.map(|at| 1 + text.get(..at).unwrap_or(text).matches('\n').count()),
        problem: mistake.problem,
    }
}

/// What is wrong with a text in JSON, and in which line.
pub(super) fn in_json(error: &serde_json::Error) -> DefinitionError {
    DefinitionError::Text {
        line: (error.line() > 0).then(|| error.line()),
        problem: Mistake::of(&error.to_string()).problem,
    }
}

/// What a reader of formats says, in words for the admin.
struct Mistake {
    problem: String,
    /// The member that does not exist, if that is it.
    unknown: Option<String>,
}

impl Mistake {
    fn of(message: &str) -> Self {
        let known: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let plain = Self {
            problem: message.trim_end().to_owned(),
            unknown: None,
        };
        let Some((wrong, known)) = known.split_first() else {
            return plain;
        };
        let what = match message {
            _ if message.starts_with("unknown field") => "setting",
            _ if message.starts_with("unknown variant") => "value",
            _ if message.starts_with("missing field") => {
                return Self {
                    problem: format!("the setting {wrong} is missing"),
                    unknown: None,
                };
            }
            _ => return plain,
        };
        let advice = match (closest(wrong, known.iter().copied()), known) {
            (Some(meant), _) => format!("did you mean {meant}?"),
            (None, []) => "there is none to be set".to_owned(),
            (None, known) => format!("there are {}", known.join(", ")),
        };
        Self {
            problem: format!("there is no {what} {wrong} here; {advice}"),
            unknown: (what == "setting").then(|| (*wrong).to_owned()),
        }
    }
}

/// Where a member of that name stands in a text in TOML, if there is one such place within the span. What reads
/// settings that depend on their `type` tells no more of the place than the table that they are in.
fn place_of(text: &str, name: &str, within: Option<&Range<usize>>) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let mut places = Vec::new();
    find(table.get_ref(), name, &mut places);
    let all = 0..text.len();
    let within = within.filter(|span| !span.is_empty()).unwrap_or(&all);
    let (inside, outside): (Vec<_>, Vec<_>) =
        places.into_iter().partition(|at| within.contains(at));
    match (inside.as_slice(), outside.as_slice()) {
        ([one], _) | ([], [one]) => Some(*one),
        _ => None,
    }
}

fn find(table: &DeTable<'_>, name: &str, places: &mut Vec<usize>) {
    for (key, value) in table {
        if key.get_ref() == name {
            places.push(key.span().start);
        }
        find_in(value.get_ref(), name, places);
    }
}

fn find_in(value: &DeValue<'_>, name: &str, places: &mut Vec<usize>) {
    match value {
        DeValue::Table(table) => find(table, name, places),
        DeValue::Array(items) => {
            for item in items.iter() {
                find_in(item.get_ref(), name, places);
            }
        }
        _ => {}
    }
}
