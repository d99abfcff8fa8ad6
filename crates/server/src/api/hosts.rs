//! `/hosts`: managed machines, and who may log in there.

use super::ask::Ask;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::admin::certificates::{self, HostRequest};
use crate::admin::explain;
use crate::admin::host_agents;
use crate::admin::hosts::{self, Chosen, HostChange, NewHost};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_directory::list::DEFAULT_PAGE;
use portreeve_scim::text::fold;

/// The hosts of a team by name, or those that a tag expression chooses.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let count = ask.query("count").map_or(Ok(DEFAULT_PAGE), limit)?;
    let after = ask.query("cursor").unwrap_or_default();
    let chosen = Chosen {
        hosts: ask.query("hosts").map(str::to_owned),
        search: ask.query("search").map(str::to_owned),
    };
    let team = ask.query("team");
    let page = hosts::list(&ask.app, &ask.admin, team, chosen, (after, count)).await?;
    let last = page.last().map(|host| host.name.clone());
    let next = last
        .filter(|_| page.len() as u64 == count)
        .map(|last| ("cursor", last));
    Ok(reply::page(&ask, page, None, next))
}

/// One host, by id or name.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("host"));
    let found = hosts::get(&ask.app, &ask.admin, team, &which).await?;
    reply::tagged(&ask, &found.version.to_string(), &found)
}

/// Makes a host.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewHost = ask.body(body).await?;
    let made = hosts::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    Ok(reply::located(response, &format!("/hosts/{}", made.id)))
}

/// Changes a host.
pub(super) async fn update(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: HostChange = ask.body(body).await?;
    let (team, which) = (ask.query("team"), ask.param("host"));
    let changed = hosts::update(&ask.app, &ask.admin, team, &which, wanted).await?;
    reply::changed(&changed.version.to_string(), &changed)
}

/// Removes a host.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("host"));
    hosts::delete(&ask.app, &ask.admin, team, &which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Who may log in to a host now.
pub(super) async fn people(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("host"));
    let allowed = hosts::people(&ask.app, &ask.admin, team, &which).await?;
    Ok(reply::list(allowed))
}

/// The sessions on a host that have not ended.
pub(super) async fn sessions(ask: Ask) -> Result<Response, Problem> {
    let (team, which) = (ask.query("team"), ask.param("host"));
    let open = host_agents::sessions(&ask.app, &ask.admin, team, &which).await?;
    Ok(reply::list(open))
}

/// Certifies the key of a host.
pub(super) async fn certify(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: HostRequest = ask.body(body).await?;
    let (team, which, address) = (ask.query("team"), ask.param("host"), ask.address.clone());
    let asked = (team, which.as_str(), address);
    let issued = certificates::of_host(&ask.app, &ask.admin, asked, &wanted).await?;
    Ok(reply::object(StatusCode::OK, &issued))
}

/// The hosts that whoever asks may log in to, by name.
pub(super) async fn own(ask: Ask) -> Result<Response, Problem> {
    let count = ask.query("count").map_or(Ok(DEFAULT_PAGE), limit)?;
    let after = ask.query("cursor").unwrap_or_default();
    let mut page = explain::own_hosts(&ask.app, &ask.admin).await?;
    page.retain(|host| fold(&host.name) > fold(after));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let more = page.len() > count;
    page.truncate(count);
    let last = page.last().map(|host| host.name.clone());
    let next = last.filter(|_| more).map(|last| ("cursor", last));
    Ok(reply::page(&ask, page, None, next))
}
