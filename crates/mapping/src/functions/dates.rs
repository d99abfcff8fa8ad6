//! Dates. A parameter that is a date may be text that `CDate` would read.

use std::borrow::Cow;

use super::{Evaluated, Function, Prepared};
use crate::date::{Date, Format, Interval, Styles};
use crate::evaluate::{Arguments, Reason, Stop};
use crate::expression::{Node, ParseErrorKind, Problem};
use crate::value::Value;

pub(super) fn now<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(Value::Date(arguments.now()))
}

pub(super) fn c_date<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(arguments.date(0)?.map_or(Value::Null, Value::Date))
}

pub(super) fn add<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let interval = interval(arguments)?;
    let (Some(count), Some(date)) = (arguments.integer(1)?, arguments.date(2)?) else {
        return Ok(Value::Null);
    };
    let later = date.add(interval, count);
    let later = later.ok_or_else(|| arguments.fail(Reason::OutOfRange("the date".into())))?;
    Ok(Value::Date(later))
}

pub(super) fn diff<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let interval = interval(arguments)?;
    let (Some(from), Some(to)) = (arguments.date(1)?, arguments.date(2)?) else {
        return Ok(Value::Null);
    };
    Ok(Value::integer(from.until(to, interval)))
}

pub(super) fn from_num<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(ticks) = arguments.integer(0)? else {
        return Ok(Value::Null);
    };
    let date = (ticks >= 0).then(|| Date::from_ticks(ticks)).flatten();
    let date = date.ok_or_else(|| arguments.fail(Reason::OutOfRange(ticks.to_string())))?;
    Ok(Value::Date(date))
}

pub(super) fn num_from<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(match arguments.date(0)? {
        None => Value::Null,
        Some(date) => Value::integer(date.ticks()),
    })
}

/// Null and empty text stay what they are: they are no date in any format.
pub(super) fn format<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    if text.is_empty() {
        return Ok(Value::Text(text));
    }
    let (styles, input, output) = slots(arguments.count());
    let styles = match styles
        .map(|index| arguments.text(index))
        .transpose()?
        .flatten()
    {
        None => Styles::default(),
        Some(names) if names.is_empty() => Styles::default(),
        Some(names) => {
            Styles::parse(&names).map_err(|name| arguments.fail(Reason::UnknownWord(name)))?
        }
    };
    let Prepared::Formats(known_input, known_output) = arguments.prepared() else {
        return Ok(Value::Text(text));
    };
    let input = compiled(arguments, known_input.as_ref(), input)?;
    let output = compiled(arguments, known_output.as_ref(), output)?;
    let date = input.read(&text, styles).ok_or_else(|| {
        arguments.fail(Reason::NotInFormat {
            text: text.to_string(),
            format: input.text().to_owned(),
        })
    })?;
    Ok(Value::text(output.write(date)))
}

/// Where styles and formats stand: the older form has no styles.
fn slots(count: usize) -> (Option<usize>, usize, usize) {
    match count {
        3 => (None, 1, 2),
        _ => (Some(1), 2, 3),
    }
}

fn compiled<'a>(
    arguments: Arguments<'_, 'a>,
    known: Option<&'a Format>,
    index: usize,
) -> Result<Cow<'a, Format>, Stop> {
    if let Some(format) = known {
        return Ok(Cow::Borrowed(format));
    }
    let text = arguments.text(index)?.unwrap_or_default();
    let format = Format::new(&text);
    format
        .map(Cow::Owned)
        .map_err(|error| arguments.fail(Reason::DateFormat(error.to_string())))
}

pub(super) fn prepare(
    function: &Function,
    arguments: &[Option<Node>],
    at: usize,
) -> Result<Prepared, Problem> {
    let (styles, input, output) = slots(arguments.len());
    let compiled = |index: usize, name| -> Result<Option<Format>, Problem> {
        let Some(Some(node)) = arguments.get(index) else {
            return Err(function.missing(name, at));
        };
        let format = node.constant().map(Format::new).transpose();
        format.map_err(|error| Problem::new(node.at, error))
    };
    if let Some(Some(node)) = styles.and_then(|index| arguments.get(index))
        && let Some(names) = node.constant().filter(|names| !names.is_empty())
        && let Err(name) = Styles::parse(names)
    {
        return Err(wrong(function, "dateTimeStyles", &name, node.at));
    }
    let input = compiled(input, "inputFormat")?;
    Ok(Prepared::Formats(input, compiled(output, "outputFormat")?))
}

/// Refuses an interval that is a constant and none.
pub(super) fn check_interval(
    function: &Function,
    arguments: &[Option<Node>],
) -> Result<Prepared, Problem> {
    if let Some(Some(node)) = arguments.first()
        && let Some(name) = node.constant()
        && Interval::by_name(name).is_none()
    {
        let names: Vec<&str> = Interval::ALL.iter().map(|(name, _)| *name).collect();
        let hint = format!("it is one of {}", names.join(", "));
        return Err(wrong(function, "interval", name, node.at).hint(hint));
    }
    Ok(Prepared::Nothing)
}

fn wrong(function: &Function, parameter: &'static str, value: &str, at: usize) -> Problem {
    let kind = ParseErrorKind::Parameter {
        function: function.name,
        parameter,
        value: value.to_owned(),
    };
    Problem::new(at, kind)
}

fn interval(arguments: Arguments<'_, '_>) -> Result<Interval, Stop> {
    let name = arguments.text(0)?.unwrap_or_default();
    Interval::by_name(&name).ok_or_else(|| arguments.fail(Reason::UnknownWord(name.into_owned())))
}
