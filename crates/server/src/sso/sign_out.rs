//! Signing out, here and at the provider.

use super::failed::Failed;
use super::page;
use super::providers::now;
use crate::app::App;
use crate::http::RequestId;
use crate::neighbours;
use crate::who::{self, SESSION, Stranger, set_cookie};
use axum::extract::State;
use axum::response::Response;
use http::header::{REFRESH, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use portreeve_console::pages::message::Message;
use portreeve_console::parts::Link;
use portreeve_console::{Address, Page};
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::holders::Holder;
use portreeve_directory::sessions::{self, Session};
use portreeve_directory::{Refusal, connections};
use portreeve_store::Scope;
use secrecy::SecretString;
use std::sync::Arc;
use url::Url;

/// Ends the session of a browser, and goes on to the provider's own sign-out where there is one.
///
/// The way there is not a redirect: to forms of ours browsers allow only this server, and what a form leads to counts.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    parts: Parts,
) -> Result<Response, Failed> {
    let who = match who::identify(&app, &parts).await {
        Ok(who) => who,
        Err(Stranger::CrossSite) => {
            let text = "A page of another site asked for it, so it was not done.";
            let message = Message::failed("You are still signed in", text);
            return Ok(page::html(StatusCode::FORBIDDEN, message.html()));
        }
        Err(Stranger::Failed(refusal)) => return Err(refusal.into()),
        Err(_) => return Ok(signed_out(None)),
    };
    let (Some(session), Some(team_id)) = (who.session, who.team_id) else {
        return Ok(signed_out(None));
    };
    let sealed = end(&app, &parts, &team_id, &session, who.name).await?;
    let provider = provider(&app, &session, sealed).await;
    Ok(signed_out(provider.as_ref()))
}

/// Ends a session; what signing out at its provider needs.
async fn end(
    app: &App,
    parts: &Parts,
    team_id: &str,
    session: &Arc<Session>,
    name: String,
) -> Result<Option<Vec<u8>>, Refusal> {
    let (team, session) = (team_id.to_owned(), session.clone());
    let (clock, ids, at) = (app.clock.clone(), app.ids.clone(), app.clock.now());
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let ended = app.write(Scope::ALL, move |tx| {
        let provider = sessions::provider(tx, &team, &session.id)?;
        sessions::end(tx, &team, &session.id, "sign_out", at)?;
        let actor = session.holder.actor();
        let cause = Cause {
            team_id: &team,
            directory_id: session.holder.directory_id(),
            actor: &actor,
            request_id: request_id.as_deref(),
            at,
            clock: &*clock,
            ids: &ids,
        };
        let event = New {
            category: Category::Auth,
            action: "sign_out",
            outcome: Outcome::Ok,
            object_kind: Some(match session.holder {
                Holder::User { .. } => "User",
                Holder::Owner(_) => "Owner",
                Holder::Service(_) => "ServiceAccount",
            }),
            object_id: Some(session.holder.id()),
            object_name: Some(&name),
            version: None,
            changes: None,
        };
        events::record_of(tx, &cause, &event)?;
        Ok(provider)
    });
    let provider = ended.await?;
    neighbours::tell_rules(app);
    Ok(provider)
}

/// Where the provider signs people out. That it cannot be asked keeps nobody from signing out here.
async fn provider(app: &App, session: &Session, sealed: Option<Vec<u8>>) -> Option<Url> {
    let directory_id = session.holder.directory_id()?.to_owned();
    let of = sealed_of(session.holder.id());
    let id_token: Option<String> = sealed.and_then(|sealed| app.providers.open(&of, &sealed).ok());
    let id_token = SecretString::from(id_token?);
    let read = app
        .store
        .lookup(move |tx| connections::of(tx, &directory_id));
    let connection = read.await.ok()?;
    let settings = &connection.settings;
    let provider = app.providers.provider(&connection.directory_id, settings);
    let metadata = provider.ok()?.metadata(now(app)).await.ok()?;
    let back = format!("{}/sign-in", app.public_url());
    metadata.sign_out(&settings.client_id, &back, Some(&id_token))
}

fn signed_out(provider: Option<&Url>) -> Response {
    let text = match provider {
        Some(_) => {
            "You are signed out here. In a moment your identity provider signs you out, too."
        }
        None => "You are signed out here.",
    };
    let message = Message::done("Signed out", text);
    let message = message.link(Link::new("Sign in again", Address::new("/sign-in")));
    let mut response = page::html(StatusCode::OK, message.html());
    let headers = response.headers_mut();
    headers.extend(set_cookie(SESSION, "", 0).map(|cookie| (SET_COOKIE, cookie)));
    let onward = provider.and_then(|url| HeaderValue::try_from(format!("1;url={url}")).ok());
    headers.extend(onward.map(|onward| (REFRESH, onward)));
    response
}

/// What the hint of a session is sealed for.
pub(super) fn sealed_of(user_id: &str) -> String {
    format!("session of {user_id}")
}
