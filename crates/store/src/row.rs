//! Values that go into statements and come out of them.

use crate::{Error, Result};

/// What one column of a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A truth value. SQLite gives [`Value::Int`] for `BOOLEAN` columns; [`Row::bool`] takes both.
    Bool(bool),
    /// Any integer, and every time (microseconds since 1970 UTC).
    Int(i64),
    /// Text, an identifier or a JSON document.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "a truth value",
            Self::Int(_) => "an integer",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// One parameter of a statement: `&params![id, name][0]` is `$1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param<'a> {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer or a time.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Value> for Param<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Text(value) => Self::Text(value),
            Value::Bytes(value) => Self::Bytes(value),
        }
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Makes an array of [`Param`]s from anything that converts into one.
///
/// ```
/// use portreeve_store::{params, Param};
/// let note: Option<&str> = None;
/// assert_eq!(params!["ann", 7, true, note], [Param::Text("ann"), Param::Int(7), Param::Bool(true), Param::Null]);
/// ```
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Param::from($value)),*] };
}

/// One row of an answer; columns count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Box<[Value]>);

impl Row {
    pub(crate) fn new(values: Box<[Value]>) -> Self {
        Self(values)
    }

    /// The values as they came.
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// A text column.
    pub fn text(&self, index: usize) -> Result<&str> {
        self.opt_text(index)?
            .ok_or_else(|| mismatch(index, "text", self.0.get(index)))
    }

    /// A text column that may be NULL.
    pub fn opt_text(&self, index: usize) -> Result<Option<&str>> {
        match self.0.get(index) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(mismatch(index, "text", other)),
        }
    }

    /// Moves the text out of a column without a copy; the column is NULL afterwards.
    pub fn take_text(&mut self, index: usize) -> Result<String> {
        self.take_opt_text(index)?
            .ok_or_else(|| mismatch(index, "text", Some(&Value::Null)))
    }

    /// Moves the text out of a column that may be NULL.
    pub fn take_opt_text(&mut self, index: usize) -> Result<Option<String>> {
        match self.0.get_mut(index) {
            Some(slot @ Value::Text(_)) => match std::mem::replace(slot, Value::Null) {
                Value::Text(text) => Ok(Some(text)),
                other => Err(mismatch(index, "text", Some(&other))),
            },
            Some(Value::Null) => Ok(None),
            other => Err(mismatch(index, "text", other.as_deref())),
        }
    }

    /// An integer column.
    pub fn int(&self, index: usize) -> Result<i64> {
        self.opt_int(index)?
            .ok_or_else(|| mismatch(index, "an integer", self.0.get(index)))
    }

    /// An integer column that may be NULL.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>> {
        match self.0.get(index) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            other => Err(mismatch(index, "an integer", other)),
        }
    }

    /// A truth value; SQLite's 0 and 1 count.
    pub fn bool(&self, index: usize) -> Result<bool> {
        self.opt_bool(index)?
            .ok_or_else(|| mismatch(index, "a truth value", self.0.get(index)))
    }

    /// A truth value that may be NULL.
    pub fn opt_bool(&self, index: usize) -> Result<Option<bool>> {
        match self.0.get(index) {
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::Int(value @ (0 | 1))) => Ok(Some(*value == 1)),
            Some(Value::Null) => Ok(None),
            other => Err(mismatch(index, "a truth value", other)),
        }
    }

    /// A column of bytes.
    pub fn bytes(&self, index: usize) -> Result<&[u8]> {
        self.opt_bytes(index)?
            .ok_or_else(|| mismatch(index, "bytes", self.0.get(index)))
    }

    /// A column of bytes that may be NULL.
    pub fn opt_bytes(&self, index: usize) -> Result<Option<&[u8]>> {
        match self.0.get(index) {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Null) => Ok(None),
            other => Err(mismatch(index, "bytes", other)),
        }
    }
}

fn mismatch(index: usize, wanted: &'static str, found: Option<&Value>) -> Error {
    Error::Column {
        index,
        wanted,
        found: found.map_or("nothing: the row has fewer columns", Value::kind),
    }
}
