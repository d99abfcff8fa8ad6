//! The admin API, `/api/v1`: directories, tokens, users, groups, events. Described for people in the manual.

use crate::app::App;
use axum::Router;
use std::sync::Arc;

/// What the local socket serves: everything, for the machine's own administrator.
pub(crate) fn local(app: Arc<App>) -> Router {
    Router::new().with_state(app)
}

/// What the network serves.
pub(crate) fn public(app: Arc<App>) -> Router {
    Router::new().with_state(app)
}
