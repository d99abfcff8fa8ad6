//! The order of a sorted list (RFC 7644 section 3.4.2.3).

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::path::AttributePath;
use crate::profile::Profile;
use crate::schema::{Attribute, Kind, ResourceType};
use crate::{text, time};

/// What a resource is sorted by. Keys of one attribute are all of one variant.
///
/// A resource without a value has no key: it stands last in ascending order and first in descending order.
#[derive(Debug, Clone)]
pub enum SortKey {
    /// False stands before true.
    Boolean(bool),
    /// An instant in microseconds.
    Instant(i64),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Decimal(f64),
    /// A string, or its comparison key where letter case does not count; by Unicode code point.
    Text(String),
}

impl SortKey {
    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Instant(_) => 1,
            Self::Integer(_) => 2,
            Self::Decimal(_) => 3,
            Self::Text(_) => 4,
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Instant(a), Self::Instant(b)) | (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SortKey {}

/// The key of a resource, given its full representation; `None` when it has no value there, or the type no such
/// attribute. Of several values the primary one counts, else the first; of a complex one its `value`.
pub fn sort_key(
    t: &ResourceType,
    path: &AttributePath,
    full: &Map<String, Value>,
) -> Option<SortKey> {
    let resolved = t.resolve(path, Profile::Lenient)?;
    let attribute = resolved.attribute?;
    let within = match resolved.extension {
        Some(extension) => full.get(&extension.id)?.as_object()?,
        None => full,
    };
    let value = match within.get(&attribute.name)? {
        Value::Array(list) => list
            .iter()
            .find(|v| v.get("primary") == Some(&Value::Bool(true)))
            .or(list.first())?,
        one => one,
    };
    match resolved.sub.or_else(|| attribute.sub("value")) {
        Some(sub) => key(sub, value.get(&sub.name)?),
        None => key(attribute, value),
    }
}

fn key(a: &Attribute, value: &Value) -> Option<SortKey> {
    Some(match a.kind {
        Kind::Boolean => SortKey::Boolean(value.as_bool()?),
        Kind::Integer => SortKey::Integer(value.as_i64()?),
        Kind::Decimal => SortKey::Decimal(value.as_f64()?),
        Kind::DateTime => SortKey::Instant(time::parse(value.as_str()?)?),
        Kind::String | Kind::Reference | Kind::Binary if a.case_exact => {
            SortKey::Text(value.as_str()?.to_owned())
        }
        Kind::String | Kind::Reference | Kind::Binary if a.name == "userName" => {
            SortKey::Text(text::user_name_key(value.as_str()?))
        }
        Kind::String | Kind::Reference | Kind::Binary => {
            SortKey::Text(text::fold(value.as_str()?).into_owned())
        }
        Kind::Complex => return None,
    })
}
