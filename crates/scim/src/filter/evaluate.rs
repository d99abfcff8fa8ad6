//! The one comparison of a stored value with a literal.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Literal, Op};
use crate::schema::{Attribute, Kind};
use crate::{text, time};

/// Whether `have op want`, by the rules of the attribute: letter case by `caseExact` (and by PRECIS for `userName`),
/// dates as instants, numbers by value. `have` is one value, not a list; `null` counts as absent, which is not equal
/// to any literal but `null`. A literal of another type than the attribute's never matches.
pub fn compare(attribute: &Attribute, op: Op, have: &Value, want: &Literal) -> bool {
    match (want, op) {
        (Literal::Null, Op::Eq) => !has_value(have),
        (Literal::Null, Op::Ne) => has_value(have),
        _ => match Wanted::new(attribute, want) {
            Some(wanted) => wanted.holds(attribute, op, Some(have)),
            None => op == Op::Ne,
        },
    }
}

/// Whether a value counts as assigned (RFC 7643 section 2.5): not `null`, `[]`, `{}`, nor made of only those.
pub(crate) fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(elements) => elements.iter().any(has_value),
        Value::Object(members) => members.values().any(has_value),
        _ => true,
    }
}

/// A literal in the form in which it is compared, so that one filter over many resources prepares it once.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    Text(String),
    Instant(i64),
    Number(Number),
    Bool(bool),
}

impl Wanted {
    /// `None` when no value of this attribute can compare with that literal.
    pub(super) fn new(attribute: &Attribute, literal: &Literal) -> Option<Self> {
        match (attribute.kind, literal) {
            (Kind::String | Kind::Reference | Kind::Binary, Literal::String(text)) => {
                Some(Self::Text(key(attribute, text).into_owned()))
            }
            (Kind::DateTime, Literal::String(text)) => time::parse(text).map(Self::Instant),
            (Kind::Integer | Kind::Decimal, Literal::Number(number)) => {
                Some(Self::Number(number.clone()))
            }
            (Kind::Boolean, Literal::Bool(truth)) => Some(Self::Bool(*truth)),
            _ => None,
        }
    }

    pub(super) fn holds(&self, attribute: &Attribute, op: Op, have: Option<&Value>) -> bool {
        let order = match (self, have) {
            (Self::Text(want), Some(Value::String(have))) => {
                let have = key(attribute, have);
                match op {
                    Op::Co => return have.contains(want.as_str()),
                    Op::Sw => return have.starts_with(want.as_str()),
                    Op::Ew => return have.ends_with(want.as_str()),
                    _ => Some(have.as_ref().cmp(want.as_str())),
                }
            }
            (Self::Instant(want), Some(Value::String(have))) => {
                time::parse(have).map(|have| have.cmp(want))
            }
            (Self::Number(want), Some(Value::Number(have))) => compare_numbers(have, want),
            (Self::Bool(want), Some(Value::Bool(have))) => Some(have.cmp(want)),
            _ => None,
        };
        match op {
            Op::Eq => order == Some(Ordering::Equal),
            Op::Ne => order != Some(Ordering::Equal),
            Op::Gt => order == Some(Ordering::Greater),
            Op::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Op::Lt => order == Some(Ordering::Less),
            Op::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Op::Co | Op::Sw | Op::Ew => false,
        }
    }
}

/// The form of a string in which two that mean the same are the same.
fn key<'a>(attribute: &Attribute, text: &'a str) -> Cow<'a, str> {
    if attribute.case_exact || attribute.kind == Kind::Binary {
        Cow::Borrowed(text)
    } else if attribute.name == "userName" {
        Cow::Owned(text::user_name_key(text))
    } else {
        text::fold(text)
    }
}

fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    let whole = |n: &Number| {
        n.as_i64()
            .map(i128::from)
            .or_else(|| n.as_u64().map(i128::from))
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}
