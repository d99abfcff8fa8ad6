//! The names that mappings use, and the properties of Microsoft Graph behind them.
//!
//! Entra's mappings use names that are older than Microsoft Graph, `physicalDeliveryOfficeName` for `officeLocation`.
//! An exported mapping must work unchanged, so an attribute is told under the name by which it was asked for.

use serde_json::{Map, Value};

use crate::source::Kind;
use crate::target::member;

/// Older names and the properties they stand for. Names that are in no list are properties themselves.
const OLD_NAMES: &[(&str, &str, Reading)] = &[
    ("objectId", "id", Reading::Plain),
    (
        "physicalDeliveryOfficeName",
        "officeLocation",
        Reading::Plain,
    ),
    ("telephoneNumber", "businessPhones", Reading::First),
    ("mobile", "mobilePhone", Reading::Plain),
    ("facsimileTelephoneNumber", "faxNumber", Reading::Plain),
    ("sipProxyAddress", "imAddresses", Reading::First),
    ("immutableId", "onPremisesImmutableId", Reading::Plain),
    ("dirSyncEnabled", "onPremisesSyncEnabled", Reading::Plain),
    ("dnsDomainName", "onPremisesDomainName", Reading::Plain),
    (
        "lastDirSyncTime",
        "onPremisesLastSyncDateTime",
        Reading::Plain,
    ),
    (
        "originalUserPrincipalName",
        "userPrincipalName",
        Reading::Plain,
    ),
    (
        "userPrincipalName",
        "userPrincipalName",
        Reading::HomeAddress,
    ),
    ("manager", "manager", Reading::Reference),
];

/// Computed by the engine, or told as changes of their own.
const NOT_READ: &[&str] = &["IsSoftDeleted", "appRoleAssignments", "members"];

/// Where Graph keeps the fifteen extension attributes of Exchange.
const EXTENSION_ATTRIBUTES: &str = "onPremisesExtensionAttributes";

/// What is read whoever asks: what says whether somebody is active, what a log calls an object, and whether a group may
/// be used for assignment.
fn always(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::User => &["accountEnabled", "userPrincipalName", "displayName"],
        Kind::Group => &["displayName", "securityEnabled"],
    }
}

/// How a value is taken from a property.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    /// As it is.
    Plain,
    /// The first of several.
    First,
    /// A member of a structure.
    Member(String),
    /// The address of a guest at home, for one that the tenant made up.
    HomeAddress,
    /// The key of another object.
    Reference,
}

#[derive(Debug, Clone)]
struct Attribute {
    /// What mappings call it.
    name: String,
    /// What Graph calls it.
    property: String,
    reading: Reading,
}

impl Attribute {
    fn named(name: &str) -> Self {
        let old = OLD_NAMES
            .iter()
            .find(|(old, ..)| old.eq_ignore_ascii_case(name));
        let (property, reading) = match old {
            Some((_, property, reading)) => ((*property).to_owned(), reading.clone()),
            None if is_extension_attribute(name) => (
                EXTENSION_ATTRIBUTES.to_owned(),
                Reading::Member(name.to_owned()),
            ),
            None => match name.split_once('.') {
                Some((property, member)) => {
                    (property.to_owned(), Reading::Member(member.to_owned()))
                }
                None => (name.to_owned(), Reading::Plain),
            },
        };
        Self {
            name: name.to_owned(),
            property,
            reading,
        }
    }

    /// Its value in an object; `None` when the object does not tell.
    fn read(&self, properties: &Map<String, Value>) -> Option<Value> {
        if self.reading == Reading::Reference {
            return reference(properties, &self.property);
        }
        let value = member(properties, &self.property)?;
        Some(match (&self.reading, value) {
            (Reading::First, Value::Array(values)) => {
                plain(&self.name, values.first().unwrap_or(&Value::Null))
            }
            (Reading::Member(name), Value::Object(members)) => {
                plain(&self.name, member(members, name).unwrap_or(&Value::Null))
            }
            (Reading::HomeAddress, Value::String(text)) => home_address(text).into(),
            (_, value) => plain(&self.name, value),
        })
    }
}

/// `extensionAttribute1` to `extensionAttribute15`.
fn is_extension_attribute(name: &str) -> bool {
    let prefix = "extensionAttribute";
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        && name[prefix.len()..]
            .parse::<u8>()
            .is_ok_and(|number| (1..=15).contains(&number))
}

/// The attributes of users or of groups that are asked for.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    kind: Kind,
    asked: Vec<Attribute>,
}

impl Attributes {
    pub(super) fn new(kind: Kind, names: &[String]) -> Self {
        let mut asked: Vec<Attribute> = Vec::new();
        let names = names.iter().map(String::as_str);
        for name in always(kind).iter().copied().chain(names) {
            let known = asked.iter().any(|attribute| attribute.name == name);
            let computed = NOT_READ
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name));
            if !known && !computed {
                asked.push(Attribute::named(name));
            }
        }
        Self { kind, asked }
    }

    /// The names that are asked for, in a text.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self
            .asked
            .iter()
            .map(|attribute| &*attribute.name)
            .collect();
        names.join(",")
    }

    /// The `$select` of a delta query, references included.
    pub(super) fn tracked(&self) -> String {
        let members = (self.kind == Kind::Group).then_some("members");
        let all: Vec<_> = self
            .properties(|_| true)
            .into_iter()
            .chain(members)
            .collect();
        all.join(",")
    }

    /// The `$select` of any other query.
    pub(super) fn selected(&self) -> String {
        self.properties(|attribute| attribute.reading != Reading::Reference)
            .join(",")
    }

    /// The `$expand` that brings references into any other query.
    pub(super) fn expanded(&self) -> Option<String> {
        let reference = self
            .asked
            .iter()
            .find(|attribute| attribute.reading == Reading::Reference)?;
        Some(format!("{}($select=id)", reference.property))
    }

    /// What an object tells of the attributes; `null` for those that have no value.
    pub(super) fn read(&self, properties: &Map<String, Value>) -> Map<String, Value> {
        self.asked
            .iter()
            .filter_map(|attribute| Some((attribute.name.clone(), attribute.read(properties)?)))
            .collect()
    }

    /// An OData filter for one value of an attribute, or why there can be none.
    pub(super) fn filter(name: &str, value: &str) -> Result<String, String> {
        let attribute = Attribute::named(name);
        let literal = literal(&attribute.property, value);
        let property = &attribute.property;
        let several = SEVERAL
            .iter()
            .any(|other| other.eq_ignore_ascii_case(property));
        Ok(match &attribute.reading {
            Reading::Reference => {
                return Err(format!(
                    "Microsoft Graph cannot look for people by {name}; match by another attribute"
                ));
            }
            Reading::Member(member) => format!("{property}/{member} eq {literal}"),
            Reading::HomeAddress => match guest_prefix(value) {
                Some(prefix) => format!(
                    "{property} eq {literal} or startswith({property},{})",
                    quoted(&prefix)
                ),
                None => format!("{property} eq {literal}"),
            },
            _ if several => format!("{property}/any(one:one eq {literal})"),
            _ => format!("{property} eq {literal}"),
        })
    }

    fn properties(&self, wanted: impl Fn(&Attribute) -> bool) -> Vec<&str> {
        let mut names = vec!["id"];
        for attribute in self.asked.iter().filter(|attribute| wanted(attribute)) {
            if !names.contains(&&*attribute.property) {
                names.push(&attribute.property);
            }
        }
        names
    }
}

/// Properties that hold lists.
const SEVERAL: &[&str] = &[
    "businessPhones",
    "imAddresses",
    "otherMails",
    "proxyAddresses",
    "groupTypes",
];

/// Properties that are true or false.
const TRUTH_VALUES: &[&str] = &[
    "accountEnabled",
    "securityEnabled",
    "mailEnabled",
    "onPremisesSyncEnabled",
];

fn literal(property: &str, value: &str) -> String {
    let truth = TRUTH_VALUES
        .iter()
        .any(|other| other.eq_ignore_ascii_case(property));
    match value.to_ascii_lowercase() {
        lower if truth && matches!(&*lower, "true" | "false") => lower,
        _ => quoted(value),
    }
}

/// A string literal of OData.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// What the name of a guest in this tenant begins with: `ada_fabrikam.example#EXT#` for `ada@fabrikam.example`.
fn guest_prefix(address: &str) -> Option<String> {
    let (alias, domain) = address.rsplit_once('@')?;
    Some(format!("{alias}_{domain}{GUEST}"))
}

/// What is between the home address of a guest and the tenant's own domain.
const GUEST: &str = "#EXT#";

/// Entra's mappings see guests under the address that they have at home.
fn home_address(name: &str) -> String {
    name.split_once(GUEST)
        .and_then(|(home, _)| home.rsplit_once('_'))
        .map_or_else(
            || name.to_owned(),
            |(alias, domain)| format!("{alias}@{domain}"),
        )
}

/// A value that a mapping can work with; a list without anything in it is no value.
fn plain(name: &str, value: &Value) -> Value {
    match value {
        Value::Array(values) if values.is_empty() => Value::Null,
        Value::Array(values) if values.iter().all(Value::is_string) => value.clone(),
        Value::Array(_) | Value::Object(_) => {
            tracing::warn!(
                attribute = name,
                "Microsoft Graph has a structure here, which no mapping can use; map one of its members, as in employeeOrgData.division"
            );
            Value::Null
        }
        _ => value.clone(),
    }
}

/// The person that a reference leads to. A delta query tells changes as a list, in which the old one may stand next to
/// the new one; any other query tells the object.
fn reference(properties: &Map<String, Value>, property: &str) -> Option<Value> {
    let person = |value: &Value| {
        let kind = value.get("@odata.type").and_then(Value::as_str);
        let removed = value.get("@removed").is_some();
        let is_person = kind.is_none_or(|kind| kind.ends_with(".user"));
        (is_person && !removed).then(|| value.get("id").cloned())?
    };
    let key = match member(properties, &format!("{property}@delta")) {
        Some(Value::Array(changes)) => changes.iter().filter_map(person).next_back(),
        Some(_) => None,
        None => person(member(properties, property)?),
    };
    Some(key.unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests;
