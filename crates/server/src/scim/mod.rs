//! SCIM 2.0 over HTTP (RFC 7644) for every directory: `/scim/{directory}/v2`.

mod bulk;
mod context;
mod discovery;
mod error;
pub(crate) mod events;
mod list;
mod me;
mod nowhere;
mod operations;
mod refusals;
mod render;
mod resources;
mod stream;
mod tag;

use crate::app::App;
use crate::limits::NotNow;
use axum::Router;
use axum::response::Response;
use axum::routing::{any, get, post};
pub(crate) use events::{SecurityEvents, push};
pub(crate) use nowhere::not_found;
use operations::Kind;
pub(crate) use refusals::Strangers;
pub(crate) use render::media_type;
use std::sync::Arc;

/// A path below the tenant URL of a directory, as a route.
fn at(path: &str) -> String {
    format!("/scim/{{directory}}/v2{path}")
}

/// The routes of all directories. They are named whole: nested ones are looked for twice.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut routes = Router::new();
    for (kind, path) in [(Kind::User, "/Users"), (Kind::Group, "/Groups")] {
        routes = routes
            .route(
                &at(path),
                get(move |ctx| list::query(ctx, Some(kind)))
                    .post(move |ctx, body| resources::create(ctx, kind, body)),
            )
            .route(
                &at(&format!("{path}/.search")),
                post(move |ctx, body| list::search(ctx, Some(kind), body)),
            )
            .route(
                &at(&format!("{path}/{{id}}")),
                get(move |ctx| resources::get(ctx, kind))
                    .put(move |ctx, body| resources::replace(ctx, kind, body))
                    .patch(move |ctx, body| resources::patch(ctx, kind, body))
                    .delete(move |ctx| resources::delete(ctx, kind)),
            );
    }
    let config = get(discovery::service_provider_config);
    routes
        .route(&at("/Outcomes/{id}"), get(events::outcome))
        .route(&at(""), get(|ctx| list::query(ctx, None)))
        .route(&at("/"), get(|ctx| list::query(ctx, None)))
        .route(
            &at("/.search"),
            post(|ctx, body| list::search(ctx, None, body)),
        )
        .route(&at("/Bulk"), post(bulk::run))
        .route(&at("/Me"), any(me::not_implemented))
        .route(&at("/ServiceProviderConfig"), config)
        .route(&at("/ResourceTypes"), get(discovery::resource_types))
        .route(&at("/ResourceTypes/{name}"), get(discovery::resource_type))
        .route(&at("/Schemas"), get(discovery::schemas))
        .route(&at("/Schemas/{urn}"), get(discovery::schema))
        .route("/scim/{directory}/streams/{stream}", post(events::poll))
        .route(events::JWKS_PATH, get(events::jwks))
        .method_not_allowed_fallback(nowhere::method_not_allowed)
        .with_state(app)
}

/// The answer to a request that is not even looked at now.
pub(crate) fn not_now(not_now: NotNow, media_type: &'static str) -> Response {
    render::failure(&not_now.into(), media_type)
}
