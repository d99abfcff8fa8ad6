//! Reading request bodies: bounded in size and time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::time::Duration;

/// The most bytes of an ordinary request.
pub(crate) const LIMIT: usize = 1 << 20;
/// The most bytes of a bulk request.
pub(crate) const BULK_LIMIT: usize = 8 << 20;
/// How many bytes beyond the limit are read and thrown away.
const DRAIN: usize = 8 << 20;
/// How long a client may take to send a body.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge(usize),
    TooSlow,
    Incomplete,
    MediaType,
}

/// The whole body, if it is JSON by its `Content-Type` and not too large. A body without `Content-Type` is taken as JSON.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    if !headers.get(header::CONTENT_TYPE).is_none_or(|value| value.to_str().is_ok_and(is_json)) {
        return Err(BodyError::MediaType);
    }
    tokio::time::timeout(TIMEOUT, collect(body, limit))
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

/// Reads to the end. What is too large is still read on for a while and thrown away, because a client that is cut off
/// while it sends does not see the answer.
async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit.saturating_add(DRAIN) {
        return Err(BodyError::TooLarge(limit));
    }
    let mut whole = BytesMut::with_capacity(announced.min(limit));
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(_) if seen > limit => break,
            Err(_) => return Err(BodyError::Incomplete),
        };
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen <= limit {
            whole.extend_from_slice(&data);
        } else if seen > limit.saturating_add(DRAIN) {
            break;
        }
    }
    if seen > limit {
        return Err(BodyError::TooLarge(limit));
    }
    Ok(whole.freeze())
}

fn is_json(value: &str) -> bool {
    let kind = value.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/scim+json")
        || kind.eq_ignore_ascii_case("application/json")
}
