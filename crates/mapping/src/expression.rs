//! Expressions: reading, printing, and what can be said of one without a source object.

use std::fmt;

use crate::evaluate::{self, Context, EvaluationError, Outcome};
use crate::functions::{self, Function, Prepared};
use crate::object::Object;
use crate::value::Number;

mod error;
mod lint;
mod parse;

pub(crate) use error::Problem;
pub use error::{ParseError, ParseErrorKind};
pub use lint::{Doubt, UnknownAttribute};

/// The longest expression that is read, in characters; Entra's own limit.
pub const MAX_CHARS: usize = 10_000;
/// How deep function calls may nest.
pub const MAX_DEPTH: usize = 64;

/// An expression that has been read and checked: every function exists and has the parameters it needs, regular
/// expressions and date formats that are constants are compiled.
///
/// ```
/// use portreeve_mapping::{Context, Expression, Object, Outcome, Value};
///
/// let expression = Expression::parse(r#"ToLower(Append([givenName], "@contoso.com"))"#)?;
/// let ada = Object::from_iter([("givenName", "Ada")]);
/// let context = Context::at("2026-11-21T12:00:00Z".parse()?);
/// assert_eq!(
///     expression.evaluate(&ada, &context)?,
///     Outcome::Value(Value::text("ada@contoso.com"))
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    root: Node,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// The position, what was found and what was expected there, with a suggestion where a name was misspelt.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self {
            text: text.to_owned(),
            root: parse::expression(text)?,
        })
    }

    /// The expression that is the value of an attribute, `[name]`.
    ///
    /// # Errors
    /// The name is empty or has a character that an attribute's name cannot have.
    pub fn attribute(name: &str) -> Result<Self, ParseError> {
        Self::parse(&format!("[{name}]"))
    }

    /// The expression that is this text, whatever it contains.
    ///
    /// # Errors
    /// The text is longer than an expression may be.
    pub fn constant(text: &str) -> Result<Self, ParseError> {
        Self::parse(&Self::quote(text))
    }

    /// A text as it is written in an expression, with its quotes and escapes.
    pub fn quote(text: &str) -> String {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }

    /// The text that this expression is, if it is a constant text.
    pub fn as_constant(&self) -> Option<&str> {
        self.root.constant()
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value for one source object.
    ///
    /// # Errors
    /// What failed and where. An object whose expression fails is not provisioned until it, or the expression, is
    /// changed; it never gets a made-up value.
    pub fn evaluate<'a>(
        &'a self,
        source: &'a Object,
        context: &Context<'a>,
    ) -> Result<Outcome<'a>, EvaluationError> {
        evaluate::expression(&self.root, source, context, None)
    }

    /// As [`Expression::evaluate`], and tells which calls of `Replace` had a value and found nothing to replace in
    /// it: an expression that leaves a value unchanged is rarely what was meant. The positions are those of the
    /// calls in [`Expression::text`], in bytes.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn evaluate_traced<'a>(
        &'a self,
        source: &'a Object,
        context: &Context<'a>,
        unmatched: &mut Vec<usize>,
    ) -> Result<Outcome<'a>, EvaluationError> {
        let trace = std::cell::RefCell::new(Vec::new());
        let outcome = evaluate::expression(&self.root, source, context, Some(&trace));
        unmatched.append(&mut trace.take());
        outcome
    }

    /// The function that makes the result; `None` for an attribute, a constant or a comparison.
    pub fn function(&self) -> Option<&'static Function> {
        match &self.root.kind {
            Kind::Call(call) => Some(call.function),
            _ => None,
        }
    }

    /// The attributes that are read, in the order of the text, each once.
    pub fn attributes(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Attribute(name) = &node.kind
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        });
        names
    }

    /// The functions that are called, in the order of the text, each once.
    pub fn functions(&self) -> Vec<&'static Function> {
        let mut found: Vec<&'static Function> = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Call(call) = &node.kind
                && !found.iter().any(|other| other.name == call.function.name)
            {
                found.push(call.function);
            }
        });
        found
    }

    /// Whether logs must show `[Redact]` instead of the value.
    pub fn is_redacted(&self) -> bool {
        self.functions()
            .iter()
            .any(|it| it.name == functions::REDACT)
    }
}

/// Two expressions are equal when they mean the same, whatever the blanks between their words.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

/// The canonical text: one blank after each comma, absent parameters left out between them, as Entra normalises
/// expressions. Reading it gives an equal expression.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)
    }
}

impl std::str::FromStr for Expression {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// A part of an expression.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Where it starts in the text, in bytes.
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Text(String),
    Number(Number),
    Attribute(String),
    Keyword(Keyword),
    Call(Box<Call>),
    Compare(Box<Comparison>),
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    /// `None` is an empty slot: the parameter is absent.
    pub(crate) arguments: Vec<Option<Node>>,
    /// What was worked out while reading.
    pub(crate) prepared: Prepared,
}

#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) left: Node,
    pub(crate) operator: Operator,
    pub(crate) right: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    /// Two-letter operators come first, so that their first letter is not taken for a whole operator.
    const ALL: [(&'static str, Self); 6] = [
        ("<>", Self::NotEqual),
        (">=", Self::GreaterOrEqual),
        ("<=", Self::LessOrEqual),
        ("=", Self::Equal),
        (">", Self::Greater),
        ("<", Self::Less),
    ];
}

/// A word without parentheses that stands for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    BinaryCompare,
    TextCompare,
    IgnoreAttributeFlow,
    IgnoreObjectFlow,
}

impl Keyword {
    const ALL: [(&'static str, Self); 4] = [
        ("vbBinaryCompare", Self::BinaryCompare),
        ("vbTextCompare", Self::TextCompare),
        ("IgnoreAttributeFlow", Self::IgnoreAttributeFlow),
        ("IgnoreObjectFlow", Self::IgnoreObjectFlow),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find_map(|(name, keyword)| (*keyword == self).then_some(*name))
            .unwrap_or_default()
    }
}

impl Node {
    /// Shows every part, in the order of the text.
    pub(crate) fn visit<'n>(&'n self, see: &mut impl FnMut(&'n Self)) {
        see(self);
        match &self.kind {
            Kind::Call(call) => {
                for argument in call.arguments.iter().flatten() {
                    argument.visit(see);
                }
            }
            Kind::Compare(comparison) => {
                comparison.left.visit(see);
                comparison.right.visit(see);
            }
            _ => {}
        }
    }

    /// The text, where this is a constant.
    pub(crate) fn constant(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Text(a), Kind::Text(b)) | (Kind::Attribute(a), Kind::Attribute(b)) => a == b,
            (Kind::Number(a), Kind::Number(b)) => a == b,
            (Kind::Keyword(a), Kind::Keyword(b)) => a == b,
            (Kind::Call(a), Kind::Call(b)) => {
                a.function.name == b.function.name && a.arguments == b.arguments
            }
            (Kind::Compare(a), Kind::Compare(b)) => {
                a.operator == b.operator && a.left == b.left && a.right == b.right
            }
            _ => false,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Text(text) => f.write_str(&Expression::quote(text)),
            Kind::Number(number) => write!(f, "{number}"),
            Kind::Attribute(name) => write!(f, "[{name}]"),
            Kind::Keyword(keyword) => f.write_str(keyword.name()),
            Kind::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                for (index, argument) in call.arguments.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    if let Some(argument) = argument {
                        write!(f, "{argument}")?;
                    }
                }
                f.write_str(")")
            }
            Kind::Compare(comparison) => {
                let Comparison {
                    left,
                    operator,
                    right,
                } = comparison.as_ref();
                write!(f, "{left} {operator} {right}")
            }
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, operator)| operator == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}
