//! `/explain`: why somebody may log in to a host, or may not.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin::explain;
use axum::response::Response;
use http::StatusCode;

/// Of anybody.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (Some(user), Some(host)) = (ask.query("user"), ask.query("host")) else {
        return Err(Problem::invalid(
            "user, host: say who (id or user name) is to log in where (id or name)",
        ));
    };
    let team = ask.query("team");
    let found = explain::explain(&ask.app, &ask.admin, team, user, host).await?;
    Ok(reply::object(StatusCode::OK, &found))
}

/// Of whoever asks.
pub(super) async fn own(ask: Ask) -> Result<Response, Problem> {
    let found = explain::explain_own(&ask.app, &ask.admin, &ask.param("host")).await?;
    Ok(reply::object(StatusCode::OK, &found))
}
