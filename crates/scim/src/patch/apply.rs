//! Applying checked changes to a resource.

use serde_json::{Map, Value};

use super::{Action, Change, Otherwise, elements, numbered};
use crate::filter::has_value;
use crate::schema::{Attribute, Mutability, ResourceType, Schema, common};
use crate::{Error, Resource};

pub(super) fn apply(
    changes: &[Change],
    resource_type: &ResourceType,
    before: &Resource,
) -> Result<Resource, Error> {
    let mut after = before.as_map().clone();
    for change in changes {
        if let Some(attribute) = find(resource_type, change) {
            step(change, attribute, &mut after).map_err(|error| numbered(change.number, error))?;
        }
    }
    let after = Resource::arrange(resource_type, after);
    check_required(changes, resource_type, before.as_map(), after.as_map())?;
    Ok(after)
}

fn find<'t>(resource_type: &'t ResourceType, change: &Change) -> Option<&'t Attribute> {
    match &change.extension {
        Some(urn) => resource_type.extension(urn)?.attribute(&change.attribute),
        None => resource_type.base(&change.attribute),
    }
}

/// One change. The value is taken out of its object, changed, and put back unless nothing is left.
fn step(
    change: &Change,
    attribute: &Attribute,
    resource: &mut Map<String, Value>,
) -> Result<(), Error> {
    let object = match &change.extension {
        None => resource,
        Some(urn) => match resource
            .entry(urn.clone())
            .or_insert_with(|| Value::Object(Map::new()))
        {
            Value::Object(object) => object,
            _ => return Ok(()),
        },
    };
    let before = object
        .get_mut(&attribute.name)
        .map(Value::take)
        .filter(has_value);
    let immutable = attribute.mutability == Mutability::Immutable;
    let fixed = if immutable { before.clone() } else { None };
    let after = changed(&change.action, attribute, before)?;
    if fixed.is_some() && fixed != after {
        return Err(Error::mutability(format!(
            "{} cannot be changed once it is set",
            attribute.name
        )));
    }
    match after {
        Some(value) => object.insert(attribute.name.clone(), value),
        None => object.shift_remove(&attribute.name),
    };
    Ok(())
}

fn changed(
    action: &Action,
    attribute: &Attribute,
    before: Option<Value>,
) -> Result<Option<Value>, Error> {
    Ok(match action {
        Action::Set(value) => Some(value.clone()),
        Action::Unset => None,
        Action::Merge(parts) => {
            let mut object = match before {
                Some(Value::Object(object)) => object,
                _ => Map::new(),
            };
            elements::merge(attribute, &mut object, parts)?;
            (!object.is_empty()).then_some(Value::Object(object))
        }
        list_action => {
            let mut list = match before {
                Some(Value::Array(list)) => list,
                _ => Vec::new(),
            };
            change_list(list_action, attribute, &mut list)?;
            (!list.is_empty()).then_some(Value::Array(list))
        }
    })
}

fn change_list(action: &Action, attribute: &Attribute, list: &mut Vec<Value>) -> Result<(), Error> {
    match action {
        Action::Append(new) => elements::append(list, new.clone()),
        Action::RemoveLike(given) => elements::remove_like(attribute, list, given),
        Action::Elements {
            which,
            profile,
            edit,
            otherwise,
        } => {
            let which = which
                .as_ref()
                .map(|filter| filter.check_elements(attribute, *profile))
                .transpose()?;
            if elements::edit(attribute, list, which.as_ref(), edit)? == 0 {
                match otherwise {
                    Otherwise::Nothing => {}
                    Otherwise::NoTarget(why) => return Err(Error::no_target(why.clone())),
                    Otherwise::Create(parts) => elements::create(attribute, list, parts, edit)?,
                }
            }
        }
        Action::Set(_) | Action::Unset | Action::Merge(_) => {}
    }
    Ok(())
}

/// Refuses a result without what the schemas require, as far as the changes touched it: a resource stored before a
/// schema became stricter can still be changed elsewhere.
fn check_required(
    changes: &[Change],
    resource_type: &ResourceType,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Result<(), Error> {
    for change in changes {
        let Some(attribute) = find(resource_type, change) else {
            continue;
        };
        let checked = match &change.extension {
            None => missing(attribute, before, after),
            Some(urn) => in_extension(resource_type, urn, attribute, before, after),
        };
        checked.map_err(|error| numbered(change.number, error))?;
    }
    Ok(())
}

fn in_extension(
    resource_type: &ResourceType,
    urn: &str,
    attribute: &Attribute,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Result<(), Error> {
    let Some((schema, required)) = resource_type
        .extensions
        .iter()
        .find(|(schema, _)| schema.id == *urn)
    else {
        return Ok(());
    };
    let (had, has) = (
        before.get(urn).and_then(Value::as_object),
        after.get(urn).and_then(Value::as_object),
    );
    match (had, has) {
        (Some(_), None) if *required => Err(Error::mutability(format!(
            "{urn} is required; it cannot be removed"
        ))),
        (_, None) => Ok(()),
        // The first value of an extension brings all of its required attributes into play.
        (None, Some(has)) => complete(schema, has),
        (Some(had), Some(has)) => missing(attribute, had, has),
    }
}

fn complete(schema: &Schema, has: &Map<String, Value>) -> Result<(), Error> {
    schema
        .attributes
        .iter()
        .try_for_each(|attribute| missing(attribute, &Map::new(), has))
}

/// Refuses a required value that is gone or never came.
fn missing(
    attribute: &Attribute,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Result<(), Error> {
    let name = &attribute.name;
    match after.get(name) {
        None if !attribute.required || common().iter().any(|common| common.name == *name) => Ok(()),
        None if before.contains_key(name) => Err(Error::mutability(format!(
            "{name} is required; it cannot be removed"
        ))),
        None => Err(Error::invalid_value(format!("{name} is required"))),
        Some(Value::Array(elements)) => elements
            .iter()
            .try_for_each(|element| missing_parts(attribute, element)),
        Some(value) => missing_parts(attribute, value),
    }
}

fn missing_parts(attribute: &Attribute, value: &Value) -> Result<(), Error> {
    let Value::Object(members) = value else {
        return Ok(());
    };
    let required = attribute
        .sub_attributes
        .iter()
        .filter(|sub| sub.required && sub.mutability != Mutability::ReadOnly);
    match { required }.find(|sub| !members.contains_key(&sub.name)) {
        Some(sub) => Err(Error::invalid_value(format!(
            "{}.{} is required",
            attribute.name, sub.name
        ))),
        None => Ok(()),
    }
}
