//! Hosts with an agent: how they enrol, what they are told, and what they report.
//!
//! [`document`] makes and signs the policy of a host when it asks for it, and [`waiting`] lets those wait that have the newest
//! one. What the documents are made of is kept by the follower in [`crate::work`].

mod ask;
mod certify;
pub(crate) mod document;
mod enroll;
mod fetch;
mod renew;
mod report;
pub(crate) mod waiting;

use crate::api::Problem;
use crate::app::App;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use serde::Serialize;
use std::sync::Arc;

/// Below which agents ask.
pub(crate) const ROOT: &str = "/host/v1/";

/// Where an agent waits for news.
pub(crate) const POLICY: &str = "/host/v1/policy";

/// What agents ask for, on the listener of the certificate authority.
pub(crate) fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/enroll", post(enroll::enroll))
        .route("/policy", get(fetch::policy))
        .route("/krl", get(fetch::krl))
        .route("/report", post(report::report))
        .route("/renew", post(renew::renew))
        .route("/leave", post(renew::leave))
        .fallback(async || Problem::no_endpoint())
        .method_not_allowed_fallback(async || Problem::method_not_allowed());
    Router::new().nest("/host/v1", routes).with_state(app)
}

/// An answer in JSON.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
