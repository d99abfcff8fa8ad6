//! What a handler of the admin API knows of its request.

use super::problem::Problem;
use crate::app::App;
use crate::body;
use crate::http::{LocalPeer, RequestId};
use crate::neighbours;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use portreeve_directory::directories::Directory;
use portreeve_directory::events::{self, Category, Cause, Outcome};
use portreeve_directory::{Actor, Clock, Ids, Refusal};
use portreeve_provisioning::engine::steps::{Initiator, InitiatorType};
use portreeve_scim::query;
use portreeve_store::{Scope, Tx};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A request of the machine's administrator.
pub(super) struct Ask {
    pub(super) app: Arc<App>,
    /// Who asks, and when.
    pub(super) admin: Admin,
    /// Decoded query parameters.
    pub(super) pairs: Vec<(String, String)>,
    /// Decoded path parameters.
    params: Vec<(String, String)>,
    headers: HeaderMap,
}

/// Who asks, and when; a transaction takes a clone of it along.
#[derive(Clone)]
pub(super) struct Admin {
    actor: Actor,
    request_id: String,
    /// When the request arrived (microseconds since 1970 UTC).
    pub(super) at: i64,
    clock: Arc<dyn Clock>,
    pub(super) ids: Arc<Ids>,
}

impl FromRequestParts<Arc<App>> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Some(LocalPeer(uid)) = parts.extensions.get::<LocalPeer>().copied() else {
            return Err(Problem::not_signed_in());
        };
        let params = match RawPathParams::from_request_parts(parts, app).await {
            Ok(params) => params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => return Err(Problem::invalid("the path is not UTF-8 once it is decoded")),
        };
        let request_id = parts
            .extensions
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        Ok(Self {
            admin: Admin {
                actor: Actor::Local(uid),
                request_id,
                at: app.clock.now(),
                clock: app.clock.clone(),
                ids: app.ids.clone(),
            },
            app: app.clone(),
            pairs: query::pairs(parts.uri.query().unwrap_or_default())?,
            params,
            headers: std::mem::take(&mut parts.headers),
        })
    }
}

impl Ask {
    /// A parameter of the path.
    pub(super) fn param(&self, name: &str) -> String {
        let found = self.params.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The body as a `T`. Members that `T` does not have are refused by name.
    pub(super) async fn body<T: DeserializeOwned>(&self, body: Body) -> Result<T, Problem> {
        let bytes = body::read(&self.app, &self.headers, body, body::LIMIT).await?;
        let bytes = if bytes.is_empty() { b"{}" } else { &bytes[..] };
        serde_json::from_slice(bytes)
            .map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
    }

    /// Reads on one snapshot.
    pub(super) async fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Problem> {
        Ok(self.app.store.read(work).await?)
    }

    /// Changes directories or tokens in one transaction; what was remembered of them is forgotten.
    pub(super) async fn change<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Problem> {
        let done = self.app.write(Scope::ALL, work).await;
        neighbours::tell_rules(&self.app);
        Ok(done?)
    }
}

/// What an admin event is about.
pub(super) struct Object<'a> {
    pub(super) kind: &'static str,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
}

impl Object<'_> {
    /// The event of a change to it. `changes` as [`events::New::changes`].
    fn event<'a>(
        &'a self,
        category: Category,
        action: &'a str,
        changes: Option<&'a str>,
    ) -> events::New<'a> {
        events::New {
            category,
            action,
            outcome: Outcome::Ok,
            object_kind: Some(self.kind),
            object_id: Some(self.id),
            object_name: Some(self.name),
            version: None,
            changes,
        }
    }
}

impl Admin {
    /// Leaves an event of an admin's change to a directory, or to what belongs to one, in its transaction.
    pub(super) fn record(
        &self,
        tx: &mut Tx<'_>,
        directory: &Directory,
        action: &str,
        object: &Object<'_>,
        changes: Option<&str>,
    ) -> Result<(), Refusal> {
        let cause = self.cause(&directory.team_id, Some(&directory.id));
        let event = object.event(Category::Admin, action, changes);
        events::record_of(tx, &cause, &event)
    }

    /// Leaves an event of what an admin did to an application of a team in its transaction.
    pub(super) fn record_provisioning(
        &self,
        tx: &mut Tx<'_>,
        team_id: &str,
        action: &str,
        object: &Object<'_>,
        changes: Option<&str>,
    ) -> Result<(), Refusal> {
        let cause = self.cause(team_id, None);
        let event = object.event(Category::Provisioning, action, changes);
        events::record_of(tx, &cause, &event)
    }

    fn cause<'a>(&'a self, team_id: &'a str, directory_id: Option<&'a str>) -> Cause<'a> {
        Cause {
            team_id,
            directory_id,
            actor: &self.actor,
            request_id: Some(&self.request_id),
            at: self.at,
            clock: &*self.clock,
            ids: &self.ids,
        }
    }

    /// Who starts provisioning on demand.
    pub(super) fn initiator(&self) -> Initiator {
        Initiator {
            id: self.actor.id().unwrap_or_default(),
            display_name: "Administrator of the server".to_owned(),
            initiator_type: InitiatorType::User,
        }
    }

    /// When the request arrived.
    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_microsecond(self.at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A new id, as text.
    pub(super) fn new_id(&self) -> String {
        self.ids.next(self.clock.now()).to_string()
    }
}
