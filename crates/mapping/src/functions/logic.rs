//! Conditions, choices, and what becomes of null.

use super::Evaluated;
use crate::evaluate::{Arguments, Reason, Stop};
use crate::value::Value;

pub(super) fn c_bool<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    arguments.truth(0).map(Value::Boolean)
}

/// Evaluates only the branch that is taken.
pub(super) fn iif<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let branch = if arguments.truth(0)? { 1 } else { 2 };
    arguments.value(branch)
}

/// Keys compare with case and as text. A source that is null or empty takes the key `""`.
pub(super) fn switch<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let source = arguments.text(0)?.unwrap_or_default();
    for index in (2..arguments.count()).step_by(2) {
        if arguments.text(index)?.is_some_and(|key| key == source) {
            return arguments.value(index + 1);
        }
    }
    arguments.value(1)
}

pub(super) fn coalesce<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    for value in arguments.values(0) {
        let value = value?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}

/// Anything that is not true, also null and other text, becomes True. Letter case does not matter.
pub(super) fn not<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let value = arguments.value(0)?;
    let is_true = match value.single() {
        Some(Value::Boolean(truth)) => *truth,
        Some(Value::Text(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    Ok(Value::Boolean(!is_true))
}

pub(super) fn is_null<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(Value::Boolean(arguments.value(0)?.is_null()))
}

pub(super) fn is_null_or_empty<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(Value::Boolean(arguments.value(0)?.is_null_or_empty()))
}

pub(super) fn is_present<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(Value::Boolean(!arguments.value(0)?.is_null_or_empty()))
}

pub(super) fn is_string<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let value = arguments.value(0)?;
    Ok(Value::Boolean(matches!(
        value.single(),
        Some(Value::Text(_))
    )))
}

pub(super) fn ignore_if_empty<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let value = arguments.value(0)?;
    match value.is_null_or_empty() {
        true => Err(Stop::IgnoreAttribute),
        false => Ok(value),
    }
}

pub(super) fn same<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    arguments.value(0)
}

/// A rule without a value is passed over.
pub(super) fn select_unique<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    for index in 0..arguments.count() {
        if let Some(text) = arguments.text(index)?
            && !text.is_empty()
            && !arguments.is_taken(&text)
        {
            return Ok(Value::Text(text));
        }
    }
    Err(arguments.fail(Reason::AllTaken))
}
