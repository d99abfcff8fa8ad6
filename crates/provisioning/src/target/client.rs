//! The SCIM client: one method per request that the engine makes, and what may be repeated blindly.

use std::sync::Arc;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

use super::answer::{Answer, Matches, Resource, ResourceId};
use super::error::Error;
use super::patch::{Dialect, Patch};
use super::retry::{Limits, Surroundings};
use super::tenant_url::{ResourceKind, TenantUrl};
use super::transport::{Failure, Request, Transport};

/// Talks SCIM to one target. Cloning is cheap, and clones share their connections.
///
/// A request is repeated when the target asks for it (429, or 503, with `Retry-After` as seconds or as a date), when it
/// fails (500, 502, 503, 504), and when no answer arrives; [`Limits`] say how often and how patiently.
#[derive(Debug, Clone)]
pub struct Client {
    base: TenantUrl,
    transport: Transport,
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
        let transport = Transport::new(&base, token, limits, surroundings)?;
        Ok(Self { base, transport })
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
        let bits = uuid::Uuid::from_u64_pair(self.transport.random(), self.transport.random());
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
            .transport
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
            let failure = match self.transport.attempt(&request).await {
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
            self.transport.before_next(&mut attempts, failure).await?;
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
        self.transport.exchange(&request).await?.optional_resource()
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
        self.transport.exchange(&request).await?.resource()
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
            match self.transport.attempt(&request).await {
                Ok(_) => return Ok(()),
                Err(Failure {
                    error: Error::Refused { status: 404, .. },
                    ..
                }) if in_doubt => return Ok(()),
                Err(failure) => {
                    in_doubt |= failure.in_doubt;
                    self.transport.before_next(&mut attempts, failure).await?;
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
            .transport
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
