//! `/directories/{id}/visitor-hosts`: people whom visitors come to see.

use super::ask::Ask;
use super::problem::Problem;
use super::{reply, users};
use crate::admin::version;
use crate::admin::visitor_hosts::{self, VisitorHostChange};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// A page of them, or those whom visitors find.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let listing = users::listing(&ask)?;
    let which = ask.param("directory");
    let page = visitor_hosts::list(&ask.app, &ask.admin, &which, listing).await?;
    let next = page.next.map(|next| ("cursor", next));
    Ok(reply::page(&ask, page.items, page.total, next))
}

/// One of them.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let found = visitor_hosts::get(&ask.app, &ask.admin, &which, &user).await?;
    reply::tagged(&ask, &version(&found.own), &found)
}

/// Decides about one of them.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: VisitorHostChange = ask.body(body).await?;
    let (which, user) = (ask.param("directory"), ask.param("user"));
    let changed = visitor_hosts::update(&ask.app, &ask.admin, &which, &user, wanted).await?;
    reply::tagged(&ask, &version(&changed.own), &changed)
}

/// What visitors see of one of them.
pub(super) async fn preview(ask: Ask) -> Result<Response, Problem> {
    let (directory, user) = (ask.param("directory"), ask.param("user"));
    let Some(location) = ask.query("location") else {
        // What is not there is said first, as everywhere.
        visitor_hosts::get(&ask.app, &ask.admin, &directory, &user).await?;
        return Err(Problem::invalid(
            "location: say at which location, by its id or name",
        ));
    };
    let which = (directory.as_str(), user.as_str());
    let seen = visitor_hosts::preview(&ask.app, &ask.admin, which, location).await?;
    Ok(reply::object(StatusCode::OK, &seen))
}
