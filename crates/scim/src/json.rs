//! Strict JSON: what other parsers let pass and SCIM servers then trip over is refused here, once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use crate::Error;

/// How much a document may ask of its reader. The size of the whole is the caller's to limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lists and objects inside one another; at most 127.
    pub depth: usize,
    /// Bytes of one string or key.
    pub string_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 32,
            string_bytes: 64 * 1024,
        }
    }
}

/// Reads one JSON document, in linear time.
///
/// # Errors
/// `invalidSyntax` with line and column for anything that is not JSON in UTF-8 (RFC 8259), for a key that occurs
/// twice in one object, for NUL characters and lone surrogates, which databases cannot keep, and beyond the limits.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, Error> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        Error::invalid_syntax(format!(
            "The body is not UTF-8: byte {} begins no valid character",
            e.valid_up_to()
        ))
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { limits, depth: 0 }
        .deserialize(&mut deserializer)
        .map_err(|e| refused(&e))?;
    deserializer.end().map_err(|e| refused(&e))?;
    Ok(value)
}

fn refused(e: &serde_json::Error) -> Error {
    Error::invalid_syntax(format!("The body cannot be read as JSON: {e}"))
}

#[derive(Clone, Copy)]
struct Strict {
    limits: Limits,
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == self.limits.depth {
            return Err(E::custom(format_args!(
                "more than {} lists and objects inside one another",
                self.limits.depth
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn text<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.len() > self.limits.string_bytes {
            return Err(E::custom(format_args!(
                "a string of more than {} bytes",
                self.limits.string_bytes
            )));
        }
        if text.as_bytes().contains(&0) {
            return Err(E::custom("a NUL character in a string"));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(b.into())
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_str<E: serde::de::Error>(self, s: &str) -> Result<Value, E> {
        self.text(s)?;
        Ok(s.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        // Most objects of SCIM have a handful of keys.
        let mut map = Map::with_capacity(4);
        while let Some(key) = entries.next_key::<String>()? {
            self.text(&key)?;
            match map.entry(key) {
                Entry::Vacant(entry) => _ = entry.insert(entries.next_value_seed(inner)?),
                Entry::Occupied(entry) => {
                    let key = Value::from(entry.key().as_str());
                    return Err(A::Error::custom(format_args!(
                        "the key {key} twice in one object"
                    )));
                }
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests;
