//! `/owners`: local owners, and the links that sign them in.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::owners::Owner;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

/// The local owners of a team by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let owners = admin::owners(&ask.app, &ask.admin, None).await?;
    Ok(reply::list(owners.iter().map(view).collect()))
}

/// Makes a link. Only on the machine itself: over the network a link would be a way to become somebody else.
pub(super) async fn link(ask: Ask, body: Body) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        team: Option<String>,
        name: Option<String>,
    }
    let wanted: Wanted = ask.body(body).await?;
    if ask.who.holder.is_some() {
        return Err(Problem::only_here());
    }
    let link = admin::link(&ask.app, &ask.admin, wanted.team, wanted.name).await?;
    let body = json!({
        "url": link.url.expose_secret(),
        "owner": view(&link.owner),
        "expires_at": reply::at(link.expires_at),
    });
    Ok(reply::secret(StatusCode::CREATED, &body))
}

fn view(owner: &Owner) -> Value {
    json!({"id": owner.id, "name": owner.name, "created_at": reply::at(owner.created_at)})
}
