//! The pages on which one chooses how to sign in.

use super::failed::Failed;
use super::{page, return_to};
use crate::app::App;
use crate::who;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use portreeve_console::pages::message::Message;
use portreeve_console::pages::sign_in::{ByEmail, Provider, SignIn};
use portreeve_console::{Address, Page, Plain};
use portreeve_directory::connections::{self, Connection};
use portreeve_directory::{Refusal, teams};
use serde::Deserialize;
use std::sync::Arc;

/// What a person comes with.
#[derive(Deserialize)]
pub(super) struct Wish {
    return_to: Option<String>,
    #[serde(default)]
    email: String,
}

/// The page for everybody: with one team its providers, with several a question for the address.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Query(wish): Query<Wish>,
    parts: Parts,
) -> Result<Response, Failed> {
    let place = return_to::local(wish.return_to.as_deref()).to_owned();
    if who::identify(&app, &parts).await.is_ok() {
        return Ok(page::see(&place, None));
    }
    let email = wish.email.trim().to_owned();
    let wanted = email.clone();
    let read = app.store.read(move |tx| -> Result<_, Refusal> {
        let mut teams = teams::list(tx)?;
        Ok(match (teams.pop(), teams.is_empty()) {
            (Some(only), true) => {
                let connections = connections::in_team(tx, &only.id)?;
                (Some(only.name), connections)
            }
            _ => (None, connections::for_address(tx, &wanted)?),
        })
    });
    let (team, connections) = read.await?;
    let by_email = team.is_none().then(|| ByEmail {
        action: Address::new("/sign-in"),
        error: match connections.is_empty() && !email.is_empty() {
            true => "Nobody's sign-in is set up for this domain. Look for a typing mistake, or ask your admin for your team's own sign-in address.".to_owned(),
            false => String::new(),
        },
        email: email.clone(),
    });
    Ok(choose(team, &connections, by_email, &email, &place))
}

/// The page of one team.
pub(super) async fn of_team(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Response, Failed> {
    let read = app.store.read(move |tx| -> Result<_, Refusal> {
        let team = teams::by_name(tx, &name)?;
        let connections = connections::in_team(tx, &team.id)?;
        Ok((team.name, connections))
    });
    match read.await {
        Ok((team, connections)) => {
            let place = return_to::local(wish.return_to.as_deref());
            Ok(choose(Some(team), &connections, None, &wish.email, place))
        }
        Err(Refusal::NotFound(..)) => {
            let text = "Look for a typing mistake in the address, or ask your admin for it.";
            let message = Message::failed("There is no such team here", text);
            Ok(page::html(StatusCode::NOT_FOUND, message.html()))
        }
        Err(error) => Err(error.into()),
    }
}

fn choose(
    team: Option<String>,
    connections: &[Connection],
    by_email: Option<ByEmail>,
    email: &str,
    return_to: &str,
) -> Response {
    let one_team = team.is_some();
    let providers = connections.iter().map(|connection| Provider {
        name: match one_team {
            true => connection.label().to_owned(),
            false => format!("{} ({})", connection.label(), connection.team_name),
        },
        href: Address::new("/auth/openid/start")
            .with("connection", &connection.directory_id)
            .with("return_to", return_to)
            .with("login_hint", email),
    });
    let page = SignIn {
        plain: Plain { team },
        notice: None,
        providers: providers.collect(),
        by_email,
        passkey: true,
        return_to: return_to.to_owned(),
    };
    page::html(StatusCode::OK, page.html())
}
