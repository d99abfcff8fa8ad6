//! Letter case, as .NET changes it: character by character, so that no text grows.

use std::borrow::Cow;
use std::sync::LazyLock;

use fancy_regex::Regex;

use super::Evaluated;
use crate::evaluate::{Arguments, Reason, Stop};
use crate::value::Value;

pub(super) fn to_lower<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let culture = culture(arguments)?;
    if text.is_ascii() && culture != Culture::Turkic {
        return Ok(Value::Text(
            match text.bytes().any(|b| b.is_ascii_uppercase()) {
                true => Cow::Owned(text.to_ascii_lowercase()),
                false => text,
            },
        ));
    }
    Ok(Value::text(
        text.chars().map(|c| lower(c, culture)).collect::<String>(),
    ))
}

pub(super) fn to_upper<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let culture = culture(arguments)?;
    Ok(Value::text(
        text.chars().map(|c| upper(c, culture)).collect::<String>(),
    ))
}

/// Small letters, and a capital at the start of each word. Words end at the separators given, or else where .NET's
/// `ToTitleCase` ends them: at blanks, punctuation, symbols and control characters, but not at an apostrophe.
pub(super) fn proper_case<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    let Some(text) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let separators = arguments
        .text(1)?
        .filter(|separators| !separators.is_empty());
    let mut in_word = false;
    let mut proper = String::with_capacity(text.len());
    for c in text.chars() {
        let separates = match &separators {
            Some(separators) => separators.contains(c),
            None => is_word_separator(c) && !(in_word && c == '\''),
        };
        let starts = !in_word && !separates && (c.is_alphabetic() || separators.is_some());
        proper.push(match starts {
            true => upper(c, Culture::Invariant),
            false => lower(c, Culture::Invariant),
        });
        in_word = !separates && (in_word || starts);
    }
    Ok(Value::text(proper))
}

/// Whose rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Culture {
    Invariant,
    Turkic,
    Other,
}

fn culture(arguments: Arguments<'_, '_>) -> Result<Culture, Stop> {
    let Some(name) = arguments.text(1)?.filter(|name| !name.is_empty()) else {
        return Ok(Culture::Invariant);
    };
    let mut parts = name.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let well_formed = (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    match language.to_ascii_lowercase().as_str() {
        _ if !well_formed => Err(arguments.fail(Reason::UnknownWord(name.into_owned()))),
        "tr" | "az" => Ok(Culture::Turkic),
        _ => Ok(Culture::Other),
    }
}

fn lower(c: char, culture: Culture) -> char {
    match (c, culture) {
        ('I', Culture::Turkic) => 'ı',
        ('İ', Culture::Turkic | Culture::Other) => 'i',
        ('İ', Culture::Invariant) => 'İ',
        _ => only(c, c.to_lowercase()),
    }
}

fn upper(c: char, culture: Culture) -> char {
    match (c, culture) {
        ('i', Culture::Turkic) => 'İ',
        ('ı', Culture::Invariant) => 'ı',
        _ => only(c, c.to_uppercase()),
    }
}

/// The other case where it is one character; `ß`, whose capital form is two letters, stays.
fn only(c: char, mut other: impl Iterator<Item = char>) -> char {
    match (other.next(), other.next()) {
        (Some(other), None) => other,
        _ => c,
    }
}

fn is_word_separator(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_alphanumeric();
    }
    // Without the table, which is a constant and compiles, nothing beyond ASCII would separate words.
    static SEPARATOR: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[\p{Z}\p{Cc}\p{Cf}\p{P}\p{S}]").ok());
    let separator = SEPARATOR.as_ref();
    separator.is_some_and(|it| {
        it.is_match(c.encode_utf8(&mut [0; 4]) as &str)
            .unwrap_or(false)
    })
}
