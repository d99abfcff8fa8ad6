//! A sign-in that an admin tries out: nobody is signed in, and what it brought is kept for the admin to read once.

use super::failed::Failed;
use super::openid::Known;
use super::page;
use super::refused::Why;
use crate::app::App;
use axum::response::Response;
use http::StatusCode;
use portreeve_console::Page;
use portreeve_console::pages::message::Message;
use portreeve_directory::bearer::{Kind, Presented};
use portreeve_directory::sign_ins::{self, Purpose, Spent};
use portreeve_directory::{Refusal, resolve};
use portreeve_store::{Scope, Tx};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which trial a sign-in is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Trial {
    pub(super) directory_id: String,
    team_id: String,
    id: String,
}

/// What is stored of a trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    directory_id: String,
    result: Option<Brought>,
}

/// What a trial brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Brought {
    /// Everything that the ID token says; empty when there is none that can be believed.
    pub(crate) claims: Map<String, Value>,
    /// The user that it is, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<Found>,
    /// Why nobody would have been signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<RefusedFor>,
}

/// A user who was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Found {
    /// The user.
    pub(crate) id: String,
    /// The name.
    pub(crate) name: String,
    /// By what: `object_id`, `linked`, `subject`, `email`, `user_name`.
    pub(crate) by: String,
}

/// Why nobody would have been signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RefusedFor {
    /// Does not change with the wording.
    pub(crate) code: String,
    /// What is wrong and what to do.
    pub(crate) detail: String,
}

/// Begins a trial in a transaction of the admin. Its secret.
pub(crate) fn begin(
    app: &App,
    team_id: &str,
    directory_id: &str,
) -> Result<impl Fn(&mut Tx<'_>) -> Result<SecretString, Refusal> + Send + 'static, Refusal> {
    let at = app.clock.now();
    let (team_id, id) = (team_id.to_owned(), app.ids.next(at).to_string());
    let kept = Kept {
        directory_id: directory_id.to_owned(),
        result: None,
    };
    let sealed = app.providers.seal(&sealed_of(&id), &kept);
    let sealed = sealed.map_err(|damaged| invalid(&damaged.to_string()))?;
    Ok(move |tx: &mut Tx<'_>| sign_ins::make(tx, &team_id, &id, Purpose::Trial, &sealed, at))
}

/// Where a trial begins.
pub(crate) fn url(app: &App, secret: &SecretString) -> SecretString {
    let secret = secret.expose_secret();
    SecretString::from(format!(
        "{}/auth/openid/start?trial={secret}",
        app.public_url()
    ))
}

/// The trial of a secret, which stays good.
pub(super) async fn look(app: &App, secret: &str) -> Result<Result<Trial, Spent>, Failed> {
    let Some(presented) = Presented::parse(Kind::Once, secret) else {
        return Ok(Err(Spent::Unknown));
    };
    let (wanted, at) = (presented.clone(), app.clock.now());
    let read = app
        .store
        .lookup(move |tx| sign_ins::look(tx, &wanted, Purpose::Trial, at));
    let sealed = match read.await? {
        Ok(sealed) => sealed,
        Err(spent) => return Ok(Err(spent)),
    };
    let kept: Kept = app.providers.open(&sealed_of(&presented.id), &sealed)?;
    if kept.result.is_some() {
        return Ok(Err(Spent::Used));
    }
    Ok(Ok(Trial {
        directory_id: kept.directory_id,
        team_id: presented.team_id,
        id: presented.id,
    }))
}

/// Keeps what a trial brought, for the admin.
pub(super) async fn finish(
    app: &App,
    trial: &Trial,
    known: Result<Known, Why>,
) -> Result<Response, Failed> {
    let result = match known {
        Ok(known) => Brought {
            claims: known.all,
            user: Some(found(known.user)),
            refused: None,
        },
        Err(why) => Brought {
            claims: why.all,
            user: None,
            refused: Some(RefusedFor {
                code: why.code.to_owned(),
                detail: why.detail,
            }),
        },
    };
    let message = message(&result);
    let kept = Kept {
        directory_id: trial.directory_id.clone(),
        result: Some(result),
    };
    let sealed = app.providers.seal(&sealed_of(&trial.id), &kept)?;
    let (team, id) = (trial.team_id.clone(), trial.id.clone());
    app.write(Scope::ALL, move |tx| sign_ins::set(tx, &team, &id, &sealed))
        .await?;
    Ok(page::html(StatusCode::OK, message.html()))
}

fn message(result: &Brought) -> Message {
    match (&result.user, &result.refused) {
        (Some(user), _) => Message::done(
            "The trial worked",
            format!(
                "You would be signed in as {}. Go back to where you began it; nobody was signed in here.",
                user.name
            ),
        ),
        (None, refused) => {
            let why = refused.as_ref().map_or("", |refused| &refused.detail);
            let text = format!("Nobody would be signed in: {why}. Go back to where you began it.");
            Message::failed("The trial ended without a user", text)
        }
    }
}

fn found(user: resolve::Resolved) -> Found {
    Found {
        id: user.user_id,
        name: user.name,
        by: user.by.name().to_owned(),
    }
}

/// What a trial of that directory brought: nothing yet, or everything, once.
pub(crate) async fn read(
    app: &App,
    directory_id: &str,
    secret: &str,
) -> Result<Option<Brought>, Refusal> {
    let spent = |spent: Spent| invalid(&format!("the trial cannot be read: {spent}"));
    let presented = Presented::parse(Kind::Once, secret).ok_or_else(|| spent(Spent::Unknown))?;
    let (wanted, at) = (presented.clone(), app.clock.now());
    let looked = app
        .store
        .lookup(move |tx| sign_ins::look(tx, &wanted, Purpose::Trial, at));
    let sealed = looked.await?.map_err(spent)?;
    let kept = app.providers.open(&sealed_of(&presented.id), &sealed);
    let kept: Kept = kept.map_err(|damaged| invalid(&damaged.to_string()))?;
    // A trial of another directory is none of this one.
    if kept.directory_id != directory_id {
        return Err(spent(Spent::Unknown));
    }
    let Some(result) = kept.result else {
        return Ok(None);
    };
    let taken = app.write(Scope::ALL, move |tx| {
        sign_ins::take(tx, &presented, Purpose::Trial, at)
    });
    taken.await?.map_err(spent)?;
    Ok(Some(result))
}

fn invalid(reason: &str) -> Refusal {
    Refusal::Invalid {
        attribute: "trial",
        reason: reason.to_owned(),
    }
}

fn sealed_of(id: &str) -> String {
    format!("trial/{id}")
}
