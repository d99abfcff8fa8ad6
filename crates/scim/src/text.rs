//! Comparison keys of strings: two strings are equal to SCIM when their keys are equal.

use std::borrow::Cow;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use unicode_normalization::UnicodeNormalization;

/// The key of a `userName`: the PRECIS profile UsernameCaseMapped (RFC 8265 section 3.3, which RFC 7643 section 4.1.1
/// asks for by its predecessor) where the name is valid by it, else [`fold`]. Never fails, so that names which the
/// profile forbids, such as those with blanks, are still compared in any letter case.
pub fn user_name_key(s: &str) -> String {
    if s.is_ascii() {
        // Both ways give this: PRECIS changes nothing but letter case in ASCII.
        return s.to_ascii_lowercase();
    }
    // Folded first: what is left of a name that the profile forbids may be one that it changes further.
    let folded = fold(s);
    match UsernameCaseMapped::enforce(folded.as_ref()) {
        Ok(key) => fold(&key).into_owned(),
        Err(_) => folded.into_owned(),
    }
}

/// The key of every other string whose attribute is `caseExact: false`: letter case folded beyond ASCII (`ẞ`, `ß` and
/// `ss`, `Σ`, `σ` and `ς` are the same), in normalization form C. Idempotent.
pub fn fold(s: &str) -> Cow<'_, str> {
    if s.is_ascii() {
        return match s.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Cow::Owned(s.to_ascii_lowercase()),
            false => Cow::Borrowed(s),
        };
    }
    let folded: String = s.nfd().flat_map(fold_char).nfc().collect();
    Cow::Owned(folded)
}

/// Lower case by way of upper case, which brings together what folds to the same: `ς` and `σ`, `ſ` and `s`. The
/// dotless `ı` stays what it is: Turkish readers, and Unicode's own folding, keep it apart from `i`.
fn fold_char(c: char) -> impl Iterator<Item = char> {
    let through = if c == 'ı' { None } else { Some(c) };
    let kept = if c == 'ı' { Some(c) } else { None };
    let folded = through
        .into_iter()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    kept.into_iter().chain(folded)
}

#[cfg(test)]
mod tests;
