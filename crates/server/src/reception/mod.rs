//! The reception: the page of the tablet at a door, what it asks for, and the pages behind the links on badges and in mails.
//!
//! A tablet is known by its token, which it sends as a bearer or has in a cookie, and sees and does what its location is
//! for. A badge and a mail have a secret of their own, which opens one page about one visit.

mod ask;
mod badge;
mod links;
mod messages;
mod page;
mod people;
mod refused;
mod roll_call;
mod setup;
mod sign_in;
mod sign_out;
mod state;

use crate::app::App;
use crate::who::cookie;
use axum::Router;
use axum::routing::{get, post};
use http::HeaderMap;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// Where the reception begins.
const ROOT: &str = "/visit";
/// The cookie with the token of a tablet.
const COOKIE: &str = "portreeve_device";

/// The token that a browser of a tablet keeps.
pub(crate) fn device_cookie(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE)
}

/// The page and everything below it.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/visit/assets/{name}", get(page::file))
        .route("/visit/worker.js", get(page::worker))
        .route("/visit/out/{code}", get(links::ask_out).post(links::out))
        .route(
            "/visit/answer/{secret}",
            get(links::ask_answer).post(links::answer),
        )
        .route("/visit/{location}", get(page::show))
        .route("/visit/{location}/setup", get(page::show))
        .route("/visit/{location}/device", post(setup::keep))
        .route("/visit/{location}/state", get(state::get))
        .route("/visit/{location}/people", get(people::search))
        .route("/visit/{location}/visits", post(sign_in::sign_in))
        .route("/visit/{location}/sign-out", post(sign_out::sign_out))
        .route("/visit/{location}/roll-call", get(roll_call::get))
        .layer(CompressionLayer::new())
        .with_state(app)
}
