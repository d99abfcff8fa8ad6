//! Requests to Microsoft's servers: repeated when they fail in passing, as slowly as the server asks.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::source::Error;
use crate::target::{
    Limits, Surroundings, cause_chain, excerpt, http_client, is_loopback, retry_after,
};

/// Sends requests that may be sent any number of times.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    limits: Limits,
    surroundings: Arc<dyn Surroundings>,
}

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Vec<u8>,
}

impl Http {
    pub(super) fn new(
        server: &Url,
        limits: Limits,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, Error> {
        let client = http_client(is_loopback(server), &limits)
            .map_err(|cause| Error::Unusable(cause_chain(&cause)))?;
        Ok(Self {
            client,
            limits,
            surroundings,
        })
    }

    pub(super) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(super) fn now(&self) -> SystemTime {
        self.surroundings.now()
    }

    /// A name that nobody else has, for requests and assertions.
    pub(super) fn unique(&self) -> String {
        let (high, low) = (self.surroundings.random(), self.surroundings.random());
        let bits = u128::from(high) << 64 | u128::from(low);
        uuid::Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .to_string()
    }

    /// Sends a request until there is an answer that does not ask to come again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is none, or not soon; [`Error::Unusable`] when an answer is too large.
    pub(super) async fn exchange(
        &self,
        request: impl Fn() -> Result<RequestBuilder, Error>,
    ) -> Result<Answer, Error> {
        let mut attempts = 0;
        loop {
            let (reason, asked) = match request()?.send().await {
                Ok(response) => match self.read(response).await? {
                    Ok(answer) if !is_passing(answer.status) => return Ok(answer),
                    Ok(answer) => (answer.refusal(), self.wait(&answer.headers)),
                    Err(broken) => (broken, None),
                },
                Err(cause) => (cause_chain(&cause), None),
            };
            attempts += 1;
            self.pause(attempts, reason, asked).await?;
        }
    }

    /// Reads an answer to its end. A connection that breaks is a reason to repeat the request.
    async fn read(&self, mut response: Response) -> Result<Result<Answer, String>, Error> {
        let mut answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: Vec::new(),
        };
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(Ok(answer)),
                Ok(Some(chunk)) if answer.body.len() + chunk.len() > self.limits.largest_answer => {
                    return Err(Error::Unusable(format!(
                        "{} answers with more than {} bytes",
                        response.url().host_str().unwrap_or("the server"),
                        self.limits.largest_answer
                    )));
                }
                Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk),
                Err(cause) => return Ok(Err(cause_chain(&cause))),
            }
        }
    }

    /// How long the server wants to be left alone.
    fn wait(&self, headers: &HeaderMap) -> Option<Duration> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        retry_after(text(RETRY_AFTER)?, text(DATE), self.surroundings.now())
    }

    async fn pause(
        &self,
        attempts: u32,
        reason: String,
        asked: Option<Duration>,
    ) -> Result<(), Error> {
        let too_long = asked.is_some_and(|time| time > self.limits.longest_retry_after);
        if too_long || attempts >= self.limits.attempts {
            return Err(Error::Unavailable {
                reason,
                retry_after: asked.map(|time| time.as_secs()),
            });
        }
        // A little chance on top of what the server asked for, lest everybody it sent away returns at once.
        let pause = self.limits.backoff(attempts, self.surroundings.random());
        let pause = asked.map_or(pause, |time| time + pause.min(Duration::from_secs(1)));
        tracing::warn!(
            reason,
            attempts,
            pause_ms = pause.as_millis() as u64,
            "repeating a request to the source"
        );
        self.surroundings.pause(pause).await;
        Ok(())
    }
}

fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

impl Answer {
    /// The body as JSON of a certain form.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|cause| {
            Error::Unusable(format!(
                "its answer (status {}) cannot be read: {cause}; it begins with: {}",
                self.status.as_u16(),
                excerpt(&self.body)
            ))
        })
    }

    /// A refusal in one line: what an error of Graph says, or how the answer begins.
    pub(super) fn refusal(&self) -> String {
        let status = self.status.as_u16();
        match self.json::<super::client::ErrorBody>() {
            Ok(body) => format!("{} (status {status})", body.error),
            Err(_) if self.body.is_empty() => format!("status {status}"),
            Err(_) => format!("status {status}: {}", excerpt(&self.body)),
        }
    }
}
