//! What expressions compute with: null, text, booleans, numbers, dates, references, roles, and lists of these.

use std::borrow::Cow;
use std::fmt;

use crate::date::Date;

/// A value, borrowed from the source object or the expression wherever nothing had to be made anew.
///
/// A list of one is as good as its only element wherever one value is needed, and an empty list as null.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// The attribute is absent, or a function found nothing.
    Null,
    /// Text.
    Text(Cow<'a, str>),
    /// `True` or `False` as text.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// An instant, in UTC; `M/d/yyyy h:mm:ss tt` as text.
    Date(Date),
    /// Another object of the source, by its id there: a manager, a member. What it is at the target is for
    /// whoever keeps the links to say.
    Reference(Cow<'a, str>),
    /// An assigned application role.
    Role(Cow<'a, Role>),
    /// The values of a multi-valued attribute, none of them null or a list.
    List(Vec<Self>),
}

impl<'a> Value<'a> {
    /// Text that is borrowed or owned.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    pub fn integer(number: i64) -> Self {
        Self::Number(Number::Integer(number))
    }

    /// The same value, borrowed from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Boolean(truth) => Value::Boolean(*truth),
            Self::Number(number) => Value::Number(*number),
            Self::Date(date) => Value::Date(*date),
            Self::Reference(id) => Value::Reference(Cow::Borrowed(id)),
            Self::Role(role) => Value::Role(Cow::Borrowed(role)),
            Self::List(items) => Value::List(items.iter().map(Value::borrowed).collect()),
        }
    }

    /// The same value, borrowed from nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Boolean(truth) => Value::Boolean(truth),
            Self::Number(number) => Value::Number(number),
            Self::Date(date) => Value::Date(date),
            Self::Reference(id) => Value::Reference(Cow::Owned(id.into_owned())),
            Self::Role(role) => Value::Role(Cow::Owned(role.into_owned())),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
        }
    }

    /// Whether this is null or an empty list.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// Whether this is null, an empty list or empty text.
    pub fn is_null_or_empty(&self) -> bool {
        self.is_null() || matches!(self.single(), Some(Self::Text(text)) if text.is_empty())
    }

    /// The one value that this is: itself, or the only element of a list. `None` for null and for several.
    pub fn single(&self) -> Option<&Self> {
        match self {
            Self::Null => None,
            Self::List(items) => match items.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            one => Some(one),
        }
    }

    /// The values: none for null, the elements of a list, else this one.
    pub fn into_items(self) -> Vec<Self> {
        match self {
            Self::Null => Vec::new(),
            Self::List(items) => items,
            one => vec![one],
        }
    }

    /// The text form of one value; `None` for null and for several values.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Text(text) | Self::Reference(text) => Some(text),
            Self::Boolean(truth) => Some(Cow::Borrowed(if truth { "True" } else { "False" })),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Date(date) => Some(Cow::Owned(date.to_string())),
            Self::Role(Cow::Borrowed(role)) => Some(Cow::Borrowed(&role.value)),
            Self::Role(Cow::Owned(role)) => Some(Cow::Owned(role.value)),
            Self::List(mut items) => match (items.pop(), items.is_empty()) {
                (Some(only), true) => only.into_text(),
                _ => None,
            },
        }
    }
}

/// Null is printed as nothing, a list with commas between its values, a role by its value.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                Ok(())
            }
            Self::Text(text) | Self::Reference(text) => f.write_str(text),
            Self::Null => Ok(()),
            Self::Boolean(truth) => f.write_str(if *truth { "True" } else { "False" }),
            Self::Number(number) => write!(f, "{number}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Role(role) => f.write_str(&role.value),
        }
    }
}

/// A number: whole where it can be, so that the ticks of a date keep their last digit.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// Any other finite number.
    Decimal(f64),
}

impl Number {
    /// Reads `12`, `-3.5` and the like, with blanks around it as the language's converters allow.
    /// `None` when the text is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if !plain || !digits.starts_with(|c: char| c.is_ascii_digit()) || digits.ends_with('.') {
            return None;
        }
        if let Ok(number) = text.parse() {
            return Some(Self::Integer(number));
        }
        let number = text.parse().ok().filter(|n: &f64| n.is_finite())?;
        Some(Self::of(number))
    }

    /// The number as a floating-point one; big whole numbers lose their last digits.
    pub fn as_f64(self) -> f64 {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "documented; .NET's conversion loses them as well"
            )]
            Self::Integer(number) => number as f64,
            Self::Decimal(number) => number,
        }
    }

    /// The whole number that this is, if it is one.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            Self::Decimal(_) => None,
        }
    }

    /// A finite number, as a whole one where it is one.
    fn of(number: f64) -> Self {
        // Beyond 2^53 a floating-point number no longer says which whole number was meant.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and small enough, as the condition says"
        )]
        match number.fract() == 0.0 && number.abs() <= EXACT {
            true => Self::Integer(number as i64),
            false => Self::Decimal(number),
        }
    }
}

impl From<&serde_json::Number> for Number {
    fn from(number: &serde_json::Number) -> Self {
        match number.as_i64() {
            Some(number) => Self::Integer(number),
            None => Self::of(
                number
                    .as_f64()
                    .filter(|n| n.is_finite())
                    .unwrap_or(f64::MAX),
            ),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(std::cmp::Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{number}"),
        }
    }
}

/// An application role that is assigned to somebody, directly or by a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's value, which applications know it by.
    pub value: String,
    /// The role's name for people.
    pub display: String,
}

impl Role {
    /// The `type` that Entra gives to every role that it sends.
    pub const TYPE: &'static str = "WindowsAzureActiveDirectoryRole";
}
