//! `/host-rules` and `/hosts/{host}/policy`: what hosts go by.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::host_policies::{self, HostPolicyChange, HostRulesChange};
use crate::admin::version;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;

/// What all hosts go by.
pub(super) async fn rules(ask: Ask) -> Result<Response, Problem> {
    let rules = host_policies::rules(&ask.app, &ask.admin, ask.query("team")).await?;
    reply::tagged(&ask, &version(&rules), &rules)
}

/// Decides something else about all hosts.
pub(super) async fn change_rules(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: HostRulesChange = ask.body(body).await?;
    let team = ask.query("team");
    let rules = host_policies::change_rules(&ask.app, &ask.admin, team, wanted).await?;
    reply::changed(&version(&rules), &rules)
}

/// What a host is told.
pub(super) async fn policy(ask: Ask) -> Result<Response, Problem> {
    let (team, host) = (ask.query("team"), ask.param("host"));
    let policy = host_policies::policy(&ask.app, &ask.admin, team, &host).await?;
    Ok(reply::object(StatusCode::OK, &policy))
}

/// Decides something else about one host.
pub(super) async fn change_policy(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: HostPolicyChange = ask.body(body).await?;
    let (team, host) = (ask.query("team"), ask.param("host"));
    let policy = host_policies::change_policy(&ask.app, &ask.admin, team, &host, wanted).await?;
    Ok(reply::object(StatusCode::OK, &policy))
}
