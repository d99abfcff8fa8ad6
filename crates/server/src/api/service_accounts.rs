//! `/service-accounts`: machine identities of a team.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::service_accounts::{self, NewServiceAccount, ServiceAccountChange};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// The service accounts of a team by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let all = service_accounts::list(&ask.app, &ask.admin, ask.query("team")).await?;
    reply::part(&ask, all, |one| reply::by_name(&one.name, &one.id))
}

/// One service account, by id or name.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("service_account"));
    let found = service_accounts::get(&ask.app, &ask.admin, team, &which).await?;
    reply::tagged(&ask, &found.version(), &found)
}

/// Makes a service account.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewServiceAccount = ask.body(body).await?;
    let made = service_accounts::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    let path = format!("/service-accounts/{}", made.id);
    Ok(reply::located(response, &path))
}

/// Changes a service account.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: ServiceAccountChange = ask.body(body).await?;
    let (team, which) = (ask.query("team"), ask.param("service_account"));
    let changed = service_accounts::update(&ask.app, &ask.admin, team, &which, wanted).await?;
    reply::tagged(&ask, &changed.version(), &changed)
}

/// Removes a service account with its tokens.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("service_account"));
    service_accounts::delete(&ask.app, &ask.admin, team, &which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
