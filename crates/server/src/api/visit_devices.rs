//! `/visit-locations/{id}/devices`: the tablets at the door of a location. A token is in one answer only.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::visit_devices::{self, NewDevice};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// The devices of a location, oldest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let (team, location) = (ask.query("team"), ask.param("location"));
    let all = visit_devices::list(&ask.app, &ask.admin, team, &location).await?;
    reply::part(&ask, all, |one| one.id.clone())
}

/// Lets a device in.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewDevice = ask.body(body).await?;
    let (team, location) = (ask.query("team"), ask.param("location"));
    let made = visit_devices::create(&ask.app, &ask.admin, team, &location, wanted).await?;
    Ok(reply::secret(StatusCode::CREATED, &made))
}

/// Sends a device away, now.
pub(super) async fn revoke(ask: Ask) -> Result<Response, Problem> {
    let (location, device) = (ask.param("location"), ask.param("device"));
    let which = (location.as_str(), device.as_str());
    let team = ask.query("team");
    let revoked = visit_devices::revoke(&ask.app, &ask.admin, team, which).await?;
    Ok(reply::object(StatusCode::OK, &revoked))
}
