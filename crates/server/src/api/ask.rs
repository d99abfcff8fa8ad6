//! What a handler of the admin API knows of its request.

use super::problem::Problem;
use crate::admin;
use crate::app::App;
use crate::body;
use crate::who::{self, Who};
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use http::HeaderMap;
use http::request::Parts;
use portreeve_directory::{Permission, Refusal};
use portreeve_scim::query;
use portreeve_store::Tx;
use serde::de::DeserializeOwned;
use std::sync::Arc;

pub(super) use crate::admin::{Admin, Object};

/// What the route that a request is for needs its sender to have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs(pub(super) Permission);

/// A request of somebody who may ask it.
pub(super) struct Ask {
    pub(super) app: Arc<App>,
    /// Who asks, for which team, and when.
    pub(super) admin: Admin,
    /// Who asks and what they may do; that they may do this was checked.
    pub(super) who: Who,
    /// Decoded query parameters.
    pub(super) pairs: Vec<(String, String)>,
    /// Decoded path parameters.
    params: Vec<(String, String)>,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<App>> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        // A route that does not say what it needs is open to nobody.
        let Some(Needs(needed)) = parts.extensions.get::<Needs>().copied() else {
            return Err(Problem::no_endpoint());
        };
        let who = who::identify(app, parts).await?;
        if !who.may(needed) {
            return Err(Problem::forbidden(needed));
        }
        let params = match RawPathParams::from_request_parts(parts, app).await {
            Ok(params) => params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => return Err(Problem::invalid("the path is not UTF-8 once it is decoded")),
        };
        Ok(Self {
            admin: Admin::new(app, &who, parts),
            who,
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
        Ok(admin::change(&self.app, work).await?)
    }
}
