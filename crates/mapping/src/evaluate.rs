//! Evaluation of an expression for one source object.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;

use crate::date::Date;
use crate::expression::{Call, Comparison, Keyword, Kind, Node, Operator};
use crate::functions::Prepared;
use crate::object::Object;
use crate::pattern::{Pattern, Work};
use crate::value::{Number, Value};

mod error;

pub use error::{EvaluationError, Reason};

/// The longest text that a function may make, in bytes. What an attribute holds may be longer.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// Fills what it is given with random bytes.
pub type Random<'a> = dyn Fn(&mut [u8]) + 'a;

/// Everything an evaluation may depend on besides the source object.
///
/// One context serves one object: `Now()` is the same instant in all of its expressions.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    now: Date,
    taken: Option<&'a dyn Fn(&str) -> bool>,
    random: Option<&'a Random<'a>>,
    default_domain: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// A context at that time, without anything else: no value is taken yet, and functions that need randomness or
    /// the default domain fail.
    pub fn at(now: jiff::Timestamp) -> Self {
        Self {
            now: Date::from_timestamp(now),
            taken: None,
            random: None,
            default_domain: None,
        }
    }

    /// Says which values the target has already, for `SelectUniqueValue`.
    ///
    /// Whoever must ask a server first can evaluate with what is known, look the result up, note it if it is taken,
    /// and evaluate again: there are at most as many rounds as candidates.
    #[must_use]
    pub fn with_taken(self, taken: &'a dyn Fn(&str) -> bool) -> Self {
        Self {
            taken: Some(taken),
            ..self
        }
    }

    /// The source of randomness for `Guid` and `RandomString`: it fills what it is given, and must be good enough
    /// for passwords.
    #[must_use]
    pub fn with_random(self, random: &'a Random<'a>) -> Self {
        Self {
            random: Some(random),
            ..self
        }
    }

    /// The tenant's default domain, for `DefaultDomain`.
    #[must_use]
    pub fn with_default_domain(self, domain: &'a str) -> Self {
        Self {
            default_domain: Some(domain),
            ..self
        }
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("default_domain", &self.default_domain)
            .finish_non_exhaustive()
    }
}

/// What becomes of an evaluation that did not fail.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<'a> {
    /// A value, possibly null.
    Value(Value<'a>),
    /// The attribute is left out of this flow: `IgnoreFlowIfNullOrEmpty`, `IgnoreAttributeFlow`.
    IgnoreAttribute,
    /// The whole object is skipped: `IgnoreObjectFlow`.
    IgnoreObject,
}

/// Where calls of `Replace` that found nothing are noted.
pub(crate) type Trace = RefCell<Vec<usize>>;

/// Evaluates a whole expression.
pub(crate) fn expression<'a>(
    root: &'a Node,
    source: &'a Object,
    context: &Context<'a>,
    trace: Option<&Trace>,
) -> Result<Outcome<'a>, EvaluationError> {
    let evaluation = Evaluation {
        source,
        context,
        trace,
        work: Work::default(),
    };
    match evaluation.value(root) {
        Ok(value) => Ok(Outcome::Value(value)),
        Err(Stop::IgnoreAttribute) => Ok(Outcome::IgnoreAttribute),
        Err(Stop::IgnoreObject) => Ok(Outcome::IgnoreObject),
        Err(Stop::Failed(error)) => Err(*error),
    }
}

/// Why an evaluation ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    IgnoreAttribute,
    IgnoreObject,
    Failed(Box<EvaluationError>),
}

pub(crate) type Evaluated<'a> = Result<Value<'a>, Stop>;

pub(crate) struct Evaluation<'x, 'a> {
    source: &'a Object,
    context: &'x Context<'a>,
    trace: Option<&'x Trace>,
    work: Work,
}

impl<'a> Evaluation<'_, 'a> {
    fn value(&self, node: &'a Node) -> Evaluated<'a> {
        match &node.kind {
            Kind::Text(text) => Ok(Value::Text(Cow::Borrowed(text))),
            Kind::Number(number) => Ok(Value::Number(*number)),
            Kind::Attribute(name) => Ok(self.source.get(name)),
            Kind::Keyword(Keyword::IgnoreAttributeFlow) => Err(Stop::IgnoreAttribute),
            Kind::Keyword(Keyword::IgnoreObjectFlow) => Err(Stop::IgnoreObject),
            // As numbers, which is what they are in Visual Basic.
            Kind::Keyword(Keyword::BinaryCompare) => Ok(Value::integer(0)),
            Kind::Keyword(Keyword::TextCompare) => Ok(Value::integer(1)),
            Kind::Call(call) => self.call(call, node.at),
            Kind::Compare(comparison) => self.compare(comparison, node.at),
        }
    }

    fn call(&self, call: &'a Call, at: usize) -> Evaluated<'a> {
        let arguments = Arguments {
            evaluation: self,
            call,
            at,
        };
        let value = (call.function.run)(arguments)?;
        match &value {
            Value::Text(Cow::Owned(text)) if text.len() > MAX_OUTPUT_BYTES => {
                Err(arguments.fail(Reason::TooLong))
            }
            _ => Ok(value),
        }
    }

    /// Null is neither equal nor unequal to anything, nor greater or less.
    fn compare(&self, comparison: &'a Comparison, at: usize) -> Evaluated<'a> {
        let left = self.value(&comparison.left)?;
        let right = self.value(&comparison.right)?;
        if left.is_null() || right.is_null() {
            return Ok(Value::Boolean(false));
        }
        let fail = |reason| Stop::Failed(Box::new(EvaluationError::new("comparison", at, reason)));
        let operator = comparison.operator;
        let (Some(left), Some(right)) = (left.single(), right.single()) else {
            return Err(fail(Reason::SeveralValues));
        };
        let ordering = order(left, right);
        let holds = match (operator, ordering) {
            (Operator::Equal, ordering) => ordering == Some(Ordering::Equal),
            (Operator::NotEqual, ordering) => ordering != Some(Ordering::Equal),
            (_, None) => {
                return Err(fail(Reason::NotComparable(
                    left.to_string(),
                    right.to_string(),
                )));
            }
            (Operator::Greater, Some(ordering)) => ordering.is_gt(),
            (Operator::GreaterOrEqual, Some(ordering)) => ordering.is_ge(),
            (Operator::Less, Some(ordering)) => ordering.is_lt(),
            (Operator::LessOrEqual, Some(ordering)) => ordering.is_le(),
        };
        Ok(Value::Boolean(holds))
    }
}

/// How two values compare: as numbers where one of them is a number, as instants where one is a date, else as text,
/// with case. `None` when they cannot be compared, such as "abc" with 5.
fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    let text = |value: &Value<'_>| value.borrowed().into_text().map(Cow::into_owned);
    match (left, right) {
        (Value::Number(_), _) | (_, Value::Number(_)) => {
            number_of(left)?.partial_cmp(&number_of(right)?)
        }
        (Value::Date(_), _) | (_, Value::Date(_)) => Some(date_of(left)?.cmp(&date_of(right)?)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (left, right) => Some(text(left)?.cmp(&text(right)?)),
    }
}

fn number_of(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => Number::parse(text),
        _ => None,
    }
}

fn date_of(value: &Value<'_>) -> Option<Date> {
    match value {
        Value::Date(date) => Some(*date),
        Value::Text(text) => Date::parse(text),
        _ => None,
    }
}

/// The parameters of a call, evaluated when a function asks for them: `IIF` and `Switch` never evaluate the branch
/// that they do not take.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'x, 'a> {
    evaluation: &'x Evaluation<'x, 'a>,
    call: &'a Call,
    at: usize,
}

impl<'x, 'a> Arguments<'x, 'a> {
    pub(crate) fn count(&self) -> usize {
        self.call.arguments.len()
    }

    /// The value; null when the parameter is absent.
    pub(crate) fn value(&self, index: usize) -> Evaluated<'a> {
        match self.call.arguments.get(index) {
            Some(Some(node)) => self.evaluation.value(node),
            _ => Ok(Value::Null),
        }
    }

    /// The values of all parameters from this one.
    pub(crate) fn values(&self, from: usize) -> impl Iterator<Item = Evaluated<'a>> {
        let this = *self;
        (from..self.count()).map(move |index| this.value(index))
    }

    /// One value as text; `None` for null.
    pub(crate) fn text(&self, index: usize) -> Result<Option<Cow<'a, str>>, Stop> {
        let value = self.value(index)?;
        if value.is_null() {
            return Ok(None);
        }
        match value.into_text() {
            Some(text) => Ok(Some(text)),
            None => Err(self.fail(Reason::SeveralValues)),
        }
    }

    /// A whole number, quoted or not; `None` for null.
    pub(crate) fn integer(&self, index: usize) -> Result<Option<i64>, Stop> {
        Ok(match self.number(index)? {
            None => None,
            Some(Number::Integer(number)) => Some(number),
            Some(number @ Number::Decimal(_)) => {
                return Err(self.fail(Reason::NotAWholeNumber(number.to_string())));
            }
        })
    }

    /// A number, quoted or not; `None` for null.
    pub(crate) fn number(&self, index: usize) -> Result<Option<Number>, Stop> {
        let value = self.value(index)?;
        if value.is_null() {
            return Ok(None);
        }
        let number = value.single().and_then(number_of);
        number
            .map(Some)
            .ok_or_else(|| self.fail(Reason::NotANumber(value.to_string())))
    }

    /// An instant, from a date or from text that is one; `None` for null.
    pub(crate) fn date(&self, index: usize) -> Result<Option<Date>, Stop> {
        let value = self.value(index)?;
        if value.is_null() {
            return Ok(None);
        }
        let date = value.single().and_then(date_of);
        date.map(Some)
            .ok_or_else(|| self.fail(Reason::NotADate(value.to_string())))
    }

    /// A truth: a boolean, its text form in any letter case, or a number that is or is not zero. Null is false.
    pub(crate) fn truth(&self, index: usize) -> Result<bool, Stop> {
        let value = self.value(index)?;
        if value.is_null() {
            return Ok(false);
        }
        let truth = match value.single() {
            Some(Value::Boolean(truth)) => Some(*truth),
            Some(Value::Text(text)) if text.eq_ignore_ascii_case("true") => Some(true),
            Some(Value::Text(text)) if text.eq_ignore_ascii_case("false") => Some(false),
            Some(one) => number_of(one).map(|number| number != Number::Integer(0)),
            None => None,
        };
        truth.ok_or_else(|| self.fail(Reason::NotABoolean(value.to_string())))
    }

    pub(crate) fn prepared(&self) -> &'a Prepared {
        &self.call.prepared
    }

    pub(crate) fn now(&self) -> Date {
        self.evaluation.context.now
    }

    pub(crate) fn default_domain(&self) -> Option<&'a str> {
        self.evaluation.context.default_domain
    }

    pub(crate) fn is_taken(&self, value: &str) -> bool {
        self.evaluation
            .context
            .taken
            .is_some_and(|taken| taken(value))
    }

    /// The source of randomness.
    pub(crate) fn random(&self) -> Result<&'a Random<'a>, Stop> {
        let random = self.evaluation.context.random;
        random.ok_or_else(|| self.fail(Reason::NoRandomness))
    }

    /// What regular expressions may still cost in this evaluation.
    pub(crate) fn work(&self) -> &'x Work {
        &self.evaluation.work
    }

    /// Notes that this call of `Replace` found nothing to replace.
    pub(crate) fn note_unmatched(&self) {
        if let Some(trace) = self.evaluation.trace {
            trace.borrow_mut().push(self.at);
        }
    }

    /// A regular expression that is not a constant.
    pub(crate) fn compile(&self, pattern: &str) -> Result<Pattern, Stop> {
        let work = self.work();
        work.charge_compilation()
            .map_err(|_| self.fail(Reason::TooMuchWork))?;
        Pattern::new(pattern).map_err(|error| self.fail(Reason::Pattern(error.to_string())))
    }

    pub(crate) fn fail(&self, reason: Reason) -> Stop {
        let function = self.call.function.name;
        Stop::Failed(Box::new(EvaluationError::new(function, self.at, reason)))
    }
}
