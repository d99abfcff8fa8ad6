//! Whether a target has a value already, by the rules of the attribute and with what real servers do to values.

use portreeve_mapping::mapping::{Scalar, Target, TargetKind};
use portreeve_scim::time;
use serde_json::Value;

use crate::target::member;

/// Whether a value counts as one: not `null`, `""`, `[]` or `{}`, nor made of only those (RFC 7643 section 2.5).
pub(super) fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(has_value),
        Value::Object(members) => members.values().any(has_value),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether the shown value is the wanted one. Letter case counts where the attribute says so, dates are instants, and
/// booleans and numbers may be strings.
pub(super) fn same(target: &Target, have: &Value, want: &Scalar) -> bool {
    let want = want.to_json();
    match (have, &want) {
        (Value::Null, Value::String(text)) => text.is_empty(),
        (Value::String(have), Value::String(want)) if target.kind == TargetKind::DateTime => {
            match (time::parse(have), time::parse(want)) {
                (Some(have), Some(want)) => have == want,
                _ => have == want,
            }
        }
        (Value::Number(have), Value::Number(want)) => have.as_f64() == want.as_f64(),
        (Value::Object(_) | Value::Array(_), _) => false,
        (have, Value::Bool(_) | Value::Number(_)) => {
            same_text(&shown_text(have), &shown_text(&want), false)
        }
        _ => same_text(&shown_text(have), &shown_text(&want), target.case_exact),
    }
}

/// Whether an element of a list is the wanted value: a plain one, or an object with it in `part`. Of a role, every
/// member that is sent counts.
pub(super) fn same_element(target: &Target, part: &str, have: &Value, want: &Scalar) -> bool {
    let Value::Object(members) = have else {
        return !matches!(want, Scalar::Role(_)) && same(target, have, want);
    };
    match want.to_json() {
        Value::Object(wanted) => wanted.iter().all(|(name, want)| {
            let have = member(members, name).unwrap_or(&Value::Null);
            same_text(&shown_text(have), &shown_text(want), target.case_exact)
                // A role that is not said to be primary is not.
                || (*want == Value::Bool(false) && have.is_null())
        }),
        _ => member(members, part).is_some_and(|have| same(target, have, want)),
    }
}

/// A value in one line of text, with booleans as Entra writes them.
pub(super) fn shown_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(super) fn same_text(have: &str, want: &str, case_exact: bool) -> bool {
    have == want || (!case_exact && have.to_lowercase() == want.to_lowercase())
}
