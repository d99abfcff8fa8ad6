//! The admin API, `/api/v1`: directories, tokens, users, groups, applications, events, changes, settings. Described for
//! people in the manual.
//!
//! On the local socket it is open to whoever may open the socket. Over the network nobody can sign in to it, so every
//! route answers 401 there and says where to go instead.

mod applications;
mod ask;
mod changes;
mod directories;
mod events;
mod feed;
mod groups;
mod meta;
mod problem;
mod reply;
mod rules;
mod streams;
mod tokens;
mod users;

use crate::app::App;
use crate::health;
use crate::limits::NotNow;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use problem::Problem;
use std::sync::Arc;

/// Where the API begins.
const ROOT: &str = "/api/v1";

/// What the local socket serves: everything, for the machine's own administrator.
pub(crate) fn local(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/version", get(meta::version))
        .route("/config", get(meta::config))
        .route("/changes", get(changes::list))
        .route("/events", get(events::list))
        .route("/events/{event}", get(events::get))
        .route(
            "/directories",
            get(directories::list).post(directories::create),
        )
        .route(
            "/directories/{directory}",
            get(directories::get)
                .patch(directories::update)
                .delete(directories::delete),
        )
        .route(
            "/directories/{directory}/tokens",
            get(tokens::list).post(tokens::create),
        )
        .route(
            "/directories/{directory}/tokens/rotate",
            post(tokens::rotate),
        )
        .route(
            "/directories/{directory}/tokens/{token}",
            delete(tokens::revoke),
        )
        .route(
            "/directories/{directory}/streams",
            get(streams::list).post(streams::create),
        )
        .route(
            "/directories/{directory}/streams/{stream}",
            delete(streams::delete),
        )
        .route("/directories/{directory}/users", get(users::list))
        .route("/directories/{directory}/users/{user}", get(users::get))
        .route("/directories/{directory}/groups", get(groups::list))
        .route("/directories/{directory}/groups/{group}", get(groups::get))
        .route(
            "/directories/{directory}/groups/{group}/members",
            get(groups::members),
        );
    Router::new()
        .nest(ROOT, routes.merge(of_applications()))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async || Problem::no_endpoint())
        .with_state(app.clone())
        .merge(health::router(app))
}

fn of_applications() -> Router<Arc<App>> {
    let one = get(applications::get)
        .put(applications::replace)
        .patch(applications::update)
        .delete(applications::delete);
    Router::new()
        .route(
            "/applications",
            get(applications::list).post(applications::create),
        )
        .route("/applications/{application}", one)
        .route(
            "/applications/{application}/export",
            get(applications::export),
        )
        .route(
            "/applications/{application}/pause",
            post(applications::pause),
        )
        .route(
            "/applications/{application}/start",
            post(applications::start),
        )
        .route(
            "/applications/{application}/restart",
            post(applications::restart),
        )
        .route(
            "/applications/{application}/status",
            get(applications::status),
        )
        .route("/applications/{application}/logs", get(applications::logs))
        .route("/applications/{application}/test", post(applications::test))
        .route("/applications/{application}/lint", post(applications::lint))
        .route(
            "/applications/{application}/on-demand",
            post(applications::on_demand),
        )
        .route(
            "/applications/{application}/dry-run",
            post(applications::dry_run),
        )
}

/// What the network serves.
pub(crate) fn public(app: Arc<App>) -> Router {
    Router::new()
        .route(ROOT, any(async || Problem::not_signed_in()))
        .route(
            &format!("{ROOT}/{{*rest}}"),
            any(async || Problem::not_signed_in()),
        )
        .with_state(app)
}

/// The answer to a request that is not even looked at now.
pub(crate) fn not_now(not_now: NotNow) -> Response {
    Problem::from(not_now).into_response()
}
