//! The mapping language of Entra ID's provisioning; the README below is the introduction.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod date;
mod evaluate;
pub mod expectations;
mod expression;
pub mod functions;
pub mod graph;
pub mod lint;
pub mod mapping;
mod object;
mod pattern;
pub mod scope;
mod suggest;
mod value;

pub use date::{Date, FormatError};
pub use evaluate::{Context, EvaluationError, MAX_OUTPUT_BYTES, Outcome, Random, Reason};
pub use expression::{
    Doubt, Expression, MAX_CHARS, MAX_DEPTH, ParseError, ParseErrorKind, UnknownAttribute,
};
pub use mapping::{AttributeMapping, MappingSet, Mappings, ObjectMapping, Operation};
pub use object::Object;
pub use pattern::PatternError;
pub use scope::Scope;
pub use suggest::closest;
pub use value::{Number, Role, Value};
