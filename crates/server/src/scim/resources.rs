//! Single resources: `/Users/{id}` and `/Groups/{id}`, and POST to their collections (RFC 7644 sections 3.3 to 3.6).

use super::context::Ctx;
use super::error::Failure;
use super::events::{self, Asked};
use super::operations::{self, Item, Kind};
use super::{render, stream, tag};
use crate::body;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::{groups, members, users};
use portreeve_scim::json;
use serde_json::Value;

/// `GET`.
pub(super) async fn get(ctx: Ctx, kind: Kind) -> Response {
    let done = read(&ctx, kind).await;
    ctx.answer("get", (Some(kind.name()), Some(&ctx.id)), done)
        .await
}

/// `POST` to the collection.
pub(super) async fn create(ctx: Ctx, kind: Kind, body: Body) -> Response {
    let json = match json_body(&ctx, body).await {
        Ok(json) => json,
        Err(failure) => return refuse(&ctx, "create", kind, failure).await,
    };
    let asked = |_: &Ctx| Asked::one("POST", kind.endpoint(), None);
    events::now_or_later(ctx, asked, move |ctx| async move {
        let done = created(&ctx, kind, json).await;
        let object = (Some(kind.name()), None);
        ctx.answer("create", object, done).await.into()
    })
    .await
}

/// `PUT`.
pub(super) async fn replace(ctx: Ctx, kind: Kind, body: Body) -> Response {
    let json = match json_body(&ctx, body).await {
        Ok(json) => json,
        Err(failure) => return refuse(&ctx, "replace", kind, failure).await,
    };
    let asked = |ctx: &Ctx| Asked::one("PUT", kind.endpoint(), Some(&ctx.id));
    events::now_or_later(ctx, asked, move |ctx| async move {
        let done = replaced(&ctx, kind, json).await;
        let object = (Some(kind.name()), Some(ctx.id.as_str()));
        ctx.answer("replace", object, done).await.into()
    })
    .await
}

/// `PATCH`.
pub(super) async fn patch(ctx: Ctx, kind: Kind, body: Body) -> Response {
    let json = match json_body(&ctx, body).await {
        Ok(json) => json,
        Err(failure) => return refuse(&ctx, "patch", kind, failure).await,
    };
    let asked = |ctx: &Ctx| Asked::one("PATCH", kind.endpoint(), Some(&ctx.id));
    events::now_or_later(ctx, asked, move |ctx| async move {
        let done = patched(&ctx, kind, json).await;
        let object = (Some(kind.name()), Some(ctx.id.as_str()));
        ctx.answer("patch", object, done).await.into()
    })
    .await
}

/// `DELETE`.
pub(super) async fn delete(ctx: Ctx, kind: Kind) -> Response {
    let asked = |ctx: &Ctx| Asked::one("DELETE", kind.endpoint(), Some(&ctx.id));
    events::now_or_later(ctx, asked, move |ctx| async move {
        let done = deleted(&ctx, kind).await;
        let object = (Some(kind.name()), Some(ctx.id.as_str()));
        ctx.answer("delete", object, done).await.into()
    })
    .await
}

/// A body that cannot be read is refused at once, whatever the client prefers.
async fn refuse(ctx: &Ctx, verb: &str, kind: Kind, failure: Failure) -> Response {
    let id = (!ctx.id.is_empty()).then_some(ctx.id.as_str());
    ctx.answer(verb, (Some(kind.name()), id), Err(failure))
        .await
}

/// The body as strictly read JSON.
pub(super) async fn json_body(ctx: &Ctx, body: Body) -> Result<Value, Failure> {
    let bytes = body::read(&ctx.app, &ctx.headers, body, body::LIMIT).await?;
    Ok(json::parse(&bytes, json::Limits::default())?)
}

async fn created(ctx: &Ctx, kind: Kind, json: Value) -> Result<Response, Failure> {
    let item = operations::create(ctx, kind, json).await?;
    shown(ctx, item, StatusCode::CREATED).await
}

async fn replaced(ctx: &Ctx, kind: Kind, json: Value) -> Result<Response, Failure> {
    let only_if = tag::if_match(&ctx.headers)?;
    let item = operations::replace(ctx, kind, &ctx.id, json, only_if).await?;
    shown(ctx, item, StatusCode::OK).await
}

/// A patched user is answered with the resource, a group with nothing, as Entra's client likes it best; a group may
/// have very many members. Who asks for attributes gets them (RFC 7644 section 3.5.2).
async fn patched(ctx: &Ctx, kind: Kind, json: Value) -> Result<Response, Failure> {
    let only_if = tag::if_match(&ctx.headers)?;
    let item = operations::patch(ctx, kind, &ctx.id, json, only_if).await?;
    if kind == Kind::User || ctx.projects() {
        return shown(ctx, item, StatusCode::OK).await;
    }
    Ok(render::with_identity(
        empty(StatusCode::NO_CONTENT),
        &tag_of(ctx, &item),
        &item.location(&ctx.base),
    ))
}

async fn deleted(ctx: &Ctx, kind: Kind) -> Result<Response, Failure> {
    let only_if = tag::if_match(&ctx.headers)?;
    operations::delete(ctx, kind, &ctx.id, only_if).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

async fn read(ctx: &Ctx, kind: Kind) -> Result<Response, Failure> {
    let (directory, id) = (ctx.call.directory.id.clone(), ctx.id.clone());
    let item = match kind {
        Kind::User => {
            let wanted = ctx
                .projection()
                .wants(ctx.call.directory.catalog.user(), "groups");
            let user = ctx.app.store.lookup(move |tx| {
                if wanted {
                    members::user_in_groups(tx, &directory, &id)
                } else {
                    users::by_id(tx, &directory, &id)
                }
            });
            Item::User(user.await?)
        }
        Kind::Group => Item::Group(
            ctx.app
                .store
                .lookup(move |tx| groups::by_id(tx, &directory, &id))
                .await?,
        ),
    };
    let tag = tag_of(ctx, &item);
    if tag::if_none_match(&ctx.headers, &tag)? {
        return Ok(render::with_identity(
            empty(StatusCode::NOT_MODIFIED),
            &tag,
            &item.location(&ctx.base),
        ));
    }
    shown(ctx, item, StatusCode::OK).await
}

/// The resource as the client wants to see it, with `ETag` and `Location`.
async fn shown(ctx: &Ctx, item: Item, status: StatusCode) -> Result<Response, Failure> {
    let projection = ctx.projection();
    let media_type = render::media_type(&ctx.headers);
    let (tag, location) = (tag_of(ctx, &item), item.location(&ctx.base));
    let response = match item {
        Item::User(user) => {
            let of = ctx.call.directory.catalog.user();
            let text = render::user(&ctx.base, &user, &tag, of, &projection)?;
            render::json(status, media_type, render::bytes(text))
        }
        Item::Group(group) => {
            let alone = stream::Parts {
                groups: vec![group],
                ..Default::default()
            };
            let body = stream::body(ctx, projection, alone).await?;
            render::json(status, media_type, body)
        }
    };
    Ok(render::with_identity(response, &tag, &location))
}

/// The tag of the representation that the client asks for.
fn tag_of(ctx: &Ctx, item: &Item) -> String {
    item.tag(&ctx.call.directory.catalog, &ctx.projection())
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
