//! The admin API, `/api/v1`: directories, tokens, users, groups, applications, events, changes, settings. Described for
//! people in the manual.
//!
//! On the local socket it is open to whoever may open the socket. Over the network an API token or a session is needed, and
//! each route names the permission that its sender must have (`routes.rs`).

mod accounts;
mod api_tokens;
mod applications;
mod ask;
mod ca;
mod certificates;
mod changes;
mod connections;
mod directories;
mod events;
mod explain;
mod feed;
mod grants;
mod groups;
mod host_policies;
mod host_tokens;
mod hosts;
mod me;
mod meta;
mod offboarding;
pub(crate) mod once;
mod openapi;
mod owners;
mod parameters;
mod passkeys;
mod problem;
mod provisioners;
mod reply;
mod route;
mod routes;
mod service_accounts;
mod sessions;
mod shapes;
mod streams;
mod teams;
mod tokens;
mod users;
mod visit_devices;
mod visit_locations;
mod visitor_hosts;
mod visits;

use crate::app::App;
use crate::limits::NotNow;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
pub(crate) use once::Answers;
pub(crate) use problem::Problem;
use std::sync::Arc;

/// Where the API begins.
const ROOT: &str = "/api/v1";

/// The API, for the network and for the local socket alike: who asks decides what they may.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut routes = Router::new();
    for route in routes::table() {
        let path = format!("{ROOT}{}", route.is.path);
        routes = routes.route(&path, route.into_handler(&app));
    }
    routes
        .route(ROOT, any(async || Problem::no_endpoint()))
        .route(
            &format!("{ROOT}/{{*rest}}"),
            any(async || Problem::no_endpoint()),
        )
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(app)
}

/// The answer to a request that is not even looked at now.
pub(crate) fn not_now(not_now: NotNow) -> Response {
    Problem::from(not_now).into_response()
}
