//! What the service says about itself (RFC 7644 section 4). It says what is true for this directory.

use super::context::{Ctx, base_url, path_parameters};
use super::error::Failure;
use super::render;
use crate::app::App;
use crate::auth::Refused;
use crate::body::BULK_LIMIT;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{StatusCode, header};
use portreeve_directory::Refusal;
use portreeve_directory::cursor::TIMEOUT_S;
use portreeve_directory::directories::{self, Directory};
use portreeve_directory::list::{DEFAULT_PAGE, MAX_PAGE};
use portreeve_scim::Error;
use portreeve_scim::discovery::{self, BulkLimits, Features, Pagination};
use serde_json::Value;
use std::sync::Arc;

/// The most operations in one bulk request.
pub(super) const BULK_OPERATIONS: usize = 1000;

/// Readable without a token, so that a client can find out how to authenticate (RFC 7643 section 5); a wrong token is
/// refused all the same, because it is a mistake that the client should hear of.
pub(super) async fn service_provider_config(
    State(app): State<Arc<App>>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if !parts.headers.contains_key(header::AUTHORIZATION) {
        return match anonymous(&mut parts, &app).await {
            Ok(body) => plain(render::media_type(&parts.headers), &body),
            Err(failure) => render::failure(&failure, render::media_type(&parts.headers)),
        };
    }
    match Ctx::from_request_parts(&mut parts, &app).await {
        Ok(ctx) => ok(
            &ctx,
            &discovery::service_provider_config(&features(&ctx.call.directory), &ctx.base),
        ),
        Err(refused) => refused,
    }
}

pub(super) async fn schemas(ctx: Ctx) -> Response {
    let done = unfiltered(&ctx).map(|()| {
        ok(
            &ctx,
            &discovery::schemas(&ctx.call.directory.catalog, &ctx.base),
        )
    });
    ctx.answer("query", (Some("Schema"), None), done).await
}

pub(super) async fn resource_types(ctx: Ctx) -> Response {
    let done = unfiltered(&ctx).map(|()| {
        ok(
            &ctx,
            &discovery::resource_types(&ctx.call.directory.catalog, &ctx.base),
        )
    });
    ctx.answer("query", (Some("ResourceType"), None), done)
        .await
}

pub(super) async fn schema(ctx: Ctx) -> Response {
    let found = ctx
        .call
        .directory
        .catalog
        .schema(&ctx.id)
        .map(|schema| discovery::schema(schema, &ctx.base));
    one(&ctx, "Schema", found).await
}

pub(super) async fn resource_type(ctx: Ctx) -> Response {
    let found = ctx
        .call
        .directory
        .catalog
        .by_name(&ctx.id)
        .map(|kind| discovery::resource_type(kind, &ctx.base));
    one(&ctx, "ResourceType", found).await
}

/// The configuration for somebody without a token. Where there is no directory the answer is that of every endpoint.
async fn anonymous(parts: &mut Parts, app: &Arc<App>) -> Result<Value, Failure> {
    let (directory_id, _) = path_parameters(parts, app).await?;
    let base = base_url(app, parts, &parts.headers, &directory_id);
    let found = app
        .store
        .lookup(move |tx| directories::by_id(tx, &directory_id))
        .await;
    match found {
        Ok(directory) => Ok(discovery::service_provider_config(
            &features(&directory),
            &base,
        )),
        Err(Refusal::NotFound(..)) => Err(Refused::NoDirectory.into()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// What this server can do for a directory.
fn features(directory: &Directory) -> Features {
    Features {
        documentation_uri: None,
        bulk: Some(BulkLimits {
            max_operations: BULK_OPERATIONS as u64,
            max_payload_size: BULK_LIMIT as u64,
        }),
        filter_max_results: MAX_PAGE,
        sort: true,
        etag: true,
        pagination: Pagination {
            cursor: true,
            default_page_size: DEFAULT_PAGE,
            max_page_size: MAX_PAGE,
            cursor_timeout: u64::try_from(TIMEOUT_S).ok(),
        },
        events: super::events::features(directory),
    }
}

async fn one(ctx: &Ctx, kind: &str, found: Option<Value>) -> Response {
    let done = found.map(|found| ok(ctx, &found)).ok_or_else(|| {
        let detail = format!(
            "there is no {kind} \"{}\"; the list is one level up",
            ctx.id
        );
        Failure::plain(StatusCode::NOT_FOUND, "not_found", detail)
    });
    ctx.answer("get", (Some(kind), Some(&ctx.id)), done).await
}

/// Discovery knows no filter: 403 (RFC 7644 section 4).
fn unfiltered(ctx: &Ctx) -> Result<(), Failure> {
    if ctx
        .pairs
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("filter"))
    {
        let error = Error::invalid_filter("this endpoint cannot be filtered; it lists everything");
        return Err(Failure {
            status: StatusCode::FORBIDDEN,
            ..error.into()
        });
    }
    Ok(())
}

fn ok(ctx: &Ctx, body: &Value) -> Response {
    plain(render::media_type(&ctx.headers), body)
}

fn plain(media_type: &'static str, body: &Value) -> Response {
    render::json(StatusCode::OK, media_type, body.to_string())
}
