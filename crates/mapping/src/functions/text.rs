//! Text: parts of it, positions in it, other forms of it.
//!
//! Characters are counted as .NET counts them, in UTF-16 code units, so that positions agree with Entra's also
//! behind characters outside the basic plane. A character is never cut in two: half of one belongs to neither part.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Evaluated;
use crate::evaluate::{Arguments, Reason, Stop};
use crate::value::Value;

pub(super) fn append<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let (source, suffix) = (arguments.text(0)?, arguments.text(1)?);
    Ok(source.map_or(Value::Null, |source| concatenated(source, suffix)))
}

pub(super) fn prepend<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let (prefix, source) = (arguments.text(0)?, arguments.text(1)?);
    Ok(match (prefix, source) {
        (_, None) => Value::Null,
        (None, Some(source)) => Value::Text(source),
        (Some(prefix), source) => concatenated(prefix, source),
    })
}

fn concatenated<'a>(first: Cow<'a, str>, second: Option<Cow<'a, str>>) -> Value<'a> {
    match second {
        Some(second) if !second.is_empty() => Value::Text(first + second),
        _ => Value::Text(first),
    }
}

pub(super) fn c_str<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(arguments.text(0)?.map_or(Value::Null, Value::Text))
}

pub(super) fn default_domain<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let domain = arguments.default_domain();
    domain
        .map(|domain| Value::Text(Cow::Borrowed(domain)))
        .ok_or_else(|| arguments.fail(Reason::NoDefaultDomain))
}

pub(super) fn to_base64<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Ok(Value::text(STANDARD.encode(bytes)))
}

pub(super) fn to_utf8_hex<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
    let hex = text
        .bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte)]);
    Ok(Value::text(hex.collect::<String>()))
}

pub(super) fn len<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let text = arguments.text(0)?.unwrap_or_default();
    Ok(Value::integer(units(&text)))
}

/// Null gives empty text, a negative number the whole text.
pub(super) fn left<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::text(""));
    };
    Ok(Value::Text(match arguments.integer(1)? {
        Some(count) if count >= 0 => part(text, 0, count),
        _ => text,
    }))
}

/// Null gives empty text; a start before the first or behind the last character, and a negative length, give the
/// source unchanged, as they do in Entra Connect.
pub(super) fn mid<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::text(""));
    };
    let (start, length) = (arguments.integer(1)?, arguments.integer(2)?);
    let (Some(start), Some(length)) = (start, length) else {
        return Ok(Value::Text(text));
    };
    if start <= 0 || length < 0 || start > units(&text) {
        return Ok(Value::Text(text));
    }
    Ok(Value::Text(part(text, start - 1, length)))
}

pub(super) fn strip_spaces<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(match arguments.text(0)? {
        None => Value::Null,
        Some(text) if text.contains(' ') => Value::text(text.replace(' ', "")),
        Some(text) => Value::Text(text),
    })
}

/// The position of the first text that is found; an empty one is found where the search starts.
pub(super) fn in_str<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let (Some(text), Some(wanted)) = (arguments.text(0)?, arguments.text(1)?) else {
        return Ok(Value::integer(0));
    };
    let start = arguments.integer(2)?.unwrap_or(1);
    let ignore_case = ignores_case(arguments)?;
    if start < 1 {
        return Err(arguments.fail(Reason::OutOfRange(format!("the start {start}"))));
    }
    let fold = |c: char| match ignore_case {
        true => c.to_lowercase().next().unwrap_or(c),
        false => c,
    };
    let wanted: Vec<char> = wanted.chars().map(fold).collect();
    let folded: Vec<char> = text.chars().map(fold).collect();
    let mut position = 1;
    for (index, c) in text.chars().enumerate() {
        if position >= start
            && folded
                .get(index..)
                .is_some_and(|rest| rest.starts_with(&wanted))
        {
            return Ok(Value::integer(position));
        }
        position += i64::try_from(c.len_utf16()).unwrap_or(1);
    }
    let at_end = wanted.is_empty() && position == start;
    Ok(Value::integer(if at_end { position } else { 0 }))
}

fn ignores_case(arguments: Arguments<'_, '_>) -> Result<bool, Stop> {
    match arguments.text(3)?.as_deref() {
        None | Some("0" | "vbBinaryCompare") => Ok(false),
        Some("1" | "vbTextCompare") => Ok(true),
        Some(other) => Err(arguments.fail(Reason::UnknownWord(other.to_owned()))),
    }
}

/// Empty text when there is no such word.
pub(super) fn word<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let delimiters = arguments.text(2)?.unwrap_or_default();
    let number = arguments.integer(1)?.unwrap_or(0);
    let (Some(text), Ok(number)) = (arguments.text(0)?, usize::try_from(number)) else {
        return Ok(Value::text(""));
    };
    let Some(skipped) = number.checked_sub(1) else {
        return Ok(Value::text(""));
    };
    Ok(match text {
        Cow::Borrowed(text) => Value::text(nth_word(text, skipped, &delimiters)),
        Cow::Owned(text) => Value::text(nth_word(&text, skipped, &delimiters).to_owned()),
    })
}

fn nth_word<'t>(text: &'t str, skipped: usize, delimiters: &str) -> &'t str {
    let words = text.split(|c| delimiters.contains(c));
    { words }
        .filter(|word| !word.is_empty())
        .nth(skipped)
        .unwrap_or_default()
}

fn units(text: &str) -> i64 {
    let count = match text.is_ascii() {
        true => text.len(),
        false => text.encode_utf16().count(),
    };
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// So many code units from a place on, borrowed where the text is.
fn part(text: Cow<'_, str>, start: i64, length: i64) -> Cow<'_, str> {
    let end = start.saturating_add(length);
    let (mut from, mut to, mut unit) = (None, 0, 0);
    for (at, c) in text.char_indices() {
        let after = unit + i64::try_from(c.len_utf16()).unwrap_or(1);
        if unit >= start && after <= end {
            from.get_or_insert(at);
            to = at + c.len_utf8();
        }
        if after >= end {
            break;
        }
        unit = after;
    }
    let range = from.map_or(0..0, |from| from..to);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or_default().to_owned()),
    }
}
