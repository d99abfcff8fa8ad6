//! `/api-tokens`: what programs are let in with. A secret is in one answer only.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::api_tokens::{self, ApiTokenRotation, NewApiToken};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// The API tokens of a team, or of one service account, oldest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let (team, account) = (ask.query("team"), ask.query("service_account"));
    let all = api_tokens::list(&ask.app, &ask.admin, team, account).await?;
    reply::part(&ask, all, |one| one.id.clone())
}

/// One token.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("api_token"));
    let found = api_tokens::get(&ask.app, &ask.admin, team, &id).await?;
    reply::tagged(&ask, &found.version, &found)
}

/// Makes a token for whoever asks, or for a service account.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewApiToken = ask.body(body).await?;
    let made = api_tokens::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::secret(StatusCode::CREATED, &made);
    let path = format!("/api-tokens/{}", made.token.id);
    Ok(reply::located(response, &path))
}

/// Makes a token in the place of another one, which ends after an overlap.
pub(super) async fn rotate(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: ApiTokenRotation = ask.body(body).await?;
    let (team, id) = (ask.query("team"), ask.param("api_token"));
    let made = api_tokens::rotate(&ask.app, &ask.admin, team, &id, wanted).await?;
    let response = reply::secret(StatusCode::CREATED, &made);
    let path = format!("/api-tokens/{}", made.token.id);
    Ok(reply::located(response, &path))
}

/// Ends a token now.
pub(super) async fn revoke(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("api_token"));
    let revoked = api_tokens::revoke(&ask.app, &ask.admin, team, &id).await?;
    Ok(reply::object(StatusCode::OK, &revoked))
}
