//! Sending one request, judging how it failed, and waiting before the next attempt.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH};
use reqwest::{Method, StatusCode, Url, redirect};
use serde_json::Value;

use super::address::{self, Guard};
use super::answer::{Answer, ReadError};
use super::authentication::{Authentication, Tokens};
use super::error::{Error, NO_ANSWER};
use super::pace::Pace;
use super::retry::{Limits, Surroundings, retry_after};
use super::tenant_url::TenantUrl;
use crate::token::Token;

const SCIM_JSON: &str = "application/scim+json; charset=utf-8";
const ACCEPTED: &str = "application/scim+json, application/json";

/// How many redirects inside the target are followed.
const REDIRECTS: usize = 3;

/// Everything a request needs besides its address and body. Clones share their connections, their token and their pace.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
    authentication: Arc<Authentication>,
    pace: Arc<Pace>,
    limits: Limits,
    surroundings: Arc<dyn Surroundings>,
}

impl Transport {
    /// Without a `guard` the caller vouches for the address.
    pub(super) fn new(
        base: &TenantUrl,
        authentication: Authentication,
        guard: Option<Guard>,
        pace: Pace,
        limits: Limits,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, Error> {
        let mut builder = http_builder(base.is_local(), &limits);
        if let Some(guard) = guard {
            builder = builder.dns_resolver(guard);
            if !guard.private {
                // A proxy would look the name up itself, and nobody would judge what it finds.
                builder = builder.no_proxy();
            }
        }
        let http = builder
            .build()
            .map_err(|cause| Error::Setup(cause.to_string()))?;
        Ok(Self {
            http,
            authentication: Arc::new(authentication),
            pace: Arc::new(pace),
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
        if asked.is_some() || matches!(failure.error, Error::Throttled { .. }) {
            // The target as a whole has too much to do: every request waits, this one before its next attempt.
            self.pace.hold(pause);
        } else {
            self.surroundings.pause(pause).await;
        }
        Ok(())
    }

    /// Sends a request once; once more when it was refused for a token that has ended early.
    pub(super) async fn attempt(&self, request: &Request) -> Result<Answer, Failure> {
        // First the wait, then the token: it could end meanwhile.
        let _place = self.pace.turn().await;
        let authorization = self.authorization().await?;
        let answer = self.send(request, authorization.clone()).await?;
        if answer.status == StatusCode::UNAUTHORIZED
            && let Authentication::Tokens(tokens) = &*self.authentication
        {
            tokens.kept.forget(&authorization).await;
            let authorization = self.authorization().await?;
            let answer = self.send(request, authorization).await?;
            return self.judge(answer);
        }
        self.judge(answer)
    }

    async fn send(&self, request: &Request, authorization: HeaderValue) -> Result<Answer, Failure> {
        let mut builder = self
            .http
            .request(request.method.clone(), request.url.clone())
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, ACCEPTED)
            .header(CONTENT_TYPE, SCIM_JSON);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        if let Some(version) = &request.version {
            builder = builder.header(IF_MATCH, version);
        }
        let answer = self.receive(builder).await?;
        tracing::debug!(method = %request.method, path = request.url.path(), status = answer.status.as_u16(), "asked the target");
        Ok(answer)
    }

    async fn receive(&self, request: reqwest::RequestBuilder) -> Result<Answer, Failure> {
        let response = request
            .send()
            .await
            .map_err(|cause| Failure::unreachable(&cause))?;
        Answer::read(response, self.limits.largest_answer)
            .await
            .map_err(|error| match error {
                ReadError::Broken(cause) => Failure::unreachable(&cause),
                ReadError::TooLarge(error) => Failure::lasting(error),
            })
    }

    /// What goes into `Authorization` now.
    async fn authorization(&self) -> Result<HeaderValue, Failure> {
        match &*self.authentication {
            Authentication::Fixed(value) => Ok(value.clone()),
            Authentication::Tokens(tokens) => {
                let now = self.surroundings.now();
                let asked = || self.token(tokens, now);
                tokens.kept.current(now, asked).await
            }
        }
    }

    /// Asks the token endpoint. It has seen nothing of the request, so nothing is in doubt when it fails.
    async fn token(&self, tokens: &Tokens, now: SystemTime) -> Result<Token, Failure> {
        let certain = |failure| Failure {
            in_doubt: false,
            ..failure
        };
        let request = tokens.request(&self.http).map_err(Failure::lasting)?;
        let answer = self.receive(request).await.map_err(certain)?;
        tracing::debug!(
            host = tokens.endpoint.host_str(),
            status = answer.status.as_u16(),
            "asked for an access token"
        );
        match answer.status.as_u16() {
            200..=299 => {
                let body = answer.json().map_err(Failure::lasting)?;
                Token::read(&body, now).map_err(|reason| Failure::lasting(Error::SignIn(reason)))
            }
            400..=428 | 430..=499 => Err(Failure::lasting(Error::SignIn(answer.oauth_refusal()))),
            _ => Err(certain(self.failure(&answer))),
        }
    }

    fn judge(&self, answer: Answer) -> Result<Answer, Failure> {
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
    http_builder(local, limits).build()
}

fn http_builder(local: bool, limits: &Limits) -> reqwest::ClientBuilder {
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
    if local { builder.no_proxy() } else { builder }
}

/// One request, kept for its repetitions.
pub(super) struct Request {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    /// The only version that the request is for (`If-Match`).
    version: Option<String>,
}

impl Request {
    pub(super) fn without_body(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            body: None,
            version: None,
        }
    }

    pub(super) fn with_body(method: Method, url: Url, body: &Value) -> Self {
        Self {
            method,
            url,
            body: Some(body.to_string().into_bytes()),
            version: None,
        }
    }

    /// The same request, to be done only while the resource has this version. A text that no header can carry is left
    /// out.
    pub(super) fn if_match(mut self, version: &str) -> Self {
        let fits = HeaderValue::from_str(version).is_ok();
        self.version = fits.then(|| version.to_owned());
        self
    }

    pub(super) fn is_conditional(&self) -> bool {
        self.version.is_some()
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
        if let Some(forbidden) = address::refusal(cause) {
            return Self::lasting(forbidden.into());
        }
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
        error if error.is_timeout() => NO_ANSWER,
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    };
    if causes.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind} ({})", causes.join(": "))
    }
}
