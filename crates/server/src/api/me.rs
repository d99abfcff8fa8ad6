//! `/me`: whoever asks.

use super::ask::Ask;
use super::problem::Problem;
use super::reply::{self, present};
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::Permission;
use portreeve_directory::holders::Holder;
use serde_json::{Value, json};

/// Who asks, and what they may do.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let who = &ask.who;
    let (admin, holder) = (ask.admin.clone(), who.holder.clone());
    let team = ask.read(move |tx| match admin.team_id() {
        Some(_) => admin.team(tx, None).map(Some),
        None => Ok(None),
    });
    let team = team.await?;
    let kind = holder.as_ref().map_or("local", Holder::kind);
    let may: Vec<_> = who.permissions.iter().map(Permission::name).collect();
    let view = present([
        ("kind", json!(kind)),
        ("id", json!(holder.as_ref().map(Holder::id))),
        ("name", json!(who.name)),
        ("level", json!(who.level)),
        ("team", json!(team.map(|team| team.name))),
        (
            "directory_id",
            json!(holder.as_ref().and_then(Holder::directory_id)),
        ),
        ("permissions", json!(may)),
        (
            "session_id",
            json!(who.session.as_ref().map(|session| &session.id)),
        ),
    ]);
    Ok(reply::object(StatusCode::OK, &Value::Object(view)))
}
