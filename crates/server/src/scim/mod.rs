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

/// The routes below `/scim/{directory}/v2`.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut routes = Router::new();
    for (kind, path) in [(Kind::User, "/Users"), (Kind::Group, "/Groups")] {
        routes = routes
            .route(
                path,
                get(move |ctx| list::query(ctx, Some(kind)))
                    .post(move |ctx, body| resources::create(ctx, kind, body)),
            )
            .route(
                &format!("{path}/.search"),
                post(move |ctx, body| list::search(ctx, Some(kind), body)),
            )
            .route(
                &format!("{path}/{{id}}"),
                get(move |ctx| resources::get(ctx, kind))
                    .put(move |ctx, body| resources::replace(ctx, kind, body))
                    .patch(move |ctx, body| resources::patch(ctx, kind, body))
                    .delete(move |ctx| resources::delete(ctx, kind)),
            );
    }
    routes = routes
        .route("/Outcomes/{id}", get(events::outcome))
        .route("/", get(|ctx| list::query(ctx, None)))
        .route("/.search", post(|ctx, body| list::search(ctx, None, body)))
        .route("/Bulk", post(bulk::run))
        .route("/Me", any(me::not_implemented))
        .route(
            "/ServiceProviderConfig",
            get(discovery::service_provider_config),
        )
        .route("/ResourceTypes", get(discovery::resource_types))
        .route("/ResourceTypes/{name}", get(discovery::resource_type))
        .route("/Schemas", get(discovery::schemas))
        .route("/Schemas/{urn}", get(discovery::schema));
    Router::new()
        .nest("/scim/{directory}/v2", routes)
        .route("/scim/{directory}/v2/", get(|ctx| list::query(ctx, None)))
        .route("/scim/{directory}/streams/{stream}", post(events::poll))
        .route(events::JWKS_PATH, get(events::jwks))
        .method_not_allowed_fallback(nowhere::method_not_allowed)
        .with_state(app)
}

/// The answer to a request that is not even looked at now.
pub(crate) fn not_now(not_now: NotNow, media_type: &'static str) -> Response {
    render::failure(&not_now.into(), media_type)
}
