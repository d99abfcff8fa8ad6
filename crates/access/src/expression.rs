//! Boolean expressions over tags: which hosts a grant is for.
//!
//! ```text
//! expression := and { "or" and }
//! and        := not { "and" not }
//! not        := "not" not | "(" expression ")" | "*" | key [ ("=" | "!=") value ]
//! value      := word | '"' text '"'
//! ```
//!
//! `not` binds closer than `and`, and `and` closer than `or`. A key alone is true where the host has such a tag, whatever its
//! value. `key!=value` is true where the host has no such tag, too. `name` is the host's own name, and `*` every host.
//! Keys and values are compared as they are, words of the language in any case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decision::Host;
use crate::tags::{self, NAME};

mod parse;

/// The longest expression, in bytes.
pub const MAX_BYTES: usize = 4_096;

/// How deep parentheses and `not` may be nested.
pub const MAX_DEPTH: usize = 32;

/// An expression that was checked.
///
/// ```
/// use portreeve_access::Expression;
///
/// let expression: Expression = "env=prod AND (region=eu or region=us) and not legacy".parse()?;
/// assert_eq!(expression.to_string(), "env=prod and (region=eu or region=us) and not legacy");
/// # Ok::<(), portreeve_access::expression::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression(pub(crate) Node);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    All,
    Has(String),
    Is(String, String),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// Where and why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tag expression is wrong at character {position}: {problem}")]
pub struct ParseError {
    /// Counted in characters, from 1.
    pub position: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing, or it ends too early.
    #[error("it ends where {0} is expected")]
    End(&'static str),
    /// Something else.
    #[error("{found} stands where {expected} is expected")]
    Unexpected {
        /// What is there.
        found: String,
        /// What could be.
        expected: &'static str,
    },
    /// A key that no tag can have.
    #[error("{0:?} cannot be the key of a tag")]
    Key(String),
    /// A quotation mark that is not closed.
    #[error("the text that begins here has no end; close it with \"")]
    Open,
    /// Too long.
    #[error("it has more than {MAX_BYTES} bytes; use several grants")]
    TooLong,
    /// Nested too deeply.
    #[error("it is nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

impl Expression {
    /// Every host.
    pub fn all() -> Self {
        Self(Node::All)
    }

    /// Whether a host is chosen.
    pub fn contains(&self, host: &Host) -> bool {
        self.0.contains(host)
    }

    /// The keys that decide, each once, in the order in which they are written.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        self.0.keys(&mut keys);
        keys
    }

    /// The parts that must all be true, and are not for this host: what stands between it and being chosen.
    pub fn unmet(&self, host: &Host) -> Vec<String> {
        let parts = match &self.0 {
            Node::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let unmet = parts.iter().filter(|part| !part.contains(host));
        unmet.map(Node::to_string).collect()
    }
}

impl Node {
    fn contains(&self, host: &Host) -> bool {
        match self {
            Self::All => true,
            Self::Has(key) => host.tag(key).is_some(),
            Self::Is(key, value) => host.tag(key) == Some(value.as_str()),
            Self::Not(part) => !part.contains(host),
            Self::And(parts) => parts.iter().all(|part| part.contains(host)),
            Self::Or(parts) => parts.iter().any(|part| part.contains(host)),
        }
    }

    fn keys<'a>(&'a self, keys: &mut Vec<&'a str>) {
        match self {
            Self::All => {}
            Self::Has(key) | Self::Is(key, _) => {
                if !keys.contains(&key.as_str()) {
                    keys.push(key);
                }
            }
            Self::Not(part) => part.keys(keys),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.keys(keys)),
        }
    }
}

impl Host {
    fn tag(&self, key: &str) -> Option<&str> {
        match key {
            NAME => Some(&self.name),
            _ => self.tags.get(key),
        }
    }
}

impl FromStr for Expression {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::parse(text).map(Self)
    }
}

impl TryFrom<String> for Expression {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.to_string()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Has(key) => f.write_str(key),
            Self::Is(key, value) => write!(f, "{key}={}", Quoted(value)),
            Self::Not(part) => match &**part {
                Self::Is(key, value) => write!(f, "{key}!={}", Quoted(value)),
                Self::And(_) | Self::Or(_) => write!(f, "not ({part})"),
                other => write!(f, "not {other}"),
            },
            Self::And(parts) => write_parts(f, parts, " and "),
            Self::Or(parts) => write_parts(f, parts, " or "),
        }
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, parts: &[Node], between: &str) -> fmt::Result {
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        match part {
            Node::And(_) | Node::Or(_) => write!(f, "({part})")?,
            other => write!(f, "{other}")?,
        }
    }
    Ok(())
}

/// A value, in quotation marks where it would be read otherwise without.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain =
            !self.0.is_empty() && self.0.chars().all(parse::is_bare) && !tags::is_word(self.0);
        match plain {
            true => f.write_str(self.0),
            false => write!(
                f,
                "\"{}\"",
                self.0.replace('\\', "\\\\").replace('"', "\\\"")
            ),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
