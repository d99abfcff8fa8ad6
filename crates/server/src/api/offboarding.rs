//! `/directories/{id}/users/{id}/offboarding`: what became of the accounts of somebody on hosts; and `/removal`.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::offboarding::{self, RemovalRequest};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// The report about one user.
pub(super) async fn report(ask: Ask) -> Result<Response, Problem> {
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let report = offboarding::report(&ask.app, &ask.admin, (&which, &user)).await?;
    Ok(reply::object(StatusCode::OK, &report))
}

/// Has hosts remove what the user has left there, or say what that would be.
pub(super) async fn remove(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: RemovalRequest = ask.body(body).await?;
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let report = offboarding::remove(&ask.app, &ask.admin, (&which, &user), wanted).await?;
    Ok(reply::object(StatusCode::OK, &report))
}
