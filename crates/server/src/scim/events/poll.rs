//! Receivers that fetch their events (RFC 8936).

use super::{issuer, own_call, set};
use crate::app::App;
use crate::body::{self, BodyError};
use crate::feeds;
use crate::http::asked_to_stop;
use crate::limits::NotNow;
use crate::scim::error::Failure;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_directory::directories::{self, Directory};
use portreeve_directory::events::{self, Category, Outcome};
use portreeve_directory::streams::{self, Stream};
use portreeve_directory::{Call, Refusal, What};
use portreeve_store::{Scope, Tx};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The most events in one answer; also how many there are when the receiver does not say.
const MOST: u64 = 200;
/// An answer ends before it is longer than this, in bytes, if it has one event at least.
const LONGEST: usize = 4 << 20;
/// How long a request is held while there is nothing to tell.
const PATIENCE: Duration = Duration::from_secs(30);

/// A poll (RFC 8936 section 2.2). Members that it does not know are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Poll {
    max_events: Option<u64>,
    return_immediately: bool,
    ack: Vec<String>,
    set_errs: BTreeMap<String, SetError>,
}

/// Why the receiver cannot use an event (RFC 8936 section 2.6).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct SetError {
    err: String,
    description: String,
}

/// Why a poll is refused, in the words of RFC 8935 section 2.4.
struct Refused {
    status: StatusCode,
    err: &'static str,
    description: String,
    /// After how many seconds the same request may be a success.
    retry_after: Option<u32>,
}

/// `POST /scim/{directory}/streams/{stream}`.
pub(in crate::scim) async fn poll(
    State(app): State<Arc<App>>,
    Path(path): Path<(String, String)>,
    request: Request,
) -> Response {
    match answer(&app, &path, request).await {
        Ok(answer) => json_response(StatusCode::OK, &answer),
        Err(refused) => {
            let body = json!({ "err": refused.err, "description": refused.description });
            let mut response = json_response(refused.status, &body);
            if refused.status == StatusCode::UNAUTHORIZED {
                let scheme = HeaderValue::from_static("Bearer realm=\"security events\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            }
            if let Some(seconds) = refused.retry_after {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

async fn answer(
    app: &Arc<App>,
    (directory, stream): &(String, String),
    request: Request,
) -> Result<Value, Refused> {
    let (parts, body) = request.into_parts();
    let (directory, stream) = open(app, directory, stream, &parts.headers).await?;
    let secret = Arc::from(stream.id.as_str());
    app.limits
        .token(&parts.extensions, &secret, app.clock.steady())?;
    if !directory.settings.security_events {
        return Err(Refused {
            status: StatusCode::FORBIDDEN,
            err: "access_denied",
            description:
                "security events of this directory are turned off; its admin can turn them on"
                    .into(),
            retry_after: None,
        });
    }
    let asked = read(app, &parts.headers, body).await?;
    take(app, &directory, &stream, &asked).await?;
    let limit = asked.max_events.unwrap_or(MOST).min(MOST);
    if limit == 0 {
        return Ok(json!({ "sets": {} }));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    Ok(wait(app, directory, stream, limit, asked.return_immediately).await?)
}

/// The stream that the bearer secret opens.
async fn open(
    app: &App,
    directory: &str,
    stream: &str,
    headers: &HeaderMap,
) -> Result<(Arc<Directory>, Stream), Refused> {
    let refused = |description: &str| Refused {
        status: StatusCode::UNAUTHORIZED,
        err: "authentication_failed",
        description: description.into(),
        retry_after: None,
    };
    let presented = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim().to_owned())
        .ok_or_else(|| refused("send the secret of the stream as Authorization: Bearer"))?;
    let (directory, stream) = (directory.to_owned(), stream.to_owned());
    let found = app.store.lookup(move |tx| {
        let Some(stream) = streams::open(tx, &directory, &stream, &presented)? else {
            return Ok(None);
        };
        let directory = directories::by_id(tx, &directory)?;
        Ok::<_, Refusal>(Some((Arc::new(directory), stream)))
    });
    found.await?.ok_or_else(|| {
        refused("the secret does not belong to this stream; check the URL and the secret")
    })
}

async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Poll, Refused> {
    let bytes = body::read(app, headers, body, body::LIMIT).await?;
    if bytes.is_empty() {
        return Ok(Poll::default());
    }
    // By way of a map, because serde would take a list for the members in order.
    serde_json::from_slice(&bytes)
        .and_then(|members| serde_json::from_value(Value::Object(members)))
        .map_err(|error| Refused::invalid(format!("the body is no poll of RFC 8936: {error}")))
}

/// Remembers what the receiver has, and what it has and cannot use: neither is sent again.
async fn take(
    app: &App,
    directory: &Arc<Directory>,
    stream: &Stream,
    asked: &Poll,
) -> Result<(), Refused> {
    if asked.ack.is_empty() && asked.set_errs.is_empty() {
        return Ok(());
    }
    let mut taken = asked.ack.clone();
    taken.extend(asked.set_errs.keys().cloned());
    let call = own_call(app, directory.clone());
    let (id, errors) = (stream.id.clone(), asked.set_errs.clone());
    let name = stream.audience.clone();
    let written = app.write(call.scope(), move |tx| {
        streams::settle(tx, &call.directory, &id, &taken)?;
        streams::delivered(tx, &call.directory.id, &id, call.at)?;
        for (jti, error) in &errors {
            let said = format!("{}: {}", error.err, error.description);
            skipped(tx, &call, (&id, &name), jti, &said)?;
        }
        Ok(())
    });
    Ok(written.await?)
}

/// Leaves a warning, in the log and at the stream, that the receiver could not use an event.
pub(super) fn skipped(
    tx: &mut Tx<'_>,
    call: &Call,
    (stream_id, name): (&str, &str),
    jti: &str,
    said: &str,
) -> Result<(), Refusal> {
    let said: String = said.chars().filter(|c| !c.is_control()).take(500).collect();
    let detail = format!("the receiver could not use the security event {jti:.64}: {said}");
    streams::told(tx, &call.directory.id, stream_id, &detail)?;
    let event = events::New {
        category: Category::Admin,
        action: "skip",
        outcome: Outcome::Refused {
            reason: "event_refused",
            detail: &detail,
        },
        object_kind: Some("Stream"),
        object_id: Some(stream_id),
        object_name: Some(name),
        version: None,
        changes: None,
    };
    events::record(tx, call, &event)
}

/// The next events, at once or as soon as there are any.
async fn wait(
    app: &Arc<App>,
    directory: Arc<Directory>,
    stream: Stream,
    limit: usize,
    at_once: bool,
) -> Result<Value, Refusal> {
    let mut end = feeds::end(app, &directory.team_id);
    let mut stop = app.stop.clone();
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(patience);
    let mut after = None;
    loop {
        end.mark_unchanged();
        let found = look(app, &directory, &stream.id, after, limit).await?;
        after = found.end.or(after);
        let over = tokio::select! {
            biased;
            () = std::future::ready(()), if at_once || !found.sets.is_empty() => true,
            () = asked_to_stop(&mut stop) => true,
            () = &mut patience => true,
            changed = end.changed() => changed.is_err(),
        };
        if over {
            if after.is_some_and(|end| end > stream.position) {
                pass(app, directory, &stream).await?;
            }
            return Ok(json!({ "sets": found.sets, "moreAvailable": found.more }));
        }
    }
}

/// Remembers that there was nothing for this stream up to the end of the feed.
async fn pass(app: &App, directory: Arc<Directory>, stream: &Stream) -> Result<(), Refusal> {
    let id = stream.id.clone();
    app.store
        .write(Scope::of(&directory.id), move |tx| {
            streams::settle(tx, &directory, &id, &[])
        })
        .await
}

/// Signed tokens by `jti`.
struct Found {
    sets: Map<String, Value>,
    more: bool,
    end: Option<i64>,
}

async fn look(
    app: &Arc<App>,
    directory: &Arc<Directory>,
    stream_id: &str,
    after: Option<i64>,
    limit: usize,
) -> Result<Found, Refusal> {
    let (directory, id) = (directory.clone(), stream_id.to_owned());
    let issuer = issuer(app, &directory.id);
    let read = app.store.read(move |tx| {
        let stream = streams::by_id(tx, &directory.id, &id)?;
        let pending = streams::pending(tx, &directory, &stream, after, limit)?;
        let mut told = Vec::with_capacity(pending.events.len());
        let mut length = 0;
        let mut more = pending.more;
        for event in &pending.events {
            let claims = set::claims(tx, &directory, &issuer, &stream, event)?;
            length += claims.to_string().len();
            if length > LONGEST && !told.is_empty() {
                more = true;
                break;
            }
            told.push((event.id.clone(), claims));
        }
        Ok::<_, Refusal>((told, more, pending.end))
    });
    let (told, more, end) = read.await?;
    let sign = |(jti, claims): (String, Value)| {
        (jti, Value::String(app.security_events.signer.sign(&claims)))
    };
    Ok(Found {
        sets: told.into_iter().map(sign).collect(),
        more,
        end,
    })
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Refused {
    fn invalid(description: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            err: "invalid_request",
            description,
            retry_after: None,
        }
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        Failure::from(error).into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::NotFound(What::Stream | What::Directory, _) = &refusal {
            return Self {
                status: StatusCode::NOT_FOUND,
                ..Self::invalid("the stream has been deleted".into())
            };
        }
        Failure::from(refusal).into()
    }
}

impl From<NotNow> for Refused {
    fn from(not_now: NotNow) -> Self {
        Failure::from(not_now).into()
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            status: failure.status,
            retry_after: failure.retry_after,
            ..Self::invalid(failure.detail)
        }
    }
}
