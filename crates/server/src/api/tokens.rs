//! `/directories/{id}/tokens`: make, see, rotate and revoke a directory's tokens. A secret is in one answer only.

use super::ask::{Admin, Ask, Object};
use super::problem::Problem;
use super::reply::{self, present};
use crate::contact;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use portreeve_directory::directories::{Directory, Provider};
use portreeve_directory::tokens::{self, Token};
use portreeve_directory::{Refusal, events};
use portreeve_scim::time;
use portreeve_store::Tx;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How long old tokens go on by default when new ones are made in their place.
const OVERLAP_S: u64 = 24 * 3600;
/// The longest overlap, in seconds: ten years.
const LONGEST_OVERLAP_S: u64 = 10 * 366 * 24 * 3600;

/// The tokens of a directory, oldest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    contact::flush(&ask.app).await;
    let (admin, directory) = (ask.admin.clone(), ask.param("directory"));
    let items = ask.read(move |tx| {
        let now = admin.at;
        let directory = admin.directory(tx, &directory)?;
        let tokens = tokens::list(tx, &directory.id)?;
        Ok(tokens
            .iter()
            .map(|token| Value::Object(view(token, now)))
            .collect())
    });
    Ok(reply::list(items.await?))
}

/// Makes one more token.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        name: Option<String>,
        expires_at: Option<String>,
    }
    let wanted: Wanted = ask.body(body).await?;
    let end = end(wanted.expires_at.as_deref())?;
    let (admin, which, base) = (
        ask.admin.clone(),
        ask.param("directory"),
        ask.app.public_url(),
    );
    let body = ask.change(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let name = wanted.name.as_deref().unwrap_or_default();
        let (token, secret) = make(tx, &admin, &directory, name, end)?;
        Ok(shown_once(&directory, &token, &secret, &base, admin.at))
    });
    Ok(secret_reply(&Value::Object(body.await?)))
}

/// Makes a token in the place of the others, which end after an overlap.
pub(super) async fn rotate(ask: Ask, body: Body) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        name: Option<String>,
        expires_at: Option<String>,
        overlap_seconds: Option<u64>,
    }
    let wanted: Wanted = ask.body(body).await?;
    let end = end(wanted.expires_at.as_deref())?;
    let overlap = wanted.overlap_seconds.unwrap_or(OVERLAP_S);
    if overlap > LONGEST_OVERLAP_S {
        return Err(Problem::invalid(format!(
            "overlap_seconds: at most {LONGEST_OVERLAP_S}"
        )));
    }
    let last = ask.admin.at + i64::try_from(overlap).unwrap_or(i64::MAX) * 1_000_000;
    let (admin, which, base) = (
        ask.admin.clone(),
        ask.param("directory"),
        ask.app.public_url(),
    );
    let body = ask.change(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let name = wanted.name.as_deref().unwrap_or_default();
        let (token, secret) = make(tx, &admin, &directory, name, end)?;
        let mut ended = Vec::new();
        for old in tokens::list(tx, &directory.id)? {
            let live = old.revoked_at.is_none() && old.expires_at.is_none_or(|end| end > last);
            if old.id == token.id || !live {
                continue;
            }
            let now = tokens::end(tx, &directory.id, &old.id, last)?;
            let changes = events::diff(&view(&old, admin.at), &view(&now, admin.at));
            admin.record(tx, &directory, "rotate", &object(&old), changes.as_deref())?;
            ended.push(json!({"id": old.id, "name": old.name, "expires_at": reply::at(last)}));
        }
        let mut body = shown_once(&directory, &token, &secret, &base, admin.at);
        body.insert("ending".into(), Value::Array(ended));
        Ok(body)
    });
    Ok(secret_reply(&Value::Object(body.await?)))
}

/// Ends a token now.
pub(super) async fn revoke(ask: Ask) -> Result<Response, Problem> {
    let (admin, which, id) = (
        ask.admin.clone(),
        ask.param("directory"),
        ask.param("token"),
    );
    let token = ask.change(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let token = tokens::revoke(tx, &directory.id, &id, admin.at)?;
        if token.revoked_at == Some(admin.at) {
            admin.record(tx, &directory, "revoke", &object(&token), None)?;
        }
        Ok(token)
    });
    let (token, now) = (token.await?, ask.admin.at);
    Ok(reply::object(
        StatusCode::OK,
        &Value::Object(view(&token, now)),
    ))
}

/// Makes a token with its event, and gives its secret out for this once.
pub(super) fn make(
    tx: &mut Tx<'_>,
    admin: &Admin,
    directory: &Directory,
    name: &str,
    end: Option<i64>,
) -> Result<(Token, String), Refusal> {
    if directory.provider == Provider::Native {
        return Err(Refusal::Invalid {
            attribute: "directory",
            reason: format!(
                "\"{}\" is edited in Portreeve itself, so no provider needs a token for it",
                directory.name
            ),
        });
    }
    if name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Refusal::Invalid {
            attribute: "name",
            reason: "a token's name has at most 100 characters and no control characters".into(),
        });
    }
    let id = admin.ids.next(admin.at);
    let (token, secret) = tokens::create(tx, &directory.id, id, name, end, admin.at)?;
    let changes = Value::Object(view(&token, admin.at)).to_string();
    admin.record(tx, directory, "create", &object(&token), Some(&changes))?;
    Ok((token, secret.expose_secret().to_owned()))
}

fn end(text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else {
        return Ok(None);
    };
    time::parse(text).map(Some).ok_or_else(|| {
        Problem::invalid(format!(
            "expires_at: \"{text}\" is no time; write it as 2027-01-31T00:00:00Z"
        ))
    })
}

fn object(token: &Token) -> Object<'_> {
    Object {
        kind: "Token",
        id: &token.id,
        name: &token.name,
    }
}

fn view(token: &Token, now: i64) -> Map<String, Value> {
    let status = match (token.revoked_at, token.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        _ => "active",
    };
    present([
        ("id", json!(token.id)),
        ("name", json!(token.name)),
        ("status", json!(status)),
        ("created_at", reply::at(token.created_at)),
        ("expires_at", reply::maybe_at(token.expires_at)),
        ("revoked_at", reply::maybe_at(token.revoked_at)),
        ("last_used_at", reply::maybe_at(token.last_used_at)),
    ])
}

/// A new token with everything that the provider's form asks for.
fn shown_once(
    directory: &Directory,
    token: &Token,
    secret: &str,
    base: &str,
    now: i64,
) -> Map<String, Value> {
    let mut body = view(token, now);
    let tenant_url = format!("{base}/scim/{}/v2", directory.id);
    body.insert("tenant_url".into(), json!(tenant_url));
    body.insert("secret_token".into(), json!(secret));
    body
}

fn secret_reply(body: &Value) -> Response {
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (no_store, reply::object(StatusCode::CREATED, body)).into_response()
}
