//! The SCIM client: one method per request that the engine makes, and what may be repeated blindly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::answer::{Answer, Matches, Resource, ResourceId, Told};
use super::authentication::Authentication;
use super::discovery::Capabilities;
use super::error::Error;
use super::pace::Pace;
use super::patch::{Dialect, Patch};
use super::path::{Path, same};
use super::quirk::{Quirk, Quirks};
use super::replacement::Replacement;
use super::retry::{Limits, Surroundings};
use super::settings::Settings;
use super::tenant_url::{ResourceKind, TenantUrl};
use super::transport::{Failure, Request, Transport};
use crate::source::Home;

/// How many requests of a client without settings may be under way at a time.
const UNSET_PARALLEL: u32 = 64;

/// Talks SCIM to one target. Cloning is cheap, and clones share their connections, token and pace.
///
/// A request is repeated when the target asks for it (429, or 503, with `Retry-After` as seconds or as a date), when it
/// fails (500, 502, 503, 504), and when no answer arrives; [`Limits`] say how often and how patiently. While a target
/// wants to be left alone no request goes to it.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) base: TenantUrl,
    pub(super) transport: Transport,
    pub(super) quirks: Quirks,
    pub(super) replacement: Replacement,
    /// The kinds whose searches are answered with 404 when they find nothing.
    nothing_is_404: Arc<[AtomicBool; 2]>,
    pub(super) capabilities: Arc<OnceCell<Capabilities>>,
}

/// How [`Client::create`] came by its resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Created {
    /// The target answered that it was created.
    Now(Resource),
    /// An answer was lost, and a lookup found the resource: one of the attempts had succeeded.
    Found(Resource),
}

/// Why [`Client::create`] came by none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct NotCreated {
    /// What went wrong.
    pub error: Error,
    /// Whether the resource may be there all the same: an answer was lost, or says nothing.
    pub in_doubt: bool,
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
    /// A client for the target that settings describe. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Settings`] where they cannot work or a secret cannot be had, [`Error::ForbiddenAddress`] where the
    /// address may not be connected to, [`Error::Setup`] as [`Client::new`].
    pub fn open(settings: &Settings, home: &Home, limits: Limits) -> Result<Self, Error> {
        let base =
            TenantUrl::parse(&settings.url).map_err(|cause| Error::Settings(cause.to_string()))?;
        let transport = settings.transport(&base, home, limits)?;
        Ok(Self::assemble(base, transport, Replacement::new(settings)))
    }

    /// A client for one target with a secret token. The caller vouches for the address, which may be any.
    ///
    /// # Errors
    /// [`Error::Setup`] when the token cannot stand in a header, or when TLS cannot be set up.
    pub fn new(
        base: TenantUrl,
        token: &SecretString,
        limits: Limits,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, Error> {
        let authentication = Authentication::bearer(token)?;
        let pace = Pace::new(UNSET_PARALLEL, None, Arc::clone(&surroundings));
        let transport = Transport::new(&base, authentication, None, pace, limits, surroundings)?;
        Ok(Self::assemble(base, transport, Replacement::default()))
    }

    fn assemble(base: TenantUrl, transport: Transport, replacement: Replacement) -> Self {
        Self {
            base,
            transport,
            quirks: Quirks::default(),
            replacement,
            nothing_is_404: Arc::default(),
            capabilities: Arc::default(),
        }
    }

    /// The departures from the RFCs that the target has shown so far.
    #[must_use]
    pub fn quirks(&self) -> Vec<Quirk> {
        self.quirks.seen()
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
        match self.query(kind, &filter, &[]).await?.total {
            0 => Ok(()),
            count => Err(Error::FilterIgnored { filter, count }),
        }
    }

    /// Looks up the one resource whose `attribute` equals `value`. `excluded` names attributes that the answer should
    /// leave out, above all the `members` of a large group.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several match; [`Error::FilterIgnored`] when a resource came back that has another
    /// value, because a target that ignores filters would otherwise make everybody the same person.
    pub async fn find(
        &self,
        kind: ResourceKind,
        attribute: &str,
        value: &str,
        excluded: &[&str],
    ) -> Result<Option<Resource>, Error> {
        let filter = equals(attribute, value);
        let Matches { total, page } = self.query(kind, &filter, excluded).await?;
        let wanted = Value::from(value);
        let is_other = |resource: &Resource| {
            let path = Path::parse(attribute);
            let found = path.map(|path| path.read(resource.attributes()));
            // A resource that hides the attribute, or holds it where a path of another form leads, is believed.
            let found = found.unwrap_or_default();
            !found.is_empty() && !found.iter().any(|found| same(found, &wanted))
        };
        if page.iter().any(is_other) {
            return Err(Error::FilterIgnored {
                filter,
                count: total,
            });
        }
        if total > 1 {
            return Err(Error::Ambiguous {
                filter,
                count: total,
            });
        }
        Ok(page.into_iter().next())
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
        let names = excluded.join(",");
        let mut read = self.read(kind, id, &exclusion(&names)).await?;
        if let Some(resource) = &mut read {
            self.leave_out(resource, excluded);
        }
        Ok(read)
    }

    /// Reads one resource in the way that a query says.
    pub(super) async fn read(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        query: &[(&str, &str)],
    ) -> Result<Option<Resource>, Error> {
        let request = Request::without_body(Method::GET, self.base.resource(kind, id, query));
        match self.transport.exchange(&request).await {
            Ok(answer) => answer.resource(&self.quirks).map(Some),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a resource that a lookup by the kind's matching attribute has not found.
    ///
    /// When an answer is lost the target may have created it nevertheless, so it is looked up before it is sent again.
    ///
    /// # Errors
    /// Any [`Error`]; 409 `uniqueness` when somebody else has a value that must be unique. It says whether the resource may
    /// be there all the same.
    pub async fn create(&self, kind: ResourceKind, body: &Value) -> Result<Created, NotCreated> {
        let mut in_doubt = false;
        let created = self.create_once(kind, body, &mut in_doubt).await;
        created.map_err(|error| NotCreated { error, in_doubt })
    }

    async fn create_once(
        &self,
        kind: ResourceKind,
        body: &Value,
        in_doubt: &mut bool,
    ) -> Result<Created, Error> {
        let request = Request::with_body(Method::POST, self.base.endpoint(kind, &[]), body);
        let mut attempts = 0;
        loop {
            let failure = match self.transport.attempt(&request).await {
                Ok(answer) => {
                    *in_doubt = true;
                    return self.created(kind, body, &answer).await;
                }
                Err(failure) => failure,
            };
            *in_doubt |= failure.in_doubt;
            let taken = matches!(failure.error, Error::Refused { status: 409, .. });
            if *in_doubt && taken {
                let found = self.rematch(kind, body).await?;
                return found.map(Created::Found).ok_or(failure.error);
            }
            self.transport.before_next(&mut attempts, failure).await?;
            if *in_doubt && let Some(resource) = self.rematch(kind, body).await? {
                return Ok(Created::Found(resource));
            }
        }
    }

    /// What the target made, whatever its answer tells of it.
    async fn created(
        &self,
        kind: ResourceKind,
        body: &Value,
        answer: &Answer,
    ) -> Result<Created, Error> {
        if answer.status != StatusCode::CREATED {
            self.quirks.note(Quirk::CreatedWithoutStatus);
        }
        if let Told::Resource(resource) = answer.told(&self.quirks)? {
            return Ok(Created::Now(resource));
        }
        self.quirks.note(Quirk::IdMissing);
        let found = self.rematch(kind, body).await?;
        found.map(Created::Now).ok_or_else(|| {
            answer.not_scim("it holds no id, and nothing is found that was created".to_owned())
        })
    }

    /// Changes a resource. The answer is `None` when the target sends no body.
    ///
    /// A target that does not take PATCH is given the whole changed resource instead, where its settings allow it.
    ///
    /// # Errors
    /// Any [`Error`]; 404 when there is no such resource.
    pub async fn patch(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        patch: &Patch,
    ) -> Result<Option<Resource>, Error> {
        if let Some(refusal) = self.replacement.refusal() {
            return self.patch_by_replacing(kind, id, patch, refusal).await;
        }
        let url = self.base.resource(kind, id, &[]);
        let request = Request::with_body(Method::PATCH, url, &patch.body(self.dialect()));
        match self.change(kind, id, request).await {
            Ok(answer) => match answer.told(&self.quirks)? {
                Told::Resource(resource) => Ok(Some(resource)),
                Told::WithoutId | Told::Nothing => Ok(None),
            },
            Err(error) if self.replacement.applies(&error, patch) => {
                self.patch_by_replacing(kind, id, patch, error).await
            }
            Err(error) => Err(error),
        }
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
        self.put(kind, id, request).await
    }

    /// Sends a PUT, and reads the resource where the answer does not tell it.
    pub(super) async fn put(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        request: Request,
    ) -> Result<Resource, Error> {
        let answer = self.change(kind, id, request).await?;
        if let Told::Resource(resource) = answer.told(&self.quirks)? {
            return Ok(resource);
        }
        let read = self.get(kind, id, &["members"]).await?;
        read.ok_or_else(|| answer.not_scim("what was replaced is not there".to_owned()))
    }

    /// Deletes a resource. One that was gone already counts as deleted only when an earlier attempt may have done it.
    ///
    /// # Errors
    /// Any [`Error`]; 404 when there is no such resource.
    pub async fn delete(&self, kind: ResourceKind, id: &ResourceId) -> Result<(), Error> {
        let mut request = Request::without_body(Method::DELETE, self.base.resource(kind, id, &[]));
        let mut attempts = 0;
        let mut in_doubt = false;
        loop {
            match self.transport.attempt(&request).await {
                Ok(_) => return Ok(()),
                Err(Failure {
                    error: Error::Refused { status: 404, .. },
                    ..
                }) if in_doubt => return Ok(()),
                Err(failure) if wants_version(&failure.error) && !request.is_conditional() => {
                    request = self.conditional(kind, id, request, failure.error).await?;
                }
                Err(failure) => {
                    in_doubt |= failure.in_doubt;
                    self.transport.before_next(&mut attempts, failure).await?;
                }
            }
        }
    }

    /// Sends a change that may be sent any number of times; with the version that is there when the target insists.
    async fn change(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        request: Request,
    ) -> Result<Answer, Error> {
        match self.transport.exchange(&request).await {
            Err(error) if wants_version(&error) => {
                let request = self.conditional(kind, id, request, error).await?;
                self.transport.exchange(&request).await
            }
            outcome => outcome,
        }
    }

    /// The request for the version that the resource has now, or the refusal where there is none to be had.
    async fn conditional(
        &self,
        kind: ResourceKind,
        id: &ResourceId,
        request: Request,
        refusal: Error,
    ) -> Result<Request, Error> {
        if request.is_conditional() {
            // What was read before the change is out of date.
            return Err(refusal);
        }
        let there = self.get(kind, id, &["members"]).await?;
        let version = there.as_ref().and_then(Resource::version);
        let request = version.map(|version| request.if_match(version));
        match request.filter(Request::is_conditional) {
            Some(request) => {
                self.quirks.note(Quirk::VersionWanted);
                Ok(request)
            }
            None => Err(refusal),
        }
    }

    async fn query(
        &self,
        kind: ResourceKind,
        filter: &str,
        excluded: &[&str],
    ) -> Result<Matches, Error> {
        let names = excluded.join(",");
        let mut parameters = exclusion(&names);
        parameters.push(("filter", filter));
        match self.list(kind, &parameters).await {
            Ok(mut matches) => {
                for resource in &mut matches.page {
                    self.leave_out(resource, excluded);
                }
                Ok(matches)
            }
            Err(Error::Refused { status: 404, .. })
                if self.answers_nothing_with_404(kind).await =>
            {
                Ok(Matches {
                    total: 0,
                    page: Vec::new(),
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn list(&self, kind: ResourceKind, query: &[(&str, &str)]) -> Result<Matches, Error> {
        let request = Request::without_body(Method::GET, self.base.endpoint(kind, query));
        let answer = self.transport.exchange(&request).await?;
        answer.matches(&self.quirks)
    }

    /// Whether a 404 to a search means that nothing was found: then the endpoint itself is there.
    async fn answers_nothing_with_404(&self, kind: ResourceKind) -> bool {
        let known = &self.nothing_is_404[usize::from(kind == ResourceKind::Group)];
        if known.load(Ordering::Relaxed) {
            return true;
        }
        let page = [("startIndex", "1"), ("count", "1")];
        let is_there = self.list(kind, &page).await.is_ok();
        if is_there {
            self.quirks.note(Quirk::NotFoundForNothing);
            known.store(true, Ordering::Relaxed);
        }
        is_there
    }

    fn leave_out(&self, resource: &mut Resource, excluded: &[&str]) {
        if resource.leave_out(excluded) {
            self.quirks.note(Quirk::ExcludedReturned);
        }
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

/// Whether a change is refused because it does not name the version that it changes (RFC 7232 section 4.2, RFC 6585
/// section 3).
fn wants_version(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused {
            status: 412 | 428,
            ..
        }
    )
}

fn exclusion(names: &str) -> Vec<(&'static str, &str)> {
    if names.is_empty() {
        Vec::new()
    } else {
        vec![("excludedAttributes", names)]
    }
}
