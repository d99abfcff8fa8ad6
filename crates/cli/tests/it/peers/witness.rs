//! Stands between the program and a server, and writes down what is asked.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// A proxy for one server. It stops with the test's runtime.
#[derive(Clone)]
pub(super) struct Witness {
    /// The base URL to give to the program.
    pub(super) url: String,
    origin: String,
    http: reqwest::Client,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Witness {
    /// Passes requests on to the base URL `origin`.
    pub(super) async fn start(origin: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let witness = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            origin,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            seen: Arc::default(),
        };
        let service = axum::Router::new()
            .fallback(pass)
            .with_state(witness.clone());
        tokio::spawn(async move { axum::serve(listener, service).await });
        witness
    }

    /// What was asked since the last call: method, path and query, and the status of the answer.
    pub(super) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn pass(State(witness): State<Witness>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let target = head.uri.to_string();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    // Of this connection, not of the request.
    for name in ["host", "connection", "content-length", "transfer-encoding"] {
        head.headers.remove(name);
    }
    let url = format!("{}{target}", witness.origin);
    let request = witness
        .http
        .request(head.method.clone(), url)
        .headers(head.headers);
    let answer = request.body(body).send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap();
    let line = format!("{} {target} {}", head.method, status.as_u16());
    witness.seen.lock().unwrap().push(line);
    for name in [
        "connection",
        "content-length",
        "transfer-encoding",
        "keep-alive",
    ] {
        headers.remove(name);
    }
    (status, headers, Body::from(body)).into_response()
}
