//! Strict JSON: what other parsers let pass and SCIM servers then trip over is refused here, once.

use std::cell::Cell;
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
    /// Values of all kinds together. In memory each is many times as large as the two bytes that it may be on the wire.
    pub values: usize,
}

impl Limits {
    /// What suits a single resource.
    pub const DEFAULT: Self = Self {
        depth: 32,
        string_bytes: 64 * 1024,
        values: 100_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
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
    let left = Cell::new(limits.values);
    let strict = Strict {
        limits,
        depth: 0,
        left: &left,
    };
    let value = strict
        .deserialize(&mut deserializer)
        .map_err(|e| refused(&e))?;
    deserializer.end().map_err(|e| refused(&e))?;
    Ok(value)
}

fn refused(e: &serde_json::Error) -> Error {
    Error::invalid_syntax(format!("The body cannot be read as JSON: {e}"))
}

#[derive(Clone, Copy)]
struct Strict<'l> {
    limits: Limits,
    depth: usize,
    /// How many values may still come in the whole document.
    left: &'l Cell<usize>,
}

impl Strict<'_> {
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

    fn one_more<E: serde::de::Error>(self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(E::custom(format_args!(
                "more than {} values; send less at once",
                self.limits.values
            ))),
        }
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

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.one_more()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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
