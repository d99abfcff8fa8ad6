//! `/host-tokens`: what machines become hosts with. A secret is in one answer only.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::host_tokens::{self, NewHostToken};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// The enrolment tokens of a team, oldest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let all = host_tokens::list(&ask.app, &ask.admin, ask.query("team")).await?;
    reply::part(&ask, all, |one| one.id.clone())
}

/// One token.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("host_token"));
    let found = host_tokens::get(&ask.app, &ask.admin, team, &id).await?;
    reply::tagged(&ask, &found.version, &found)
}

/// Makes a token.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewHostToken = ask.body(body).await?;
    let made = host_tokens::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::secret(StatusCode::CREATED, &made);
    let path = format!("/host-tokens/{}", made.token.id);
    Ok(reply::located(response, &path))
}

/// Ends a token now.
pub(super) async fn revoke(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("host_token"));
    let revoked = host_tokens::revoke(&ask.app, &ask.admin, team, &id).await?;
    Ok(reply::object(StatusCode::OK, &revoked))
}
