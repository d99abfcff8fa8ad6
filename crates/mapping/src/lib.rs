//! The mapping language of Entra ID's provisioning; the README below is the introduction.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod date;
mod evaluate;
pub mod expectations;
mod expression;
pub mod functions;
mod object;
mod pattern;
mod suggest;
mod value;

pub use date::{Date, FormatError};
pub use evaluate::{Context, EvaluationError, MAX_OUTPUT_BYTES, Outcome, Reason};
pub use expression::{
    Doubt, Expression, MAX_CHARS, MAX_DEPTH, ParseError, ParseErrorKind, UnknownAttribute,
};
pub use object::Object;
pub use pattern::PatternError;
pub use value::{Number, Role, Value};
