//! Entries as the server sends them.

use ldap3::ResultEntry;
use ldap3::asn1::{PL, StructureTag};

/// An entry: values are bytes, because a directory holds more than text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) dn: String,
    /// Names as the server spells them, with options such as `;range=0-1499`.
    pub(super) attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// Reads a `SearchResultEntry` (RFC 4511 section 4.5.2); `None` if it is none.
    pub(super) fn read(result: ResultEntry) -> Option<Self> {
        let [dn, attributes] = <[StructureTag; 2]>::try_from(parts(result.0)?).ok()?;
        let mut entry = Self {
            dn: text(dn)?,
            attributes: Vec::new(),
        };
        for attribute in parts(attributes)? {
            let [name, values] = <[StructureTag; 2]>::try_from(parts(attribute)?).ok()?;
            let values = parts(values)?.into_iter().map(bytes);
            let values = values.collect::<Option<Vec<_>>>()?;
            entry.attributes.push((text(name)?, values));
        }
        Some(entry)
    }

    /// Values of an attribute, in whatever case its name is written; options do not count.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.attributes
            .iter()
            .filter(move |(spelled, _)| base_name(spelled).eq_ignore_ascii_case(name))
            .flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// The first value of an attribute.
    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// The first value of an attribute, if it is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.value(name)?).ok()
    }

    /// All values of an attribute that are text.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name)
            .filter_map(|value| std::str::from_utf8(value).ok())
    }
}

/// The name of an attribute without its options (RFC 4512 section 2.5).
pub(super) fn base_name(name: &str) -> &str {
    name.split_once(';').map_or(name, |(base, _)| base)
}

fn parts(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn bytes(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(bytes(tag)?).ok()
}
