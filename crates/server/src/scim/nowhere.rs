//! Requests for what is not there: unknown endpoints, and methods that an endpoint does not know. The answer is the same
//! for everybody and tells nothing; a client whose token is good leaves an event, because it is set up wrongly.

use super::context::request_id;
use super::error::Failure;
use super::{refusals, render};
use crate::app::App;
use crate::auth;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use portreeve_directory::{Actor, Call};
use std::sync::Arc;

/// How many characters of a path stand in an event.
const SHOWN: usize = 200;

/// 405.
pub(super) async fn method_not_allowed(State(app): State<Arc<App>>, request: Request) -> Response {
    let failure = Failure::plain(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this endpoint does not know that method; the Allow header names those it knows".into(),
    );
    refuse(&app, request, &failure).await
}

/// 404 for anything that is no endpoint.
pub(crate) async fn not_found(State(app): State<Arc<App>>, request: Request) -> Response {
    let failure = Failure::plain(
        StatusCode::NOT_FOUND,
        "no_endpoint",
        "there is no such endpoint; below the tenant URL there are Users, Groups, Schemas, ResourceTypes, ServiceProviderConfig, Bulk, Me and .search".into(),
    );
    refuse(&app, request, &failure).await
}

async fn refuse(app: &Arc<App>, request: Request, failure: &Failure) -> Response {
    let (mut parts, _) = request.into_parts();
    let at = app.clock.now();
    if let Some(directory_id) = directory_in(&mut parts).await
        && let Ok(access) = auth::verify(app, &directory_id, &parts.headers, at).await
    {
        let counted = app
            .limits
            .token(&parts.extensions, &access.token_id, app.clock.steady());
        if let Err(not_now) = counted {
            return super::not_now(not_now, render::media_type(&parts.headers));
        }
        let call = Call {
            directory: access.directory,
            actor: Actor::Token(access.token_id.to_string()),
            request_id: request_id(&parts),
            at,
            clock: app.clock.clone(),
            ids: app.ids.clone(),
        };
        let path = parts.uri.path();
        let path = path.split_once("/v2").map_or(path, |(_, below)| below);
        let asked: String = format!("{} {path}", parts.method)
            .chars()
            .take(SHOWN)
            .collect();
        let object = (Some("Endpoint"), Some(asked.as_str()));
        refusals::record(app, &Arc::new(call), "request", object, failure).await;
    }
    render::failure(failure, render::media_type(&parts.headers))
}

/// The directory's id: a parameter of the path where a route knows it, else what stands in its place.
async fn directory_in(parts: &mut Parts) -> Option<String> {
    if let Ok(params) = RawPathParams::from_request_parts(parts, &()).await
        && let Some((_, id)) = params.iter().find(|(name, _)| *name == "directory")
    {
        return Some(id.to_owned());
    }
    let below = parts.uri.path().strip_prefix("/scim/")?;
    below.split('/').next().map(str::to_owned)
}
