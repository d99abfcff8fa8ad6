//! `Idempotency-Key`: a request to make something that is sent again, because its answer was lost, makes nothing more and is
//! answered as the first one was.
//!
//! A key belongs to whoever sends it and to the address that it is sent to. Answers are kept for a day. They may have a
//! secret in them, and whoever lost an answer has lost that secret: it is shown again to the same sender of the same request,
//! and therefore kept encrypted, as everything else of the answer.

use super::ask;
use super::problem::Problem;
use crate::admin;
use crate::app::App;
use crate::body;
use crate::keys::MasterKey;
use crate::vault::Vault;
use aws_lc_rs::digest::{Context, Digest, SHA256, digest};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_directory::holders::Holder;
use portreeve_directory::idempotency::{self, Claim, Found};
use portreeve_store::Scope;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;

/// The header with the key.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Tells that this answer was given before.
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The most characters of a key.
pub(super) const LONGEST: usize = 255;
/// The headers of an answer that are given again.
const KEPT: &[HeaderName] = &[CONTENT_TYPE, CACHE_CONTROL, LOCATION, ETAG];

/// How answers are kept.
pub(crate) struct Answers(Vault);

/// An answer as it is kept, encrypted.
#[derive(Serialize, Deserialize)]
struct Kept {
    headers: Vec<(String, String)>,
    body: String,
}

impl Answers {
    /// With a key derived from the installation's own.
    pub(crate) fn new(master: &MasterKey) -> io::Result<Self> {
        Vault::new(master, "idempotency: answers").map(Self)
    }
}

/// Carries out a request with a key unless it was carried out before.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match key(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => match of_api(&app, &key, request, next).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        },
        Err(problem) => problem.into_response(),
    }
}

/// The key of a request, which has one at most.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    match all.next() {
        None if (1..=LONGEST).contains(&text.len()) => Ok(Some(text.to_owned())),
        _ => Err(Problem::invalid(format!(
            "Idempotency-Key: send one key with 1 to {LONGEST} visible ASCII characters, such as a UUID"
        ))),
    }
}

async fn of_api(
    app: &Arc<App>,
    key: &str,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let who = ask::admit(app, &parts).await?;
    let whole = body::read(app, &parts.headers, body, body::LIMIT).await?;
    let team_id = who.team_id.clone().unwrap_or_default();
    let holder = who.holder.as_ref();
    let sender = (
        holder.map_or("local", Holder::kind),
        holder.map(Holder::id).unwrap_or_default(),
    );
    let (id, fingerprint) = (id(sender, parts.uri.path(), key), fingerprint(&whole));
    parts.extensions.insert(who);
    let request = Request::from_parts(parts, Body::from(whole.to_vec()));
    drop(whole);
    let work = |claim| admin::once(claim, next.run(request));
    carry_out(app, team_id, (id, fingerprint), work).await
}

/// What a request says, as a hash.
pub(crate) fn fingerprint(body: &[u8]) -> Digest {
    digest(&SHA256, body)
}

/// Carries out a request unless it was carried out before. `id` says who asks for what with which key; `work` confirms the
/// claim in the transaction of its change.
pub(crate) async fn carry_out<F>(
    app: &Arc<App>,
    team_id: String,
    (id, fingerprint): (String, Digest),
    work: impl FnOnce(Claim) -> F,
) -> Result<Response, Problem>
where
    F: Future<Output = Response> + Send + 'static,
{
    let now = app.clock.now();
    let claimed = app.store.write(Scope::ALL, {
        let id = id.clone();
        move |tx| idempotency::claim(tx, &team_id, &id, fingerprint.as_ref(), now)
    });
    let claim = match claimed.await? {
        Found::Claimed(claim) => claim,
        Found::Answered(status, sealed) => return again(app, &id, status, &sealed),
        Found::Lost => return Err(Problem::answer_lost()),
        Found::UnderWay => return Err(Problem::under_way()),
        Found::Different => return Err(Problem::other_request()),
    };
    // Goes on when the client has hung up: it will ask for the answer.
    let work = work(claim.clone());
    let work = tokio::spawn(finish(app.clone(), id, claim, work));
    work.await.map_err(|_| Problem::internal())
}

async fn finish(
    app: Arc<App>,
    id: String,
    claim: Claim,
    work: impl Future<Output = Response>,
) -> Response {
    let response = work.await;
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::internal().into_response();
    };
    let sealed = match parts.status.is_success() {
        true => sealed(&app, &id, &parts.headers, &bytes),
        false => None,
    };
    let status = parts.status.as_u16();
    let written = app.store.write(Scope::ALL, move |tx| match &sealed {
        Some(sealed) => claim.answer(tx, status, sealed),
        None => claim.release(tx),
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, "an answer was not kept for those who ask again");
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// An answer as it is kept.
fn sealed(app: &App, id: &str, headers: &HeaderMap, body: &[u8]) -> Option<Vec<u8>> {
    let text = |name: &HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let kept = Kept {
        headers: KEPT.iter().filter_map(text).collect(),
        body: String::from_utf8(body.to_vec()).ok()?,
    };
    let text = SecretString::from(serde_json::to_string(&kept).ok()?);
    app.answers.0.seal(id, &text).ok()
}

/// The answer that was given before.
fn again(app: &App, id: &str, status: u16, sealed: &[u8]) -> Result<Response, Problem> {
    let text = app.answers.0.open(id, sealed);
    let text = text.map_err(|_| Problem::answer_lost())?;
    let kept: Kept =
        serde_json::from_str(text.expose_secret()).map_err(|_| Problem::answer_lost())?;
    let status = StatusCode::from_u16(status).map_err(|_| Problem::answer_lost())?;
    let mut response = (status, kept.body).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Who asks for what with which key, as a hash.
pub(crate) fn id((kind, holder): (&str, &str), path: &str, key: &str) -> String {
    let mut hash = Context::new(&SHA256);
    for part in [kind, holder, path, key] {
        hash.update(&part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finish())
}
