//! The part of OData's `$filter` that a provisioning service uses.

use super::directory::Directory;
use serde_json::Value;

/// What only the index can look for.
const INDEX_ONLY: &[&str] = &[
    "faxNumber",
    "mobilePhone",
    "officeLocation",
    "onPremisesExtensionAttributes",
];

/// Whether a filter must be sent as an advanced query.
pub(super) fn needs_index(filter: &str) -> bool {
    INDEX_ONLY.iter().any(|name| filter.starts_with(name))
}

/// One comparison.
#[derive(Debug, PartialEq)]
pub(super) enum Term {
    Equals(String, Value),
    StartsWith(String, String),
    AnyEquals(String, String),
}

/// The terms of a filter, of which one must be true.
pub(super) fn parse(filter: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = filter;
    loop {
        let (term, after) = term(rest)?;
        terms.push(term);
        if after.is_empty() {
            return Some(terms);
        }
        rest = after.strip_prefix(" or ")?;
    }
}

fn term(text: &str) -> Option<(Term, &str)> {
    if let Some(arguments) = text.strip_prefix("startswith(") {
        let (name, rest) = arguments.split_once(',')?;
        let (value, rest) = literal(rest)?;
        let term = Term::StartsWith(name.to_owned(), value.as_str()?.to_owned());
        return Some((term, rest.strip_prefix(')')?));
    }
    let (name, rest) =
        text.split_at(text.find(|c: char| !c.is_alphanumeric() && !"_/".contains(c))?);
    if let (Some(name), Some(rest)) = (name.strip_suffix("/any"), rest.strip_prefix("(one:one eq "))
    {
        let (value, rest) = literal(rest)?;
        let term = Term::AnyEquals(name.to_owned(), value.as_str()?.to_owned());
        return Some((term, rest.strip_prefix(')')?));
    }
    let (value, rest) = literal(rest.strip_prefix(" eq ")?)?;
    Some((Term::Equals(name.to_owned(), value), rest))
}

fn literal(text: &str) -> Option<(Value, &str)> {
    for (word, value) in [("true", true), ("false", false)] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((value.into(), rest));
        }
    }
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value.into(), after)),
        }
    }
}

impl Term {
    pub(super) fn is_true(&self, directory: &Directory, id: &str) -> bool {
        let same = |value: &Value, other: &str| {
            value
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case(other))
        };
        match self {
            Self::Equals(path, Value::String(text)) => same(&directory.value(id, path), text),
            Self::Equals(path, other) => directory.value(id, path) == *other,
            Self::StartsWith(path, start) => {
                let value = directory.value(id, path);
                let value = value.as_str().unwrap_or_default().to_ascii_lowercase();
                value.starts_with(&start.to_ascii_lowercase())
            }
            Self::AnyEquals(path, text) => {
                let value = directory.value(id, path);
                value
                    .as_array()
                    .is_some_and(|values| values.iter().any(|value| same(value, text)))
            }
        }
    }
}
