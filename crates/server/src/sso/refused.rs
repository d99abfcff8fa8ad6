//! Sign-ins that are refused: an event with the exact reason for the admin, and a page in the person's own words. Both have
//! the same reference.

use super::page;
use crate::app::App;
use crate::http::RequestId;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use portreeve_console::pages::sign_in::Refused as Page;
use portreeve_console::parts::Time;
use portreeve_console::{Address, Page as _, Plain};
use portreeve_directory::connections::Connection;
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::resolve::{Claims, Unresolved};
use portreeve_directory::{Actor, Refusal};
use portreeve_store::Scope;
use serde_json::{Map, Value, json};

/// Why a sign-in was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why {
    /// Does not change with the wording.
    pub(super) code: &'static str,
    /// For the admin: what is wrong and what to do.
    pub(super) detail: String,
    /// Whom it is about, where that is known.
    pub(super) user_id: Option<String>,
    /// What the provider said of the person, where it can be believed.
    pub(super) claims: Option<Box<Claims>>,
    /// All that it said.
    pub(super) all: Map<String, Value>,
}

impl Why {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            user_id: None,
            claims: None,
            all: Map::new(),
        }
    }

    /// The person is not one who may sign in.
    pub(super) fn unresolved(
        unresolved: &Unresolved,
        claims: Claims,
        all: Map<String, Value>,
    ) -> Self {
        Self {
            user_id: unresolved.user_id().map(str::to_owned),
            claims: Some(Box::new(claims)),
            all,
            ..Self::new(unresolved.code(), unresolved.to_string())
        }
    }
}

impl From<portreeve_oidc::Error> for Why {
    fn from(error: portreeve_oidc::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// Writes down why somebody was refused, and tells them in their words.
pub(super) async fn answer(
    app: &App,
    parts: &Parts,
    connection: &Connection,
    why: &Why,
) -> Response {
    let now = app.clock.now();
    let id = app.ids.next(now).to_string();
    // The refusal stands whether or not it can be written down; without the event the log of the server has it.
    if let Err(error) = record(app, parts, connection, why, &id).await {
        tracing::warn!(%error, reference = id, code = why.code, detail = why.detail, "a sign-in was refused");
    }
    let (sentence, advice) = in_their_words(why.code, connection.label());
    let again = Address::new("/auth/openid/start").with("connection", &connection.directory_id);
    show(&connection.team_name, sentence, advice, &id, now, again)
}

/// Tells somebody whose sign-in belongs to nobody's connection, so that there is no log to write it down in.
pub(super) fn stray(app: &App, parts: &Parts, code: &'static str) -> Response {
    let request = parts.extensions.get::<RequestId>();
    let reference = request.map(|id| id.0.clone()).unwrap_or_default();
    tracing::info!(code, "a sign-in was refused");
    let (sentence, advice) = in_their_words(code, "your identity provider");
    let now = app.clock.now();
    show(
        "",
        sentence,
        advice,
        &reference,
        now,
        Address::new("/sign-in"),
    )
}

fn show(
    team: &str,
    why: String,
    advice: Vec<String>,
    reference: &str,
    now: i64,
    again: Address,
) -> Response {
    let page = Page {
        plain: Plain {
            team: Some(team.to_owned()).filter(|team| !team.is_empty()),
        },
        why,
        advice,
        reference: reference.to_owned(),
        at: Time(Timestamp::from_microsecond(now).unwrap_or_default()),
        again,
    };
    page::html(StatusCode::FORBIDDEN, page.html())
}

async fn record(
    app: &App,
    parts: &Parts,
    connection: &Connection,
    why: &Why,
    id: &str,
) -> Result<(), Refusal> {
    let (why, connection, id) = (why.clone(), connection.clone(), id.to_owned());
    let (clock, ids, at) = (app.clock.clone(), app.ids.clone(), app.clock.now());
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let said = why.claims.as_deref().map(said);
    app.write(Scope::ALL, move |tx| {
        let cause = Cause {
            team_id: &connection.team_id,
            directory_id: Some(&connection.directory_id),
            actor: &Actor::Anonymous,
            request_id: request_id.as_deref(),
            at,
            clock: &*clock,
            ids: &ids,
        };
        let name = why.claims.as_deref().and_then(|claims| {
            let named = claims.preferred_username.as_ref();
            named.or(claims.email.as_ref())
        });
        let event = New {
            category: Category::Auth,
            action: "sign_in_refused",
            outcome: Outcome::Refused {
                reason: why.code,
                detail: &why.detail,
            },
            object_kind: Some(if why.user_id.is_some() {
                "User"
            } else {
                "Connection"
            }),
            object_id: Some(why.user_id.as_deref().unwrap_or(&connection.directory_id)),
            object_name: Some(name.map_or(connection.label(), |name| name)),
            version: None,
            changes: said.as_deref(),
        };
        events::record_as(tx, &id, &cause, &event)
    })
    .await
}

/// What the provider said of the person, as far as it can find anybody.
fn said(claims: &Claims) -> String {
    let claims = [
        ("iss", Some(&claims.issuer)),
        ("sub", Some(&claims.subject)),
        ("tid", claims.tenant_id.as_ref()),
        ("oid", claims.object_id.as_ref()),
        ("email", claims.email.as_ref()),
        ("preferred_username", claims.preferred_username.as_ref()),
    ];
    let entries = claims
        .into_iter()
        .filter_map(|(name, value)| Some(json!({"attribute": name, "new": value?})));
    Value::Array(entries.collect()).to_string()
}

/// What the person is told. It says what they can do, and nothing that helps somebody who tries accounts out.
fn in_their_words(code: &str, provider: &str) -> (String, Vec<String>) {
    let ask = "Send the reference below to your admin, who finds the exact reason by it.";
    let (sentence, advice): (String, &[&str]) = match code {
        "state_unknown" | "state_used" | "state_expired" | "other_browser" | "nonce_mismatch" => (
            "This sign-in is too old, was used already, or was begun in another browser."
                .to_owned(),
            &[
                "Begin again, and finish in this window within ten minutes.",
                "Let this browser keep cookies of this site.",
            ],
        ),
        "suspended" => (
            format!("{provider} knows you, but your account here is suspended."),
            &[ask],
        ),
        "wrong_tenant" => (
            "You have signed in with an account of another organisation.".to_owned(),
            &[
                "Choose the account of this organisation at the next attempt; a private window helps where another account is chosen by itself.",
                ask,
            ],
        ),
        "domain_not_allowed" => (
            "Accounts of your domain cannot sign in here.".to_owned(),
            &["Choose another account, if you have one.", ask],
        ),
        "no_email_claim" | "no_user_name_claim" | "email_not_verified" => (
            format!(
                "{provider} has let you in, but does not tell enough about you to find you here."
            ),
            &[ask],
        ),
        "unknown_user" | "different_user" | "ambiguous_user" => (
            format!("{provider} has let you in, but you are not known here."),
            &[
                "You may have chosen another account than usual.",
                "If you are new, it may take some time until your account arrives.",
                ask,
            ],
        ),
        "access_denied" => (
            format!("{provider} has not let you in, or you have cancelled."),
            &[ask],
        ),
        "provider_unreachable" | "provider_redirects" => (
            format!("{provider} cannot be asked at the moment."),
            &["Try again in a minute.", ask],
        ),
        _ => (
            format!("The sign-in with {provider} did not work."),
            &["Try again once.", ask],
        ),
    };
    let advice = advice.iter().map(|line| (*line).to_owned());
    (sentence, advice.collect())
}
