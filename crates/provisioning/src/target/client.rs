//! The SCIM client: one method per request that the engine makes, and the rules for making it again.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::answer::{Answer, Matches, ReadError, Resource, ResourceId};
use super::error::Error;
use super::patch::{Dialect, Patch};
use super::retry::{Limits, Surroundings, retry_after};
use super::tenant_url::{ResourceKind, TenantUrl};

const SCIM_JSON: &str = "application/scim+json; charset=utf-8";
const ACCEPTED: &str = "application/scim+json, application/json";

/// How many redirects inside the target are followed.
const REDIRECTS: usize = 3;

/// Talks SCIM to one target. Cloning is cheap, and clones share their connections.
///
/// A request is repeated when the target asks for it (429, or 503, with `Retry-After` as seconds or as a date), when it
/// fails (500, 502, 503, 504), and when no answer arrives; [`Limits`] say how often and how patiently.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: TenantUrl,
    authorization: HeaderValue,
    limits: Limits,
    surroundings: Arc<dyn Surroundings>,
}

/// How [`Client::create`] came by its resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Created {
    /// The target answered that it was created.
    Now(Resource),
    /// An answer was lost, and a lookup found the resource: one of the attempts had succeeded.
    Found(Resource),
}

impl Created {
    /// The resource, either way.
    #[must_use]
    pub fn into_resource(self) -> Resource {
        match self {
            Self::Now(resource) | Self::Found(resource) => resource,
        }
    }
}

impl Client {
    /// A client for one target.
    ///
    /// # Errors
    /// [`Error::Setup`] when the token cannot stand in a header, or when TLS cannot be set up.
    pub fn new(
        base: TenantUrl,
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
        let http = http_client(&base, &limits)?;
        Ok(Self {
            http,
            base,
            authorization,
            limits,
            surroundings,
        })
    }

    /// The dialect that [`Client::patch`] writes.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.base.dialect()
    }

    /// Asks for a resource that nobody has, as Entra's Test Connection does: the target must answer with an empty list.
    ///
    /// # Errors
    /// Any [`Error`]; the target is not usable then.
    pub async fn probe(&self, kind: ResourceKind) -> Result<(), Error> {
        let bits =
            uuid::Uuid::from_u64_pair(self.surroundings.random(), self.surroundings.random());
        let nobody = uuid::Builder::from_random_bytes(bits.into_bytes()).into_uuid();
        let filter = equals(kind.matching_attribute(), &nobody.to_string());
        let (answer, matches) = self.query(kind, &filter, &[]).await?;
        match matches.total {
            0 => Ok(()),
            count => Err(answer.not_scim(format!(
                "{count} resources match a name that nobody has, so it ignores filters"
            ))),
        }
    }

    /// Looks up the one resource whose `attribute` equals `value`. `excluded` names attributes that the answer should
    /// leave out, above all the `members` of a large group.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several match; [`Error::NotScim`] also when the resource that came back has another
    /// value, because a target that ignores filters would otherwise make everybody the same person.
    pub async fn find(
        &self,
        kind: ResourceKind,
        attribute: &str,
        value: &str,
        excluded: &[&str],
    ) -> Result<Option<Resource>, Error> {
        let filter = equals(attribute, value);
        let (answer, Matches { total, first }) = self.query(kind, &filter, excluded).await?;
        if total > 1 {
            return Err(Error::Ambiguous {
                filter,
                count: total,
            });
        }
        if let Some(other) = first
            .as_ref()
            .and_then(|resource| resource.attribute(attribute)?.as_str())
            && other.to_lowercase() != value.to_lowercase()
        {
            return Err(answer.not_scim(format!(
                "a lookup by {attribute} found a resource with another {attribute}"
            )));
        }
        Ok(first)
    }

    /// Reads one resource; `None` when the target has none with this id.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn get(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        excluded: &[&str],
    ) -> Result<Option<Resource>, Error> {
        let excluded = excluded.join(",");
        let url = self.base.resource(kind, id, &exclusion(&excluded));
        match self
            .exchange(&Request::without_body(Method::GET, url))
            .await
        {
            Ok(answer) => answer.resource().map(Some),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a resource that a lookup by the kind's matching attribute has not found.
    ///
    /// When an answer is lost the target may have created it nevertheless, so it is looked up before it is sent again.
    ///
    /// # Errors
    /// Any [`Error`]; 409 `uniqueness` when somebody else has a value that must be unique.
    pub async fn create(&self, kind: ResourceKind, body: &Value) -> Result<Created, Error> {
        let request = Request::with_body(Method::POST, self.base.endpoint(kind, &[]), body);
        let mut attempts = 0;
        let mut in_doubt = false;
        loop {
            let failure = match self.attempt(&request).await {
                Ok(answer) => return answer.resource().map(Created::Now),
                Err(failure) => failure,
            };
            in_doubt |= failure.in_doubt;
            let taken = matches!(failure.error, Error::Refused { status: 409, .. });
            if in_doubt && taken {
                return self
                    .rematch(kind, body)
                    .await?
                    .map(Created::Found)
                    .ok_or(failure.error);
            }
            self.before_next(&mut attempts, failure).await?;
            if in_doubt && let Some(resource) = self.rematch(kind, body).await? {
                return Ok(Created::Found(resource));
            }
        }
    }

    /// Changes a resource. The answer is `None` when the target sends no body (204).
    ///
    /// # Errors
    /// Any [`Error`]; 404 when there is no such resource.
    pub async fn patch(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        patch: &Patch,
    ) -> Result<Option<Resource>, Error> {
        let url = self.base.resource(kind, id, &[]);
        let request = Request::with_body(Method::PATCH, url, &patch.body(self.dialect()));
        self.exchange(&request).await?.optional_resource()
    }

    /// Puts a whole resource in the place of another (PUT).
    ///
    /// # Errors
    /// Any [`Error`]; 404 when there is no such resource.
    pub async fn replace(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        body: &Value,
    ) -> Result<Resource, Error> {
        let request = Request::with_body(Method::PUT, self.base.resource(kind, id, &[]), body);
        self.exchange(&request).await?.resource()
    }

    /// Deletes a resource. One that was gone already counts as deleted only when an earlier attempt may have done it.
    ///
    /// # Errors
    /// Any [`Error`]; 404 when there is no such resource.
    pub async fn delete(&self, kind: ResourceKind, id: &ResourceId) -> Result<(), Error> {
        let request = Request::without_body(Method::DELETE, self.base.resource(kind, id, &[]));
        let mut attempts = 0;
        let mut in_doubt = false;
        loop {
            match self.attempt(&request).await {
                Ok(_) => return Ok(()),
                Err(Failure {
                    error: Error::Refused { status: 404, .. },
                    ..
                }) if in_doubt => return Ok(()),
                Err(failure) => {
                    in_doubt |= failure.in_doubt;
                    self.before_next(&mut attempts, failure).await?;
                }
            }
        }
    }

    async fn query(
        &self,
        kind: ResourceKind,
        filter: &str,
        excluded: &[&str],
    ) -> Result<(Answer, Matches), Error> {
        let excluded = excluded.join(",");
        let mut parameters = exclusion(&excluded);
        parameters.push(("filter", filter));
        let answer = self
            .exchange(&Request::without_body(
                Method::GET,
                self.base.endpoint(kind, &parameters),
            ))
            .await?;
        let matches = answer.matches()?;
        Ok((answer, matches))
    }

    /// Looks for the resource that a POST without an answer may have created.
    async fn rematch(&self, kind: ResourceKind, body: &Value) -> Result<Option<Resource>, Error> {
        let attribute = kind.matching_attribute();
        let Some(value) = body.get(attribute).and_then(Value::as_str) else {
            return Ok(None);
        };
        let found = self.find(kind, attribute, value, &["members"]).await?;
        // Another `externalId` means that somebody else took the name in the meantime.
        let ours = |resource: &Resource| match (
            body.get("externalId"),
            resource.attribute("externalId"),
        ) {
            (Some(sent), Some(stored)) => sent == stored,
            _ => true,
        };
        Ok(found.filter(ours))
    }

    /// Sends a request that may be sent any number of times.
    async fn exchange(&self, request: &Request) -> Result<Answer, Error> {
        let mut attempts = 0;
        loop {
            match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.before_next(&mut attempts, failure).await?,
            }
        }
    }

    /// Waits as a failure demands, or gives its error back when there is to be no further attempt.
    async fn before_next(&self, attempts: &mut u32, failure: Failure) -> Result<(), Error> {
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
    async fn attempt(&self, request: &Request) -> Result<Answer, Failure> {
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
                ReadError::TooLarge(error) => Failure::final_(error),
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
            _ => Failure::final_(answer.refusal()),
        }
    }
}

/// The one place where an HTTP client for targets is made.
///
/// Redirects are followed inside the target's own origin, and only those that keep method and body (307, 308): the
/// token and people's data go nowhere else. A target on this machine is never reached through a proxy.
fn http_client(base: &TenantUrl, limits: &Limits) -> Result<reqwest::Client, Error> {
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
    let builder = if base.is_local() {
        builder.no_proxy()
    } else {
        builder
    };
    builder
        .build()
        .map_err(|cause| Error::Setup(cause_chain(&cause)))
}

/// One request, kept for its repetitions.
struct Request {
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
}

impl Request {
    fn without_body(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            body: None,
        }
    }

    fn with_body(method: Method, url: Url, body: &Value) -> Self {
        Self {
            method,
            url,
            body: Some(body.to_string().into_bytes()),
        }
    }
}

/// One attempt that failed.
struct Failure {
    error: Error,
    /// Whether another attempt makes sense, and when.
    retry: Option<Retry>,
    /// Whether the target may have done what it was asked for.
    in_doubt: bool,
}

enum Retry {
    Backoff,
    After(Duration),
}

impl Failure {
    fn final_(error: Error) -> Self {
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

/// An RFC 7644 filter `attribute eq "value"`; a literal is a JSON string.
fn equals(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", Value::from(value))
}

fn exclusion(names: &str) -> Vec<(&'static str, &str)> {
    if names.is_empty() {
        Vec::new()
    } else {
        vec![("excludedAttributes", names)]
    }
}

/// An error and its causes, from the outside in. The outermost message of an HTTP error holds the address with its
/// query, which is no business of a log; only the causes are told.
fn cause_chain(error: &reqwest::Error) -> String {
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
