//! Elements of multi-valued attributes: finding, making, changing, and the rules that hold among them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::read::Place;
use super::{Edit, Part};
use crate::filter::{Checked, Filter, Literal, Op, compare};
use crate::resource::{self, Notes};
use crate::schema::{Attribute, Mutability};
use crate::{Error, Profile};

/// The parts of the one element that a filter of `eq` terms joined by `and` describes; `None` for other filters.
pub(super) fn described(
    filter: &Filter,
    place: Place<'_>,
    profile: Profile,
    notes: &mut Notes,
) -> Result<Option<Vec<Part>>, Error> {
    let mut parts = Vec::new();
    let terms = match filter {
        Filter::And(terms) => terms.as_slice(),
        one => std::slice::from_ref(one),
    };
    for term in terms {
        let Filter::Compare {
            path,
            op: Op::Eq,
            value,
        } = term
        else {
            return Ok(None);
        };
        let Some(sub) = place.attribute.sub(path.as_str()) else {
            return Ok(None);
        };
        let at = format!("{}.{}", place.name(), sub.name);
        if sub.mutability == Mutability::ReadOnly {
            return Err(Error::mutability(format!(
                "{at} is read-only; no element can be made with it"
            )));
        }
        let value = resource::normalize(sub, json(value), profile, &at, notes)?;
        let part = Part {
            name: sub.name.clone(),
            value,
            append: false,
        };
        if parts
            .iter()
            .any(|other: &Part| other.name == part.name && other.value != part.value)
        {
            return Ok(None);
        }
        parts.push(part);
    }
    Ok(Some(parts))
}

fn json(literal: &Literal) -> Value {
    match literal {
        Literal::String(text) => Value::String(text.clone()),
        Literal::Number(number) => Value::Number(number.clone()),
        Literal::Bool(truth) => Value::Bool(*truth),
        Literal::Null => Value::Null,
    }
}

/// Appends what the list does not have yet.
pub(super) fn append(list: &mut Vec<Value>, new: Vec<Value>) {
    let from = list.len();
    list.extend(new);
    let claimed = (from..list.len()).rfind(|&at| is_primary(&list[at]));
    settle(list, claimed);
}

/// Takes out the elements that are like one of `given`: the same `value`, and the same `type` if one is given; without
/// a `value`, the same in everything given.
pub(super) fn remove_like(attribute: &Attribute, list: &mut Vec<Value>, given: &[Value]) {
    list.retain(|element| !given.iter().any(|given| is_like(attribute, element, given)));
}

fn is_like(attribute: &Attribute, element: &Value, given: &Value) -> bool {
    let (Value::Object(have), Value::Object(want)) = (element, given) else {
        return same(attribute, element, given);
    };
    let by_value = want.contains_key("value");
    want.iter()
        .filter(|(name, _)| !by_value || matches!(name.as_str(), "value" | "type"))
        .all(|(name, want)| {
            attribute
                .sub(name)
                .zip(have.get(name))
                .is_some_and(|(sub, have)| same(sub, have, want))
        })
}

fn same(attribute: &Attribute, have: &Value, want: &Value) -> bool {
    match want {
        Value::String(text) => compare(attribute, Op::Eq, have, &Literal::String(text.clone())),
        other => have == other,
    }
}

/// Changes the elements that satisfy `which`, or all. The number of those.
///
/// # Errors
/// `mutability` when an immutable part would change.
pub(super) fn edit(
    attribute: &Attribute,
    list: &mut Vec<Value>,
    which: Option<&Checked<'_>>,
    edit: &Edit,
) -> Result<usize, Error> {
    let chosen: Vec<usize> = (0..list.len())
        .filter(|&at| which.is_none_or(|filter| filter.matches_element(&list[at])))
        .collect();
    for &at in &chosen {
        change(attribute, &mut list[at], edit)?;
    }
    let claimed = if claims_primary(edit) {
        chosen.last().copied()
    } else {
        None
    };
    settle(list, claimed);
    Ok(chosen.len())
}

/// Appends an element of these parts, changed by the edit.
///
/// # Errors
/// As for [`edit`].
pub(super) fn create(
    attribute: &Attribute,
    list: &mut Vec<Value>,
    parts: &[Part],
    edit: &Edit,
) -> Result<(), Error> {
    let mut object = Map::new();
    merge(attribute, &mut object, parts)?;
    let mut element = Value::Object(object);
    match edit {
        Edit::Put(Value::Object(given)) => {
            if let Some(members) = element.as_object_mut() {
                members.extend(given.clone());
            }
        }
        other => change(attribute, &mut element, other)?,
    }
    append(list, vec![element]);
    Ok(())
}

fn change(attribute: &Attribute, element: &mut Value, edit: &Edit) -> Result<(), Error> {
    match edit {
        Edit::Drop => *element = Value::Null,
        Edit::Put(value) => *element = value.clone(),
        Edit::Merge(parts) => {
            if let Value::Object(members) = element {
                merge(attribute, members, parts)?;
            }
        }
    }
    Ok(())
}

/// Changes parts of a complex value.
///
/// A `$ref` belongs to the `value` it came with: when that changes and no new `$ref` is given, it goes.
///
/// # Errors
/// `mutability` when an immutable part would change.
pub(super) fn merge(
    attribute: &Attribute,
    object: &mut Map<String, Value>,
    parts: &[Part],
) -> Result<(), Error> {
    let value_before = object.get("value").cloned();
    for part in parts {
        let before = object.get(&part.name);
        let after = match (before, &part.value) {
            (Some(Value::Array(had)), Some(Value::Array(new))) if part.append => {
                let mut all = had.clone();
                append(&mut all, new.clone());
                Some(Value::Array(all))
            }
            (Some(_), None) if part.append => continue,
            (_, new) => new.clone(),
        };
        let immutable = attribute
            .sub(&part.name)
            .is_some_and(|sub| sub.mutability == Mutability::Immutable);
        if immutable && before.is_some() && before != after.as_ref() {
            return Err(Error::mutability(format!(
                "{}.{} cannot be changed once it is set",
                attribute.name, part.name
            )));
        }
        match after {
            Some(value) => object.insert(part.name.clone(), value),
            None => object.shift_remove(&part.name),
        };
    }
    if object.get("value") != value_before.as_ref() && !parts.iter().any(|part| part.name == "$ref")
    {
        object.shift_remove("$ref");
    }
    Ok(())
}

/// Restores what holds among the elements of a list: none is empty, none is there twice, and at most
/// one is primary, namely the one that became so last (RFC 7643 section 2.4, RFC 7644 section 3.5.2).
fn settle(list: &mut Vec<Value>, claimed: Option<usize>) {
    let claimed = collapse(list, claimed);
    if let Some(claimed) = claimed {
        for (at, element) in list.iter_mut().enumerate() {
            if is_primary(element) != (at == claimed) {
                set_primary(element, at == claimed);
            }
        }
        // Two elements may have differed in nothing else.
        collapse(list, None);
    }
}

/// Drops what is empty and what repeats an earlier element. The place of the claimed one afterwards.
fn collapse(list: &mut Vec<Value>, claimed: Option<usize>) -> Option<usize> {
    let mut first = HashMap::with_capacity(list.len());
    let mut places = Vec::with_capacity(list.len());
    let mut kept = 0;
    for element in &*list {
        let empty = element.is_null() || element.as_object().is_some_and(Map::is_empty);
        let place = if empty {
            None
        } else {
            Some(*first.entry(identity(element)).or_insert(kept))
        };
        let keep = place == Some(kept);
        kept += usize::from(keep);
        places.push((place, keep));
    }
    let claimed = claimed.and_then(|at| places[at].0);
    let mut places = places.into_iter();
    list.retain(|_| places.next().is_some_and(|(_, keep)| keep));
    claimed
}

/// What makes an element the same as another: `type` and `value`, or everything where it has no `value`.
fn identity(element: &Value) -> (Option<&str>, Option<&str>, Option<&Value>) {
    match element.get("value").and_then(Value::as_str) {
        Some(value) => (
            element.get("type").and_then(Value::as_str),
            Some(value),
            None,
        ),
        None => (None, None, Some(element)),
    }
}

fn claims_primary(edit: &Edit) -> bool {
    match edit {
        Edit::Merge(parts) => parts
            .iter()
            .any(|part| part.name == "primary" && part.value == Some(Value::Bool(true))),
        Edit::Put(value) => is_primary(value),
        Edit::Drop => false,
    }
}

fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

fn set_primary(element: &mut Value, primary: bool) {
    if let Some(members) = element.as_object_mut() {
        members.insert("primary".into(), Value::Bool(primary));
    }
}
