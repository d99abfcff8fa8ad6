//! `/owners`: local owners, and the links that sign them in.

use super::ask::Ask;
use super::problem::Problem;
use super::reply;
use crate::admin;
use crate::admin::view::{At, Shown};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use portreeve_directory::owners::Owner;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A local owner as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct OwnerView {
    id: String,
    name: String,
    created_at: At,
}

impl OwnerView {
    fn of(owner: &Owner) -> Self {
        Self {
            id: owner.id.clone(),
            name: owner.name.clone(),
            created_at: At(owner.created_at),
        }
    }
}

/// A local owner to be made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOwner {
    /// 1 to 64 characters, unique in the team.
    name: String,
    /// The team; without it that of whoever asks.
    team: Option<String>,
}

/// Whom a link is for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkRequest {
    /// The team; without it the first one.
    team: Option<String>,
    /// The local owner, who is made if need be; without it "owner".
    name: Option<String>,
}

/// A link that signs a local owner in, once.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LinkView {
    /// Whoever follows it is in.
    url: Shown,
    owner: OwnerView,
    expires_at: At,
}

/// The local owners of a team by name.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let team = ask.query("team").map(str::to_owned);
    let owners = admin::owners(&ask.app, &ask.admin, team).await?;
    let all = owners.iter().map(OwnerView::of).collect();
    reply::part(&ask, all, |one: &OwnerView| {
        reply::by_name(&one.name, &one.id)
    })
}

/// Makes a local owner. Whoever that is needs a link to sign in, which is made on the machine itself.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewOwner = ask.body(body).await?;
    let made = admin::create_owner(&ask.app, &ask.admin, wanted.team, wanted.name).await?;
    Ok(reply::object(StatusCode::CREATED, &OwnerView::of(&made)))
}

/// Removes a local owner with everything that lets them in.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let team = ask.query("team").map(str::to_owned);
    admin::remove_owner(&ask.app, &ask.admin, team, ask.param("owner")).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Makes a link. Only on the machine itself: over the network a link would be a way to become somebody else.
pub(super) async fn link(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: LinkRequest = ask.body(body).await?;
    let link = admin::link(&ask.app, &ask.admin, wanted.team, wanted.name).await?;
    let view = LinkView {
        owner: OwnerView::of(&link.owner),
        expires_at: At(link.expires_at),
        url: Shown(link.url),
    };
    Ok(reply::secret(StatusCode::CREATED, &view))
}
