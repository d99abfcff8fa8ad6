//! `/me`: whoever asks.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::holders::Holder;
use portreeve_directory::{Level, Permission};
use schemars::JsonSchema;
use serde::Serialize;

/// Whoever asks.
#[derive(Serialize, JsonSchema)]
pub(super) struct Me {
    /// `user` of a directory, local `owner`, `service` account, or `local`: the administrator of the server's machine.
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: String,
    /// Of people.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    /// The name of the team; without one it is all teams.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    /// Of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory_id: Option<String>,
    /// What they may do with this token or session.
    permissions: Vec<Permission>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
}

/// Who asks, and what they may do.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let who = &ask.who;
    let holder = who.holder.as_ref();
    let admin = ask.admin.clone();
    let team = ask.read(move |tx| match admin.team_id() {
        Some(_) => admin.team(tx, None).map(Some),
        None => Ok(None),
    });
    let me = Me {
        kind: holder.map_or("local", Holder::kind),
        id: holder.map(|holder| holder.id().to_owned()),
        name: who.name.clone(),
        level: who.level,
        team: team.await?.map(|team| team.name),
        directory_id: holder.and_then(Holder::directory_id).map(str::to_owned),
        permissions: who.permissions.iter().collect(),
        session_id: who.session.as_ref().map(|session| session.id.clone()),
    };
    Ok(reply::object(StatusCode::OK, &me))
}
