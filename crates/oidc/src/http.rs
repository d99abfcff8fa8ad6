//! Requests to providers, and how much of an answer is read.

use crate::address::is_loopback;
use crate::{Asked, Error};
use reqwest::header::{ACCEPT, CACHE_CONTROL, DATE, HeaderMap};
use reqwest::{RequestBuilder, Response, StatusCode, redirect};
use std::time::{Duration, SystemTime};
use url::Url;

/// Somebody waits in front of a browser.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many redirects are followed, all inside the origin that was asked.
const REDIRECTS: usize = 3;
/// The longest answer that is read, in bytes. Entra's key set, with a certificate for each key, has some 20 KB.
const LONGEST: usize = 512 * 1024;

/// Talks to providers. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Http {
    remote: reqwest::Client,
    /// A provider on this machine is never reached through a proxy.
    local: reqwest::Client,
}

/// Something fetched, with what its headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched<T> {
    /// What was fetched.
    pub value: T,
    /// The provider's clock (RFC 9110 section 6.6.1).
    pub date: Option<SystemTime>,
    /// How long it may be kept (RFC 9111 section 5.2.2.1).
    pub max_age: Option<Duration>,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// The client.
    ///
    /// # Errors
    /// [`Error::Setup`] when the machine's certificates cannot be read.
    pub fn new() -> Result<Self, Error> {
        let failed = |cause: reqwest::Error| Error::Setup(sentence(&cause));
        Ok(Self {
            remote: builder().build().map_err(failed)?,
            local: builder().no_proxy().build().map_err(failed)?,
        })
    }

    fn client(&self, url: &Url) -> &reqwest::Client {
        if is_loopback(url) {
            &self.local
        } else {
            &self.remote
        }
    }

    /// Fetches a document.
    pub(crate) async fn get(&self, asked: Asked, url: &Url) -> Result<Fetched<Vec<u8>>, Error> {
        let request = self
            .client(url)
            .get(url.clone())
            .header(ACCEPT, "application/json");
        let answer = send(asked, request).await?;
        match answer.status {
            StatusCode::OK => Ok(Fetched {
                date: date(&answer.headers),
                max_age: max_age(&answer.headers),
                value: answer.body,
            }),
            status if status.is_redirection() => Err(Error::Redirected { asked }),
            status => Err(Error::Status {
                asked,
                status: status.as_u16(),
            }),
        }
    }

    /// A POST to the token endpoint, to be completed.
    pub(crate) fn post(&self, url: &Url) -> RequestBuilder {
        self.client(url)
            .post(url.clone())
            .header(ACCEPT, "application/json")
    }
}

fn builder() -> reqwest::ClientBuilder {
    let redirects = redirect::Policy::custom(|attempt| {
        let origin = attempt.previous().first().map(Url::origin);
        let stays = origin.is_some_and(|origin| origin == attempt.url().origin());
        if stays && attempt.previous().len() <= REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    });
    reqwest::Client::builder()
        .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(redirects)
}

/// Sends a request once and reads its answer within limits.
pub(crate) async fn send(asked: Asked, request: RequestBuilder) -> Result<Answer, Error> {
    let unreachable = |cause: reqwest::Error| Error::Unreachable {
        asked,
        cause: sentence(&cause),
    };
    let mut response: Response = request.send().await.map_err(unreachable)?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(unreachable)? {
        if body.len() + piece.len() > LONGEST {
            let limit = LONGEST;
            return Err(Error::TooLarge { asked, limit });
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body,
    })
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    directives.split(',').find_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        let seconds = value.trim().trim_matches('"').parse().ok()?;
        name.trim()
            .eq_ignore_ascii_case("max-age")
            .then(|| Duration::from_secs(seconds))
    })
}

/// The innermost cause. The outermost holds the address, whose query may be nobody's business.
fn sentence(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "there was no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    crate::shown(&cause.to_string())
}
