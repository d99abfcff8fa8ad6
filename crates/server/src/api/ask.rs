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
use portreeve_directory::directories::Directory;
use portreeve_directory::events::{self, Category, Outcome};
use portreeve_directory::{Actor, Call, Clock, Ids, Refusal};
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

impl Admin {
    /// Leaves an event of an admin's change in its transaction. `changes` as [`events::New::changes`].
    pub(super) fn record(
        &self,
        tx: &mut Tx<'_>,
        directory: &Directory,
        action: &str,
        object: &Object<'_>,
        changes: Option<&str>,
    ) -> Result<(), Refusal> {
        let call = Call {
            directory: Arc::new(directory.clone()),
            actor: self.actor.clone(),
            request_id: self.request_id.clone(),
            at: self.at,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        };
        let event = events::New {
            category: Category::Admin,
            action,
            outcome: Outcome::Ok,
            object_kind: Some(object.kind),
            object_id: Some(object.id),
            object_name: Some(object.name),
            version: None,
            changes,
        };
        events::record(tx, &call, &event)
    }

    /// A new id, as text.
    pub(super) fn new_id(&self) -> String {
        self.ids.next(self.clock.now()).to_string()
    }
}
