//! `NormalizeDiacritics`: names as they can stand in addresses.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::Evaluated;
use crate::evaluate::Arguments;
use crate::value::Value;

/// The letters whose marks Entra's published table takes away; those of any other letter stay.
const LETTERS: &str = "acdegilnorstuyz";

/// A letter of the table loses all of its marks, and a few letters become others. What the table does not have,
/// such as đ, þ, œ without a mark, and every other script, is left as it is.
pub(super) fn normalize<'a>(arguments: Arguments<'_, 'a>) -> Evaluated<'a> {
    Ok(match arguments.text(0)? {
        None => Value::Null,
        Some(text) if text.is_ascii() => Value::Text(text),
        Some(text) => Value::Text(Cow::Owned(plain(&text))),
    })
}

fn plain(text: &str) -> String {
    // Composed first: what is left alone comes out as it went in, whichever way its marks were written.
    let text: Vec<char> = text.nfc().collect();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        let marks = after.iter().take_while(|&&c| is_mark(c)).count();
        let (marks, after) = after.split_at(marks);
        let mut parts = std::iter::once(first).nfd();
        let base = parts.next().unwrap_or(first);
        let marked = parts.next().is_some() || !marks.is_empty();
        match replacement(base, marked) {
            Some(letters) => out.push_str(letters),
            None if LETTERS.contains(base.to_ascii_lowercase()) => out.push(base),
            None => {
                out.push(first);
                out.extend(marks);
            }
        }
        rest = after;
    }
    out
}

/// What a letter becomes that does not merely lose its marks.
fn replacement(base: char, marked: bool) -> Option<&'static str> {
    Some(match (base, marked) {
        ('ı', _) => "i",
        ('ł', _) => "l",
        ('Ł', _) => "L",
        ('æ', _) => "ae",
        ('Æ', _) => "AE",
        ('ø', _) | ('œ', true) => "oe",
        ('Ø', _) | ('Œ', true) => "OE",
        ('ß', _) => "ss",
        _ => return None,
    })
}

fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c) && canonical_combining_class(c) != 0
}
