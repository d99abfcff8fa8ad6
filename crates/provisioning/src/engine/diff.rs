//! From the values that the mappings give to what is sent: a whole resource, or the changes to the one that is there.
//!
//! References (managers, members) are left out: what they refer to may not exist yet, so they are written later, by the
//! ids of the target.

use portreeve_mapping::mapping::{Assigned, Flow, Scalar, Target, TargetKind};
use serde_json::{Map, Value, json};

use super::steps::{ModifiedProperty, REDACTED};
use crate::target::{Dialect, Patch, ResourceKind, member};

mod compare;
mod place;

use compare::{has_value, same, same_element, shown_text};
use place::{Place, element};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What is to be sent so that a resource has the values that it should have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// The changes. Without any, the export is redundant.
    pub patch: Patch,
    /// The same for the log.
    pub modified: Vec<ModifiedProperty>,
}

/// Compares what a GET showed with the values that the resource should have.
///
/// An attribute without a value is given one with `Add`, one with another value gets it with `Replace`, and one that
/// has the value already is left out (RFC 7644 section 3.5.2, in the way of Entra's traffic).
#[must_use]
pub fn difference(shown: &Map<String, Value>, wanted: &[Assigned<'_>]) -> Difference {
    let placed = placed(wanted);
    let mut difference = Difference::default();
    for (place, assigned) in &placed {
        if place.is_lonely_primary(&placed) && !place.has_element(shown) {
            continue;
        }
        let Some(change) = change(place, assigned, shown) else {
            continue;
        };
        difference.modified.push(modified(
            assigned,
            place.shown(shown).filter(|value| has_value(value)),
        ));
        let path = place.path();
        difference.patch = match change {
            Change::Add(value) => difference.patch.add(path, value),
            Change::Replace(value) => difference.patch.replace(path, value),
            Change::Remove => difference.patch.remove(path),
        };
    }
    difference
}

/// The body of the POST that makes a resource, and its values for the log.
///
/// In the default dialect `schemas` names the enterprise extension and no other, as Entra's traffic does; in the
/// compliant one it names every extension that has values (RFC 7643 section 3). The work element of a list is its
/// primary one, as Entra makes it, unless mappings say which one is.
#[must_use]
pub fn resource(
    kind: ResourceKind,
    wanted: &[Assigned<'_>],
    dialect: Dialect,
) -> (Value, Vec<ModifiedProperty>) {
    let placed = placed(wanted);
    let mut body = Map::new();
    let mut modifications = Vec::new();
    for (place, assigned) in &placed {
        let Some(value) = json_of(place, &assigned.value, None) else {
            continue;
        };
        if !place.is_lonely_primary(&placed) {
            place.write(&mut body, value);
            modifications.push(modified(assigned, None));
        }
    }
    for place in placed
        .iter()
        .filter_map(|(place, _)| place.work_primary(&placed))
    {
        if place.has_element(&body) {
            place.write(&mut body, Value::Bool(true));
        }
    }
    let (base, name) = match kind {
        ResourceKind::User => (USER, "User"),
        ResourceKind::Group => (GROUP, "Group"),
    };
    let named = |urn: &&String| dialect == Dialect::Compliant || *urn == ENTERPRISE;
    let extensions = body.keys().filter(|key| key.contains(':')).filter(named);
    let schemas: Value = std::iter::once(base)
        .chain(extensions.map(String::as_str))
        .collect();
    let mut whole = Map::from_iter([("schemas".to_owned(), schemas)]);
    whole.append(&mut body);
    whole.insert("meta".to_owned(), json!({"resourceType": name}));
    (Value::Object(whole), modifications)
}

/// What the references among the values refer to at the source, by the attribute that holds them.
pub fn references<'a>(
    wanted: &'a [Assigned<'_>],
) -> impl Iterator<Item = (&'a Target, Vec<&'a str>)> {
    let is_reference = |assigned: &&Assigned<'_>| assigned.target.kind == TargetKind::Reference;
    wanted.iter().filter(is_reference).map(|assigned| {
        let scalars = scalars(&assigned.value).iter();
        let keys = scalars.filter_map(|scalar| match scalar {
            Scalar::Reference(key) => Some(key.as_str()),
            _ => None,
        });
        (assigned.target, keys.collect())
    })
}

/// What a resource shows in an attribute that refers to others: their ids.
#[must_use]
pub fn shown_references(shown: &Map<String, Value>, target: &Target) -> Vec<String> {
    let there = Place::of(target).shown(shown);
    let elements = match there {
        Some(Value::Array(elements)) => elements.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let id = |element: &Value| match element {
        Value::Object(members) => member(members, "value")?.as_str().map(str::to_owned),
        plain => plain.as_str().map(str::to_owned),
    };
    elements.iter().filter_map(id).collect()
}

enum Change {
    Add(Value),
    Replace(Value),
    Remove,
}

type Placed<'a, 'm> = Vec<(Place, &'a Assigned<'m>)>;

fn placed<'a, 'm>(wanted: &'a [Assigned<'m>]) -> Placed<'a, 'm> {
    let written = |assigned: &&Assigned<'_>| {
        !matches!(
            assigned.target.kind,
            TargetKind::Reference | TargetKind::ObjectFilter
        )
    };
    wanted
        .iter()
        .filter(written)
        .map(|assigned| (Place::of(assigned.target), assigned))
        .collect()
}

fn change(place: &Place, assigned: &Assigned<'_>, shown: &Map<String, Value>) -> Option<Change> {
    let there = place.shown(shown).filter(|value| has_value(value));
    let add_or_replace = |value| match there {
        None => Change::Add(value),
        Some(_) => Change::Replace(value),
    };
    match &assigned.value {
        _ if assigned.only_if_empty && there.is_some() => None,
        Flow::Null => there.map(|_| Change::Remove),
        Flow::One(scalar) if place.holds(shown, |have| same(assigned.target, have, scalar)) => None,
        Flow::One(scalar) => Some(add_or_replace(scalar.to_json())),
        Flow::Many(_) if assigned.additive => {
            let missing = missing(place, assigned, there);
            json_of(place, &Flow::Many(missing), there).map(Change::Add)
        }
        Flow::Many(_) => {
            let equal =
                missing(place, assigned, there).is_empty() && !surplus(place, assigned, there);
            match equal {
                true => None,
                false => json_of(place, &assigned.value, there).map(add_or_replace),
            }
        }
    }
}

/// The values of a list that the target does not have.
fn missing(place: &Place, assigned: &Assigned<'_>, there: Option<&Value>) -> Vec<Scalar> {
    let have = there.and_then(Value::as_array);
    let is_missing = |scalar: &&Scalar| {
        !have
            .into_iter()
            .flatten()
            .any(|element| same_element(assigned.target, place.part(), element, scalar))
    };
    let mut missing: Vec<Scalar> = Vec::new();
    for scalar in scalars(&assigned.value).iter().filter(is_missing) {
        if !missing.contains(scalar) {
            missing.push(scalar.clone());
        }
    }
    missing
}

/// Whether the target has values in a list that are not wanted.
fn surplus(place: &Place, assigned: &Assigned<'_>, there: Option<&Value>) -> bool {
    let mut have = there.and_then(Value::as_array).into_iter().flatten();
    have.any(|element| {
        !scalars(&assigned.value)
            .iter()
            .any(|scalar| same_element(assigned.target, place.part(), element, scalar))
    })
}

/// A value as it is sent; `None` where there is none to send.
fn json_of(place: &Place, flow: &Flow, there: Option<&Value>) -> Option<Value> {
    match flow {
        Flow::Null => None,
        Flow::One(scalar) => Some(scalar.to_json()),
        Flow::Many(scalars) if scalars.is_empty() => None,
        Flow::Many(scalars) => {
            let elements = scalars.iter().map(|scalar| element(place, scalar, there));
            Some(elements.collect())
        }
    }
}

fn scalars(flow: &Flow) -> &[Scalar] {
    match flow {
        Flow::Null => &[],
        Flow::One(scalar) => std::slice::from_ref(scalar),
        Flow::Many(scalars) => scalars,
    }
}

fn modified(assigned: &Assigned<'_>, old: Option<&Value>) -> ModifiedProperty {
    let hidden = |text: String| match assigned.redacted {
        true => REDACTED.to_owned(),
        false => text,
    };
    let new = match &assigned.value {
        Flow::Null => None,
        Flow::One(scalar) => Some(shown_text(&scalar.to_json())),
        Flow::Many(scalars) => {
            let list: Value = scalars.iter().map(Scalar::to_json).collect();
            Some(shown_text(&list))
        }
    };
    ModifiedProperty {
        display_name: assigned.target.text.clone(),
        old_value: old.map(shown_text).map(hidden),
        new_value: new.map(hidden),
    }
}

#[cfg(test)]
mod tests;
