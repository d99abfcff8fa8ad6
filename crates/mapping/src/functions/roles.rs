//! Application roles. Which ones somebody has is the source's to say, in the attribute `appRoleAssignments`: as
//! texts, or as roles with a name for people.

use std::borrow::Cow;

use super::Evaluated;
use crate::evaluate::Arguments;
use crate::value::{Role, Value};

pub(super) fn single<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let first = arguments.value(0)?.into_items().into_iter().next();
    let text = first.and_then(Value::into_text);
    Ok(text.map_or(Value::Null, Value::Text))
}

pub(super) fn names<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let value = arguments.value(0)?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    let items = value.into_items().into_iter();
    let names = items.filter_map(|item| item.into_text().map(Value::Text));
    Ok(Value::List(names.collect()))
}

pub(super) fn complex<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let value = arguments.value(0)?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    let roles = value
        .into_items()
        .into_iter()
        .filter_map(|item| match item {
            role @ Value::Role(_) => Some(role),
            other => other.into_text().map(|text| {
                Value::Role(Cow::Owned(Role {
                    value: text.to_string(),
                    display: text.into_owned(),
                }))
            }),
        });
    Ok(Value::List(roles.collect()))
}
