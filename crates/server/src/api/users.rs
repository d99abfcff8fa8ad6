//! `/directories/{id}/users`: the people of a directory as Portreeve sees them.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::page::Listing;
use crate::admin::users::{self, NewUser, UserChange};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// A page of users, by filter, in order, by index or by cursor, with the parameters of SCIM; or what is searched for.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let which = ask.param("directory");
    if let Some(level) = ask.query("level") {
        if ask.pairs.len() > 1 {
            return Err(Problem::invalid(
                "level: those of a level come all at once; leave the other parameters out",
            ));
        }
        let mut found = users::above_user(&ask.app, &ask.admin, &which).await?;
        found.retain(|user| user.level.name() == level);
        return Ok(reply::list(found));
    }
    let listing = listing(&ask)?;
    let page = users::list(&ask.app, &ask.admin, &which, listing).await?;
    let next = page.next.map(|next| ("cursor", next));
    Ok(reply::page(&ask, page.items, page.total, next))
}

/// One user, by id or `userName`.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let found = users::get(&ask.app, &ask.admin, &which, &user).await?;
    reply::tagged(&ask, &found.version.to_string(), &found)
}

/// Makes a user in a native directory.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewUser = ask.body(body).await?;
    let which = ask.param("directory");
    let made = users::create(&ask.app, &ask.admin, &which, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    let path = format!("/directories/{}/users/{}", made.directory_id, made.id);
    Ok(reply::located(response, &path))
}

/// Changes a user: all of it in a native directory, elsewhere level and suspension.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: UserChange = ask.body(body).await?;
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let changed = users::update(&ask.app, &ask.admin, &which, &user, wanted).await?;
    reply::tagged(&ask, &changed.version.to_string(), &changed)
}

/// Removes a user of a native directory.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (which, user) = (ask.param("directory"), ask.param("user"));
    users::delete(&ask.app, &ask.admin, &which, &user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What the query asks for.
pub(super) fn listing(ask: &Ask) -> Result<Listing, Problem> {
    let pairs = ask.pairs.iter();
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(Listing::of(pairs)?)
}
