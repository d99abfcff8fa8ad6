//! Bodies of requests, from what was given on the command line.

use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape};
use crate::time;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

/// The members that were given.
pub(crate) fn given<const N: usize>(members: [(&str, &Option<String>); N]) -> Map<String, Value> {
    let present = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_deref()?))));
    present.collect()
}

/// As [`given`], for members that an empty value takes away.
pub(crate) fn changed<const N: usize>(members: [(&str, &Option<String>); N]) -> Map<String, Value> {
    let mut changed = given(members);
    for value in changed.values_mut().filter(|value| **value == "") {
        *value = Value::Null;
    }
    changed
}

/// Refuses a change of nothing; `flags` are those that change something.
pub(crate) fn something(body: &Map<String, Value>, flags: &str) -> Result<(), Failure> {
    match body.is_empty() {
        true => {
            Err(Failure::usage("nothing to change was named")
                .hint(format!("say what with {flags}")))
        }
        false => Ok(()),
    }
}

/// An end that was given with a flag, as the API wants it.
pub(crate) fn end(flag: &str, text: Option<&String>) -> Result<Option<String>, Failure> {
    let end = text.map(|text| time::end(text, time::now()));
    let end = end
        .transpose()
        .map_err(|wrong| Failure::usage(format!("{flag}: {wrong}")))?;
    Ok(end.map(|end| end.to_string()))
}

/// A JSON object in a file, such as the attributes of a user.
pub(crate) fn file(path: &Path) -> Result<Value, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("{} cannot be used: {error}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    match value.is_object() {
        true => Ok(value),
        false => Err(wrong(&"it has no JSON object")),
    }
}

const PREVIEW: Shape = Shape {
    columns: &[
        Column::text("ATTRIBUTE", "attribute"),
        Column::text("BEFORE", "old"),
        Column::text("AFTER", "new"),
    ],
    name: "attribute",
};

/// Says what a change would come to, for a dry run: the members that would be different.
pub(crate) fn preview(
    format: Format,
    before: &Value,
    body: &Map<String, Value>,
) -> Result<(), Failure> {
    let different = body
        .iter()
        .filter(|(name, value)| before[name.as_str()] != **value);
    let changes: Vec<_> = different
        .map(|(name, value)| json!({"attribute": name, "old": before[name.as_str()], "new": value}))
        .collect();
    output::list(format, &PREVIEW, &changes)?;
    output::say(format, "Nothing was done: this was a dry run.");
    Ok(())
}
