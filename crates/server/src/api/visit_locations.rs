//! `/visit-locations`: where visitors are received.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::visit_locations::{self, LocationChange, NewLocation};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// The locations of a team by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let all = visit_locations::list(&ask.app, &ask.admin, ask.query("team")).await?;
    reply::part(&ask, all, |one| reply::by_name(&one.name, &one.id))
}

/// One location, by id or name.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("location"));
    let found = visit_locations::get(&ask.app, &ask.admin, team, &which).await?;
    reply::tagged(&ask, &found.version.to_string(), &found)
}

/// Makes a location.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewLocation = ask.body(body).await?;
    let made = visit_locations::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    let path = format!("/visit-locations/{}", made.id);
    Ok(reply::located(response, &path))
}

/// Changes a location.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: LocationChange = ask.body(body).await?;
    let (team, which) = (ask.query("team"), ask.param("location"));
    let changed = visit_locations::update(&ask.app, &ask.admin, team, &which, wanted).await?;
    reply::changed(&changed.version.to_string(), &changed)
}

/// Removes a location with its devices.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("location"));
    visit_locations::delete(&ask.app, &ask.admin, team, &which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The secret that what the program of a location is told is signed with.
pub(super) async fn webhook_secret(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("location"));
    let secret = visit_locations::webhook_secret(&ask.app, &ask.admin, team, &which).await?;
    Ok(reply::secret(StatusCode::OK, &secret))
}
