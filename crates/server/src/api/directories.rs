//! `/directories`: make, see, change and remove directories.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::directories::{self, DirectoryChange, NewDirectory};
use crate::admin::probe;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// Makes a directory, with a first token unless it is edited in Portreeve itself.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewDirectory = ask.body(body).await?;
    let made = directories::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::secret(StatusCode::CREATED, &made);
    let path = format!("/directories/{}", made.directory.id);
    Ok(reply::located(response, &path))
}

/// All directories by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let all = directories::list(&ask.app, &ask.admin).await?;
    reply::part(&ask, all, |one| reply::by_name(&one.name, &one.id))
}

/// One directory with what is in it, what its provider sends that nobody understands, and what to worry about.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let which = ask.param("directory");
    let found = directories::get(&ask.app, &ask.admin, &which).await?;
    reply::tagged(&ask, &found.directory.version, &found)
}

/// Changes name and rules.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: DirectoryChange = ask.body(body).await?;
    let which = ask.param("directory");
    let changed = directories::update(&ask.app, &ask.admin, &which, wanted).await?;
    reply::changed(&changed.version, &changed)
}

/// Removes a directory with everything in it. Its events stay.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    directories::delete(&ask.app, &ask.admin, &ask.param("directory")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Asks what a provider asks, as it asks it.
pub(super) async fn test(ask: Ask) -> Result<Response, Problem> {
    let found = probe::test(&ask.app, &ask.admin, &ask.param("directory")).await?;
    Ok(reply::object(StatusCode::OK, &found))
}
