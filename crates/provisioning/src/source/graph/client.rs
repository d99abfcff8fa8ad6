//! Microsoft Graph over HTTP: signed-in requests, links that stay inside, and what its refusals mean.

use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::http::{Answer, Http};
use super::token::Tokens;
use crate::source::Error;

/// The codes by which Graph says that a link's state is lost, whatever the status.
const LOST: &[&str] = &[
    "syncStateNotFound",
    "syncStateInvalid",
    "resyncRequired",
    "Directory_ResyncRequired",
    "Directory_ExpiredPageToken",
];

/// Reads from Graph with the app's own rights.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    tokens: Tokens,
    base: Url,
}

/// A refusal that depends on what was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such object.
    NotFound(String),
    /// The query cannot be answered (400).
    BadQuery(String),
    /// Anything else.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound(said) | Failure::BadQuery(said) => Self::Unusable(said),
            Failure::Error(error) => error,
        }
    }
}

/// A page of a list, as OData sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct List {
    pub(super) value: Vec<Map<String, Value>>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub(super) delta: Option<String>,
    #[serde(rename = "@odata.count")]
    pub(super) count: Option<u64>,
}

/// How sure and how able a query is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    /// The directory itself is asked.
    Plain,
    /// Its index is asked, which lags behind and can count and look for more.
    Advanced,
}

impl Client {
    pub(super) fn new(http: Http, tokens: Tokens, base: Url) -> Self {
        Self { http, tokens, base }
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// The address of what lies below these segments of a path.
    pub(super) fn address(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        // Refused only by URLs without a host, which the settings do not let in.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1.0").extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
            // OData knows the plus sign as itself; the encoder has turned those of values into %2B.
            let query = url.query().map(|query| query.replace('+', "%20"));
            url.set_query(query.as_deref());
        }
        url
    }

    /// The address behind a link that Graph gave. The token goes to no other host.
    pub(super) fn follow(&self, link: &str) -> Result<Url, Error> {
        let url = Url::parse(link).map_err(|cause| {
            Error::Unusable(format!("it gives a link that is no address ({cause})"))
        })?;
        if url.origin() != self.base.origin() {
            return Err(Error::Unusable(format!(
                "it gives a link to {}, and not to {}; it is not followed",
                url.origin().ascii_serialization(),
                self.base.origin().ascii_serialization()
            )));
        }
        Ok(url)
    }

    /// Reads something that must be there.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        query: Query,
    ) -> Result<T, Failure> {
        let mut renewed = false;
        loop {
            let token = self.tokens.current().await?;
            let answer = self
                .http
                .exchange(|| {
                    let mut request = self
                        .http
                        .client()
                        .get(url.clone())
                        .header(AUTHORIZATION, token.clone())
                        .header("client-request-id", self.http.unique());
                    if query == Query::Advanced {
                        request = request.header("ConsistencyLevel", "eventual");
                    }
                    Ok(request)
                })
                .await?;
            log(&url, &answer);
            if answer.status == StatusCode::UNAUTHORIZED && !renewed {
                renewed = true;
                self.tokens.forget(&token).await;
                continue;
            }
            return if answer.status.is_success() {
                Ok(answer.json()?)
            } else {
                Err(failure(&answer))
            };
        }
    }
}

/// What a refusal means. Those that pass have been repeated before.
fn failure(answer: &Answer) -> Failure {
    let said = answer.refusal();
    let code = answer
        .json()
        .map(|body: ErrorBody| body.error.code)
        .unwrap_or_default();
    let lost = LOST.iter().any(|lost| lost.eq_ignore_ascii_case(&code));
    Failure::Error(match answer.status {
        StatusCode::GONE => Error::Expired(said),
        _ if lost => Error::Expired(said),
        StatusCode::NOT_FOUND => return Failure::NotFound(said),
        StatusCode::BAD_REQUEST => return Failure::BadQuery(said),
        StatusCode::UNAUTHORIZED => Error::Credentials(format!(
            "{said}; check that the app registration belongs to this tenant and cloud"
        )),
        StatusCode::FORBIDDEN => Error::Credentials(format!(
            "{said}; give the app registration the application permissions User.Read.All, Group.Read.All and Application.Read.All, with admin consent"
        )),
        _ => Error::Unusable(said),
    })
}

/// Says how near the limits of Graph are. It sends these headers from four fifths of a limit on.
fn log(url: &Url, answer: &Answer) {
    let path = url.path();
    let status = answer.status.as_u16();
    let text = |name: &str| header(&answer.headers, name);
    tracing::debug!(
        path,
        status,
        request_id = text("request-id"),
        units = text("x-ms-resource-unit"),
        "asked Microsoft Graph"
    );
    if let Some(share) = text("x-ms-throttle-limit-percentage") {
        tracing::warn!(
            path,
            share,
            scope = text("x-ms-throttle-scope"),
            information = text("x-ms-throttle-information"),
            "Microsoft Graph is about to slow this app down"
        );
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// An error of Graph.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: ErrorDetail,
}

#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
pub(super) struct ErrorDetail {
    pub(super) code: String,
    message: String,
    inner_error: InnerError,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct InnerError {
    request_id: String,
}

impl fmt::Display for ErrorDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message.trim())?;
        match &*self.inner_error.request_id {
            "" => Ok(()),
            id => write!(f, " [request {id}]"),
        }
    }
}
