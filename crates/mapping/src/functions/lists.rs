//! Lists: taking apart, putting together, counting.

use std::borrow::Cow;

use super::Evaluated;
use crate::evaluate::{Arguments, MAX_OUTPUT_BYTES, Reason};
use crate::value::Value;

pub(super) fn count<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let count = arguments.value(0)?.into_items().len();
    Ok(Value::integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Null has no items and gives null; an index that the list does not have is an error.
pub(super) fn item<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let mut items = arguments.value(0)?.into_items();
    if items.is_empty() {
        return Ok(Value::Null);
    }
    let Some(index) = arguments.integer(1)? else {
        return Ok(Value::Null);
    };
    let place = usize::try_from(index)
        .ok()
        .and_then(|index| index.checked_sub(1));
    match place {
        Some(place) if place < items.len() => Ok(items.swap_remove(place)),
        _ => Err(arguments.fail(Reason::NoItem {
            index,
            count: items.len(),
        })),
    }
}

/// The values of a multi-valued source stand in the list of sources one by one.
pub(super) fn join<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let separator = arguments.text(0)?.unwrap_or_default();
    let mut joined = Cow::Borrowed("");
    for source in arguments.values(1) {
        for item in source?.into_items() {
            let text = item.into_text().unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            if joined.is_empty() {
                joined = text;
                continue;
            }
            let all = joined.to_mut();
            all.push_str(&separator);
            all.push_str(&text);
            if all.len() > MAX_OUTPUT_BYTES {
                return Err(arguments.fail(Reason::TooLong));
            }
        }
    }
    Ok(Value::Text(joined))
}

/// Each value of a multi-valued source is taken apart. Parts that are empty stay, so that the third part is the
/// third however little is in the second.
pub(super) fn split<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let source = arguments.value(0)?;
    if source.is_null() {
        return Ok(Value::Null);
    }
    let delimiter = arguments.text(1)?.unwrap_or_default();
    let mut parts = Vec::new();
    for item in source.into_items() {
        match item.into_text() {
            Some(Cow::Borrowed(text)) => {
                let found = pieces(text, &delimiter).into_iter();
                parts.extend(found.map(|part| Value::Text(Cow::Borrowed(part))));
            }
            Some(Cow::Owned(text)) => {
                let found = pieces(&text, &delimiter).into_iter();
                parts.extend(found.map(|part| Value::text(part.to_owned())));
            }
            None => {}
        }
    }
    Ok(Value::List(parts))
}

/// The trimmed parts of a text; without a delimiter the whole of it.
fn pieces<'t>(text: &'t str, delimiter: &str) -> Vec<&'t str> {
    match delimiter.is_empty() {
        true => vec![text.trim()],
        false => text.split(delimiter).map(str::trim).collect(),
    }
}

/// The first of equal values stays. Letter case counts, as everywhere in the language.
pub(super) fn remove_duplicates<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let value = arguments.value(0)?;
    let Value::List(items) = value else {
        return Ok(value);
    };
    let mut seen = std::collections::HashSet::with_capacity(items.len());
    let unique = items
        .into_iter()
        .filter(|item| seen.insert(item.to_string()));
    Ok(Value::List(unique.collect()))
}
