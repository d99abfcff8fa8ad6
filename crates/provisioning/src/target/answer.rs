//! Reading what a target answers: the message must be SCIM, whatever the status says.

use std::fmt;

use reqwest::header::{CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Error;
use super::quirk::{Quirk, Quirks};

/// How much of an answer that is not SCIM is shown, in characters.
const SHOWN: usize = 200;

const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// The `id` that a target gave to a resource (RFC 7643 section 3.1).
///
/// It is never empty, `.` or `..`: those would turn the address of one resource into the address of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct ResourceId(String);

impl ResourceId {
    /// Checks an id; `None` when it cannot stand in an address.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let harmless = !matches!(text, "" | "." | "..");
        harmless.then(|| Self(text.to_owned()))
    }

    /// An id that no target gave: of a resource that a dry run would have made.
    pub(crate) fn made_up(number: u64) -> Self {
        Self(format!("dry-run-{number}"))
    }

    /// The id as the target wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resource as the target returned it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    id: ResourceId,
    version: Option<String>,
    attributes: Map<String, Value>,
}

impl Resource {
    /// Its id at the target.
    #[must_use]
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// Everything the target sent, `id` included.
    #[must_use]
    pub fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
    }

    /// The value of an attribute; names are case-insensitive (RFC 7643 section 2.1).
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        member(&self.attributes, name)
    }

    /// Its version, as `If-Match` takes it: the answer's `ETag`, or `meta.version` (RFC 7644 section 3.14).
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let meta = || self.attribute("meta")?.as_object();
        let stored = || member(meta()?, "version")?.as_str();
        self.version.as_deref().or_else(stored)
    }

    /// Leaves out attributes that were not asked for, and says whether there were any.
    pub(super) fn leave_out(&mut self, names: &[&str]) -> bool {
        let before = self.attributes.len();
        self.attributes
            .retain(|key, _| !names.iter().any(|name| name.eq_ignore_ascii_case(key)));
        self.attributes.len() < before
    }

    fn from_value(value: Value, quirks: &Quirks) -> Result<Self, Unusable> {
        let Value::Object(mut attributes) = value else {
            return Err(Unusable::NoResource);
        };
        let text = match member(&attributes, "id") {
            None | Some(Value::Null) => return Err(Unusable::NoId),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => {
                quirks.note(Quirk::IdIsNumber);
                number.to_string()
            }
            Some(_) => return Err(Unusable::BadId),
        };
        let id = ResourceId::new(&text).ok_or(Unusable::BadId)?;
        if read_booleans(&mut attributes) {
            quirks.note(Quirk::BooleanIsText);
        }
        Ok(Self {
            id,
            version: None,
            attributes,
        })
    }
}

/// Why a JSON value is not a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unusable {
    NoResource,
    NoId,
    BadId,
}

impl Unusable {
    fn reason(self) -> String {
        match self {
            Self::NoResource => "a resource is not a JSON object".to_owned(),
            Self::NoId | Self::BadId => "a resource has no usable id".to_owned(),
        }
    }
}

/// Turns `"True"` and the like into truth values where the core schema has truth values (RFC 7643 section 4): `active`,
/// and `primary` of a list's elements. Says whether there were any.
fn read_booleans(attributes: &mut Map<String, Value>) -> bool {
    let mut found = false;
    for (name, value) in attributes.iter_mut() {
        if name.eq_ignore_ascii_case("active") {
            found |= read_boolean(value);
        }
        let elements = value.as_array_mut().into_iter().flatten();
        for element in elements.filter_map(Value::as_object_mut) {
            let primary = element
                .iter_mut()
                .filter(|(name, _)| name.eq_ignore_ascii_case("primary"));
            for (_, value) in primary {
                found |= read_boolean(value);
            }
        }
    }
    found
}

fn read_boolean(value: &mut Value) -> bool {
    let boolean = match value.as_str() {
        Some(text) if text.eq_ignore_ascii_case("true") => true,
        Some(text) if text.eq_ignore_ascii_case("false") => false,
        _ => return false,
    };
    *value = Value::Bool(boolean);
    true
}

/// The member of a JSON object with this name in any case.
pub(crate) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// What a filter found.
#[derive(Debug)]
pub(super) struct Matches {
    /// How many resources match, of which the first page may hold fewer.
    pub(super) total: u64,
    pub(super) page: Vec<Resource>,
}

/// What the answer to a change says of the resource.
#[derive(Debug)]
pub(super) enum Told {
    /// All of it.
    Resource(Resource),
    /// Something, but not its id.
    WithoutId,
    /// Nothing.
    Nothing,
}

/// One complete HTTP answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// Reads a response to its end, up to `largest` bytes.
    pub(super) async fn read(mut response: Response, largest: usize) -> Result<Self, ReadError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut answer = Self {
            status,
            headers,
            body: Vec::new(),
        };
        let announced = response.content_length().unwrap_or(0);
        if announced > largest as u64 {
            return Err(ReadError::TooLarge(answer.too_large(largest)));
        }
        while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
            if answer.body.len() + chunk.len() > largest {
                return Err(ReadError::TooLarge(answer.too_large(largest)));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    /// A single resource: the answer to a GET.
    pub(super) fn resource(&self, quirks: &Quirks) -> Result<Resource, Error> {
        match self.told(quirks)? {
            Told::Resource(resource) => Ok(resource),
            Told::WithoutId => Err(self.not_scim(Unusable::NoId.reason())),
            Told::Nothing => Err(self.not_scim("it is empty".to_owned())),
        }
    }

    /// The answer to a change: the resource, or nothing with status 204 (RFC 7644 section 3.5.2).
    pub(super) fn told(&self, quirks: &Quirks) -> Result<Told, Error> {
        if self.body.trim_ascii().is_empty() {
            if self.status != StatusCode::NO_CONTENT {
                quirks.note(Quirk::EmptyAnswer);
            }
            return Ok(Told::Nothing);
        }
        match Resource::from_value(self.json()?, quirks) {
            Ok(resource) => Ok(Told::Resource(Resource {
                version: self.header(ETAG).map(str::to_owned),
                ..resource
            })),
            Err(Unusable::NoId) => Ok(Told::WithoutId),
            Err(unusable) => Err(self.not_scim(unusable.reason())),
        }
    }

    /// The answer to a query (RFC 7644 section 3.4.2).
    pub(super) fn matches(&self, quirks: &Quirks) -> Result<Matches, Error> {
        let list: ListResponse = serde_json::from_value(self.json()?)
            .map_err(|cause| self.not_scim(format!("no list response, {cause}")))?;
        if !list
            .schemas
            .iter()
            .any(|urn| urn.eq_ignore_ascii_case(LIST_RESPONSE))
        {
            return Err(self.not_scim(format!(
                "the schemas of a list response do not name {LIST_RESPONSE}"
            )));
        }
        let page = list.resources.into_iter();
        let page: Result<Vec<_>, _> = page
            .map(|value| Resource::from_value(value, quirks))
            .collect();
        let page = page.map_err(|unusable| self.not_scim(unusable.reason()))?;
        if list.total_results > 0 && page.is_empty() {
            return Err(self.not_scim(
                "totalResults announces resources, and Resources holds none".to_owned(),
            ));
        }
        Ok(Matches {
            // Some targets count only what the page before this one left over, or nothing at all.
            total: list.total_results.max(page.len() as u64),
            page,
        })
    }

    /// The refusal that an answer with another status than 2xx is.
    pub(super) fn refusal(&self) -> Error {
        let status = self.status.as_u16();
        if self.status.is_redirection() {
            let to = excerpt(self.header(LOCATION).unwrap_or("nowhere").as_bytes());
            return self.not_scim(format!("the target redirects to {to}"));
        }
        let body = self
            .is_json()
            .then(|| serde_json::from_slice::<ErrorBody>(&self.body).ok())
            .flatten();
        let named = self.status.is_server_error() || matches!(status, 401 | 403 | 429);
        match body {
            Some(ErrorBody { detail, scim_type }) => Error::Refused {
                status,
                scim_type,
                detail: detail.unwrap_or_else(|| self.status_name()),
            },
            None if named || self.body.is_empty() => Error::Refused {
                status,
                scim_type: None,
                detail: self.status_name(),
            },
            None => self.not_scim("an error that is no SCIM message".to_owned()),
        }
    }

    /// What a token endpoint says against a request (RFC 6749 section 5.2).
    pub(super) fn oauth_refusal(&self) -> String {
        let body: Option<OauthError> = serde_json::from_slice(&self.body).ok();
        let said = body.map(|body| match body.error_description {
            Some(text) => format!(
                "{}, {}",
                excerpt(body.error.as_bytes()),
                excerpt(text.as_bytes())
            ),
            None => excerpt(body.error.as_bytes()),
        });
        let status = self.status.as_u16();
        format!(
            "{} (status {status})",
            said.unwrap_or_else(|| self.status_name())
        )
    }

    /// The `Retry-After` header, and the `Date` that its date counts from.
    pub(super) fn retry_after(&self) -> Option<(&str, Option<&str>)> {
        Some((self.header(RETRY_AFTER)?, self.header(DATE)))
    }

    pub(super) fn not_scim(&self, reason: String) -> Error {
        Error::NotScim {
            reason,
            status: self.status.as_u16(),
            content_type: excerpt(self.header(CONTENT_TYPE).unwrap_or("none").as_bytes()),
            start: excerpt(&self.body),
        }
    }

    fn too_large(&self, largest: usize) -> Error {
        self.not_scim(format!("it is larger than {largest} bytes"))
    }

    /// The body, when it is JSON and says so.
    pub(super) fn json(&self) -> Result<Value, Error> {
        if !self.is_json() {
            return Err(
                self.not_scim("neither application/scim+json nor application/json".to_owned())
            );
        }
        serde_json::from_slice(&self.body)
            .map_err(|cause| self.not_scim(format!("no JSON, {cause}")))
    }

    fn is_json(&self) -> bool {
        let essence = self
            .header(CONTENT_TYPE)
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .trim();
        essence.eq_ignore_ascii_case("application/scim+json")
            || essence.eq_ignore_ascii_case("application/json")
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn status_name(&self) -> String {
        self.status
            .canonical_reason()
            .unwrap_or("an unknown status")
            .to_owned()
    }
}

/// Why an answer could not be read to its end.
pub(super) enum ReadError {
    /// The connection broke, or the time was up.
    Broken(reqwest::Error),
    /// It is longer than the limit.
    TooLarge(Error),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListResponse {
    schemas: Vec<String>,
    total_results: u64,
    #[serde(default, rename = "Resources", alias = "resources")]
    resources: Vec<Value>,
}

/// RFC 7644 section 3.12. `status` is left out: the header line says it, and some servers send a number here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    detail: Option<String>,
    scim_type: Option<String>,
}

#[derive(Deserialize)]
struct OauthError {
    error: String,
    error_description: Option<String>,
}

/// The beginning of a text, on one line.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    // A character takes at most four bytes; one more lets the cut fall behind the last shown one.
    let bytes = &bytes[..bytes.len().min(4 * SHOWN + 4)];
    let visible = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    String::from_utf8_lossy(bytes)
        .chars()
        .take(SHOWN)
        .map(visible)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_points_at_the_whole_collection() {
        for text in ["", ".", ".."] {
            assert_eq!(ResourceId::new(text), None, "{text:?}");
        }
        assert_eq!(ResourceId::new("2819c223").unwrap().as_str(), "2819c223");
    }

    #[test]
    fn attributes_are_found_in_any_case() {
        let resource = Resource::from_value(
            serde_json::json!({"ID": "1", "username": "ada"}),
            &Quirks::default(),
        )
        .unwrap();
        assert_eq!(resource.attribute("userName"), Some(&Value::from("ada")));
        assert_eq!(resource.attribute("displayName"), None);
    }

    #[test]
    fn an_excerpt_is_one_line_of_at_most_200_characters() {
        assert_eq!(excerpt(b"<html>\r\n<body>"), "<html>  <body>");
        assert_eq!(excerpt("é".repeat(500).as_bytes()).chars().count(), SHOWN);
        assert_eq!(excerpt("𝄞".repeat(500).as_bytes()), "𝄞".repeat(SHOWN));
    }
}
