//! A receiver that events are pushed to: it answers as it is told and hands over what it got.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_testbed::TestServer;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One push.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) headers: HeaderMap,
    pub(crate) token: String,
}

/// How the receiver answers one push.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    /// 400 with this code.
    Error(&'static str),
    /// To another place.
    Redirect,
    /// 202, but only when it is told to go on.
    Late(Arc<Notify>),
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    pushes: UnboundedReceiver<Push>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

#[derive(Clone)]
struct Shared {
    pushes: UnboundedSender<Push>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port is known");
        let (sender, pushes) = unbounded_channel();
        let replies = Arc::new(Mutex::new(VecDeque::new()));
        let shared = Shared {
            pushes: sender,
            replies: replies.clone(),
        };
        let router = Router::new()
            .route("/events", post(take))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}/events"),
            pushes,
            replies,
        }
    }

    /// The next answers; after them everything is taken.
    pub(crate) fn replies(&self, replies: &[Reply]) {
        self.replies
            .lock()
            .expect("no test has panicked here")
            .extend(replies.iter().cloned());
    }

    /// The next push. The server's clock goes on while it does not come, so that pauses end.
    pub(crate) async fn next(&mut self, server: &TestServer) -> Push {
        for _ in 0..100 {
            let wait = tokio::time::timeout(Duration::from_millis(200), self.pushes.recv());
            if let Ok(Some(push)) = wait.await {
                return push;
            }
            server.clock().advance(Duration::from_secs(60));
        }
        panic!("nothing was pushed");
    }

    /// The next push, while all clocks stand still.
    pub(crate) async fn next_soon(&mut self) -> Push {
        let next = tokio::time::timeout(Duration::from_secs(30), self.pushes.recv());
        next.await.ok().flatten().expect("something is pushed")
    }

    /// Whether anything came that nobody has asked for.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.pushes.try_recv().is_err()
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let reply = shared
        .replies
        .lock()
        .expect("no test has panicked here")
        .pop_front();
    let token = String::from_utf8_lossy(&body).into_owned();
    let _ = shared.pushes.send(Push { headers, token });
    match reply {
        None => StatusCode::ACCEPTED.into_response(),
        Some(Reply::Status(status)) => StatusCode::from_u16(status)
            .expect("a status")
            .into_response(),
        Some(Reply::Error(err)) => {
            let body: Value = json!({"err": err, "description": "because"});
            (StatusCode::BAD_REQUEST, body.to_string()).into_response()
        }
        Some(Reply::Redirect) => {
            let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
            let to = HeaderValue::from_static("/events?again");
            response.headers_mut().insert("location", to);
            response
        }
        Some(Reply::Late(go_on)) => {
            go_on.notified().await;
            StatusCode::ACCEPTED.into_response()
        }
    }
}
