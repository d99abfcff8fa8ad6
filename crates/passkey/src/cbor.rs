//! The little of CBOR that authenticators speak: maps of integers, texts and bytes.

use ciborium::Value;
use ciborium::de::from_reader_with_recursion_limit;

use crate::Refused;

/// How deep values may be nested. CTAP2 allows authenticators four levels; statements of attestation hold one more.
const DEPTH: usize = 8;
/// More than any map has that an authenticator makes.
const ENTRIES: usize = 64;

/// A map, in which each key stands once.
pub(crate) struct Map(Vec<(Value, Value)>);

impl Map {
    /// Reads a map from the front of the bytes and leaves the rest.
    pub(crate) fn read(bytes: &mut &[u8], what: &'static str) -> Result<Self, Refused> {
        let value: Value =
            from_reader_with_recursion_limit(bytes, DEPTH).map_err(|_| Refused::Malformed(what))?;
        let entries = match value {
            Value::Map(entries) if entries.len() <= ENTRIES => entries,
            _ => return Err(Refused::Malformed(what)),
        };
        for (place, (key, _)) in entries.iter().enumerate() {
            // Two readers could each see another one of two values.
            if entries
                .iter()
                .skip(place + 1)
                .any(|(other, _)| other == key)
            {
                return Err(Refused::Malformed(what));
            }
        }
        Ok(Self(entries))
    }

    /// The bytes under a name.
    pub(crate) fn bytes(&self, key: impl Into<Value>) -> Option<&[u8]> {
        self.get(key)?.as_bytes().map(Vec::as_slice)
    }

    /// The number under a name, if it fits.
    pub(crate) fn number(&self, key: impl Into<Value>) -> Option<i64> {
        self.get(key)?.as_integer()?.try_into().ok()
    }

    fn get(&self, key: impl Into<Value>) -> Option<&Value> {
        let key = key.into();
        self.0
            .iter()
            .find(|(other, _)| *other == key)
            .map(|(_, value)| value)
    }
}
