//! `/directories/{id}/tokens`: make, see, rotate and revoke a directory's tokens. A secret is in one answer only.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::tokens::{self, NewToken, Rotation};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// The tokens of a directory, oldest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let all = tokens::list(&ask.app, &ask.admin, &ask.param("directory")).await?;
    reply::part(&ask, all, |one| one.id.clone())
}

/// Makes one more token.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewToken = ask.body(body).await?;
    let which = ask.param("directory");
    let made = tokens::create(&ask.app, &ask.admin, &which, wanted).await?;
    Ok(reply::secret(StatusCode::CREATED, &made))
}

/// Makes a token in the place of the others, which end after an overlap.
pub(super) async fn rotate(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: Rotation = ask.body(body).await?;
    let which = ask.param("directory");
    let rotated = tokens::rotate(&ask.app, &ask.admin, &which, wanted).await?;
    Ok(reply::secret(StatusCode::CREATED, &rotated))
}

/// Ends a token now.
pub(super) async fn revoke(ask: Ask) -> Result<Response, Problem> {
    let (which, id) = (ask.param("directory"), ask.param("token"));
    let revoked = tokens::revoke(&ask.app, &ask.admin, &which, &id).await?;
    Ok(reply::object(StatusCode::OK, &revoked))
}
