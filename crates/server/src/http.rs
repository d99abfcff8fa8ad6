//! HTTP connections: accepting, limits on slow clients, request ids, and a shutdown that finishes what is under way.

mod stall;

use crate::config::Patience;
use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use portreeve_directory::{Clock, Ids};
use stall::Stall;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

/// How long a client may take to send the headers of a request, also while a connection is idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long requests under way may take once the server is asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// The id of a request: what the client sent as `X-Request-Id`, else a new one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The user at the other end of the local socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalPeer(pub(crate) u32);

/// What every connection needs.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) patience: Patience,
    /// Turns true when the server is to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Serves TCP until asked to stop, then finishes the requests under way.
pub(crate) async fn tcp(listener: TcpListener, serving: Serving) {
    let open = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(serving.patience.connections));
    let mut stop = serving.stop.clone();
    loop {
        // Whoever finds no place waits with the operating system, which has room for some and refuses the rest.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.ok(),
            () = asked_to_stop(&mut stop) => break,
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Answers are written whole; waiting to fill packets only delays them.
                    let _ = stream.set_nodelay(true);
                    spawn(stream, Peer::Address(peer), &serving, &open, place);
                }
                Err(error) => pause(&error).await,
            },
            () = asked_to_stop(&mut stop) => break,
        }
    }
    drop(listener);
    drain(open).await;
}

/// Serves the local socket until asked to stop. Only the server's own user and root are let in.
pub(crate) async fn unix(listener: UnixListener, own_uid: u32, serving: Serving) {
    let open = GracefulShutdown::new();
    let mut stop = serving.stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match stream.peer_cred() {
                    Ok(peer) if peer.uid() == own_uid || peer.uid() == 0 => spawn(stream, Peer::Local(peer.uid()), &serving, &open, None),
                    Ok(peer) => tracing::warn!(uid = peer.uid(), "another user tried the local socket"),
                    Err(error) => tracing::warn!(%error, "the user at the local socket is not known"),
                },
                Err(error) => pause(&error).await,
            },
            () = asked_to_stop(&mut stop) => break,
        }
    }
    drop(listener);
    drain(open).await;
}

#[derive(Clone, Copy)]
enum Peer {
    Address(SocketAddr),
    Local(u32),
}

fn spawn(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    serving: &Serving,
    open: &GracefulShutdown,
    place: Option<OwnedSemaphorePermit>,
) {
    let Serving {
        router,
        clock,
        ids,
        patience,
        ..
    } = serving.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        answer(router.clone(), request, peer, clock.clone(), ids.clone())
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(Stall::new(stream, patience.write)), service);
    let connection = open.watch(connection);
    tokio::spawn(async move {
        // Clients go away in the middle of things; that is their right.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended");
        }
        drop(place);
    });
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: Peer,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    let sent = request
        .headers()
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    let id = match sent {
        Some(sent)
            if (1..=128).contains(&sent.len()) && sent.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            sent.to_owned()
        }
        _ => ids.next(clock.now()).to_string(),
    };
    let value = HeaderValue::try_from(id.as_str());
    request.extensions_mut().insert(RequestId(id));
    match peer {
        Peer::Address(address) => drop(request.extensions_mut().insert(address)),
        Peer::Local(uid) => drop(request.extensions_mut().insert(LocalPeer(uid))),
    }
    let mut response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if let Ok(value) = value {
        response.headers_mut().insert("x-request-id", value);
    }
    Ok(response)
}

/// Ends when the server is to stop.
pub(crate) async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and the server with it.
    drop(stop.wait_for(|stop| *stop).await);
}

/// `accept` fails when descriptors run out; going on at once would only burn the processor.
async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn drain(open: GracefulShutdown) {
    if tokio::time::timeout(DRAIN_TIMEOUT, open.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests were cut off because they took too long to finish");
    }
}
