//! `/directories/{id}/connection`: how the people of a directory sign in, and the doctor of that.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::connections::{self, NewConnection};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The connection, without its secret.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let found = connections::get(&ask.app, &ask.admin, &ask.param("directory")).await?;
    reply::tagged(&ask, &found.version(), &found)
}

/// Makes the connection, or puts another in its place.
pub(super) async fn put(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewConnection = ask.body(body).await?;
    let which = ask.param("directory");
    let connection = connections::put(&ask.app, &ask.admin, &which, wanted).await?;
    Ok(reply::object(StatusCode::OK, &connection))
}

/// Removes the connection.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    connections::delete(&ask.app, &ask.admin, &ask.param("directory")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Examines the connection step by step, and begins a trial sign-in.
pub(super) async fn test(ask: Ask) -> Result<Response, Problem> {
    let found = connections::test(&ask.app, &ask.admin, &ask.param("directory")).await?;
    Ok(reply::secret(StatusCode::OK, &found))
}

/// What a trial sign-in brought, once.
pub(super) async fn trial(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: WhichTrial = ask.body(body).await?;
    let (which, secret) = (ask.param("directory"), wanted.secret.expose_secret());
    let result = connections::trial(&ask.app, &ask.admin, &which, secret).await?;
    Ok(reply::secret(StatusCode::OK, &result))
}

/// Which trial.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichTrial {
    /// As it came with the doctor's findings.
    #[schemars(with = "String")]
    secret: SecretString,
}
