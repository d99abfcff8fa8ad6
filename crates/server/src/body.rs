//! Reading request bodies: bounded in size and time.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// The most bytes of an ordinary request.
pub(crate) const LIMIT: usize = 1 << 20;
/// The most bytes of a bulk request.
pub(crate) const BULK_LIMIT: usize = 8 << 20;
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
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, BodyError> {
    if !headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value.to_str().is_ok_and(is_json))
    {
        return Err(BodyError::MediaType);
    }
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(BodyError::TooLarge(limit));
    }
    let whole = tokio::time::timeout(TIMEOUT, Limited::new(body, limit).collect())
        .await
        .map_err(|_| BodyError::TooSlow)?;
    match whole {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(limit)),
        Err(_) => Err(BodyError::Incomplete),
    }
}

fn is_json(value: &str) -> bool {
    let kind = value.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/scim+json")
        || kind.eq_ignore_ascii_case("application/json")
}
