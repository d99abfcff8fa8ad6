//! `/directories/{id}/groups`: the groups of a directory, and their members page by page.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use super::users::listing;
use crate::admin::groups::{self, GroupChange, NewGroup};
use crate::admin::members::{self, NewMember};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_directory::list::{DEFAULT_PAGE, MAX_PAGE};

/// A page of groups, by filter, in order, by index or by cursor, with the parameters of SCIM; or what is searched for.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let listing = listing(&ask)?;
    let which = ask.param("directory");
    let page = groups::list(&ask.app, &ask.admin, &which, listing).await?;
    let next = page.next.map(|next| ("cursor", next));
    Ok(reply::page(&ask, page.items, page.total, next))
}

/// One group, by id or `displayName`.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (which, group) = (ask.param("directory"), ask.param("group"));
    let found = groups::get(&ask.app, &ask.admin, &which, &group).await?;
    reply::tagged(&ask, &found.version.to_string(), &found)
}

/// Makes a group in a native directory.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewGroup = ask.body(body).await?;
    let which = ask.param("directory");
    let made = groups::create(&ask.app, &ask.admin, &which, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    let path = format!("/directories/{}/groups/{}", made.directory_id, made.id);
    Ok(reply::located(response, &path))
}

/// Changes a group of a native directory.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: GroupChange = ask.body(body).await?;
    let (which, group) = (ask.param("directory"), ask.param("group"));
    let changed = groups::update(&ask.app, &ask.admin, &which, &group, wanted).await?;
    reply::tagged(&ask, &changed.version.to_string(), &changed)
}

/// Removes a group of a native directory.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (which, group) = (ask.param("directory"), ask.param("group"));
    groups::delete(&ask.app, &ask.admin, &which, &group).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The members of a group in the order of their ids. A page goes on after the id that the one before ended with: that is
/// the cursor, and `after` is its name of old, as `limit` is that of `count`.
pub(super) async fn members(ask: Ask) -> Result<Response, Problem> {
    let (mut after, mut limit, mut name) = (String::new(), DEFAULT_PAGE, "cursor");
    if ask.pairs.iter().any(|(one, _)| one == "after") {
        (limit, name) = (MAX_PAGE, "after");
    }
    for (one, value) in &ask.pairs {
        match one.as_str() {
            "after" | "cursor" => after.clone_from(value),
            "limit" => {
                name = "after";
                limit = self::limit(value)?;
            }
            _ => limit = self::limit(value)?,
        }
    }
    let (which, group) = (ask.param("directory"), ask.param("group"));
    let of = (which.as_str(), group.as_str());
    let page = members::list(&ask.app, &ask.admin, of, &after, limit).await?;
    let last = page.last().map(|member| member.id.clone());
    let next = last
        .filter(|_| page.len() as u64 == limit)
        .map(|last| (name, last));
    Ok(reply::page(&ask, page, None, next))
}

/// Makes somebody a member of a group, with an end or without.
pub(super) async fn add_member(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewMember = ask.body(body).await?;
    let (which, group) = (ask.param("directory"), ask.param("group"));
    let of = (which.as_str(), group.as_str());
    let added = members::add(&ask.app, &ask.admin, of, wanted).await?;
    Ok(reply::object(StatusCode::CREATED, &added))
}

/// Ends a membership that is managed here.
pub(super) async fn remove_member(ask: Ask) -> Result<Response, Problem> {
    let (which, group) = (ask.param("directory"), ask.param("group"));
    let of = (which.as_str(), group.as_str());
    members::remove(&ask.app, &ask.admin, of, &ask.param("member")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A number of items for one page.
pub(super) fn limit(value: &str) -> Result<u64, Problem> {
    match value.parse() {
        Ok(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        _ => Err(Problem::invalid(format!(
            "limit: \"{value}\" is no number from 1 to {MAX_PAGE}"
        ))),
    }
}
