//! Why an expression has no value for an object.

use super::MAX_OUTPUT_BYTES;

/// What failed in an evaluation, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{function}: {reason}")]
pub struct EvaluationError {
    /// The function that failed, or `comparison`.
    pub function: &'static str,
    /// Where its call starts in the expression's text, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

impl EvaluationError {
    pub(crate) fn new(function: &'static str, offset: usize, reason: Reason) -> Self {
        Self {
            function,
            offset,
            reason,
        }
    }
}

/// What is wrong with the values of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A list where one value is needed.
    #[error(
        "there are several values where one is needed; choose one with Item or put them together with Join"
    )]
    SeveralValues,
    /// Not a number.
    #[error("{0:?} is not a number")]
    NotANumber(String),
    /// A fraction where a whole number is needed.
    #[error("{0} is not a whole number")]
    NotAWholeNumber(String),
    /// Not a date.
    #[error("{0:?} is not a date; give its format with FormatDateTime if it is one")]
    NotADate(String),
    /// A text that is not in the format.
    #[error("{text:?} is not in the date format {format:?}")]
    NotInFormat {
        /// The text.
        text: String,
        /// The format.
        format: String,
    },
    /// Neither true nor false.
    #[error("{0:?} is neither true nor false")]
    NotABoolean(String),
    /// Values that have no order.
    #[error("{0:?} and {1:?} cannot be compared")]
    NotComparable(String, String),
    /// A number out of its range, or a date before the year 1 or after 9999.
    #[error("{0} is out of range")]
    OutOfRange(String),
    /// `Item` beyond the end of the list.
    #[error("there is no item {index}; the list has {count}")]
    NoItem {
        /// The index that was asked for.
        index: i64,
        /// How many there are.
        count: usize,
    },
    /// A parameter that is none of the words it may be.
    #[error("{0:?} is not known here")]
    UnknownWord(String),
    /// Every value that `SelectUniqueValue` may choose is taken.
    #[error("all of its values are taken already")]
    AllTaken,
    /// `RandomString` that cannot be.
    #[error("{0}")]
    RandomString(&'static str),
    /// A text to be replaced that is empty.
    #[error("the text to be replaced is empty")]
    NothingToFind,
    /// A regular expression that cannot be used.
    #[error("the regular expression is wrong: {0}")]
    Pattern(String),
    /// A date format that cannot be used.
    #[error("the date format is wrong: {0}")]
    DateFormat(String),
    /// The group that is to be replaced is not in the regular expression.
    #[error("the regular expression has no group {0}")]
    UnknownGroup(String),
    /// [`MAX_OUTPUT_BYTES`].
    #[error("the text would be longer than {MAX_OUTPUT_BYTES} bytes, which is the limit")]
    TooLong,
    /// The limit on regular expressions.
    #[error("the regular expression takes too many steps on this value; make it more specific")]
    TooMuchWork,
    /// The context has no source of randomness.
    #[error("no randomness is to be had here")]
    NoRandomness,
    /// The context has no default domain.
    #[error("the default domain is not known here")]
    NoDefaultDomain,
}
