//! `/directories/{id}/streams`: the receivers of a directory's security events. A secret is in one answer only.

use super::ask::{Ask, Object};
use super::problem::Problem;
use super::reply;
use crate::admin::view::{At, Shown};
use crate::app::App;
use crate::scim::events::{JWKS_PATH, authorization, endpoint, poll_url};
use crate::vault::Vault;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::Refusal;
use portreeve_directory::streams::{self, Content, Delivery, New, NewDelivery, Sealed, Stream};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A receiver of security events to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStream {
    /// Whether the receiver asks for events or is told of them.
    delivery: Delivery,
    /// Where events are told; `https`, or this machine.
    endpoint: Option<String>,
    /// The `Authorization` value that each push carries. It is in no answer and in no event.
    #[schemars(with = "Option<String>")]
    authorization: Option<SecretString>,
    /// Whom the events are for; the endpoint where it is left out.
    audience: Option<String>,
    /// How much of a resource is in its events.
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
    let views = views.iter().map(|it| view(&ask.app, it)).collect();
    reply::part(&ask, views, |one: &StreamView| one.id.clone())
}

/// Makes a stream that begins with the next change.
pub(super) async fn create(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewStream = ask.body(body).await?;
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
        let changes = serde_json::to_string(&view).unwrap_or_default();
        admin.record(tx, &directory, "create", &object(&stream), Some(&changes))?;
        Ok((view, secret))
    });
    let (mut view, secret) = made.await?;
    view.secret = secret.map(Shown);
    Ok(reply::secret(StatusCode::CREATED, &view))
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
    Ok(reply::object(StatusCode::OK, &view))
}

/// How the new stream delivers, with its `Authorization` sealed.
fn delivery(vault: &Vault, id: &str, wanted: &NewStream) -> Result<NewDelivery, Problem> {
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

/// A receiver of security events.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Stream")]
pub(super) struct StreamView {
    id: String,
    delivery: Delivery,
    content: Content,
    audience: String,
    status: StreamStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// Where its receiver asks for events.
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_url: Option<String>,
    issuer: String,
    /// Where the keys are that events are signed with.
    jwks_url: String,
    /// How often in a row the receiver could not be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_delivered_at: Option<At>,
    created_at: At,
    /// With which its receiver asks; shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Shown>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum StreamStatus {
    Ok,
    Failing,
}

fn view(app: &App, stream: &Stream) -> StreamView {
    let polled = stream.delivery == Delivery::Poll;
    let base = app.public_url();
    let failing = stream.failures > 0;
    StreamView {
        id: stream.id.clone(),
        delivery: stream.delivery,
        content: stream.content,
        audience: stream.audience.clone(),
        status: match failing {
            true => StreamStatus::Failing,
            false => StreamStatus::Ok,
        },
        endpoint: stream.endpoint.clone(),
        poll_url: polled.then(|| poll_url(app, &stream.directory_id, &stream.id)),
        issuer: format!("{base}/scim/{}/v2", stream.directory_id),
        jwks_url: format!("{base}{JWKS_PATH}"),
        failures: failing.then_some(stream.failures),
        next_attempt_at: failing.then_some(At(stream.next_attempt_at)),
        last_error: stream.last_error.clone(),
        last_delivered_at: stream.last_delivered_at.map(At),
        created_at: At(stream.created_at),
        secret: None,
    }
}
