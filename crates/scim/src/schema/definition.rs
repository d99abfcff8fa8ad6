//! Schema definitions as JSON, in the form of RFC 7643 section 7.

use serde_json::{Map, Value, json};

use super::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness};
use crate::Error;

/// URN of a schema definition (RFC 7643 section 7).
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// Names longer than this are refused; they end up in paths, filters and error texts.
const NAME_LIMIT: usize = 100;

impl Schema {
    /// Reads a definition. Characteristics that are left out have the defaults of RFC 7643 section 2.2;
    /// references and binary values compare with case (sections 2.3.6 and 2.3.7).
    ///
    /// # Errors
    /// `invalidValue` that names the attribute and what is wrong with its definition.
    pub fn from_json(v: &Value) -> Result<Self, Error> {
        let object = v
            .as_object()
            .ok_or_else(|| bad("A schema definition is a JSON object"))?;
        let id = text(object, "id", "The schema")?.ok_or_else(|| bad("The schema has no `id`"))?;
        if !is_urn(&id) {
            return Err(bad(format!(
                "`{id}` is not the URN of a schema, such as urn:example:params:scim:schemas:2.0:Thing"
            )));
        }
        let attributes = match object.get("attributes") {
            Some(Value::Array(list)) => attributes(list, &id, Nesting::Top)?,
            _ => return Err(bad(format!("schema {id} has no list of `attributes`"))),
        };
        if attributes.is_empty() {
            return Err(bad(format!("schema {id} has no attributes")));
        }
        Ok(Self {
            name: text(object, "name", &id)?.unwrap_or_else(|| id.clone()),
            description: text(object, "description", &id)?.unwrap_or_default(),
            id,
            attributes,
        })
    }

    /// The definition with every characteristic, without `meta`.
    pub fn to_json(&self) -> Value {
        json!({
            "schemas": [SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes.iter().map(Attribute::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Attribute {
    fn from_json(
        object: &Map<String, Value>,
        within: &str,
        nesting: Nesting,
    ) -> Result<Self, Error> {
        let name = text(object, "name", within)?
            .ok_or_else(|| bad(format!("An attribute of {within} has no `name`")))?;
        let at = format!("attribute {name} of {within}");
        if !is_name(&name) {
            return Err(bad(format!(
                "{at}: a name starts with a letter, goes on with letters, digits, `-` and `_`, and has at most {NAME_LIMIT} characters"
            )));
        }
        let kind = choice(object, "type", &at)?.unwrap_or(Kind::String);
        let sub_attributes = match (kind, nesting, object.get("subAttributes")) {
            (Kind::Complex, Nesting::Sub, _) => {
                return Err(bad(format!(
                    "{at}: a sub-attribute cannot be complex itself"
                )));
            }
            (Kind::Complex, Nesting::Top, Some(Value::Array(list))) if !list.is_empty() => {
                attributes(list, &at, Nesting::Sub)?
            }
            (Kind::Complex, Nesting::Top, _) => {
                return Err(bad(format!(
                    "{at}: a complex attribute needs `subAttributes`"
                )));
            }
            (_, _, None | Some(Value::Null)) => Vec::new(),
            (_, _, Some(Value::Array(list))) if list.is_empty() => Vec::new(),
            _ => {
                return Err(bad(format!(
                    "{at}: only a complex attribute has `subAttributes`"
                )));
            }
        };
        Ok(Self {
            kind,
            sub_attributes,
            multi_valued: flag(object, "multiValued", &at)?.unwrap_or(false),
            description: text(object, "description", &at)?.unwrap_or_default(),
            required: flag(object, "required", &at)?.unwrap_or(false),
            canonical_values: texts(object, "canonicalValues", &at)?,
            case_exact: flag(object, "caseExact", &at)?
                .unwrap_or(matches!(kind, Kind::Reference | Kind::Binary)),
            mutability: choice(object, "mutability", &at)?.unwrap_or(Mutability::ReadWrite),
            returned: choice(object, "returned", &at)?.unwrap_or(Returned::Default),
            uniqueness: choice(object, "uniqueness", &at)?.unwrap_or(Uniqueness::None),
            reference_types: texts(object, "referenceTypes", &at)?,
            name,
        })
    }

    /// The definition with every characteristic that applies to its type: a complex attribute has neither
    /// `caseExact` nor `uniqueness` (erratum 6004 of RFC 7643).
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), self.name.as_str().into());
        object.insert("type".into(), json!(self.kind));
        object.insert("multiValued".into(), self.multi_valued.into());
        object.insert("description".into(), self.description.as_str().into());
        object.insert("required".into(), self.required.into());
        if !self.canonical_values.is_empty() {
            object.insert("canonicalValues".into(), json!(self.canonical_values));
        }
        if self.kind != Kind::Complex {
            object.insert("caseExact".into(), self.case_exact.into());
        }
        object.insert("mutability".into(), json!(self.mutability));
        object.insert("returned".into(), json!(self.returned));
        if self.kind != Kind::Complex {
            object.insert("uniqueness".into(), json!(self.uniqueness));
        }
        if !self.reference_types.is_empty() {
            object.insert("referenceTypes".into(), json!(self.reference_types));
        }
        if self.kind == Kind::Complex {
            let subs = self.sub_attributes.iter().map(Self::to_json).collect();
            object.insert("subAttributes".into(), Value::Array(subs));
        }
        Value::Object(object)
    }
}

/// Complex attributes nest once only (erratum 8415 of RFC 7643).
#[derive(Clone, Copy)]
enum Nesting {
    Top,
    Sub,
}

fn attributes(list: &[Value], within: &str, nesting: Nesting) -> Result<Vec<Attribute>, Error> {
    let mut all: Vec<Attribute> = Vec::with_capacity(list.len());
    for value in list {
        let object = value
            .as_object()
            .ok_or_else(|| bad(format!("An attribute of {within} is not a JSON object")))?;
        let attribute = Attribute::from_json(object, within, nesting)?;
        if all
            .iter()
            .any(|a| a.name.eq_ignore_ascii_case(&attribute.name))
        {
            return Err(bad(format!(
                "{within} has two attributes {}",
                attribute.name
            )));
        }
        all.push(attribute);
    }
    Ok(all)
}

/// `ALPHA *(nameChar)` of RFC 7643 section 2.1, and `$ref` with its dollar sign.
fn is_name(name: &str) -> bool {
    let plain = name.strip_prefix('$').unwrap_or(name);
    name.len() <= NAME_LIMIT
        && plain.starts_with(|c: char| c.is_ascii_alphabetic())
        && plain
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_urn(id: &str) -> bool {
    let mut parts = id.splitn(3, ':');
    parts
        .next()
        .is_some_and(|urn| urn.eq_ignore_ascii_case("urn"))
        && parts.next().is_some_and(|namespace| !namespace.is_empty())
        && parts
            .next()
            .is_some_and(|rest| !rest.is_empty() && !rest.ends_with(':'))
        && id.len() <= 256
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._:+/".contains(c))
}

fn text(object: &Map<String, Value>, key: &str, at: &str) -> Result<Option<String>, Error> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.clone())),
        Some(_) => Err(bad(format!("{at}: `{key}` is not a string"))),
    }
}

fn flag(object: &Map<String, Value>, key: &str, at: &str) -> Result<Option<bool>, Error> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(b)) => Ok(Some(*b)),
        Some(_) => Err(bad(format!("{at}: `{key}` is neither true nor false"))),
    }
}

fn texts(object: &Map<String, Value>, key: &str, at: &str) -> Result<Vec<String>, Error> {
    let list = match object.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(bad(format!("{at}: `{key}` is not a list"))),
    };
    let strings = list.iter().map(|v| v.as_str().map(str::to_owned));
    strings
        .collect::<Option<_>>()
        .ok_or_else(|| bad(format!("{at}: `{key}` is not a list of strings")))
}

fn choice<T: serde::de::DeserializeOwned>(
    object: &Map<String, Value>,
    key: &str,
    at: &str,
) -> Result<Option<T>, Error> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match T::deserialize(value) {
            Ok(known) => Ok(Some(known)),
            Err(e) => Err(bad(format!("{at}: `{key}`: {e}"))),
        },
    }
}

fn bad(detail: impl Into<String>) -> Error {
    Error::invalid_value(detail)
}
