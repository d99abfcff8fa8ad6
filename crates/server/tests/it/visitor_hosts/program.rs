//! A program that is told of visits.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(super) struct Program {
    pub(super) url: String,
    messages: UnboundedReceiver<Message>,
}

/// What the program was told (Standard Webhooks).
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) timestamp: String,
    signature: String,
    pub(super) body: String,
}

#[derive(Clone)]
struct Shared {
    messages: UnboundedSender<Message>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Program {
    /// `answers`: the first ones; after them everything is taken.
    pub(super) async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port is known");
        let (sender, messages) = unbounded_channel();
        let shared = Shared {
            messages: sender,
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
        };
        let router = Router::new()
            .route("/visits", post(take))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}/visits"),
            messages,
        }
    }

    pub(super) async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(30), self.messages.recv()).await;
        next.ok().flatten().expect("something is told")
    }

    pub(super) fn is_quiet(&mut self) -> bool {
        self.messages.try_recv().is_err()
    }
}

impl Message {
    /// Whether the message is by whoever has this secret.
    pub(super) fn is_signed_by(&self, secret: &str) -> bool {
        let secret = secret.strip_prefix("whsec_").unwrap_or_default();
        let key = Key::new(HMAC_SHA256, &STANDARD.decode(secret).expect("base64"));
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        let tag = self.signature.strip_prefix("v1,").unwrap_or_default();
        let tag = STANDARD.decode(tag).expect("base64");
        hmac::verify(&key, signed.as_bytes(), &tag).is_ok()
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let message = Message {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body,
    };
    let answer = shared
        .answers
        .lock()
        .expect("no test has panicked here")
        .pop_front();
    let _ = shared.messages.send(message);
    StatusCode::from_u16(answer.unwrap_or(204)).expect("a status")
}
