//! One push of one event, and what the receiver's answer means.

use crate::scim::events::outcome::SECEVENT;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use reqwest::{Response, redirect};
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest explanation that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// The codes of RFC 8935 section 2.4 that speak of the stream and not of one event.
const OF_THE_STREAM: &[&str] = &[
    "invalid_key",
    "invalid_issuer",
    "invalid_audience",
    "authentication_failed",
    "access_denied",
];

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// The receiver has it.
    Taken,
    /// The receiver will never take it; what it said.
    Refused(String),
    /// Not this time: what happened, and after how many seconds the receiver wants to be asked again.
    Failed(String, Option<i64>),
}

/// Sends events. Redirects are not followed: who takes events is what the admin has set.
pub(super) struct Client(reqwest::Client);

impl Client {
    pub(super) fn new() -> reqwest::Result<Self> {
        reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("Portreeve/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
    }

    /// Sends one token (RFC 8935 section 2.1).
    pub(super) async fn send(
        &self,
        endpoint: &str,
        authorization: Option<HeaderValue>,
        token: &str,
    ) -> Reply {
        let mut request = self
            .0
            .post(endpoint)
            .header(CONTENT_TYPE, SECEVENT)
            .header(ACCEPT, "application/json")
            .body(token.to_owned());
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        match request.send().await {
            Ok(response) => read(response).await,
            Err(error) => Reply::Failed(sentence(&error), None),
        }
    }
}

async fn read(response: Response) -> Reply {
    let status = response.status();
    if status.is_success() {
        return Reply::Taken;
    }
    if status.is_redirection() {
        let said = format!(
            "the receiver answered {status}; redirects are not followed, so create the stream with the final address"
        );
        return Reply::Failed(said, None);
    }
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let said = explanation(response).await;
    match said {
        Some(said) if status == StatusCode::BAD_REQUEST => {
            let sentence = format!("{}: {}", said.err, said.description);
            if OF_THE_STREAM.contains(&said.err.as_str()) {
                Reply::Failed(format!("the receiver answered {sentence}"), retry_after)
            } else {
                Reply::Refused(sentence)
            }
        }
        _ => Reply::Failed(format!("the receiver answered {status}"), retry_after),
    }
}

/// The body of a refusal (RFC 8935 section 2.3).
#[derive(Debug, Deserialize)]
struct Explanation {
    err: String,
    #[serde(default)]
    description: String,
}

async fn explanation(mut response: Response) -> Option<Explanation> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST {
            return None;
        }
    }
    let mut said: Explanation = serde_json::from_slice(&body).ok()?;
    for text in [&mut said.err, &mut said.description] {
        *text = text.chars().filter(|c| !c.is_control()).take(300).collect();
    }
    Some(said)
}

/// An error with its causes, without the URL, which may carry secrets.
fn sentence(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver did not answer in time".into();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("the receiver could not be reached: {cause}")
}
