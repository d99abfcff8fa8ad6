//! Requests that are answered before they are carried out (RFC 9967 section 2.5.1.1, RFC 7240).

use crate::scim::context::Ctx;
use crate::scim::render;
use axum::body::Body;
use axum::response::Response;
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use portreeve_directory::{Refusal, outcomes};
use portreeve_scim::error;
use portreeve_store::Scope;
use serde_json::{Map, Value, json};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// The longest that a client can wish to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(super) const SET_TXN: HeaderName = HeaderName::from_static("set-txn");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a request asks for, operation by operation, as far as it is known beforehand.
pub(in crate::scim) struct Asked {
    bulk: bool,
    operations: Vec<Value>,
}

impl Asked {
    /// One change. `id` is of the resource, unless it is to be made.
    pub(in crate::scim) fn one(method: &str, endpoint: &str, id: Option<&str>) -> Self {
        let uri = match id {
            Some(id) => format!("/{endpoint}/{id}"),
            None => format!("/{endpoint}"),
        };
        Self {
            bulk: false,
            operations: vec![json!({ "method": method, "uri": uri })],
        }
    }

    /// The operations of a bulk request.
    pub(in crate::scim) fn bulk(operations: Vec<Value>) -> Self {
        Self {
            bulk: true,
            operations,
        }
    }
}

/// What came of a request.
pub(in crate::scim) struct Answer {
    /// For a client that waits.
    pub(in crate::scim) response: Response,
    /// The result of each operation of a bulk request; `None` for one that was not carried out. Empty for a single
    /// change, whose result is the response.
    pub(in crate::scim) results: Vec<Option<Value>>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self {
            response,
            results: Vec::new(),
        }
    }
}

/// Carries a request out and answers it; or, where the directory has security events and the client prefers that,
/// accepts it, answers at once and carries it out then.
pub(in crate::scim) async fn now_or_later<F>(
    ctx: Ctx,
    asked: impl FnOnce(&Ctx) -> Asked,
    work: impl FnOnce(Arc<Ctx>) -> F,
) -> Response
where
    F: Future<Output = Answer> + Send + 'static,
{
    let ctx = Arc::new(ctx);
    let wanted = ctx.call.directory.settings.security_events;
    let Some(wait) = patience(&ctx.headers).filter(|_| wanted) else {
        return work(ctx).await.response;
    };
    // Who is busy enough answers as usual, which RFC 9967 leaves to the server.
    let Ok(permit) = ctx.app.security_events.room.clone().try_acquire_owned() else {
        return work(ctx).await.response;
    };
    let accepted = Accepted {
        txn: ctx.call.new_id(),
        ctx: ctx.clone(),
        asked: asked(&ctx),
    };
    match accepted.remember().await {
        Ok(true) => {}
        // Whom the others hold to be dead answers as usual too.
        Ok(false) => return work(ctx).await.response,
        Err(response) => return response,
    }
    let txn = accepted.txn.clone();
    let (tell, mut told) = oneshot::channel();
    if wait.is_zero() {
        told.close();
    }
    tokio::spawn(accepted.carry_out(work(ctx.clone()), tell, permit));
    let in_time = match tokio::time::timeout(wait, &mut told).await {
        Ok(done) => done.ok(),
        Err(_) => {
            // From here on the answer cannot arrive any more: it is here already, or it becomes an outcome.
            told.close();
            told.try_recv().ok()
        }
    };
    match in_time {
        Some(answer) => {
            withdraw(&ctx, txn).await;
            answer.response
        }
        None => accepted_response(&ctx, &txn),
    }
}

/// How long the client waits for the answer before it prefers to be told later; `None` when it does not prefer that.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").iter();
    let preferences = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|preference| preference.split(';').next().unwrap_or_default().trim());
    let (mut later, mut wait) = (false, None);
    for preference in preferences {
        match preference.split_once('=') {
            None => later |= preference.eq_ignore_ascii_case("respond-async"),
            // The first of several counts (RFC 7240 section 2).
            Some((name, value)) if name.trim().eq_ignore_ascii_case("wait") && wait.is_none() => {
                wait = value.trim().trim_matches('"').parse().ok();
            }
            Some(_) => {}
        }
    }
    let wait = Duration::from_secs(wait.unwrap_or(0));
    later.then(|| wait.min(LONGEST_WAIT))
}

/// A request that its client has let go of.
struct Accepted {
    txn: String,
    ctx: Arc<Ctx>,
    asked: Asked,
}

impl Accepted {
    /// Writes down that there is such a request, before the client hears of it. `false`: it cannot be accepted.
    async fn remember(&self) -> Result<bool, Response> {
        let (call, id) = (self.ctx.call.clone(), self.txn.clone());
        let (bulk, asked) = (self.asked.bulk, self.asked.operations.clone());
        let replica_id = self.ctx.app.replica.id();
        let written = self.ctx.app.store.write(call.scope(), move |tx| {
            let new = outcomes::New {
                id: &id,
                replica_id: &replica_id,
                bulk,
                asked: &asked,
            };
            outcomes::accept(tx, &call, &new)
        });
        written.await.map_err(|refusal: Refusal| {
            render::failure(&refusal.into(), render::media_type(&self.ctx.headers))
        })
    }

    /// Does the work, and tells the outcome unless the client is still there to take the answer.
    async fn carry_out(
        self,
        work: impl Future<Output = Answer> + Send + 'static,
        tell: oneshot::Sender<Answer>,
        permit: OwnedSemaphorePermit,
    ) {
        // On a task of its own, so that work that panics has an outcome too.
        let results = match tokio::spawn(work).await {
            Ok(answer) => match tell.send(answer) {
                Ok(()) => return,
                Err(answer) => self.results(answer).await,
            },
            Err(_) => self.failed(),
        };
        let (call, id) = (self.ctx.call.clone(), self.txn.clone());
        let settled = self.ctx.app.write(call.scope(), move |tx| {
            outcomes::settle(tx, &call, &id, &results)
        });
        if let Err(error) = settled.await {
            tracing::error!(%error, txn = self.txn, "the outcome of an accepted request was not written");
        }
        drop(permit);
    }

    async fn results(&self, answer: Answer) -> Vec<Value> {
        if !self.asked.bulk {
            let result = single(answer.response).await;
            return self.with(|_| Some(result.clone()));
        }
        self.with(|index| answer.results.get(index).cloned().flatten())
    }

    /// What to tell when the work has panicked; the log has the cause.
    fn failed(&self) -> Vec<Value> {
        let detail = "the server could not do this; its log has the cause";
        let status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        let body = error::body(status, None, detail);
        self.with(|_| Some(json!({ "status": status.to_string(), "response": body })))
    }

    /// What was asked for, each operation with its result.
    fn with(&self, result: impl Fn(usize) -> Option<Value>) -> Vec<Value> {
        let operations = self.asked.operations.iter().enumerate();
        let told = operations.map(|(index, asked)| {
            let mut told = asked.as_object().cloned().unwrap_or_default();
            let result = result(index).unwrap_or_else(not_carried_out);
            told.extend(result.as_object().cloned().unwrap_or_default());
            if let Some(location) = told.get("location").and_then(Value::as_str)
                && let Some(uri) = location.strip_prefix(&self.ctx.base)
            {
                let uri = json!(uri);
                told.insert("uri".into(), uri);
            }
            Value::Object(told)
        });
        told.collect()
    }
}

/// The result of a single change, read off the answer that its client would have had.
async fn single(response: Response) -> Value {
    let (parts, body) = response.into_parts();
    let header = |name: HeaderName| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some(json!(value))
    };
    let mut result = Map::new();
    result.insert("status".into(), json!(parts.status.as_str()));
    if let Some(location) = header(LOCATION) {
        result.insert("location".into(), location);
    }
    if let Some(version) = header(ETAG) {
        result.insert("version".into(), version);
    }
    if !parts.status.is_success() {
        result.insert("response".into(), error_in(body).await);
    }
    Value::Object(result)
}

async fn error_in(body: Body) -> Value {
    let bytes = match body.collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(_) => return Value::Null,
    };
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// The result of an operation that a bulk request with `failOnErrors` never came to.
fn not_carried_out() -> Value {
    let status = StatusCode::FAILED_DEPENDENCY.as_u16();
    let detail =
        "not carried out, because as many operations before it failed as failOnErrors allows";
    json!({ "status": status.to_string(), "response": error::body(status, None, detail) })
}

async fn withdraw(ctx: &Ctx, txn: String) {
    let directory = ctx.call.directory.id.clone();
    let gone = ctx.app.store.write(Scope::of(&directory), move |tx| {
        outcomes::withdraw(tx, &directory, &txn)
    });
    let gone: Result<(), Refusal> = gone.await;
    if let Err(error) = gone {
        tracing::warn!(%error, "an accepted request that was answered after all is still listed");
    }
}

/// 202 without a body: where the outcome can be read, and under which name it is told.
fn accepted_response(ctx: &Ctx, txn: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    headers.insert(
        PREFERENCE_APPLIED,
        HeaderValue::from_static("respond-async"),
    );
    let location = format!("{}/Outcomes/{txn}", ctx.base);
    for (name, value) in [(SET_TXN, txn), (LOCATION, &location)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_read_as_clients_write_it() {
        for (values, expect) in [
            (&["respond-async"][..], Some(0)),
            (&["Respond-Async, wait=10"], Some(10)),
            (&["respond-async", "wait=\"7\""], Some(7)),
            (&["wait=5; respond-async"], None),
            (&["respond-async; foo=1, wait=2, wait=9"], Some(2)),
            (&["respond-async, wait=99999"], Some(30)),
            (&["respond-async, wait=soon"], Some(0)),
            (&["return=minimal"], None),
            (&["respond-asynchronously"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("prefer", HeaderValue::from_static(value));
            }
            let expect = expect.map(Duration::from_secs);
            assert_eq!(patience(&headers), expect, "{values:?}");
        }
    }
}
