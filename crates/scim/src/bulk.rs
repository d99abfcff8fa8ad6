//! Bulk requests (RFC 7644 section 3.7): reading them, the references between their operations, and an order in
//! which they can be run.
//!
//! [`Request::parse`] reads a request, [`plan`] orders it, [`Operation::resolved`] gives what to run in each step, and
//! [`response`] makes the answer. Running is the caller's part; every operation is a change of its own, and results
//! are reported in the order of the request.

use serde_json::{Map, Value, json};

use crate::error::{self, Error, ErrorKind};

mod plan;
mod reference;
mod request;
#[cfg(test)]
mod tests;

pub use plan::{Step, plan};
pub use reference::{UnresolvedRef, leave_out, references, substitute};
pub use request::{Entry, Method, Operation, Request, RequestError, Target};

/// The URN of a bulk answer.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// Why one operation is not carried out; the others still are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The HTTP status that the operation alone would have had.
    pub status: u16,
    /// The `scimType`, where there is one for it.
    pub kind: Option<ErrorKind>,
    /// What was wrong, for a person.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: None,
            detail: detail.into(),
        }
    }

    /// The body of a SCIM error.
    pub fn body(&self) -> Value {
        error::body(
            self.status,
            self.kind.map(ErrorKind::scim_type),
            &self.detail,
        )
    }
}

impl From<Error> for Refusal {
    fn from(e: Error) -> Self {
        Self {
            status: e.kind.status(),
            kind: Some(e.kind),
            detail: e.detail,
        }
    }
}

impl From<UnresolvedRef> for Refusal {
    fn from(e: UnresolvedRef) -> Self {
        Self::new(409, e.to_string())
    }
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The HTTP status.
    pub status: u16,
    /// The address of the resource; `None` only for a POST that failed.
    pub location: Option<String>,
    /// The version of the resource.
    pub version: Option<String>,
    /// The body of the answer: always for an error, for a success where the server wants to give one.
    pub response: Option<Value>,
}

/// The answer to a bulk request: one result for every operation that was processed, with the entry it belongs to.
pub fn response<'e>(results: impl Iterator<Item = (&'e Entry, Outcome)>) -> Value {
    let operations: Vec<_> = results
        .map(|(entry, outcome)| result(entry, outcome))
        .collect();
    json!({ "schemas": [BULK_RESPONSE], "Operations": operations })
}

fn result(entry: &Entry, outcome: Outcome) -> Value {
    let mut result = Map::new();
    let text = |s: Option<String>| s.map(Value::String);
    let fields = [
        ("method", text(entry.method.clone())),
        ("bulkId", text(entry.bulk_id.clone())),
        ("location", text(outcome.location)),
        ("version", text(outcome.version)),
        ("status", Some(outcome.status.to_string().into())),
        ("response", outcome.response),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            result.insert(name.into(), value);
        }
    }
    Value::Object(result)
}
