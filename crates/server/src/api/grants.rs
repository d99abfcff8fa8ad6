//! `/grants`: who may log in where.

use super::ask::Ask;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::admin::grants::{self, GrantChange, NewGrant, PreviewRequest, Which};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::list::DEFAULT_PAGE;

/// The grants of a team, or of one group, user or service account, in the order in which they were made.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let count = ask.query("count").map_or(Ok(DEFAULT_PAGE), limit)?;
    let after = ask.query("cursor").unwrap_or_default();
    let which = Which {
        subject: ask.query("subject").map(str::to_owned),
        ended: ask.query("ended") == Some("true"),
    };
    let team = ask.query("team");
    let page = grants::list(&ask.app, &ask.admin, team, which, (after, count)).await?;
    let last = page.last().map(|grant| grant.id.clone());
    let next = last
        .filter(|_| page.len() as u64 == count)
        .map(|last| ("cursor", last));
    Ok(reply::page(&ask, page, None, next))
}

/// One grant.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("grant"));
    let found = grants::get(&ask.app, &ask.admin, team, &id).await?;
    reply::tagged(&ask, &found.version.to_string(), &found)
}

/// Makes a grant.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewGrant = ask.body(body).await?;
    let made = grants::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    Ok(reply::located(response, &format!("/grants/{}", made.id)))
}

/// Changes a grant.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: GrantChange = ask.body(body).await?;
    let (team, id) = (ask.query("team"), ask.param("grant"));
    let changed = grants::update(&ask.app, &ask.admin, team, &id, wanted).await?;
    reply::changed(&changed.version.to_string(), &changed)
}

/// Takes a grant away.
pub(super) async fn revoke(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("grant"));
    let revoked = grants::revoke(&ask.app, &ask.admin, team, &id).await?;
    reply::changed(&revoked.version.to_string(), &revoked)
}

/// What a grant would come to.
pub(super) async fn preview(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: PreviewRequest = ask.body(body).await?;
    let preview = grants::preview(&ask.app, &ask.admin, wanted).await?;
    Ok(reply::object(StatusCode::OK, &preview))
}
