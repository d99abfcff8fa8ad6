//! `GET …/Outcomes/{id}`: what came of a request that was answered before it was carried out. It is protected by the
//! directory's token as everything below the tenant URL is (RFC 9967 section 5).

use super::later::SET_TXN;
use super::{issuer, set};
use crate::scim::context::Ctx;
use crate::scim::error::Failure;
use crate::scim::render;
use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_directory::outcomes::{self, Outcome};
use portreeve_scim::bulk::BULK_RESPONSE;
use serde_json::{Value, json};

pub(super) const SECEVENT: &str = "application/secevent+jwt";

/// The completion as a security event token, as RFC 9967 has it; as a bulk response where the client wants JSON and
/// where there are several results. 202 as long as there is none.
pub(in crate::scim) async fn get(ctx: Ctx) -> Response {
    let done = read(&ctx).await;
    ctx.answer("get", (Some("Outcome"), Some(&ctx.id)), done)
        .await
}

async fn read(ctx: &Ctx) -> Result<Response, Failure> {
    let (directory, id, now) = (
        ctx.call.directory.id.clone(),
        ctx.id.clone(),
        ctx.app.clock.now(),
    );
    let found = ctx
        .app
        .store
        .lookup(move |tx| outcomes::by_id(tx, &directory, &id, now));
    let outcome = found.await?;
    let mut response = match outcome.settled_at {
        None => pending(),
        Some(at) if !outcome.bulk && !wants_json(&ctx.headers) => token(ctx, outcome, at),
        Some(_) => bulk_response(ctx, outcome),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(txn) = HeaderValue::try_from(&ctx.id) {
        headers.insert(SET_TXN, txn);
    }
    Ok(response)
}

fn pending() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn token(ctx: &Ctx, outcome: Outcome, at: i64) -> Response {
    let result = outcome.results.into_iter().next();
    let told = result.and_then(|result| result.as_object().cloned());
    let issuer = issuer(&ctx.app, &ctx.call.directory.id);
    let claims = Value::Object(set::answer(&issuer, &ctx.id, at, told.unwrap_or_default()));
    let token = ctx.app.security_events.signer.sign(&claims);
    let mut response = Response::new(token.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(SECEVENT));
    response
}

fn bulk_response(ctx: &Ctx, outcome: Outcome) -> Response {
    let operations = outcome.results.into_iter().map(|mut result| {
        if let Value::Object(result) = &mut result {
            result.shift_remove("uri");
        }
        result
    });
    let body = json!({ "schemas": [BULK_RESPONSE], "Operations": operations.collect::<Vec<_>>() });
    let media_type = render::media_type(&ctx.headers);
    render::json(StatusCode::OK, media_type, body.to_string())
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("json") && !accept.contains(SECEVENT))
}
