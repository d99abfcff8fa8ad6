//! Signing in and out: one-time links of local owners; more ways have their own modules.

mod link;
pub(crate) mod page;
mod start;

use crate::app::App;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// The routes of everything under `/auth` and the sign-in pages.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/auth/link/{secret}", get(link::follow))
        .with_state(app)
}
