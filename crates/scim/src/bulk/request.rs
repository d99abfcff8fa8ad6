//! The body of a bulk request.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use super::reference::{self, UnresolvedRef, leave_out, references, substitute};
use super::{Error, Refusal};
use crate::schema::Catalog;

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// After how many errors to stop; `None` goes on to the end.
    pub fail_on_errors: Option<u64>,
    /// The operations in the order in which they were sent.
    pub entries: Vec<Entry>,
}

/// One operation as far as it can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The method as it was sent, for the answer.
    pub method: Option<String>,
    /// The client's name for the operation, for the answer.
    pub bulk_id: Option<String>,
    /// The operation, or why there is none.
    pub operation: Result<Operation, Refusal>,
}

/// An operation that can be run once its references are resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub method: Method,
    /// To what. A POST has no id, the others have one.
    pub target: Target,
    /// The version that the resource must still have, as `If-Match` would say.
    pub version: Option<String>,
    /// The body: an object, `null` for DELETE.
    pub data: Value,
}

/// The methods of bulk operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of HTTP")]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

/// Where an operation goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The endpoint of a resource type of the catalog, such as `/Users`.
    pub endpoint: String,
    /// The id of the resource; may be a reference `bulkId:x` before [`Operation::resolved`].
    pub id: Option<String>,
}

/// Why a whole bulk request is refused; nothing of it is carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Answered with 413 (RFC 7644 section 3.7.4).
    #[error(
        "The request has {sent} operations, more than bulk.maxOperations = {limit}; send them in several requests"
    )]
    TooManyOperations {
        /// How many there were.
        sent: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The body is not a bulk request.
    #[error(transparent)]
    Invalid(#[from] Error),
}

impl Request {
    /// Reads a bulk request. What is wrong with one operation is kept with it and leaves the others alone.
    ///
    /// # Errors
    /// [`RequestError::TooManyOperations`]; `invalidSyntax` when the body is no bulk request; `invalidValue` for a
    /// `failOnErrors` below 1 and for a `bulkId` used twice.
    pub fn parse(
        body: Value,
        catalog: &Catalog,
        max_operations: usize,
    ) -> Result<Self, RequestError> {
        let Value::Object(mut body) = body else {
            return Err(Error::invalid_syntax("The body must be a JSON object").into());
        };
        let schemas = take(&mut body, "schemas").unwrap_or_default();
        let schemas = schemas.as_array().map_or(&[][..], Vec::as_slice);
        if !schemas
            .iter()
            .filter_map(Value::as_str)
            .any(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST))
        {
            return Err(
                Error::invalid_syntax(format!("`schemas` must contain {BULK_REQUEST}")).into(),
            );
        }
        let fail_on_errors = match take(&mut body, "failOnErrors").unwrap_or_default() {
            Value::Null => None,
            value => match value.as_u64().filter(|n| *n > 0) {
                Some(errors) => Some(errors),
                None => {
                    return Err(Error::invalid_value(
                        "`failOnErrors` must be a whole number of at least 1",
                    )
                    .into());
                }
            },
        };
        let Some(Value::Array(operations)) = take(&mut body, "Operations") else {
            return Err(Error::invalid_syntax("`Operations` must be a list of operations").into());
        };
        if operations.len() > max_operations {
            return Err(RequestError::TooManyOperations {
                sent: operations.len(),
                limit: max_operations,
            });
        }
        let entries: Vec<_> = operations
            .into_iter()
            .map(|value| Entry::parse(value, catalog))
            .collect();
        let mut seen = HashSet::new();
        match entries
            .iter()
            .filter_map(|e| e.bulk_id.as_deref())
            .find(|id| !seen.insert(*id))
        {
            Some(id) => Err(Error::invalid_value(format!("The bulkId {id} is used twice")).into()),
            None => Ok(Self {
                fail_on_errors,
                entries,
            }),
        }
    }
}

impl Entry {
    fn parse(value: Value, catalog: &Catalog) -> Self {
        let Value::Object(mut object) = value else {
            let operation = Err(Error::invalid_syntax("An operation must be a JSON object").into());
            return Self {
                method: None,
                bulk_id: None,
                operation,
            };
        };
        let method = string(&mut object, "method");
        let bulk_id = string(&mut object, "bulkId");
        Self {
            method: method.clone().ok().flatten(),
            bulk_id: bulk_id.clone().ok().flatten(),
            operation: Operation::parse(object, method, bulk_id, catalog),
        }
    }
}

impl Operation {
    fn parse(
        mut object: Map<String, Value>,
        method: Result<Option<String>, Error>,
        bulk_id: Result<Option<String>, Error>,
        catalog: &Catalog,
    ) -> Result<Self, Refusal> {
        let method = Method::parse(
            &method?.ok_or_else(|| Error::invalid_syntax("The operation has no `method`"))?,
        )?;
        let path = string(&mut object, "path")?
            .ok_or_else(|| Error::invalid_syntax("The operation has no `path`"))?;
        let target = Target::parse(&path, method, catalog)?;
        match bulk_id? {
            None if method == Method::Post => {
                return Err(
                    Error::invalid_syntax("A POST in a bulk request needs a `bulkId`").into(),
                );
            }
            Some(id) if id.is_empty() => {
                return Err(Error::invalid_value("`bulkId` must not be empty").into());
            }
            _ => {}
        }
        let data = match (method, take(&mut object, "data")) {
            (Method::Delete, _) => Value::Null,
            (_, Some(data @ Value::Object(_))) => data,
            _ => {
                return Err(Error::invalid_syntax(format!(
                    "A {} needs an object as its `data`",
                    method.name()
                ))
                .into());
            }
        };
        Ok(Self {
            method,
            target,
            version: string(&mut object, "version")?,
            data,
        })
    }

    /// The `bulkId`s that the operation refers to, in its data and in its path.
    pub fn references(&self) -> BTreeSet<String> {
        let mut all = references(&self.data);
        all.extend(self.target.reference().map(str::to_owned));
        all
    }

    /// Target and data with ids in the place of references, for [`Step::Run`](super::Step::Run); what mentions a
    /// `bulkId` of `omit` is left out.
    ///
    /// # Errors
    /// [`UnresolvedRef`] when the operation that should have made the resource failed.
    pub fn resolved(
        &self,
        omit: &BTreeSet<String>,
        ids: &HashMap<String, String>,
    ) -> Result<(Target, Value), UnresolvedRef> {
        let mut target = self.target.clone();
        if let Some(bulk_id) = self.target.reference() {
            target.id = Some(reference::resolve(bulk_id, ids)?.to_owned());
        }
        let mut data = self.data.clone();
        if !omit.is_empty() {
            leave_out(&mut data, omit);
        }
        substitute(&mut data, ids)?;
        Ok((target, data))
    }
}

impl Method {
    /// As HTTP spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let all = [Self::Post, Self::Put, Self::Patch, Self::Delete];
        let known = all
            .into_iter()
            .find(|method| method.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            Refusal::new(
                405,
                format!("A bulk operation is POST, PUT, PATCH or DELETE, not {text}"),
            )
        })
    }
}

impl Target {
    fn parse(path: &str, method: Method, catalog: &Catalog) -> Result<Self, Refusal> {
        let name = method.name();
        let parts = path.strip_prefix('/').map(|path| {
            path.split_once('/')
                .map_or((path, None), |(e, id)| (e, Some(id)))
        });
        let (endpoint, id) = parts.ok_or_else(|| {
            Error::invalid_value(format!(
                "The path {path} must start with a slash, such as /Users"
            ))
        })?;
        let Some(t) = catalog
            .types()
            .iter()
            .find(|t| t.endpoint.strip_prefix('/') == Some(endpoint))
        else {
            return Err(Refusal::new(
                404,
                format!("There is no endpoint /{endpoint} for bulk operations"),
            ));
        };
        let id = id.filter(|id| !id.is_empty());
        match (method, id) {
            (Method::Post, Some(_)) => Err(Refusal::new(
                405,
                format!("A POST goes to {}, not to {path}", t.endpoint),
            )),
            (Method::Put | Method::Patch | Method::Delete, None) => Err(Refusal::new(
                405,
                format!(
                    "A {name} goes to one resource, such as {}/1, not to {path}",
                    t.endpoint
                ),
            )),
            (_, Some(id))
                if id.starts_with('.')
                    || id.contains(['?', '#'])
                    || id.contains('/') && reference::of(id).is_none() =>
            {
                Err(Refusal::new(
                    404,
                    format!("{path} is not the path of a resource"),
                ))
            }
            (_, id) => Ok(Self {
                endpoint: t.endpoint.clone(),
                id: id.map(str::to_owned),
            }),
        }
    }

    fn reference(&self) -> Option<&str> {
        reference::of(self.id.as_deref()?)
    }
}

/// Takes a value out by its name in any letter case.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = object
        .keys()
        .find(|key| key.eq_ignore_ascii_case(name))?
        .clone();
    object.shift_remove(&key)
}

fn string(object: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Error> {
    match take(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s)),
        Some(_) => Err(Error::invalid_value(format!("`{name}` must be a string"))),
    }
}
