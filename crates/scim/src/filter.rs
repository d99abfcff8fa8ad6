//! Filters (RFC 7644 section 3.4.2.2): parsing, printing, checking against a resource type, and evaluation.
//!
//! A [`Filter`] is what the client wrote. [`Filter::check`] binds it to a resource type and refuses comparisons that
//! make no sense; the [`Checked`] filter it gives is evaluated on whole resources or on single elements.

use std::fmt;
use std::str::FromStr;

use serde_json::Number;

use crate::Error;
use crate::path::{AttributePath, PatchPath};

mod check;
mod evaluate;
mod parse;

pub use check::Checked;
pub use evaluate::compare;
pub(crate) use evaluate::has_value;

/// The longest filter that is read, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;
/// How deep parentheses, brackets and `not` may nest.
pub const MAX_DEPTH: usize = 32;
/// How many comparisons one filter may have.
pub const MAX_TERMS: usize = 200;

/// A filter as it was written. Those from [`Filter::parse`] are in one normal form: an `And` or `Or` has at least two
/// members and none of its own kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All hold.
    And(Vec<Self>),
    /// At least one holds.
    Or(Vec<Self>),
    /// Does not hold.
    Not(Box<Self>),
    /// `path op value`.
    Compare {
        /// What is compared.
        path: AttributePath,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// `path pr`.
    Present(AttributePath),
    /// `path[filter]`: one element satisfies the whole inner filter, whose paths name sub-attributes.
    Value {
        /// The attribute whose elements are looked at.
        path: AttributePath,
        /// What one element must satisfy.
        filter: Box<Self>,
    },
}

/// A comparison operator (RFC 7644 table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal; an attribute without a value is not equal to any.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Op {
    /// All operators.
    pub const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    /// The wire spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The operator of that name, in any letter case.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|op| op.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value in a filter; JSON, without objects and arrays.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A string, unescaped.
    String(String),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
    /// `null`: stands for "no value" (RFC 7643 section 2.5).
    Null,
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Null => f.write_str("null"),
        }
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// Beyond the grammar this takes two things that known clients send: no blank between operator and string
    /// (`value eq"1"`, printed like that in RFC 7644 itself), and a sub-attribute after brackets
    /// (`emails[type eq "work"].value eq "a"`, from Entra), which means `emails[type eq "work" and value eq "a"]`.
    ///
    /// # Errors
    /// `invalidFilter` with the position (in characters, from 1), what was found and what was expected; also for
    /// more than [`MAX_BYTES`], [`MAX_DEPTH`] or [`MAX_TERMS`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::filter(text)
    }

    /// `self and other`, in normal form.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut terms = match self {
            Self::And(terms) => terms,
            one => vec![one],
        };
        match other {
            Self::And(more) => terms.extend(more),
            one => terms.push(one),
        }
        Self::And(terms)
    }
}

/// The canonical text: lower-case operators, single blanks, only the parentheses that are needed. Parsing it gives
/// the same filter again, unless the blanks make it longer than [`MAX_BYTES`].
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(terms) => join(f, terms, " and ", |term| {
                matches!(term, Self::Or(_) | Self::And(_))
            }),
            Self::Or(terms) => join(f, terms, " or ", |term| matches!(term, Self::Or(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Compare { path, op, value } => write!(f, "{path} {op} {value}"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Value { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    terms: &[Filter],
    word: &str,
    needs_parentheses: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (i, term) in terms.iter().enumerate() {
        if i > 0 {
            f.write_str(word)?;
        }
        if needs_parentheses(term) {
            write!(f, "({term})")?;
        } else {
            write!(f, "{term}")?;
        }
    }
    Ok(())
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// For [`PatchPath::parse`]: the grammar of the brackets is the filter's.
pub(crate) fn parse_patch_path(text: &str) -> Result<PatchPath, Error> {
    parse::patch_path(text)
}

#[cfg(test)]
mod tests;
