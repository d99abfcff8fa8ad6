//! The one place that checks a value against its attribute and makes it canonical.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};

use super::{Notes, insert_present};
use crate::error::Error;
use crate::profile::{Leniency, Profile};
use crate::schema::{Attribute, Kind, Mutability};
use crate::time;

/// Checks a value against an attribute and makes it canonical; `None` when it means "no value" (RFC 7643 section
/// 2.5). A value of a write-only attribute (`password`) is checked and then dropped: it must not be kept. Read-only
/// sub-attributes are ignored (RFC 7644 section 3.5.1).
///
/// `at` is the path of the attribute, for errors.
///
/// # Errors
/// `invalidValue` that names the path of a value of the wrong type, a missing required value or a second primary
/// one; `invalidSyntax` for an object that has an attribute twice.
pub fn normalize(
    a: &Attribute,
    value: Value,
    profile: Profile,
    at: &str,
    notes: &mut Notes,
) -> Result<Option<Value>, Error> {
    Check { profile, notes }.attribute(a, value, At::Root(at))
}

/// Brings the sub-attributes of a checked value into the schema's order and drops what is empty.
pub(super) fn ordered(attribute: &Attribute, value: Value) -> Value {
    match value {
        Value::Array(list) => {
            Value::Array(list.into_iter().map(|v| ordered(attribute, v)).collect())
        }
        Value::Object(mut had) => {
            let mut kept = Map::with_capacity(had.len());
            for sub in &attribute.sub_attributes {
                if let Some((name, value)) = had.remove_entry(&sub.name) {
                    insert_present(&mut kept, name, value);
                }
            }
            Value::Object(kept)
        }
        simple => simple,
    }
}

/// What the checks need to know, and where they note what they ignore.
pub(super) struct Check<'n> {
    pub(super) profile: Profile,
    pub(super) notes: &'n mut Notes,
}

impl Check<'_> {
    pub(super) fn attribute(
        &mut self,
        a: &Attribute,
        value: Value,
        at: At<'_>,
    ) -> Result<Option<Value>, Error> {
        if a.mutability == Mutability::WriteOnly {
            // The usual errors show the value, which is a secret here.
            let secret = self
                .value(a, value, at)
                .map_err(|_| Error::invalid_value(format!("{at} must be {}", expected(a))));
            return secret.map(|_| None);
        }
        self.value(a, value, at)
    }

    fn value(&mut self, a: &Attribute, value: Value, at: At<'_>) -> Result<Option<Value>, Error> {
        match value {
            Value::Null => Ok(None),
            Value::Array(list) if a.multi_valued => self.list(a, list, at),
            Value::Array(list) if list.is_empty() => Ok(None),
            Value::Array(list) => self.unwrap_list(a, list, at),
            one if a.multi_valued && self.profile.allows(Leniency::SingleForMultiple) => {
                self.list(a, vec![one], at)
            }
            one if a.multi_valued => Err(wrong(at, "a list", &one)),
            one => self.single(a, one, at),
        }
    }

    fn list(
        &mut self,
        a: &Attribute,
        list: Vec<Value>,
        at: At<'_>,
    ) -> Result<Option<Value>, Error> {
        let mut checked = Vec::with_capacity(list.len());
        for (index, value) in list.into_iter().enumerate() {
            if !value.is_null() {
                checked.extend(self.single(a, value, At::Index(&at, index))?);
            }
        }
        collapse(&mut checked);
        if checked.iter().filter(|v| is_primary(v)).count() > 1 {
            return Err(Error::invalid_value(format!(
                "{at}: only one value can be the primary one"
            )));
        }
        Ok((!checked.is_empty()).then_some(Value::Array(checked)))
    }

    /// A list where there can be one value only.
    fn unwrap_list(
        &mut self,
        a: &Attribute,
        mut list: Vec<Value>,
        at: At<'_>,
    ) -> Result<Option<Value>, Error> {
        let reference = a.kind == Kind::Complex
            && a.sub("value").is_some()
            && self.profile.allows(Leniency::ManagerAsList);
        let any = self.profile.allows(Leniency::ListForSingular);
        let one = match list.pop() {
            Some(one) if list.is_empty() && (reference || any) => one,
            _ => {
                return Err(Error::invalid_value(format!(
                    "{at} must be {}, not a list",
                    expected(a)
                )));
            }
        };
        match one {
            Value::Object(mut wrapper)
                if a.kind != Kind::Complex && wrapper.contains_key("value") =>
            {
                let value = wrapper.remove("value").unwrap_or_default();
                self.single_or_none(a, value, at)
            }
            one => self.single_or_none(a, one, at),
        }
    }

    fn single_or_none(
        &mut self,
        a: &Attribute,
        value: Value,
        at: At<'_>,
    ) -> Result<Option<Value>, Error> {
        if value.is_null() {
            Ok(None)
        } else {
            self.single(a, value, at)
        }
    }

    fn single(&mut self, a: &Attribute, value: Value, at: At<'_>) -> Result<Option<Value>, Error> {
        match (a.kind, value) {
            (Kind::Complex, Value::Object(object)) => self.complex(a, object, at),
            (Kind::Complex, Value::String(id)) => self.bare_id(a, id, at),
            (Kind::Boolean, Value::String(s)) if self.profile.allows(Leniency::BooleanStrings) => {
                match boolean(&s) {
                    Some(b) => Ok(Some(Value::Bool(b))),
                    None => Err(wrong(at, expected(a), &Value::String(s))),
                }
            }
            (Kind::Boolean, value @ Value::Bool(_)) => Ok(Some(value)),
            (Kind::Decimal, value @ Value::Number(_)) => Ok(Some(value)),
            (Kind::Integer, Value::Number(n)) => match n.as_i64() {
                Some(_) => Ok(Some(Value::Number(n))),
                None => Err(Error::invalid_value(format!(
                    "{at} must be a whole number of at most 64 bits, not {n}"
                ))),
            },
            (Kind::String | Kind::Reference | Kind::DateTime | Kind::Binary, Value::String(s)) => {
                self.string(a, s, at)
            }
            (_, value) => Err(wrong(at, expected(a), &value)),
        }
    }

    fn string(&self, a: &Attribute, s: String, at: At<'_>) -> Result<Option<Value>, Error> {
        if a.required && s.trim().is_empty() {
            return Err(Error::invalid_value(format!("{at} must not be empty")));
        }
        if s.is_empty() && self.profile.allows(Leniency::EmptyStringClears) {
            return Ok(None);
        }
        let valid = match a.kind {
            Kind::DateTime => time::parse(&s).is_some(),
            Kind::Binary => is_base64(&s),
            _ => true,
        };
        if valid {
            Ok(Some(Value::String(s)))
        } else {
            Err(Error::invalid_value(format!(
                "{at} must be {}, not {}",
                expected(a),
                shown(&Value::String(s))
            )))
        }
    }

    /// A bare string where an object with a `value` is meant.
    fn bare_id(&mut self, a: &Attribute, id: String, at: At<'_>) -> Result<Option<Value>, Error> {
        let Some(sub) = a.sub("value") else {
            return Err(wrong(at, expected(a), &Value::String(id)));
        };
        let allowed = match a.multi_valued {
            true => a.sub("$ref").is_some() && self.profile.allows(Leniency::MemberIdStrings),
            false if id.is_empty() => self.profile.allows(Leniency::EmptyManagerClears),
            false => self.profile.allows(Leniency::ManagerAsString),
        };
        if !allowed {
            return Err(wrong(at, expected(a), &Value::String(id)));
        }
        if id.is_empty() && !a.multi_valued {
            return Ok(None);
        }
        let mut object = Map::new();
        object.insert(sub.name.clone(), Value::String(id));
        self.complex(a, object, at)
    }

    fn complex(
        &mut self,
        a: &Attribute,
        object: Map<String, Value>,
        at: At<'_>,
    ) -> Result<Option<Value>, Error> {
        if object.is_empty() {
            return Ok(None);
        }
        let mut slots = Slots::new(&a.sub_attributes);
        for (key, value) in object {
            match slots.index(&key) {
                Some(index) => slots.put(index, key, value)?,
                None if a.multi_valued && is_default_part(&key) => {}
                None => self.unknown(At::Sub(&at, &key))?,
            }
        }
        if !a.multi_valued
            && slots.has_empty("value")
            && self.profile.allows(Leniency::EmptyManagerClears)
        {
            return Ok(None);
        }
        let mut out = Map::with_capacity(slots.filled());
        self.fill(slots, at, &mut out)?;
        Ok((!out.is_empty()).then_some(Value::Object(out)))
    }

    /// Checks what was found for a set of attributes and puts it into `out`, in the schema's order.
    pub(super) fn fill(
        &mut self,
        slots: Slots<'_>,
        at: At<'_>,
        out: &mut Map<String, Value>,
    ) -> Result<(), Error> {
        for (attribute, found) in slots.attributes.iter().zip(slots.found) {
            if attribute.mutability == Mutability::ReadOnly {
                continue;
            }
            let here = At::Sub(&at, &attribute.name);
            let Some((key, value)) = found else {
                if attribute.required {
                    return Err(Error::invalid_value(format!("{here} is required")));
                }
                continue;
            };
            match self.attribute(attribute, value, here)? {
                Some(value) => {
                    let key = if key == attribute.name {
                        key
                    } else {
                        attribute.name.clone()
                    };
                    out.insert(key, value);
                }
                None if attribute.required => {
                    return Err(Error::invalid_value(format!("{here} is required")));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// An attribute that no schema of the type has: noted, or refused where the profile demands it.
    pub(super) fn unknown(&mut self, at: At<'_>) -> Result<(), Error> {
        if self.profile.allows(Leniency::UnknownAttributes) {
            self.notes.add(&at.to_string());
            Ok(())
        } else {
            Err(Error::invalid_syntax(format!("There is no attribute {at}")))
        }
    }
}

/// What an object has for each attribute of a list, with the spelling that it used.
pub(super) struct Slots<'a> {
    pub(super) attributes: &'a [Attribute],
    pub(super) found: Vec<Option<(String, Value)>>,
}

impl<'a> Slots<'a> {
    pub(super) fn new(attributes: &'a [Attribute]) -> Self {
        Self {
            attributes,
            found: vec![None; attributes.len()],
        }
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.attributes
            .iter()
            .position(|a| a.name.eq_ignore_ascii_case(name))
    }

    /// Keeps a value. Attribute names have no letter case (RFC 7643 section 2.1), so that two spellings of one name
    /// are the same attribute twice.
    pub(super) fn put(&mut self, index: usize, key: String, value: Value) -> Result<(), Error> {
        match &self.found[index] {
            Some((first, _)) => Err(Error::invalid_syntax(format!(
                "`{first}` and `{key}` are the same attribute; send it once"
            ))),
            None => {
                self.found[index] = Some((key, value));
                Ok(())
            }
        }
    }

    pub(super) fn filled(&self) -> usize {
        self.found.iter().flatten().count()
    }

    fn has_empty(&self, name: &str) -> bool {
        let found = self
            .index(name)
            .and_then(|index| self.found[index].as_ref());
        found.is_some_and(|(_, value)| value.as_str() == Some(""))
    }
}

/// Where a value stands; turned into text for errors and notes only.
#[derive(Clone, Copy)]
pub(super) enum At<'p> {
    /// A path from outside.
    Root(&'p str),
    /// The attributes of the resource itself.
    Resource,
    /// The attributes of an extension, by its URN.
    Extension(&'p str),
    /// An attribute or sub-attribute.
    Sub(&'p Self, &'p str),
    /// An element of a list, counted from 0.
    Index(&'p Self, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(path) => f.write_str(path),
            Self::Resource => f.write_str("the resource"),
            Self::Extension(urn) => f.write_str(urn),
            Self::Sub(Self::Resource, name) => f.write_str(name),
            Self::Sub(Self::Extension(urn), name) => write!(f, "{urn}:{name}"),
            Self::Sub(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Removes elements that repeat an earlier one; the first stays, and is the primary one if any of them is.
/// Elements with the same `type` and `value` are the same (RFC 7643 section 2.4).
fn collapse(list: &mut Vec<Value>) {
    if list.len() < 2 {
        return;
    }
    let mut first = HashMap::with_capacity(list.len());
    let mut repeats = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let original = *first.entry(Identity::of(value)).or_insert(index);
        if original != index {
            repeats.push((original, index));
        }
    }
    for &(original, repeat) in &repeats {
        if is_primary(&list[repeat])
            && let Some(object) = list[original].as_object_mut()
        {
            object.insert("primary".into(), Value::Bool(true));
        }
    }
    let mut index = 0;
    let mut repeats = repeats.into_iter().map(|(_, repeat)| repeat).peekable();
    list.retain(|_| {
        index += 1;
        repeats.next_if_eq(&(index - 1)).is_none()
    });
}

#[derive(PartialEq, Eq, Hash)]
enum Identity<'v> {
    Typed(Option<&'v str>, &'v str),
    Whole(&'v Value),
}

impl<'v> Identity<'v> {
    fn of(value: &'v Value) -> Self {
        match value.get("value").and_then(Value::as_str) {
            Some(text) => Self::Typed(value.get("type").and_then(Value::as_str), text),
            None => Self::Whole(value),
        }
    }
}

/// The sub-attributes that RFC 7643 section 2.4 gives to every multi-valued attribute. Those that a schema does not
/// list, such as `display` of members in the RFC's own examples, are ignored and no cause for a note.
fn is_default_part(name: &str) -> bool {
    ["value", "display", "type", "primary", "$ref"]
        .iter()
        .any(|part| part.eq_ignore_ascii_case(name))
}

fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

fn boolean(s: &str) -> Option<bool> {
    if s.eq_ignore_ascii_case("true") {
        Some(true)
    } else if s.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Base64 with padding (RFC 4648 section 4, which RFC 7643 section 2.3.6 demands).
fn is_base64(s: &str) -> bool {
    let digits = s.trim_end_matches('=');
    s.len().is_multiple_of(4)
        && s.len() - digits.len() <= 2
        && digits
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

fn expected(a: &Attribute) -> &'static str {
    match a.kind {
        Kind::String => "a string",
        Kind::Boolean => "true or false",
        Kind::Decimal => "a number",
        Kind::Integer => "a whole number",
        Kind::DateTime => "a date and time such as 2026-11-21T19:24:00Z",
        Kind::Binary => "a string of base64 with padding",
        Kind::Reference => "a URI as a string",
        Kind::Complex => "an object",
    }
}

fn wrong(at: At<'_>, expected: &str, found: &Value) -> Error {
    Error::invalid_value(format!("{at} must be {expected}, not {}", shown(found)))
}

/// A value as errors show it: short, and without what may be personal in long texts.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) if s.chars().count() <= 40 => {
            format!("the string {}", Value::String(s.clone()))
        }
        Value::String(_) => "a longer string".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
