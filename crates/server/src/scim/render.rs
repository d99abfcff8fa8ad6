//! Resources, lists and errors as bytes.
//!
//! A stored resource is canonical JSON text already; the usual answer is that text with `id`, `groups` and `meta` put
//! around it, without parsing it again.

use super::error::Failure;
use super::tag;
use crate::tags;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use portreeve_directory::Refusal;
use portreeve_directory::groups::Group;
use portreeve_directory::users::{InGroup, User};
use portreeve_scim::schema::{Attribute, ResourceType, Returned};
use portreeve_scim::{Projection, error, time};
use serde_json::Value;
use std::fmt::Write;

pub(crate) const SCIM_JSON: &str = "application/scim+json";

/// The media type of the answer: SCIM's own unless the client asks for plain JSON alone.
pub(crate) fn media_type(headers: &HeaderMap) -> &'static str {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let plain = accept.contains("application/json")
        && !accept.contains("scim+json")
        && !accept.contains("*/*");
    if plain { "application/json" } else { SCIM_JSON }
}

/// An answer with a JSON body.
pub(crate) fn json(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An error answer.
pub(crate) fn failure(failure: &Failure, media_type: &'static str) -> Response {
    let body = error::body(failure.status.as_u16(), failure.scim_type, &failure.detail).to_string();
    let mut response = json(failure.status, media_type, body);
    if failure.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().append(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"SCIM\""),
        );
        response.headers_mut().append(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"SCIM\", charset=\"UTF-8\""),
        );
    }
    if let Some(seconds) = failure.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Adds `ETag` and `Location`.
pub(crate) fn with_identity(mut response: Response, tag: &str, location: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, value);
    }
    if let Ok(value) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, value);
    }
    response
}

/// About how many bytes the answer has of a user who is in no group.
pub(crate) fn room_for(user: &User) -> usize {
    user.resource.len() + 360
}

/// A user as the projection wants it, with this tag. `groups` must have been loaded if it wants them.
pub(crate) fn user(
    base: &str,
    user: &User,
    tag: &str,
    of: &ResourceType,
    projection: &Projection,
) -> Result<String, Refusal> {
    let mut out = String::with_capacity(room_for(user));
    open(&mut out, &user.id, &user.resource);
    if !user.groups.is_empty() && projection.wants(of, "groups") {
        out.push_str(",\"groups\":[");
        for (i, group) in user.groups.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            in_group(&mut out, base, group);
        }
        out.push(']');
    }
    meta(
        &mut out,
        base,
        "User",
        &user.id,
        (user.created_at, user.updated_at, tag),
    );
    project(out, of, projection)
}

/// A group without members.
pub(crate) fn group_alone(
    base: &str,
    group: &Group,
    of: &ResourceType,
    projection: &Projection,
) -> Result<String, Refusal> {
    let mut out = String::with_capacity(group.resource.len() + 360);
    open(&mut out, &group.id, &group.resource);
    meta(
        &mut out,
        base,
        "Group",
        &group.id,
        (
            group.created_at,
            group.updated_at,
            &tag::of_version(group.version),
        ),
    );
    project(out, of, projection)
}

/// One element of `members`.
pub(crate) fn member(out: &mut String, base: &str, id: &str, kind: &str) {
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "{{\"value\":\"{id}\",\"$ref\":\"{base}/{kind}s/{id}\",\"type\":\"{kind}\"}}"
    );
}

fn in_group(out: &mut String, base: &str, group: &InGroup) {
    let kind = if group.direct { "direct" } else { "indirect" };
    let id = &group.id;
    let _ = write!(
        out,
        "{{\"value\":\"{id}\",\"$ref\":\"{base}/Groups/{id}\",\"display\":{},\"type\":\"{kind}\"}}",
        Value::from(group.display.as_str())
    );
}

/// `{"id":…` and the stored attributes, still open.
fn open(out: &mut String, id: &str, resource: &str) {
    let inner = resource
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or_default();
    let _ = write!(out, "{{\"id\":\"{id}\",{inner}");
}

fn meta(
    out: &mut String,
    base: &str,
    kind: &str,
    id: &str,
    (created, modified, tag): (i64, i64, &str),
) {
    let _ = write!(
        out,
        ",\"meta\":{{\"resourceType\":\"{kind}\",\"created\":\"{}\",\"lastModified\":\"{}\",\"location\":\"{base}/{kind}s/{id}\",\"version\":\"W/\\\"{}\\\"\"}}}}",
        time::format(created),
        time::format(modified),
        tags::opaque(tag)
    );
}

fn project(text: String, of: &ResourceType, projection: &Projection) -> Result<String, Refusal> {
    if projection.is_everything() && !hides(of) {
        return Ok(text);
    }
    let mut full = serde_json::from_str(&text).map_err(|error| {
        portreeve_store::Error::Failed(format!(
            "a stored resource is not JSON: {error}; restore the database from a backup"
        ))
    })?;
    projection.apply(of, &mut full);
    Ok(Value::Object(full).to_string())
}

/// Whether resources of this type may have stored values that are not for every answer. Of the RFC's own attributes only
/// passwords are such, which are not stored; a directory's own extensions may have others.
fn hides(of: &ResourceType) -> bool {
    let hidden = |it: &Attribute| matches!(it.returned, Returned::Never | Returned::Request);
    let mut attributes = of
        .extensions
        .iter()
        .flat_map(|(schema, _)| &schema.attributes);
    attributes.any(|it| hidden(it) || it.sub_attributes.iter().any(hidden))
}

/// The part of a ListResponse before its resources.
pub(crate) fn list_head(
    total: Option<i64>,
    start_index: Option<u64>,
    items: usize,
    next: Option<&str>,
) -> String {
    let mut out =
        String::from("{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"]");
    if let Some(total) = total {
        let _ = write!(out, ",\"totalResults\":{total}");
    }
    if let Some(start) = start_index {
        let _ = write!(out, ",\"startIndex\":{start}");
    }
    let _ = write!(out, ",\"itemsPerPage\":{items}");
    if let Some(next) = next {
        let _ = write!(out, ",\"nextCursor\":\"{next}\"");
    }
    out.push_str(",\"Resources\":[");
    out
}

/// The end of a ListResponse.
pub(crate) const LIST_TAIL: &str = "]}";

/// Bytes of a finished text.
pub(crate) fn bytes(text: String) -> Bytes {
    Bytes::from(text)
}
