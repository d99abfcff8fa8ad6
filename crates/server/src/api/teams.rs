//! `/teams`: the organisations on the server.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::teams::{self, NewTeam, TeamChange};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// The teams that whoever asks may see: their own, on the machine itself all.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let all = teams::list(&ask.app, &ask.admin).await?;
    reply::part(&ask, all, |one| reply::by_name(&one.name, &one.id))
}

/// One team, by id or name.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let team = teams::get(&ask.app, &ask.admin, Some(&ask.param("team"))).await?;
    reply::tagged(&ask, &team.version(), &team)
}

/// Makes a team.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewTeam = ask.body(body).await?;
    let made = teams::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    Ok(reply::located(response, &format!("/teams/{}", made.id)))
}

/// Renames a team, or switches its active directory.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: TeamChange = ask.body(body).await?;
    let which = ask.param("team");
    let changed = teams::update(&ask.app, &ask.admin, Some(&which), wanted).await?;
    reply::tagged(&ask, &changed.version(), &changed)
}

/// What a switch of the active directory would come to.
pub(super) async fn preview(ask: Ask) -> Result<Response, Problem> {
    let (which, to) = (ask.param("team"), ask.query("active_directory_id"));
    let to = to.filter(|to| !to.is_empty());
    let preview = teams::preview(&ask.app, &ask.admin, Some(&which), to).await?;
    Ok(reply::object(StatusCode::OK, &preview))
}
