//! Attribute paths: what `sortBy`, `attributes`, filters and PATCH use to point at a place in a resource.
//!
//! Both types are lexical: they know how a path is written, and nothing of schemas. Only
//! [`ResourceType::resolve`](crate::ResourceType::resolve) knows where a URN ends, because URNs contain dots and
//! colons themselves.

use std::fmt;
use std::str::FromStr;

use crate::filter::Filter;
use crate::{Error, filter};

/// The longest attribute path that is read, in bytes.
pub const MAX_PATH_BYTES: usize = 512;

/// The longest path of a PATCH operation that is read, in bytes; long filters over `members` are real traffic.
pub const MAX_PATCH_PATH_BYTES: usize = filter::MAX_BYTES;

/// An attribute path as it was sent: `userName`, `name.givenName`, `urn:…:2.0:User:manager.value`, or the bare URN
/// of an extension (`attrPath` of RFC 7644 section 3.4.2.2).
///
/// The spelling is kept. Letter case carries no meaning in a path, but comparing two values of this type does
/// compare it; resolve both to compare what they mean.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath(String);

impl AttributePath {
    /// Reads a path.
    ///
    /// # Errors
    /// `invalidPath` when the text is empty, longer than [`MAX_PATH_BYTES`], or contains a character no attribute
    /// name or URN has; the detail gives the position.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match check(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(problem) => Err(Error::invalid_path(problem)),
        }
    }

    /// The path as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AttributePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// The `path` of a PATCH operation (RFC 7644 section 3.5.2): an attribute, optionally narrowed to the elements a
/// filter selects, optionally one sub-attribute of those: `emails[type eq "work"].value`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// Everything before the bracket, or the whole path.
    pub attribute: AttributePath,
    /// What stands in the brackets.
    pub filter: Option<Filter>,
    /// The name after the brackets. A sub-attribute without brackets is part of `attribute`.
    pub sub: Option<String>,
}

impl PatchPath {
    /// Reads the path of an operation.
    ///
    /// # Errors
    /// `invalidPath`, or `invalidFilter` for what stands inside the brackets; the detail gives the position.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_PATCH_PATH_BYTES {
            return Err(Error::invalid_path(format!(
                "The path is {} bytes long; at most {MAX_PATCH_PATH_BYTES} are read",
                text.len()
            )));
        }
        filter::parse_patch_path(text)
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attribute)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        if let Some(sub) = &self.sub {
            write!(f, ".{sub}")?;
        }
        Ok(())
    }
}

impl FromStr for PatchPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// Whether a character may stand in an attribute path: those of attribute names (RFC 7643 section 2.1, and the `$`
/// of `$ref`), of URNs, and of the `http://` schema names that some clients use.
pub(crate) fn is_path_char(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '-' | '_' | '$' | '.' | ':' | '/' | '%' | '~' | '+' | '@')
}

/// What is wrong with a path, as a sentence.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX_PATH_BYTES {
        return Err(format!(
            "The attribute path is {} bytes long; at most {MAX_PATH_BYTES} are read",
            text.len()
        ));
    }
    let Some(first) = text.chars().next() else {
        return Err("The attribute path is empty".into());
    };
    if !(first.is_ascii_alphabetic() || first == '$') {
        return Err(format!(
            "An attribute path starts with a letter, not with {first:?}"
        ));
    }
    let foreign = text.chars().enumerate().find(|&(_, c)| !is_path_char(c));
    if let Some((at, c)) = foreign {
        return Err(format!(
            "{c:?} at position {} cannot stand in an attribute path",
            at + 1
        ));
    }
    if text.ends_with(['.', ':']) || text.contains("..") {
        return Err(format!(
            "The attribute path {text:?} lacks a name next to a dot or colon"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
