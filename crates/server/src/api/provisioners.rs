//! `/ca/provisioners`: whose tokens get certificates; `/ca/step`: how a team is served to the `step` client.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::provisioners::{self, NewProvisioner, StepChange};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// The provisioners of a team by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let all = provisioners::list(&ask.app, &ask.admin, ask.query("team")).await?;
    reply::part(&ask, all, |one| {
        reply::by_name(&one.name, one.id.as_deref().unwrap_or_default())
    })
}

/// One provisioner, by id or name.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("provisioner"));
    let found = provisioners::get(&ask.app, &ask.admin, team, &which).await?;
    reply::tagged(&ask, &found.version(), &found)
}

/// Declares a provisioner.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewProvisioner = ask.body(body).await?;
    let made = provisioners::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    let id = made.id.unwrap_or_default();
    Ok(reply::located(response, &format!("/ca/provisioners/{id}")))
}

/// Removes a provisioner.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("provisioner"));
    provisioners::delete(&ask.app, &ask.admin, team, &which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// How a team is served.
pub(super) async fn step(ask: Ask) -> Result<Response, Problem> {
    let found = provisioners::step(&ask.app, &ask.admin, ask.query("team")).await?;
    reply::tagged(&ask, &found.version(), &found)
}

/// Decides how a team is served.
pub(super) async fn change_step(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: StepChange = ask.body(body).await?;
    let team = ask.query("team");
    let changed = provisioners::change_step(&ask.app, &ask.admin, team, wanted).await?;
    reply::changed(&changed.version(), &changed)
}
