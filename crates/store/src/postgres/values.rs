//! Values on their way to the server and back, in its binary format.
//!
//! The server says which type each parameter and column has. It is taken at its word: an integer goes where it wants
//! one.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{Error, Param, Result, Row, Value};

/// A parameter or column whose type is not the one that the statement has for it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Mismatch {
    #[error("the statement wants {wanted} where {given} is given")]
    Parameter { wanted: Type, given: &'static str },
    #[error("{value} does not fit into {wanted}")]
    Range { wanted: Type, value: i64 },
    #[error("a column has the type {0}, which the store does not read: cast it")]
    Column(Type),
}

type Boxed = Box<dyn StdError + Sync + Send>;

impl ToSql for Param<'_> {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        let given = match (self, wanted) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Bool(value), &Type::BOOL) => return value.to_sql(wanted, out),
            (Self::Int(value), &Type::INT8) => return value.to_sql(wanted, out),
            (Self::Int(value), &Type::INT4) => {
                return narrow::<i32>(*value, wanted)?.to_sql(wanted, out);
            }
            (Self::Int(value), &Type::INT2) => {
                return narrow::<i16>(*value, wanted)?.to_sql(wanted, out);
            }
            (
                Self::Text(text),
                &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME | &Type::UNKNOWN,
            ) => {
                return text.to_sql(wanted, out);
            }
            (Self::Bytes(bytes), &Type::BYTEA) => return bytes.to_sql(wanted, out),
            (Self::Bool(_), _) => "a truth value",
            (Self::Int(_), _) => "an integer",
            (Self::Text(_), _) => "text",
            (Self::Bytes(_), _) => "bytes",
        };
        Err(Mismatch::Parameter {
            wanted: wanted.clone(),
            given,
        }
        .into())
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn narrow<T: TryFrom<i64>>(value: i64, wanted: &Type) -> Result<T, Mismatch> {
    T::try_from(value).map_err(|_| Mismatch::Range {
        wanted: wanted.clone(),
        value,
    })
}

/// As the parameter that it is, for statements that are sent later.
impl ToSql for Value {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        Param::from(self).to_sql(wanted, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl From<&Param<'_>> for Value {
    fn from(param: &Param<'_>) -> Self {
        match *param {
            Param::Null => Self::Null,
            Param::Bool(value) => Self::Bool(value),
            Param::Int(value) => Self::Int(value),
            Param::Text(text) => Self::Text(text.to_string()),
            Param::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(found: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(match *found {
            Type::BOOL => Self::Bool(bool::from_sql(found, raw)?),
            Type::INT8 => Self::Int(i64::from_sql(found, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(found, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(found, raw)?.into()),
            Type::OID => Self::Int(u32::from_sql(found, raw)?.into()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Self::Text(String::from_sql(found, raw)?)
            }
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            _ => return Err(Mismatch::Column(found.clone()).into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row in the store's values.
pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row> {
    let value = |index| {
        row.try_get::<_, Value>(index).map_err(|error| {
            let cause =
                StdError::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Error::Failed(cause)
        })
    };
    (0..row.len())
        .map(value)
        .collect::<Result<_>>()
        .map(Row::new)
}
