//! JSON lines: one object on each line.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use super::guard::{name, open};
use super::row::{Broken, Content, Item, Row};
use crate::source::Error;
use crate::source::ledger::mark;

/// Bytes of the longest line that is read; a group with 100,000 members has 4 MB.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Goes through the objects of a file.
pub(super) fn each(
    path: &Path,
    key: &str,
    members: Option<&str>,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut file = BufReader::with_capacity(64 * 1024, open(path)?);
    let mut text = Vec::new();
    let mut line = 0;
    loop {
        text.clear();
        let read = std::io::Read::take(&mut file, LONGEST_LINE).read_until(b'\n', &mut text);
        let read = read.map_err(|cause| Error::Unavailable {
            reason: format!("{}: {cause}", name(path)),
            retry_after: None,
        })?;
        if read == 0 {
            return Ok(());
        }
        if read as u64 == LONGEST_LINE {
            return Err(Error::Unusable(format!(
                "{} line {}: it is longer than 64 MiB; write one object on each line",
                name(path),
                line + 1
            )));
        }
        line += 1;
        let bytes = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match parse(bytes, key, members) {
            Ok((key, object)) => visit(Item::Row(Row {
                line,
                key: &key,
                mark: mark([bytes.trim_ascii()]),
                content: &object,
            }))?,
            Err((key, reason)) => visit(Item::Broken(Broken { line, key, reason }))?,
        }
    }
}

type Refused = (Option<String>, String);

fn parse<'a>(
    bytes: &[u8],
    key: &str,
    members: Option<&'a str>,
) -> Result<(String, Line<'a>), Refused> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| (None, "it is not UTF-8; save the file as UTF-8".to_owned()))?;
    let object: Map<String, Value> = serde_json::from_str(text.trim()).map_err(|cause| {
        // The parser counts lines of its own; there is only one.
        let said = cause.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        let column = cause.column();
        let reason =
            format!("it is no JSON object on one line ({said}, column {column}); correct it");
        (None, reason)
    })?;
    let found = match object.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => {
            let reason =
                format!("\"{key}\" is missing; give the object a key that nobody else has");
            return Err((None, reason));
        }
    };
    let line = Line { object, members };
    match line.unfit() {
        Some(reason) => Err((Some(found), reason)),
        None => Ok((found, line)),
    }
}

struct Line<'a> {
    object: Map<String, Value>,
    members: Option<&'a str>,
}

impl Line<'_> {
    /// An attribute that no source may have: an object, or a list of something other than single values.
    fn unfit(&self) -> Option<String> {
        let single = |value: &Value| !value.is_array() && !value.is_object();
        let (name, _) = self.object.iter().find(|(name, value)| {
            self.members != Some(name.as_str())
                && !match value {
                    Value::Array(values) => values.iter().all(single),
                    value => single(value),
                }
        })?;
        Some(format!(
            "\"{name}\" is neither a single value nor a list of them; give each part a name of its own"
        ))
    }
}

impl Content for Line<'_> {
    fn attributes(&self) -> Map<String, Value> {
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(values) => values.is_empty(),
            _ => false,
        };
        self.object
            .iter()
            .filter(|(name, value)| self.members != Some(name.as_str()) && !empty(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn members(&self) -> Result<Vec<String>, String> {
        let list = self.members.and_then(|members| self.object.get(members));
        let Some(list) = list.filter(|list| !list.is_null()) else {
            return Ok(Vec::new());
        };
        let keys = list.as_array().map(|members| {
            let key = |member: &Value| match member {
                Value::String(key) => Some(key.clone()),
                Value::Number(key) => Some(key.to_string()),
                _ => None,
            };
            members.iter().map(key).collect::<Option<Vec<_>>>()
        });
        keys.flatten().ok_or_else(|| {
            let members = self.members.unwrap_or_default();
            format!("\"{members}\" is no list of keys; write it as [\"key\", …]")
        })
    }
}
