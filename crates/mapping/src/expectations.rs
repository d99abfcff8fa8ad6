//! Files of expectations: an administrator's regression test of expressions.
//!
//! A file is a JSON list of `{expr, attributes, expect, now?, context?, note?, source?}`. `expect` is the result in
//! text form, a list of texts where there are several values, `null` where no value flows, or `"error"` where the
//! expression is refused or fails. `now` fixes the clock, `context.taken` lists the values that the target has
//! already.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use crate::evaluate::{Context, Outcome, Random};
use crate::expression::Expression;
use crate::object::Object;
use crate::value::Value;

/// What an expression is expected to give.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Expectation {
    /// The expression.
    #[serde(rename = "expr")]
    pub expression: String,
    /// The source object.
    #[serde(default)]
    pub attributes: Object,
    /// The result.
    #[serde(deserialize_with = "result")]
    pub expect: Expected,
    /// The time that `Now()` gives.
    #[serde(default)]
    pub now: Option<Timestamp>,
    /// What else is known.
    #[serde(default)]
    pub context: Known,
    /// Why this is expected, for people.
    #[serde(default)]
    pub note: Option<String>,
}

/// What is known of the target and the tenant.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// Values that the target has already.
    #[serde(default)]
    pub taken: Vec<String>,
    /// The tenant's default domain.
    #[serde(default)]
    pub default_domain: Option<String>,
}

/// A result in text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// No value flows.
    Nothing,
    /// One value.
    Text(String),
    /// Several values, or a list of one.
    Texts(Vec<String>),
    /// The expression is refused or fails.
    Error,
}

/// An expectation that was not met.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// What was expected.
    pub expected: Expected,
    /// What came.
    pub found: Expected,
    /// Why an error came, for people.
    pub reason: Option<String>,
}

/// A file that is none of expectations.
#[derive(Debug, thiserror::Error)]
#[error("this is no list of expectations: {0}")]
pub struct Malformed(#[from] serde_json::Error);

/// Reads a file of expectations.
///
/// # Errors
/// What is wrong with the JSON, with line and column.
pub fn parse(json: &str) -> Result<Vec<Expectation>, Malformed> {
    Ok(serde_json::from_str(json)?)
}

impl Expectation {
    /// Evaluates the expression and compares. `now` is the time where the expectation fixes none, `random` the
    /// source of randomness.
    ///
    /// # Errors
    /// What came instead.
    pub fn check(&self, now: Timestamp, random: &Random<'_>) -> Result<(), Mismatch> {
        let (found, reason) = self.result(now, random);
        match found == self.expect {
            true => Ok(()),
            false => Err(Mismatch {
                expected: self.expect.clone(),
                found,
                reason,
            }),
        }
    }

    fn result(&self, now: Timestamp, random: &Random<'_>) -> (Expected, Option<String>) {
        let expression = match Expression::parse(&self.expression) {
            Ok(expression) => expression,
            Err(error) => return (Expected::Error, Some(error.to_string())),
        };
        let taken = |value: &str| self.context.taken.iter().any(|taken| taken == value);
        let mut context = Context::at(self.now.unwrap_or(now))
            .with_taken(&taken)
            .with_random(random);
        if let Some(domain) = &self.context.default_domain {
            context = context.with_default_domain(domain);
        }
        match expression.evaluate(&self.attributes, &context) {
            Ok(Outcome::Value(value)) => (Expected::from(value), None),
            Ok(Outcome::IgnoreAttribute | Outcome::IgnoreObject) => (Expected::Nothing, None),
            Err(error) => (Expected::Error, Some(error.to_string())),
        }
    }
}

/// A list gives its texts, also one of a single value; an empty list is nothing.
impl From<Value<'_>> for Expected {
    fn from(value: Value<'_>) -> Self {
        match value {
            value if value.is_null() => Self::Nothing,
            Value::List(items) => Self::Texts(items.iter().map(Value::to_string).collect()),
            one => Self::Text(one.to_string()),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Texts(texts) => write!(f, "{texts:?}"),
            Self::Error => f.write_str("an error"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// The member must be there: an expectation without one expects nothing of anybody.
fn result<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Expected, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Texts(Vec<String>),
    }
    Ok(match Option::<Form>::deserialize(deserializer)? {
        None => Expected::Nothing,
        Some(Form::Text(text)) if text == "error" => Expected::Error,
        Some(Form::Text(text)) => Expected::Text(text),
        Some(Form::Texts(texts)) => Expected::Texts(texts),
    })
}
