//! What of a resource may be told: everything but values that are never returned.

use portreeve_scim::schema::{Attribute, ResourceType, Returned};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A resource without the values that its schemas never return (RFC 7643 section 7), for whoever is told of it. Of the RFC's own
/// attributes only passwords are such, which are not stored; a directory's own extensions may have others.
pub fn shown<'a>(of: &ResourceType, map: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    let mut out = Cow::Borrowed(map);
    for (schema, _) in &of.extensions {
        if !schema.attributes.iter().any(secret_inside) || !map.contains_key(&schema.id) {
            continue;
        }
        if let Some(Value::Object(extension)) = out.to_mut().get_mut(&schema.id) {
            drop_secrets(&schema.attributes, extension);
        }
    }
    out
}

fn secret_inside(attribute: &Attribute) -> bool {
    attribute.returned == Returned::Never || attribute.sub_attributes.iter().any(secret_inside)
}

fn drop_secrets(attributes: &[Attribute], map: &mut Map<String, Value>) {
    for attribute in attributes {
        if attribute.returned == Returned::Never {
            map.shift_remove(&attribute.name);
            continue;
        }
        match map.get_mut(&attribute.name) {
            Some(Value::Object(inner)) => drop_secrets(&attribute.sub_attributes, inner),
            Some(Value::Array(list)) => {
                for element in list.iter_mut().filter_map(Value::as_object_mut) {
                    drop_secrets(&attribute.sub_attributes, element);
                }
            }
            _ => {}
        }
    }
}
