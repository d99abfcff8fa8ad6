//! What `step ca bootstrap --team` asks for before it knows anything: where the API of a team is, and the fingerprint of its
//! root. The client trusts what its system trusts, so this is served on the main listener, too.

use super::addresses::Addresses;
use super::provisioners::Provisioners;
use crate::app::App;
use crate::sso::page;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use portreeve_console::Page;
use portreeve_console::pages::message::Message;
use portreeve_directory::{Refusal, teams};
use portreeve_step::answer::{Authority, AuthorityFault};
use std::sync::Arc;

/// The authority whose name is asked for where nobody gives one. People are meant by it: the answer names the provisioner
/// that they sign in with. For hosts that would be in the way of `step ssh renew`, so they ask for any other name.
const FOR_PEOPLE: &str = "ssh";

/// Where browsers go when `step` has what it wants.
const DONE: &str = "/auth/step/done";

/// The routes of both listeners.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/teams/{team}/authorities/{authority}", get(authority))
        .route(DONE, get(done))
        .with_state(app)
}

/// The last page of a sign-in that `step` has begun.
async fn done() -> Response {
    let text = "step has what it needs. You may close this window.";
    let page = Message::done("You are signed in", text);
    page::html(StatusCode::OK, page.html())
}

async fn authority(
    State(app): State<Arc<App>>,
    Path((team, authority)): Path<(String, String)>,
) -> Response {
    match find(&app, team, &authority).await {
        Ok(found) => super::reply::json(StatusCode::OK, &found),
        Err(fault) => fault.into_response(),
    }
}

async fn find(app: &App, team: String, authority: &str) -> Result<Authority, Fault> {
    let team = app
        .store
        .lookup(move |tx| teams::by_name(tx, &team))
        .await?;
    let addresses = Addresses::of(app, &team.id).await?;
    let keyring = app.keyring(&team.id).await.map_err(|error| {
        tracing::error!(%error, "the root of a team cannot be told");
        Fault(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")
    })?;
    let provisioner = match authority == FOR_PEOPLE {
        true => {
            let all = Provisioners::of(app, &team.id).await?;
            all.only_oidc().map(str::to_owned)
        }
        false => None,
    };
    Ok(Authority {
        url: addresses.url,
        fingerprint: keyring.fingerprint(),
        redirect_url: format!("{}{DONE}", app.public_url()),
        provisioner,
    })
}

/// Why nothing is told.
struct Fault(StatusCode, &'static str);

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(..) => Self(StatusCode::NOT_FOUND, "authority not found"),
            refusal => {
                tracing::error!(%refusal, "the authority of a team cannot be told");
                Self(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")
            }
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        let body = AuthorityFault {
            status_code: status.as_u16(),
            error: status.canonical_reason().unwrap_or_default(),
            message: message.to_owned(),
        };
        super::reply::json(status, &body)
    }
}
