//! Numbers.

use super::Evaluated;
use crate::evaluate::Arguments;
use crate::value::Value;

pub(super) fn bit_and<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(match (arguments.integer(0)?, arguments.integer(1)?) {
        (Some(a), Some(b)) => Value::integer(a & b),
        _ => Value::Null,
    })
}
