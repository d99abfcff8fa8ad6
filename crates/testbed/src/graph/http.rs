//! HTTP for the double: whole answers, halves of answers, and none.

use super::server::{Delivery, State};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The connection breaks.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off")
    }
}

impl std::error::Error for Broken {}

/// Answers until the runtime ends.
pub(super) async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<BoxBody<Bytes, Broken>>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let delivery = state.lock().expect("the double").answer(&head, &body);
    let (reply, whole) = match delivery {
        Delivery::Whole(reply) => (reply, true),
        Delivery::Half(reply) => (reply, false),
        Delivery::HangUp => return Err(Broken),
        Delivery::Silence => std::future::pending().await,
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let body = if whole {
        Full::from(reply.body)
            .map_err(|never| match never {})
            .boxed()
    } else {
        let half = Bytes::from(reply.body[..reply.body.len() / 2].to_owned());
        BoxBody::new(StreamBody::new(stream::iter([
            Ok(Frame::data(half)),
            Err(Broken),
        ])))
    };
    response.body(body).map_err(|_| Broken)
}
