//! `/directories/{id}/streams`: the receivers of a directory's security events. A secret is in one answer only.

use super::ask::{Ask, Object};
use super::problem::Problem;
use super::reply::{self, present};
use crate::app::App;
use crate::scim::events::{JWKS_PATH, authorization, endpoint, poll_url};
use crate::vault::Vault;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use portreeve_directory::Refusal;
use portreeve_directory::streams::{self, Content, Delivery, New, NewDelivery, Sealed, Stream};
use portreeve_scim::time;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What a request for a new stream says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    delivery: Delivery,
    endpoint: Option<String>,
    /// The `Authorization` value that each push carries. It is in no answer and in no event.
    authorization: Option<SecretString>,
    audience: Option<String>,
    content: Option<Content>,
}

/// The streams of a directory, oldest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let (admin, which) = (ask.admin.clone(), ask.param("directory"));
    let found = ask.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        streams::list(tx, &directory.id)
    });
    let views = found.await?;
    let views = views.iter().map(|s| Value::Object(view(&ask.app, s)));
    Ok(reply::list(views.collect()))
}

/// Makes a stream that begins with the next change.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: Wanted = ask.body(body).await?;
    let (admin, which, id) = (
        ask.admin.clone(),
        ask.param("directory"),
        ask.admin.new_id(),
    );
    let delivery = delivery(&ask.app.security_events.vault, &id, &wanted)?;
    let app = ask.app.clone();
    let made = ask.change(move |tx| {
        let directory = admin.directory(tx, &which)?;
        if !directory.settings.security_events {
            return Err(Refusal::Invalid {
                attribute: "directory",
                reason: format!(
                    "security events of \"{}\" are turned off; turn them on with: portreeve directory update {} --security-events true",
                    directory.name, directory.id
                ),
            });
        }
        let own = match &delivery {
            NewDelivery::Poll => poll_url(&app, &directory.id, &id),
            NewDelivery::Push { endpoint, .. } => endpoint.clone(),
        };
        let new = New {
            id: id.clone(),
            delivery: delivery.clone(),
            audience: wanted.audience.clone().unwrap_or(own),
            content: wanted.content.unwrap_or_default(),
        };
        let (stream, secret) = streams::create(tx, &directory, &new, admin.at)?;
        let view = view(&app, &stream);
        let changes = Value::Object(view.clone()).to_string();
        admin.record(tx, &directory, "create", &object(&stream), Some(&changes))?;
        Ok((view, secret))
    });
    let (mut view, secret) = made.await?;
    if let Some(secret) = secret {
        view.insert("secret".into(), json!(secret.expose_secret()));
    }
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let body = reply::object(StatusCode::CREATED, &Value::Object(view));
    Ok((no_store, body).into_response())
}

/// Ends a stream.
pub(super) async fn delete(ask: Ask) -> Result<Response, Problem> {
    let (admin, which, id) = (
        ask.admin.clone(),
        ask.param("directory"),
        ask.param("stream"),
    );
    let gone = ask.change(move |tx| {
        let directory = admin.directory(tx, &which)?;
        let stream = streams::delete(tx, &directory.id, &id)?;
        admin.record(tx, &directory, "delete", &object(&stream), None)?;
        Ok(stream)
    });
    let view = view(&ask.app, &gone.await?);
    Ok(reply::object(StatusCode::OK, &Value::Object(view)))
}

/// How the new stream delivers, with its `Authorization` sealed.
fn delivery(vault: &Vault, id: &str, wanted: &Wanted) -> Result<NewDelivery, Problem> {
    match wanted.delivery {
        Delivery::Poll if wanted.endpoint.is_some() || wanted.authorization.is_some() => {
            Err(Problem::invalid(
                "a polled stream has no endpoint and no authorization: its receiver asks here, with a secret that is made for it",
            ))
        }
        Delivery::Poll => Ok(NewDelivery::Poll),
        Delivery::Push => {
            let text = wanted.endpoint.as_deref().ok_or_else(|| {
                Problem::invalid("endpoint: say where the events of a pushed stream go")
            })?;
            let url = endpoint(text).map_err(|wrong| Problem::invalid(wrong.to_string()))?;
            Ok(NewDelivery::Push {
                endpoint: url.into(),
                authorization: sealed(vault, id, wanted.authorization.as_ref())?,
            })
        }
    }
}

fn sealed(
    vault: &Vault,
    id: &str,
    value: Option<&SecretString>,
) -> Result<Option<Sealed>, Problem> {
    let Some(value) = value else {
        return Ok(None);
    };
    authorization(value).map_err(|wrong| Problem::invalid(wrong.to_string()))?;
    let sealed = vault
        .seal(id, value)
        .map_err(|_| Problem::invalid("the authorization could not be encrypted"))?;
    Ok(Some(Sealed(sealed)))
}

fn object(stream: &Stream) -> Object<'_> {
    Object {
        kind: "Stream",
        id: &stream.id,
        name: &stream.audience,
    }
}

fn view(app: &App, stream: &Stream) -> Map<String, Value> {
    let polled = stream.delivery == Delivery::Poll;
    let base = app.public_url();
    let failing = stream.failures > 0;
    present([
        ("id", json!(stream.id)),
        ("delivery", json!(stream.delivery)),
        ("content", json!(stream.content)),
        ("audience", json!(stream.audience)),
        ("status", json!(if failing { "failing" } else { "ok" })),
        ("endpoint", json!(stream.endpoint)),
        (
            "poll_url",
            json!(polled.then(|| poll_url(app, &stream.directory_id, &stream.id))),
        ),
        (
            "issuer",
            json!(format!("{base}/scim/{}/v2", stream.directory_id)),
        ),
        ("jwks_url", json!(format!("{base}{JWKS_PATH}"))),
        ("failures", json!(failing.then_some(stream.failures))),
        (
            "next_attempt_at",
            json!(failing.then(|| time::format(stream.next_attempt_at))),
        ),
        ("last_error", json!(stream.last_error)),
        (
            "last_delivered_at",
            reply::maybe_at(stream.last_delivered_at),
        ),
        ("created_at", reply::at(stream.created_at)),
    ])
}
