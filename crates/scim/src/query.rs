//! List queries: the parameters of a GET and the body of a `.search` (RFC 7644 section 3.4, RFC 9865), and the order
//! of a sorted list.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::Filter;
use crate::error::Error;
use crate::path::AttributePath;
use crate::projection::Projection;

mod sort;
#[cfg(test)]
mod tests;
mod url;

pub use sort::{SortKey, sort_key};
pub use url::pairs;

/// The URN of a search message.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// What a client wants to have listed.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// Which resources.
    pub filter: Option<Filter>,
    /// In which order; `None` is the server's own.
    pub sort_by: Option<AttributePath>,
    /// Whether the order is turned round.
    pub descending: bool,
    /// The first result, counted from 1.
    pub start_index: u64,
    /// How many results at most; 0 asks for the total alone.
    pub count: Option<u64>,
    /// Where to go on (RFC 9865); `Some("")` asks for the first page of a walk.
    pub cursor: Option<String>,
    /// Which attributes.
    pub projection: Projection,
}

impl ListQuery {
    /// Reads decoded query parameters. Their names are taken in any letter case, unknown ones ignored.
    ///
    /// # Errors
    /// `invalidFilter`; `invalidValue` for a parameter given twice, a number that is none, a malformed `sortBy`, an
    /// unknown `sortOrder`, and `cursor` together with a `startIndex` beyond 1.
    pub fn from_pairs<'a>(
        pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    ) -> Result<Self, Error> {
        let mut found = Found::default();
        for (name, value) in pairs {
            let Some(parameter) = Parameter::by_name(&name) else {
                continue;
            };
            let value = match parameter {
                Parameter::StartIndex | Parameter::Count => {
                    Given::Number(integer(parameter, &value)?)
                }
                Parameter::Attributes | Parameter::ExcludedAttributes => {
                    Given::Names(value.split(',').map(str::to_owned).collect())
                }
                _ => Given::Text(value.into_owned()),
            };
            found.put(parameter, value)?;
        }
        found.query()
    }

    /// Reads the body of a `.search`.
    ///
    /// # Errors
    /// `invalidSyntax` when the body is not an object with the SearchRequest URN in `schemas`; `invalidValue` for a
    /// value of the wrong type, and as for [`from_pairs`](Self::from_pairs).
    pub fn from_search(body: Value) -> Result<Self, Error> {
        let Value::Object(body) = body else {
            return Err(Error::invalid_syntax("The body must be a JSON object"));
        };
        check_message(&body)?;
        let mut found = Found::default();
        for (name, value) in body {
            let Some(parameter) = Parameter::by_name(&name).filter(|_| !value.is_null()) else {
                continue;
            };
            let value = parameter.typed(&value)?;
            found.put(parameter, value)?;
        }
        found.query()
    }
}

fn check_message(body: &Map<String, Value>) -> Result<(), Error> {
    let schemas = body
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("schemas"))
        .map(|(_, value)| value);
    let list = schemas
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    match list
        .iter()
        .filter_map(Value::as_str)
        .any(|urn| urn.eq_ignore_ascii_case(SEARCH_REQUEST))
    {
        true => Ok(()),
        false => Err(Error::invalid_syntax(format!(
            "`schemas` must contain {SEARCH_REQUEST}"
        ))),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    Filter,
    SortBy,
    SortOrder,
    StartIndex,
    Count,
    Cursor,
    Attributes,
    ExcludedAttributes,
}

impl Parameter {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Filter, "filter"),
        (Self::SortBy, "sortBy"),
        (Self::SortOrder, "sortOrder"),
        (Self::StartIndex, "startIndex"),
        (Self::Count, "count"),
        (Self::Cursor, "cursor"),
        (Self::Attributes, "attributes"),
        (Self::ExcludedAttributes, "excludedAttributes"),
    ];

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(parameter, _)| *parameter)
    }

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(parameter, _)| *parameter == self)
            .map_or("", |(_, name)| name)
    }

    /// Checks the type of a value in a SearchRequest.
    fn typed(self, value: &Value) -> Result<Given, Error> {
        let (given, expected) = match self {
            Self::StartIndex | Self::Count => (value.as_i64().map(Given::Number), "a whole number"),
            Self::Attributes | Self::ExcludedAttributes => {
                (names(value).map(Given::Names), "a list of strings")
            }
            _ => (
                value.as_str().map(|s| Given::Text(s.to_owned())),
                "a string",
            ),
        };
        given.ok_or_else(|| Error::invalid_value(format!("`{}` must be {expected}", self.name())))
    }
}

fn names(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// A parameter's value in its type, whichever way it was sent.
enum Given {
    Text(String),
    Number(i64),
    Names(Vec<String>),
}

/// The parameters that were given, each once.
#[derive(Default)]
struct Found(Vec<(Parameter, Given)>);

impl Found {
    fn put(&mut self, parameter: Parameter, value: Given) -> Result<(), Error> {
        if self.0.iter().any(|(known, _)| *known == parameter) {
            return Err(Error::invalid_value(format!(
                "`{}` is given twice",
                parameter.name()
            )));
        }
        self.0.push((parameter, value));
        Ok(())
    }

    fn take(&mut self, parameter: Parameter) -> Option<Given> {
        let index = self.0.iter().position(|(known, _)| *known == parameter)?;
        Some(self.0.swap_remove(index).1)
    }

    fn text(&mut self, parameter: Parameter) -> Option<String> {
        match self.take(parameter)? {
            Given::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&mut self, parameter: Parameter) -> Option<i64> {
        match self.take(parameter)? {
            Given::Number(number) => Some(number),
            _ => None,
        }
    }

    fn names(&mut self, parameter: Parameter) -> Vec<String> {
        match self.take(parameter) {
            Some(Given::Names(names)) => names,
            _ => Vec::new(),
        }
    }

    fn query(mut self) -> Result<ListQuery, Error> {
        let filter = self
            .text(Parameter::Filter)
            .map(|text| Filter::parse(&text))
            .transpose()?;
        let sort_by = self.text(Parameter::SortBy).filter(|text| !text.is_empty());
        let sort_by = sort_by.map(|text| AttributePath::parse(&text)).transpose();
        let sort_by =
            sort_by.map_err(|e| Error::invalid_value(format!("`sortBy`: {}", e.detail)))?;
        let descending = match self.text(Parameter::SortOrder).as_deref() {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => {
                return Err(Error::invalid_value(
                    "`sortOrder` must be ascending or descending",
                ));
            }
        };
        let start_index = self.number(Parameter::StartIndex).map_or(1, at_least::<1>);
        let count = self.number(Parameter::Count).map(at_least::<0>);
        let cursor = self.text(Parameter::Cursor);
        if cursor.is_some() && start_index > 1 {
            return Err(Error::invalid_value(
                "`cursor` and `startIndex` are two ways to page; send one of them",
            ));
        }
        let (only, without) = (
            self.names(Parameter::Attributes),
            self.names(Parameter::ExcludedAttributes),
        );
        let projection = Projection::from_names(
            only.iter().map(String::as_str),
            without.iter().map(String::as_str),
        );
        Ok(ListQuery {
            filter,
            sort_by,
            descending,
            start_index,
            count,
            cursor,
            projection,
        })
    }
}

/// RFC 7644 section 3.4.2.4 has too small numbers read as the smallest one that makes sense.
fn at_least<const LEAST: u64>(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(LEAST).max(LEAST)
}

/// A whole number; what is beyond 64 bits is as good as the largest one.
fn integer(parameter: Parameter, text: &str) -> Result<i64, Error> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::invalid_value(format!(
            "`{}` must be a whole number",
            parameter.name()
        )));
    }
    Ok(text.parse().unwrap_or(if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    }))
}
