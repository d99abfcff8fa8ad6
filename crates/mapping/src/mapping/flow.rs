//! What flows to the target for one object: values by attribute, and what was left out and why.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::FlowType;
use super::compile::{CompiledMapping, Mappings};
use super::target::{Target, TargetKind};
use crate::date::Date;
use crate::evaluate::{Context, EvaluationError, Outcome};
use crate::object::Object;
use crate::value::{Number, Role, Value};

/// What is about to be done with the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is made: default values apply, required attributes must have one.
    Create,
    /// It is changed.
    Update,
}

/// What the mappings give for one object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluated<'m> {
    /// The values, in the order of the mappings.
    pub assigned: Vec<Assigned<'m>>,
    /// What does not flow, and why.
    pub dropped: Vec<Dropped<'m>>,
    /// What failed. An object with a failure is not written: half of a person is worse than none.
    pub failed: Vec<Failed<'m>>,
    /// Whether a mapping says that the object is to be skipped.
    pub ignored: bool,
}

/// A value for an attribute of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned<'m> {
    /// The attribute.
    pub target: &'m Target,
    /// The value.
    pub value: Flow,
    /// Whether the value is meant only for a resource that has none: the default of a mapping without a source.
    pub only_if_empty: bool,
    /// Whether the values are added to those that are there, instead of taking their place.
    pub additive: bool,
    /// Whether logs must show `[Redact]` instead.
    pub redacted: bool,
}

/// An attribute that does not flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropped<'m> {
    /// The attribute.
    pub target: &'m Target,
    /// Why.
    pub why: Why,
}

/// Why an attribute does not flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The source has no value, and nulls do not flow.
    #[error("the source has no value")]
    Null,
    /// The mapping applies only while the resource is made.
    #[error("the mapping applies only while the resource is made")]
    OnlyOnCreation,
    /// The expression says so.
    #[error("the expression leaves the attribute out")]
    Ignored,
    /// The mapping has neither a source nor a default value.
    #[error("the mapping has neither a source nor a default value")]
    NoSource,
}

/// An attribute whose value could not be worked out.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed<'m> {
    /// The attribute.
    pub target: &'m Target,
    /// Why.
    pub error: FlowError,
}

/// Why an attribute's value could not be worked out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// The expression failed.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// Several values for an attribute that has one.
    #[error("the attribute takes one value, and there are {0}")]
    SeveralValues(usize),
    /// A value of another type.
    #[error("{value:?} is not {expected}")]
    Type {
        /// The value's text form.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The target requires it.
    #[error("the target requires a value, and there is none")]
    Required,
}

/// What is written to an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Flow {
    /// Its value is removed.
    Null,
    /// One value.
    One(Scalar),
    /// A list.
    Many(Vec<Scalar>),
}

/// One value in the target's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Text; also dates, in the form of RFC 3339.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// Another object of the source by its id there, to be replaced by what it is at the target.
    Reference(String),
    /// An application role.
    Role(Role),
}

impl Scalar {
    /// The value as JSON. A reference is its id at the source.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Text(text) | Self::Reference(text) => json!(text),
            Self::Boolean(truth) => json!(truth),
            Self::Number(Number::Integer(number)) => json!(number),
            Self::Number(Number::Decimal(number)) => json!(number),
            Self::Role(role) => json!({
                "primary": false,
                "type": Role::TYPE,
                "display": role.display,
                "value": role.value,
            }),
        }
    }
}

/// A value by which an existing resource is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Match<'m> {
    /// The attribute.
    pub target: &'m Target,
    /// Its value for this object.
    pub value: Scalar,
}

impl Mappings {
    /// Evaluates every mapping for one object of the source, which must be whole.
    pub fn evaluate<'m>(
        &'m self,
        source: &'m Object,
        context: &Context<'m>,
        operation: Operation,
    ) -> Evaluated<'m> {
        let mut evaluated = Evaluated::default();
        for mapping in &self.mappings {
            let target = &mapping.target;
            match mapping.flow(source, context, operation) {
                Ok(Step::Assign(assigned)) => evaluated.assigned.push(assigned),
                Ok(Step::Drop(why)) => evaluated.dropped.push(Dropped { target, why }),
                Ok(Step::IgnoreObject) => evaluated.ignored = true,
                Err(error) => evaluated.failed.push(Failed { target, error }),
            }
        }
        evaluated
    }

    /// The values by which an existing resource is looked for, in order of precedence. None at all means that the
    /// object cannot be matched and is skipped.
    ///
    /// # Errors
    /// The first mapping that failed.
    pub fn matching<'m>(
        &'m self,
        source: &'m Object,
        context: &Context<'m>,
    ) -> Result<Vec<Match<'m>>, Failed<'m>> {
        let mut used: Vec<&CompiledMapping> = self.mappings.iter().collect();
        used.retain(|mapping| mapping.matching_priority > 0);
        used.sort_by_key(|mapping| mapping.matching_priority);
        let mut matches = Vec::new();
        for mapping in used {
            let target = &mapping.target;
            let value = mapping.matching_value(source, context);
            if let Some(value) = value.map_err(|error| Failed { target, error })? {
                matches.push(Match { target, value });
            }
        }
        Ok(matches)
    }
}

enum Step<'m> {
    Assign(Assigned<'m>),
    Drop(Why),
    IgnoreObject,
}

impl CompiledMapping {
    fn flow<'m>(
        &'m self,
        source: &'m Object,
        context: &Context<'m>,
        operation: Operation,
    ) -> Result<Step<'m>, FlowError> {
        if self.flow_type == FlowType::ObjectAddOnly && operation == Operation::Update {
            return Ok(Step::Drop(Why::OnlyOnCreation));
        }
        let Some(expression) = &self.source else {
            return match &self.default_value {
                Some(default) => Ok(Step::Assign(Assigned {
                    only_if_empty: true,
                    ..self.assigned(Value::text(default.as_str()))?
                })),
                None => Ok(Step::Drop(Why::NoSource)),
            };
        };
        let value = match expression.evaluate(source, context)? {
            Outcome::IgnoreObject => return Ok(Step::IgnoreObject),
            Outcome::IgnoreAttribute => return Ok(Step::Drop(Why::Ignored)),
            Outcome::Value(_) if self.target.kind == TargetKind::ObjectFilter => {
                return Ok(Step::Drop(Why::Ignored));
            }
            Outcome::Value(value) => value,
        };
        if !value.is_null() {
            return self.assigned(value).map(Step::Assign);
        }
        match (operation, &self.default_value) {
            (Operation::Create, Some(default)) => self
                .assigned(Value::text(default.as_str()))
                .map(Step::Assign),
            (Operation::Create, None) if self.target.required => Err(FlowError::Required),
            (Operation::Update, _) if self.flow_nulls && !self.target.required => {
                Ok(Step::Assign(self.assign(Flow::Null)))
            }
            _ => Ok(Step::Drop(Why::Null)),
        }
    }

    /// The value to look for. A default value finds nobody in particular, so it does not count.
    fn matching_value<'m>(
        &'m self,
        source: &'m Object,
        context: &Context<'m>,
    ) -> Result<Option<Scalar>, FlowError> {
        let Some(expression) = &self.source else {
            return Ok(None);
        };
        match expression.evaluate(source, context)? {
            Outcome::Value(value) if !value.is_null_or_empty() => {
                Ok(match self.assigned(value)?.value {
                    Flow::One(value) => Some(value),
                    Flow::Null | Flow::Many(_) => None,
                })
            }
            _ => Ok(None),
        }
    }

    fn assigned(&self, value: Value<'_>) -> Result<Assigned<'_>, FlowError> {
        let kind = self.target.kind;
        let items = value.into_items();
        if !self.target.multi_valued && items.len() > 1 {
            return Err(FlowError::SeveralValues(items.len()));
        }
        let scalars = items.into_iter().map(|item| scalar(item, kind));
        let mut scalars = scalars.collect::<Result<Vec<_>, _>>()?;
        Ok(
            self.assign(match (self.target.multi_valued, scalars.pop()) {
                (_, None) => Flow::Null,
                (false, Some(one)) => Flow::One(one),
                (true, Some(last)) => {
                    scalars.push(last);
                    Flow::Many(scalars)
                }
            }),
        )
    }

    fn assign(&self, value: Flow) -> Assigned<'_> {
        let function = self.source.as_ref().and_then(|source| source.function());
        let adds = function.is_some_and(|function| function.name == "AppRoleAssignmentsComplex");
        Assigned {
            target: &self.target,
            value,
            only_if_empty: false,
            additive: adds || self.flow_type == FlowType::MultiValueAddOnly,
            redacted: self
                .source
                .as_ref()
                .is_some_and(|source| source.is_redacted()),
        }
    }
}

/// One value in the type of the target.
fn scalar(value: Value<'_>, kind: TargetKind) -> Result<Scalar, FlowError> {
    let value = match (kind, value) {
        (TargetKind::Complex, Value::Role(role)) => return Ok(Scalar::Role(role.into_owned())),
        (TargetKind::DateTime, Value::Date(date)) => return Ok(Scalar::Text(date.to_rfc3339())),
        (_, value) => value,
    };
    let text = value.into_text().unwrap_or_default();
    let wrong = |expected| FlowError::Type {
        value: text.to_string(),
        expected,
    };
    match kind {
        TargetKind::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Scalar::Boolean(true)),
            "false" | "0" => Ok(Scalar::Boolean(false)),
            _ => Err(wrong("True or False")),
        },
        TargetKind::Integer => match Number::parse(&text) {
            Some(number @ Number::Integer(_)) => Ok(Scalar::Number(number)),
            _ => Err(wrong("a whole number")),
        },
        TargetKind::Decimal => {
            let number = Number::parse(&text).ok_or_else(|| wrong("a number"))?;
            Ok(Scalar::Number(number))
        }
        TargetKind::DateTime => {
            let date = Date::parse(&text).ok_or_else(|| wrong("a date"))?;
            Ok(Scalar::Text(date.to_rfc3339()))
        }
        TargetKind::Reference => Ok(Scalar::Reference(text.into_owned())),
        TargetKind::Text | TargetKind::Complex | TargetKind::ObjectFilter => {
            Ok(Scalar::Text(Cow::into_owned(text)))
        }
    }
}
