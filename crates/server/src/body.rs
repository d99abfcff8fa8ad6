//! Reading request bodies: bounded in size and time, and the large ones in number.

use crate::app::App;
use axum::body::Body;
use bytes::BytesMut;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most bytes of an ordinary request.
pub(crate) const LIMIT: usize = 1 << 20;
/// The most bytes of a bulk request.
pub(crate) const BULK_LIMIT: usize = 8 << 20;
/// How many bytes beyond the limit are read and thrown away.
const DRAIN: usize = 8 << 20;
/// A body larger than this is a large one.
const LARGE: usize = 64 << 10;
/// How many large bodies may be in memory at once; as values they are many times as large as on the wire.
pub(crate) const LARGE_AT_ONCE: usize = 4;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge(usize),
    TooSlow,
    Busy,
    Incomplete,
    MediaType,
}

/// A whole body. While it exists, a large one takes the room of one.
pub(crate) struct Whole {
    bytes: BytesMut,
    room: Room,
}

/// Whether a body has the room that a large one needs.
enum Room {
    /// It is a small one.
    Needless,
    Awaited,
    Taken {
        _permit: OwnedSemaphorePermit,
    },
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The whole body, if it is JSON by its `Content-Type` and not too large. A body without `Content-Type` is taken as
/// JSON. It must arrive in time; waiting for room counts.
pub(crate) async fn read(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Whole, BodyError> {
    if !headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value.to_str().is_ok_and(is_json))
    {
        return Err(BodyError::MediaType);
    }
    whole(app, body, limit).await
}

/// The whole body of a form, if it is one by its `Content-Type` and not too large.
pub(crate) async fn read_form(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Whole, BodyError> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !is_kind(kind, "application/x-www-form-urlencoded") {
        return Err(BodyError::MediaType);
    }
    whole(app, body, limit).await
}

async fn whole(app: &App, body: Body, limit: usize) -> Result<Whole, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit.saturating_add(DRAIN) {
        return Err(BodyError::TooLarge(limit));
    }
    let mut whole = Whole {
        bytes: BytesMut::with_capacity(announced.min(LARGE)),
        room: Room::Needless,
    };
    let work = collect(&mut whole, body, limit, &app.large_bodies);
    match tokio::time::timeout(app.config.patience.body, work).await {
        Ok(done) => done.map(|()| whole),
        Err(_) if matches!(whole.room, Room::Awaited) => Err(BodyError::Busy),
        Err(_) => Err(BodyError::TooSlow),
    }
}

/// Reads to the end. What is too large is still read on for a while and thrown away, because a client that is cut off
/// while it sends does not see the answer.
async fn collect(
    whole: &mut Whole,
    mut body: Body,
    limit: usize,
    large_bodies: &Arc<Semaphore>,
) -> Result<(), BodyError> {
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(_) if seen > limit => break,
            Err(_) => return Err(BodyError::Incomplete),
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        if seen <= limit {
            if seen > LARGE && matches!(whole.room, Room::Needless) {
                whole.room = Room::Awaited;
                // The semaphore is never closed.
                let taken = large_bodies.clone().acquire_owned().await;
                whole.room = taken.map_or(Room::Awaited, |permit| Room::Taken { _permit: permit });
            }
            whole.bytes.extend_from_slice(&data);
        } else if seen > limit.saturating_add(DRAIN) {
            break;
        }
    }
    if seen > limit {
        return Err(BodyError::TooLarge(limit));
    }
    Ok(())
}

fn is_json(value: &str) -> bool {
    is_kind(value, "application/scim+json") || is_kind(value, "application/json")
}

fn is_kind(value: &str, kind: &str) -> bool {
    let found = value.split(';').next().unwrap_or_default().trim();
    found.eq_ignore_ascii_case(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Reads a body of that many bytes as far as it goes without waiting.
    fn read_at_once(size: usize, rooms: &Arc<Semaphore>) -> (Option<Result<(), BodyError>>, Whole) {
        let mut whole = Whole {
            bytes: BytesMut::new(),
            room: Room::Needless,
        };
        let done = collect(&mut whole, Body::from(vec![b'x'; size]), LIMIT, rooms).now_or_never();
        (done, whole)
    }

    #[test]
    fn a_large_body_needs_room_until_it_is_dropped() {
        let rooms = Arc::new(Semaphore::new(1));
        let (done, first) = read_at_once(LARGE + 1, &rooms);
        assert_eq!((done, first.len()), (Some(Ok(())), LARGE + 1));
        let (waits, second) = read_at_once(LARGE + 1, &rooms);
        assert!(waits.is_none() && matches!(second.room, Room::Awaited));
        let (small, _) = read_at_once(LARGE, &rooms);
        assert_eq!(small, Some(Ok(())), "a small one needs none");
        let (too_large, _) = read_at_once(LIMIT + 1, &rooms);
        assert_eq!(too_large, Some(Err(BodyError::TooLarge(LIMIT))));
        drop(first);
        assert_eq!(read_at_once(LARGE + 1, &rooms).0, Some(Ok(())));
    }
}
