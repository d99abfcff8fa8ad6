//! Requests to programs whose addresses somebody has entered, which are no SCIM applications.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};

use super::address::Guard;
use super::error::NO_ANSWER;
use super::tenant_url::is_loopback;
use super::transport::cause_chain;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why something was not sent.
#[derive(Debug, thiserror::Error)]
pub enum OutwardError {
    /// The text is no address that may be sent to.
    #[error("{0}")]
    Address(String),
    /// There was no answer, or no HTTP client.
    #[error("{0}")]
    NoAnswer(String),
}

/// Sends to such programs: encrypted, unless they are on this machine; following no redirects; within a time; and, unless
/// `private` addresses are allowed, to the public internet alone. A cloud's metadata service is never asked.
#[derive(Debug, Clone)]
pub struct Outward {
    http: Client,
    guard: Guard,
}

impl Outward {
    /// `time`: how long a request may take.
    pub fn new(private: bool, time: Duration) -> Result<Self, OutwardError> {
        let guard = Guard { private };
        let builder = Client::builder()
            .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(time)
            .redirect(redirect::Policy::none())
            .dns_resolver(guard)
            // A proxy would look the name up itself, and nobody would judge what it finds.
            .no_proxy();
        let http = builder
            .build()
            .map_err(|cause| OutwardError::NoAnswer(cause.to_string()))?;
        Ok(Self { http, guard })
    }

    /// A request that posts to an address.
    ///
    /// # Errors
    /// When it is none that may be sent to.
    pub fn post(&self, address: &str) -> Result<RequestBuilder, OutwardError> {
        let wrong = |cause: String| OutwardError::Address(cause);
        let url = Url::parse(address).map_err(|cause| wrong(cause.to_string()))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(wrong("only https is encrypted".to_owned()));
        }
        self.guard.check(&url).map_err(|it| wrong(it.to_string()))?;
        Ok(self.http.post(url))
    }

    /// Sends it once. What the answer says besides its status is not read.
    ///
    /// # Errors
    /// When there was no answer in time, or the name belongs to an address that may not be sent to.
    pub async fn send(&self, request: RequestBuilder) -> Result<StatusCode, OutwardError> {
        match request.send().await {
            Ok(answer) => Ok(answer.status()),
            Err(cause) if cause.is_timeout() => Err(OutwardError::NoAnswer(NO_ANSWER.to_owned())),
            Err(cause) => Err(OutwardError::NoAnswer(cause_chain(&cause))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_before_anything_is_sent() {
        for (name, address, private, is_good) in [
            ("public", "https://hooks.example/x", false, true),
            ("in the clear", "http://hooks.example/x", true, false),
            ("another scheme", "ftp://hooks.example/x", true, false),
            ("no address", "hooks", true, false),
            ("this machine", "https://127.0.0.1/x", false, false),
            ("this machine, allowed", "http://127.0.0.1/x", true, true),
            ("a private network", "https://10.0.0.1/x", false, false),
            ("metadata", "https://169.254.169.254/x", true, false),
        ] {
            let outward = Outward::new(private, Duration::from_secs(1)).unwrap();
            assert_eq!(outward.post(address).is_ok(), is_good, "{name}");
        }
    }
}
