//! Why an expression cannot be read.

use super::{MAX_CHARS, MAX_DEPTH};
use crate::date::FormatError;
use crate::pattern::PatternError;

/// Where an expression is wrong, how, and what may have been meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at position {position}{}", .hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct ParseError {
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// Where, in characters from 1, for people.
    pub position: usize,
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// What to do about it, where that can be guessed.
    pub hint: Option<String>,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Nothing but blanks.
    #[error("the expression is empty")]
    Empty,
    /// More than [`MAX_CHARS`].
    #[error("the expression has {0} characters; at most {MAX_CHARS} are read")]
    TooLong(usize),
    /// More than [`MAX_DEPTH`] calls within each other.
    #[error("function calls are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What would be right.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A text without its closing quote.
    #[error("the text that starts here has no closing quote")]
    OpenText,
    /// An attribute without its closing bracket.
    #[error("the attribute that starts here has no closing bracket")]
    OpenAttribute,
    /// `[]`, or brackets with a character that no name has.
    #[error("{0:?} is no name of an attribute")]
    AttributeName(String),
    /// A number that cannot be kept exactly.
    #[error("the number {0} cannot be read")]
    Number(String),
    /// There is no such function.
    #[error("there is no function {0}")]
    UnknownFunction(String),
    /// A word that is no call and no keyword.
    #[error("{0} stands for nothing here")]
    UnknownWord(String),
    /// A required parameter is absent.
    #[error("{function} lacks its parameter {parameter}")]
    MissingParameter {
        /// The function.
        function: &'static str,
        /// The parameter, as the documentation calls it.
        parameter: &'static str,
    },
    /// More parameters than the function has.
    #[error("{function} takes at most {most} parameters, not {found}")]
    TooManyParameters {
        /// The function.
        function: &'static str,
        /// How many it has.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// `Switch` with a key that has no value.
    #[error(
        "Switch takes a source, a default value, and then keys and values in pairs; the last key has no value"
    )]
    UnpairedKey,
    /// Parameters of `Replace` that together mean nothing.
    #[error("Replace does not know what to do with {0}")]
    ReplaceMode(String),
    /// A function that must be the outermost one.
    #[error("{0} can only be the outermost function")]
    NotOutermost(&'static str),
    /// A regular expression that cannot be used.
    #[error("the regular expression is wrong: {0}")]
    Pattern(#[from] PatternError),
    /// A regular expression without the group that is to be replaced.
    #[error("the regular expression has no group {0}")]
    UnknownGroup(String),
    /// A date format that cannot be used.
    #[error("the date format is wrong: {0}")]
    DateFormat(#[from] FormatError),
    /// A constant parameter that is none of the words it may be.
    #[error("{parameter} of {function} cannot be {value:?}")]
    Parameter {
        /// The function.
        function: &'static str,
        /// The parameter, as the documentation calls it.
        parameter: &'static str,
        /// What was written.
        value: String,
    },
}

/// An error before its position is known in characters.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) offset: usize,
    pub(crate) kind: ParseErrorKind,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(offset: usize, kind: impl Into<ParseErrorKind>) -> Self {
        Self {
            offset,
            kind: kind.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds "did you mean", when there is something close.
    pub(crate) fn did_you_mean(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.hint(format!("did you mean {name}?")),
            None => self,
        }
    }

    pub(crate) fn in_text(self, text: &str) -> ParseError {
        let before = text.get(..self.offset).unwrap_or(text);
        ParseError {
            offset: self.offset,
            position: before.chars().count() + 1,
            kind: self.kind,
            hint: self.hint,
        }
    }
}
