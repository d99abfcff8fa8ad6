//! Sending one request, judging how it failed, and waiting before the next attempt.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::answer::{Answer, ReadError};
use super::error::Error;
use super::retry::{Limits, Surroundings, retry_after};
use super::tenant_url::TenantUrl;

const SCIM_JSON: &str = "application/scim+json; charset=utf-8";
const ACCEPTED: &str = "application/scim+json, application/json";

/// How many redirects inside the target are followed.
const REDIRECTS: usize = 3;

/// Everything a request needs besides its address and body.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
    authorization: HeaderValue,
    limits: Limits,
    surroundings: Arc<dyn Surroundings>,
}

impl Transport {
    pub(super) fn new(
        base: &TenantUrl,
        token: &SecretString,
        limits: Limits,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, Error> {
        let authorization =
            HeaderValue::from_str(&format!("Bearer {}", token.expose_secret().trim()));
        let mut authorization = authorization.map_err(|_| {
            Error::Setup("the secret token holds characters no header can carry".to_owned())
        })?;
        authorization.set_sensitive(true);
        let http = http_client(base.is_local(), &limits)
            .map_err(|cause| Error::Setup(cause.to_string()))?;
        Ok(Self {
            http,
            authorization,
            limits,
            surroundings,
        })
    }

    pub(super) fn random(&self) -> u64 {
        self.surroundings.random()
    }

    /// Sends a request that may be sent any number of times.
    pub(super) async fn exchange(&self, request: &Request) -> Result<Answer, Error> {
        let mut attempts = 0;
        loop {
            match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.before_next(&mut attempts, failure).await?,
            }
        }
    }

    /// Waits as a failure demands, or gives its error back when there is to be no further attempt.
    pub(super) async fn before_next(
        &self,
        attempts: &mut u32,
        failure: Failure,
    ) -> Result<(), Error> {
        *attempts += 1;
        let Some(retry) = failure.retry else {
            return Err(failure.error);
        };
        let asked = match retry {
            Retry::Backoff => None,
            Retry::After(time) => Some(time),
        };
        if *attempts >= self.limits.attempts
            || asked.is_some_and(|time| time > self.limits.longest_retry_after)
        {
            return Err(match failure.error {
                Error::Unreachable { cause, .. } => Error::Unreachable {
                    attempts: *attempts,
                    cause,
                },
                error => error,
            });
        }
        // A little chance on top of what the target asked for, lest everybody it sent away returns at once.
        let pause = self.limits.backoff(*attempts, self.surroundings.random());
        let pause = asked.map_or(pause, |time| time + pause.min(Duration::from_secs(1)));
        tracing::warn!(error = %failure.error, attempt = *attempts, pause_ms = pause.as_millis() as u64, "repeating a request to the target");
        self.surroundings.pause(pause).await;
        Ok(())
    }

    /// Sends a request once.
    pub(super) async fn attempt(&self, request: &Request) -> Result<Answer, Failure> {
        let mut builder = self
            .http
            .request(request.method.clone(), request.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, ACCEPTED)
            .header(CONTENT_TYPE, SCIM_JSON);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let response = builder
            .send()
            .await
            .map_err(|cause| Failure::unreachable(&cause))?;
        let answer = Answer::read(response, self.limits.largest_answer)
            .await
            .map_err(|error| match error {
                ReadError::Broken(cause) => Failure::unreachable(&cause),
                ReadError::TooLarge(error) => Failure::lasting(error),
            })?;
        tracing::debug!(method = %request.method, path = request.url.path(), status = answer.status.as_u16(), "asked the target");
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(self.failure(&answer))
        }
    }

    /// What an answer other than 2xx means for the request.
    fn failure(&self, answer: &Answer) -> Failure {
        let asked = answer
            .retry_after()
            .and_then(|(value, date)| retry_after(value, date, self.surroundings.now()));
        let retry = Some(asked.map_or(Retry::Backoff, Retry::After));
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => Failure {
                error: Error::Throttled { retry_after: asked },
                retry,
                in_doubt: false,
            },
            StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Failure {
                error: answer.refusal(),
                retry,
                in_doubt: true,
            },
            _ => Failure::lasting(answer.refusal()),
        }
    }
}

/// The one place where an HTTP client is made, for targets and for sources.
///
/// Redirects are followed inside the origin that was asked, and only those that keep method and body (307, 308): the
/// token and people's data go nowhere else. A server on this machine (`local`) is never reached through a proxy.
pub(crate) fn http_client(local: bool, limits: &Limits) -> reqwest::Result<reqwest::Client> {
    let redirects = redirect::Policy::custom(|attempt| {
        let keeps_body = matches!(
            attempt.status(),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        );
        let origin = attempt.previous().first().map(Url::origin);
        let stays = origin.is_some_and(|origin| origin == attempt.url().origin());
        if keeps_body && stays && attempt.previous().len() <= REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    });
    let builder = reqwest::Client::builder()
        .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect_timeout)
        .timeout(limits.request_timeout)
        .redirect(redirects);
    let builder = if local { builder.no_proxy() } else { builder };
    builder.build()
}

/// One request, kept for its repetitions.
pub(super) struct Request {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn without_body(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            body: None,
        }
    }

    pub(super) fn with_body(method: Method, url: Url, body: &Value) -> Self {
        Self {
            method,
            url,
            body: Some(body.to_string().into_bytes()),
        }
    }
}

/// One attempt that failed.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether another attempt makes sense, and when.
    retry: Option<Retry>,
    /// Whether the target may have done what it was asked for.
    pub(super) in_doubt: bool,
}

enum Retry {
    Backoff,
    After(Duration),
}

impl Failure {
    fn lasting(error: Error) -> Self {
        Self {
            error,
            retry: None,
            in_doubt: false,
        }
    }

    fn unreachable(cause: &reqwest::Error) -> Self {
        let error = Error::Unreachable {
            attempts: 1,
            cause: cause_chain(cause),
        };
        // Without a connection the target has seen nothing of the request.
        Self {
            error,
            retry: Some(Retry::Backoff),
            in_doubt: !cause.is_connect(),
        }
    }
}

/// An error and its causes, from the outside in. The outermost message of an HTTP error holds the address with its
/// query, which is no business of a log; only the causes are told.
pub(crate) fn cause_chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let kind = match error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    };
    if causes.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind} ({})", causes.join(": "))
    }
}
