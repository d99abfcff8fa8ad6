//! `/sessions`: who is signed in.

use super::ask::Ask;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::admin::sessions;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_directory::list::DEFAULT_PAGE;
use schemars::JsonSchema;
use serde::Serialize;

/// How many sessions were ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Ended {
    ended: usize,
}

/// The live sessions of a team, newest first, or those of one user or owner. A page goes on after the id that the one
/// before ended with.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let count = ask.query("count").map_or(Ok(DEFAULT_PAGE), limit)?;
    let after = ask.query("cursor").filter(|after| !after.is_empty());
    let (team, user) = (ask.query("team"), ask.query("user"));
    let page = sessions::list(&ask.app, &ask.admin, team, user, (after, count)).await?;
    let last = page.last().map(|session| session.id.clone());
    let next = last
        .filter(|_| user.is_none() && page.len() as u64 == count)
        .map(|last| ("cursor", last));
    Ok(reply::page(&ask, page, None, next))
}

/// Ends a session.
pub(super) async fn end(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("session"));
    sessions::end(&ask.app, &ask.admin, team, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends all sessions of a user or owner.
pub(super) async fn end_all(ask: Ask) -> Result<Response, Problem> {
    let Some(user) = ask.query("user") else {
        return Err(Problem::invalid(
            "user: say whose sessions are to end, by the id of the user or local owner",
        ));
    };
    let ended = sessions::end_all(&ask.app, &ask.admin, ask.query("team"), user).await?;
    Ok(reply::object(StatusCode::OK, &Ended { ended }))
}

/// The live sessions of whoever asks.
pub(super) async fn own(ask: Ask) -> Result<Response, Problem> {
    Ok(reply::list(sessions::own(&ask.app, &ask.admin).await?))
}

/// Ends one of one's own sessions.
pub(super) async fn end_own(ask: Ask) -> Result<Response, Problem> {
    sessions::end_own(&ask.app, &ask.admin, &ask.param("session")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
