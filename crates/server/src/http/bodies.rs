//! Bodies that tell something of the connection they are on.

use axum::body::{Body, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// A body that keeps something until it is sent or given up.
pub(super) fn keeping<T: Send + Unpin + 'static>(kept: T, body: Body) -> Body {
    Body::new(Keeping { body, _kept: kept })
}

/// A body that says whether somebody waits for a piece of it to arrive.
pub(super) fn watched(body: Body, awaited: Arc<AtomicBool>) -> Body {
    match body.is_end_stream() {
        true => body,
        false => Body::new(Watched { body, awaited }),
    }
}

struct Keeping<T> {
    body: Body,
    _kept: T,
}

struct Watched {
    body: Body,
    awaited: Arc<AtomicBool>,
}

impl<T: Unpin> http_body::Body for Keeping<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.awaited.store(frame.is_pending(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
