//! Source objects from a file: a JSON object, a list of them, or one per line.

use crate::failure::Failure;
use portreeve_mapping::Object;
use portreeve_provisioning::source::population::{self, Named};
use serde_json::{Deserializer, Map, Value};
use std::io::{Read, stdin};
use std::path::Path;

/// Reads a file, or standard input for `-`.
pub(super) fn read(file: &Path) -> Result<Vec<Named>, Failure> {
    let is_stdin = file.as_os_str() == "-";
    let name = match is_stdin {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let text = match is_stdin {
        true => {
            let mut text = String::new();
            let read = stdin().read_to_string(&mut text);
            read.map(|_| text)
                .map_err(|error| Failure::usage(format!("{name} cannot be read: {error}")))?
        }
        false => super::read(file)?,
    };
    let mut objects = Vec::new();
    for value in Deserializer::from_str(&text).into_iter::<Value>() {
        let value = value.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        let items = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in items {
            let Value::Object(members) = item else {
                return Err(Failure::usage(format!(
                    "{name}: a source object is a JSON object such as {{\"mail\": \"ada@contoso.com\"}}"
                )));
            };
            objects.push(named(&members, objects.len() + 1));
        }
    }
    match objects.is_empty() {
        true => Err(Failure::usage(format!("{name} has no source object"))),
        false => Ok(objects),
    }
}

fn named(members: &Map<String, Value>, number: usize) -> Named {
    Named {
        name: population::name(members).map_or_else(|| format!("#{number}"), str::to_owned),
        object: Object::from_json(members),
    }
}
