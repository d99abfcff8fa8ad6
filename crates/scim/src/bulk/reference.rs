//! References `bulkId:x` to resources that another operation of the same request makes (RFC 7644 section 3.7.2).

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

/// A reference to a resource that was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The operation refers to bulkId:{bulk_id}, which was not created because its own operation failed"
)]
pub struct UnresolvedRef {
    /// The `bulkId` referred to.
    pub bulk_id: String,
}

/// The `bulkId`s that a body refers to: every string value `bulkId:x`, at any depth, and every `$ref` that ends in
/// `/bulkId:x`.
pub fn references(data: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(data, "", &mut found);
    found
}

fn collect(value: &Value, key: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::String(s) => found.extend(split(key, s).map(|(_, bulk_id)| bulk_id.to_owned())),
        Value::Array(list) => list.iter().for_each(|v| collect(v, key, found)),
        Value::Object(object) => object.iter().for_each(|(key, v)| collect(v, key, found)),
        _ => {}
    }
}

/// Puts ids in the place of references.
///
/// # Errors
/// [`UnresolvedRef`] for a `bulkId` that has no id; some references may then be replaced already, and the value must
/// not be used.
pub fn substitute(data: &mut Value, ids: &HashMap<String, String>) -> Result<(), UnresolvedRef> {
    replace(data, "", ids)
}

fn replace(
    value: &mut Value,
    key: &str,
    ids: &HashMap<String, String>,
) -> Result<(), UnresolvedRef> {
    match value {
        Value::String(s) => {
            if let Some((prefix, bulk_id)) = split(key, s) {
                *s = format!("{prefix}{}", resolve(bulk_id, ids)?);
            }
            Ok(())
        }
        Value::Array(list) => list.iter_mut().try_for_each(|v| replace(v, key, ids)),
        Value::Object(object) => object
            .iter_mut()
            .try_for_each(|(key, v)| replace(v, key, ids)),
        _ => Ok(()),
    }
}

/// Takes out of the data of a POST what mentions one of these `bulkId`s (an element of a list, else the whole
/// attribute) and gives the PATCH that adds it again. The references in that PATCH are still to be
/// [substituted](substitute).
pub fn leave_out(data: &mut Value, bulk_ids: &BTreeSet<String>) -> Value {
    let mut operations = Vec::new();
    if let Value::Object(object) = data {
        object.retain(|key, value| match value {
            // The data of an extension, which has attributes of its own.
            Value::Object(extension) if key.contains(':') => {
                leave_out_of(extension, &format!("{key}:"), bulk_ids, &mut operations);
                !extension.is_empty()
            }
            _ => keep(value, key, bulk_ids, &mut operations),
        });
    }
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

fn leave_out_of(
    object: &mut Map<String, Value>,
    prefix: &str,
    bulk_ids: &BTreeSet<String>,
    operations: &mut Vec<Value>,
) {
    object.retain(|key, value| keep(value, &format!("{prefix}{key}"), bulk_ids, operations));
}

/// Whether the attribute stays; what of it does not becomes an operation.
fn keep(
    value: &mut Value,
    path: &str,
    bulk_ids: &BTreeSet<String>,
    operations: &mut Vec<Value>,
) -> bool {
    let mentions = |value: &Value| !references(value).is_disjoint(bulk_ids);
    let (left_out, stays) = match value {
        Value::Array(list) => {
            let (left_out, kept): (Vec<_>, Vec<_>) =
                std::mem::take(list).into_iter().partition(mentions);
            *list = kept;
            (
                (!left_out.is_empty()).then_some(Value::Array(left_out)),
                !list.is_empty(),
            )
        }
        value if mentions(value) => (Some(value.take()), false),
        _ => (None, true),
    };
    match left_out {
        Some(value) => operations.push(json!({ "op": "add", "path": path, "value": value })),
        None => return true,
    }
    stays
}

/// The id of the resource that an operation made.
pub(super) fn resolve<'i>(
    bulk_id: &str,
    ids: &'i HashMap<String, String>,
) -> Result<&'i str, UnresolvedRef> {
    ids.get(bulk_id)
        .map(String::as_str)
        .ok_or_else(|| UnresolvedRef {
            bulk_id: bulk_id.to_owned(),
        })
}

/// The `bulkId` of a text that is a reference.
pub(super) fn of(text: &str) -> Option<&str> {
    text.strip_prefix(MARK)
}

/// A string value as what stands before the id, and the `bulkId`.
fn split<'s>(key: &str, text: &'s str) -> Option<(&'s str, &'s str)> {
    if let Some(bulk_id) = of(text) {
        return Some(("", bulk_id));
    }
    let start = text
        .rfind("/bulkId:")
        .filter(|_| key.eq_ignore_ascii_case("$ref"))?
        + 1;
    Some((&text[..start], &text[start + MARK.len()..]))
}

const MARK: &str = "bulkId:";
