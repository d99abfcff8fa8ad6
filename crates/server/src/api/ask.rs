//! What a handler of the admin API knows of its request.

use super::parameters;
use super::problem::Problem;
use super::route::Operation;
use crate::admin;
use crate::app::App;
use crate::body;
use crate::sso::address;
use crate::tags::{self, Wanted};
use crate::who::{self, Who};
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use portreeve_directory::Refusal;
use portreeve_scim::query;
use portreeve_store::Tx;
use serde::de::DeserializeOwned;
use std::sync::Arc;

pub(super) use crate::admin::{Admin, Object};

/// A request of somebody who may ask it.
pub(super) struct Ask {
    pub(super) app: Arc<App>,
    /// Who asks, for which team, and when.
    pub(super) admin: Admin,
    /// Who asks and what they may do; that they may do this was checked.
    pub(super) who: Who,
    /// The address that the request counts on, as text; empty on the local socket.
    pub(super) address: String,
    /// Decoded query parameters.
    pub(super) pairs: Vec<(String, String)>,
    /// Decoded path parameters.
    params: Vec<(String, String)>,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<App>> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let who = match parts.extensions.remove::<Who>() {
            Some(who) => who,
            None => admit(app, parts).await?,
        };
        let params = match RawPathParams::from_request_parts(parts, app).await {
            Ok(params) => params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => return Err(Problem::invalid("the path is not UTF-8 once it is decoded")),
        };
        let pairs = query::pairs(parts.uri.query().unwrap_or_default())?;
        let operation = operation(parts)?;
        parameters::check(operation.query, &pairs)?;
        let mut admin = Admin::new(app, &who, parts);
        match versions(&parts.headers)? {
            Some(versions) if operation.tagged => admin.expecting(versions),
            Some(_) => return Err(Problem::no_tag()),
            None => {}
        }
        Ok(Self {
            admin,
            who,
            address: address(app, parts),
            app: app.clone(),
            pairs,
            params,
            headers: std::mem::take(&mut parts.headers),
        })
    }
}

/// Whoever sends a request, if they may.
pub(super) async fn admit(app: &App, parts: &Parts) -> Result<Who, Problem> {
    let operation = operation(parts)?;
    let who = who::identify(app, parts).await?;
    if operation.only_here && who.holder.is_some() {
        return Err(Problem::only_here());
    }
    match operation.needs {
        Some(needed) if !who.may(needed) => Err(Problem::forbidden(needed)),
        _ => Ok(who),
    }
}

/// The route that a request is for. One that is not in the table is open to nobody.
fn operation(parts: &Parts) -> Result<Arc<Operation>, Problem> {
    let found = parts.extensions.get::<Arc<Operation>>();
    found.cloned().ok_or_else(Problem::no_endpoint)
}

/// The versions in `If-Match`: the part of our tags before the dot. What comes after it stands for what else is shown.
fn versions(headers: &HeaderMap) -> Result<Option<Vec<String>>, Problem> {
    Ok(match conditions(headers, &IF_MATCH)? {
        None | Some(Wanted::Any) => None,
        Some(Wanted::Tags(tags)) => {
            let version = |tag: &str| tag.split('.').next().unwrap_or_default().to_owned();
            Some(tags.into_iter().map(version).collect())
        }
    })
}

fn conditions<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<Wanted<'h>>, Problem> {
    tags::read(headers, name).map_err(|malformed| {
        Problem::invalid(format!(
            "{name} is {:?}; give tags as they were in ETag, separated by commas",
            malformed.0
        ))
    })
}

impl Ask {
    /// A parameter of the path.
    pub(super) fn param(&self, name: &str) -> String {
        let found = self.params.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// A parameter of the query that may be there once.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the sender has what has this tag already (`If-None-Match`).
    pub(super) fn has(&self, tag: &str) -> Result<bool, Problem> {
        Ok(match conditions(&self.headers, &IF_NONE_MATCH)? {
            None => false,
            Some(Wanted::Any) => true,
            Some(Wanted::Tags(known)) => known.contains(&tags::opaque(tag)),
        })
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
