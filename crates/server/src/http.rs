//! HTTP connections: accepting, limits on slow clients, request ids, and a shutdown that finishes what is under way.

mod bodies;
mod descriptors;
mod gate;
mod places;
mod stall;

use crate::app::App;
use crate::config::Patience;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::requests::Requests;
use crate::step::{self, Secured};
use axum::Router;
use axum::body::Body;
use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use places::{Place, Places};
use portreeve_directory::{Clock, Ids};
use stall::Stall;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};
use tokio::sync::watch;

/// How long requests under way may take once the server is asked to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a client may take until its connection is encrypted.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many connections the operating system holds that are not accepted yet; others must try again after a second.
const BACKLOG: u32 = 1024;

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
    pub(crate) limits: Arc<Limits>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) metrics: Arc<Metrics>,
    /// Turns true when the server is to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Listens for connections, of which many may come at once.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A new server need not wait until the last connections of the old one are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves TCP until asked to stop, then finishes the requests under way.
pub(crate) async fn tcp(listener: TcpListener, serving: Serving) {
    let open = |stream, peer, watcher| {
        tokio::spawn(serve(stream, peer, serving.clone(), watcher, None));
    };
    let most = serving.patience.connections;
    let most = descriptors::make_room(most, most);
    accept(listener, &serving, most, open).await;
}

/// The same over TLS. Which certificate is shown to whom, [`step`] knows.
pub(crate) async fn tls(listener: TcpListener, serving: Serving, app: Arc<App>) {
    let open = |stream, peer: Peer, watcher| {
        let (app, serving) = (app.clone(), serving.clone());
        tokio::spawn(async move {
            let shaken = tokio::select! {
                shaken = tokio::time::timeout(HANDSHAKE, step::accept(&app, stream)) => shaken,
                () = peer.must_leave() => return,
            };
            match shaken {
                Ok(Ok((stream, secured))) => {
                    serve(stream, peer, serving, watcher, Some(secured)).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a connection was not encrypted"),
                Err(_) => tracing::debug!("a connection was not encrypted in time"),
            }
        });
    };
    let Patience {
        connections,
        agents,
        ..
    } = serving.patience;
    // Those of the other listener come from the same room. Few have as many agents as there may be.
    let room = descriptors::make_room(2 * connections + agents, 2 * connections);
    let most = room
        .saturating_sub(connections)
        .clamp(1, connections + agents);
    accept(listener, &serving, most, open).await;
}

/// Gives each connection one of so many places and to `open`, until asked to stop.
async fn accept(
    listener: TcpListener,
    serving: &Serving,
    most: usize,
    open: impl Fn(TcpStream, Peer, Watcher),
) {
    let under_way = GracefulShutdown::new();
    let places = Places::new(most);
    let mut stop = serving.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = asked_to_stop(&mut stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Descriptors may have run out; a connection that does nothing has one to give.
                places.clear_one();
                pause(&error).await;
                continue;
            }
        };
        // Whoever comes meanwhile waits with the operating system, which has room for some and refuses the rest.
        let place = tokio::select! {
            place = places.take() => place,
            () = asked_to_stop(&mut stop) => break,
        };
        if let Some(place) = place {
            // Answers are written whole; waiting to fill packets only delays them.
            let _ = stream.set_nodelay(true);
            let peer = Peer::Network(peer.ip(), place);
            open(stream, peer, under_way.watcher());
        }
    }
    drop(listener);
    drain(under_way).await;
}

/// Serves the local socket until asked to stop. Only the server's own user and root are let in.
pub(crate) async fn unix(listener: UnixListener, own_uid: u32, serving: Serving) {
    let open = GracefulShutdown::new();
    let mut stop = serving.stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match stream.peer_cred() {
                    Ok(peer) if peer.uid() == own_uid || peer.uid() == 0 => {
                        let peer = Peer::Local(peer.uid());
                        tokio::spawn(serve(stream, peer, serving.clone(), open.watcher(), None));
                    }
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

/// Who is at the other end of a connection.
#[derive(Clone)]
enum Peer {
    /// Somebody, with a place among those that the network gets.
    Network(IpAddr, Arc<Place>),
    /// A user of this machine, for whom there are no limits.
    Local(u32),
}

impl Peer {
    /// Ends when the connection must make room for another one.
    async fn must_leave(&self) {
        match self {
            Self::Network(_, place) => place.is_needed().await,
            Self::Local(_) => std::future::pending().await,
        }
    }
}

/// Answers the requests of one connection. `secured` is what is known of one that is encrypted.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    serving: Serving,
    watcher: Watcher,
    secured: Option<Secured>,
) {
    let patience = serving.patience;
    let (serving, caller) = (Arc::new(serving), peer.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(secured) = &secured {
            request.extensions_mut().insert(secured.clone());
        }
        answer(serving.clone(), request, caller.clone())
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .serve_connection(TokioIo::new(Stall::new(stream, patience.write)), service);
    tokio::select! {
        // Clients go away in the middle of things; that is their right.
        ended = watcher.watch(connection) => if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        },
        () = peer.must_leave() => tracing::debug!("a connection was idle and its place was needed"),
    }
}

async fn answer(
    serving: Arc<Serving>,
    request: Request<Incoming>,
    peer: Peer,
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
        _ => serving.ids.next(serving.clock.now()).to_string(),
    };
    let value = HeaderValue::try_from(id.as_str());
    request.extensions_mut().insert(RequestId(id));
    let asked = serving
        .metrics
        .asked(gate::area(&request), serving.clock.steady());
    let mut response = match peer {
        Peer::Network(address, place) => gate::answer(&serving, address, &place, request).await,
        Peer::Local(uid) => {
            request.extensions_mut().insert(LocalPeer(uid));
            gate::routed(&serving, request).await
        }
    };
    asked.answered(response.status(), serving.clock.steady());
    if let Ok(value) = value {
        response.headers_mut().insert("x-request-id", value);
    }
    // What is said to be data is data, whatever a browser makes of its first bytes.
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    Ok(response)
}

/// Ends when the server is to stop.
pub(crate) async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and the server with it.
    drop(stop.wait_for(|stop| *stop).await);
}

/// `accept` fails when descriptors run out; going on at once would only burn the processor.
async fn pause(error: &io::Error) {
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
