//! The one-time link of a local owner.

use super::failed::Failed;
use super::page;
use super::start::{Verified, start};
use crate::admin::{Admin, of_link};
use crate::app::App;
use crate::limits::Visitor;
use crate::who::{SESSION, set_cookie};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::REFERRER_POLICY;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use portreeve_console::pages::message::Message;
use portreeve_console::parts::Link;
use portreeve_console::{Address, Page};
use portreeve_directory::Refusal;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::holders::Holder;
use portreeve_directory::sessions::Carrier;
use portreeve_directory::sign_ins::{self, Purpose, Spent};
use portreeve_store::Scope;
use secrecy::ExposeSecret;
use std::sync::Arc;

/// Signs in whom the link is for, and goes on to the console.
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
    parts: Parts,
) -> Response {
    let mut response = match redeem(&app, &secret, &parts).await {
        Ok(Ok(response)) => response,
        Ok(Err(spent)) => refused(spent),
        Err(error) => Failed::from(error).into_response(),
    };
    // The address holds the secret.
    response
        .headers_mut()
        .insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn redeem(
    app: &App,
    secret: &str,
    parts: &Parts,
) -> Result<Result<Response, Spent>, Refusal> {
    let Some(presented) = Presented::parse(Kind::Once, secret) else {
        return Ok(Err(Spent::Unknown));
    };
    let now = app.clock.now();
    let (team_id, admin) = (presented.team_id.clone(), Admin::system(app));
    let taken = app.write(Scope::ALL, move |tx| {
        let payload = match sign_ins::take(tx, &presented, Purpose::OwnerLink, now)? {
            Ok(payload) => payload,
            Err(spent) => return Ok(Err(spent)),
        };
        match of_link(tx, &admin, &presented.team_id, &payload) {
            Ok(owner) => Ok(Ok(owner)),
            Err(Refusal::NotFound(..)) => Ok(Err(Spent::Unknown)),
            Err(refusal) => Err(refusal),
        }
    });
    let owner = match taken.await? {
        Ok(owner) => owner,
        Err(spent) => return Ok(Err(spent)),
    };
    let verified = Verified {
        team_id,
        holder: Holder::Owner(owner.id),
        name: owner.name,
        method: "link",
        passkey_id: None,
        provider: None,
    };
    // Whoever holds a good link is no stranger.
    if let Some(visitor) = parts.extensions.get::<Visitor>() {
        visitor.let_in();
    }
    let (_, secret) = start(app, parts, verified, Carrier::Browser).await?;
    let seconds = Carrier::Browser.lifetime() / 1_000_000;
    Ok(Ok(page::see(
        "/console",
        set_cookie(SESSION, secret.expose_secret(), seconds),
    )))
}

fn refused(spent: Spent) -> Response {
    let text = format!(
        "This link is of no use: {spent}. Whoever runs this server makes another one on its machine with: portreeve owner link"
    );
    let message = Message::failed("You could not be signed in", text);
    let message = message.link(Link::new("Other ways to sign in", Address::new("/sign-in")));
    page::html(StatusCode::GONE, message.html())
}
