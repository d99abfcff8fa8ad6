//! `/directories/{id}/accounts`: the names and numbers that people have on hosts.

use super::ask::Ask;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::admin;
use crate::admin::accounts::{self, PosixNames, RemoteIdentityView};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::list::DEFAULT_PAGE;
use schemars::JsonSchema;
use serde::Deserialize;

/// The rule that is thought of.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamesRequest {
    /// Without it, the rule of the directory.
    posix_names: Option<PosixNames>,
}

/// The accounts of the people of a directory, by id.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let count = ask.query("count").map_or(Ok(DEFAULT_PAGE), limit)?;
    let after = ask.query("cursor").unwrap_or_default();
    let which = ask.param("directory");
    let page = accounts::list(&ask.app, &ask.admin, &which, (after, count)).await?;
    let last = page.last().map(|account| account.user_id.clone());
    let next = last
        .filter(|_| page.len() as u64 == count)
        .map(|last| ("cursor", last));
    Ok(reply::page(&ask, page, None, next))
}

/// What a rule for names would come to.
pub(super) async fn preview(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NamesRequest = ask.body(body).await?;
    let which = ask.param("directory");
    let preview = accounts::preview(&ask.app, &ask.admin, &which, wanted.posix_names).await?;
    Ok(reply::object(StatusCode::OK, &preview))
}

/// The account of one user.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let found = accounts::get(&ask.app, &ask.admin, (&which, &user)).await?;
    Ok(reply::object(StatusCode::OK, &found))
}

/// The remote identities of a user.
pub(super) async fn remote_identities(ask: Ask) -> Result<Response, Problem> {
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let all = accounts::remote_identities(&ask.app, &ask.admin, (&which, &user)).await?;
    reply::tagged(&ask, &admin::version(&all), &all)
}

/// Puts others in their place.
pub(super) async fn set_remote_identities(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: Vec<RemoteIdentityView> = ask.body(body).await?;
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let of = (which.as_str(), user.as_str());
    let all = accounts::set_remote_identities(&ask.app, &ask.admin, of, wanted).await?;
    reply::changed(&admin::version(&all), &all)
}
