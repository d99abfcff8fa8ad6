//! Entity tags (RFC 9110 section 8.8.3), which are also `meta.version` (RFC 7644 section 3.14).
//!
//! `W/"7"` is version 7 of a resource. A user who is shown with groups has `W/"7.1c0ffee5"`: the groups are derived, so
//! they change without the user's version, and what comes after the dot stands for them. A change of the user depends
//! on the version alone; a copy of the representation is good only as long as all of it is.

use super::error::Failure;
use crate::tags::{self, Malformed, Wanted};
use aws_lc_rs::digest::{Context, SHA256};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use portreeve_directory::users::{InGroup, Precondition, User};
use portreeve_scim::schema::ResourceType;
use portreeve_scim::{Error, Projection};
use std::fmt::Write;

/// The tag of a version.
pub(crate) fn of_version(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// The tag of a user as the projection shows it. `groups` must have been loaded if it wants them.
pub(crate) fn of_user(user: &User, of: &ResourceType, projection: &Projection) -> String {
    if user.groups.is_empty() || !projection.wants(of, "groups") {
        return of_version(user.version);
    }
    let mut tag = format!("W/\"{}.", user.version);
    for byte in digest(&user.groups) {
        // Writing to a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// `If-Match` (RFC 9110 section 13.1.1), compared weakly, as SCIM's own examples do.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Precondition, Failure> {
    Ok(match read(headers, &IF_MATCH)? {
        None => Precondition::None,
        Some(Wanted::Any) => Precondition::Exists,
        Some(Wanted::Tags(tags)) => {
            Precondition::Version(tags.into_iter().filter_map(version).collect())
        }
    })
}

/// Whether `If-None-Match` names this tag (RFC 9110 section 13.1.2).
pub(crate) fn if_none_match(headers: &HeaderMap, tag: &str) -> Result<bool, Failure> {
    Ok(match read(headers, &IF_NONE_MATCH)? {
        None => false,
        Some(Wanted::Any) => true,
        Some(Wanted::Tags(known)) => known.contains(&tags::opaque(tag)),
    })
}

/// The `version` of a bulk operation as a condition (RFC 7644 section 3.7).
pub(crate) fn of_operation(text: &str) -> Result<Precondition, Failure> {
    let tags = tags::list(text).ok_or_else(|| malformed("version", text))?;
    Ok(Precondition::Version(
        tags.into_iter().filter_map(version).collect(),
    ))
}

fn read<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<Wanted<'h>>, Failure> {
    tags::read(headers, name).map_err(|Malformed(text)| malformed(name.as_str(), &text))
}

/// The version in a tag; none where the tag is not one of ours, which therefore matches nothing.
fn version(tag: &str) -> Option<i64> {
    let number = tag.split_once('.').map_or(tag, |(number, _)| number);
    number.parse().ok()
}

/// Four bytes that differ when the groups do, in whatever order they come.
fn digest(groups: &[InGroup]) -> [u8; 4] {
    let mut sorted: Vec<_> = groups.iter().collect();
    sorted.sort_unstable_by_key(|group| (&group.id, group.direct));
    let mut hash = Context::new(&SHA256);
    for group in sorted {
        hash.update(group.id.as_bytes());
        hash.update(&[u8::from(group.direct)]);
        hash.update(group.display.as_bytes());
        // No text has this byte, so one list cannot look like another.
        hash.update(&[0xff]);
    }
    let mut out = [0; 4];
    for (place, byte) in out.iter_mut().zip(hash.finish().as_ref()) {
        *place = *byte;
    }
    out
}

fn malformed(name: &str, text: &str) -> Failure {
    Error::invalid_value(format!(
        "{name} is {text:?}; give versions as they were in meta.version or ETag, such as W/\"3\", separated by commas"
    ))
    .into()
}
