//! Lists: `GET` on a collection or the root, and `.search` (RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865).

use super::context::Ctx;
use super::error::Failure;
use super::operations::Kind;
use super::stream::{self, Parts};
use super::{render, resources};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::list::{self, DEFAULT_PAGE, Groups, MAX_PAGE, Page, Request, Users};
use portreeve_directory::{Refusal, list::Kind as Listed};
use portreeve_scim::Error;
use portreeve_scim::query::ListQuery;
use std::borrow::Cow;
use std::sync::Arc;

/// `GET /Users`, `/Groups` or the root with its query parameters.
pub(super) async fn query(ctx: Ctx, kind: Option<Kind>) -> Response {
    let pairs = ctx
        .pairs
        .iter()
        .map(|(name, value)| (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.as_str())));
    let done = match ListQuery::from_pairs(pairs) {
        Ok(query) => run(&ctx, kind, query).await,
        Err(error) => Err(error.into()),
    };
    ctx.answer("query", (kind.map(Kind::name), None), done)
        .await
}

/// `POST …/.search`.
pub(super) async fn search(ctx: Ctx, kind: Option<Kind>, body: Body) -> Response {
    let done = async {
        let json = resources::json_body(&ctx, body).await?;
        run(&ctx, kind, ListQuery::from_search(json)?).await
    };
    let done = done.await;
    ctx.answer("query", (kind.map(Kind::name), None), done)
        .await
}

async fn run(ctx: &Ctx, kind: Option<Kind>, query: ListQuery) -> Result<Response, Failure> {
    let query = Arc::new(query);
    let body = match kind {
        Some(Kind::User) => users(ctx, &query).await?,
        Some(Kind::Group) => groups(ctx, &query).await?,
        None => both(ctx, &query).await?,
    };
    Ok(render::json(
        StatusCode::OK,
        render::media_type(&ctx.headers),
        body,
    ))
}

async fn users(ctx: &Ctx, query: &Arc<ListQuery>) -> Result<Body, Failure> {
    let page = page::<Users>(ctx, query).await?;
    let parts = Parts {
        head: head::<Users>(ctx, query, &page),
        users: page.items,
        ..Parts::list()
    };
    stream::body(ctx, query.projection.clone(), parts).await
}

async fn groups(ctx: &Ctx, query: &Arc<ListQuery>) -> Result<Body, Failure> {
    let page = page::<Groups>(ctx, query).await?;
    let parts = Parts {
        head: head::<Groups>(ctx, query, &page),
        groups: page.items,
        ..Parts::list()
    };
    stream::body(ctx, query.projection.clone(), parts).await
}

/// The root: users first, then groups, counted and paged as one list.
async fn both(ctx: &Ctx, query: &Arc<ListQuery>) -> Result<Body, Failure> {
    if query.cursor.is_some() {
        return Err(Error::invalid_cursor(
            "walks by cursor go over /Users or /Groups, not over both at once",
        )
        .into());
    }
    let count = query.count.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    let (for_users, for_groups) = orders(ctx, query);
    let first = page::<Users>(ctx, &for_users).await?;
    let users_total = first.total.unwrap_or(0);
    let shown = first.items.len() as u64;
    let before = u64::try_from(users_total).unwrap_or(0);
    let rest = Arc::new(ListQuery {
        start_index: query.start_index.saturating_sub(before).max(1),
        count: Some(count - shown),
        ..(*for_groups).clone()
    });
    let second = page::<Groups>(ctx, &rest).await?;
    let total = users_total + second.total.unwrap_or(0);
    let items = first.items.len() + second.items.len();
    let parts = Parts {
        head: render::list_head(Some(total), Some(query.start_index), items, None),
        users: first.items,
        groups: second.items,
        ..Parts::list()
    };
    stream::body(ctx, query.projection.clone(), parts).await
}

/// The query as it is for users and for groups. Where only one of the types has the attribute of `sortBy`, the resources
/// of the other have no value in it, and stay in the order of their ids.
fn orders(ctx: &Ctx, query: &Arc<ListQuery>) -> (Arc<ListQuery>, Arc<ListQuery>) {
    let directory = &ctx.call.directory;
    let has = |kind: Kind| {
        query.sort_by.as_ref().is_some_and(|path| {
            let found = kind.of(&directory.catalog).resolve(path, directory.profile);
            found.is_some_and(|found| found.attribute.is_some())
        })
    };
    let unsorted = || {
        Arc::new(ListQuery {
            sort_by: None,
            ..(**query).clone()
        })
    };
    match (has(Kind::User), has(Kind::Group)) {
        (true, false) => (query.clone(), unsorted()),
        (false, true) => (unsorted(), query.clone()),
        _ => (query.clone(), query.clone()),
    }
}

fn head<K: Listed>(ctx: &Ctx, query: &ListQuery, page: &Page<K::Item>) -> String {
    let next = page.next.as_ref().map(|place| {
        ctx.app
            .cursors
            .seal(place, &list::fingerprint::<K>(&ctx.call.directory, query))
    });
    let start = query.cursor.is_none().then_some(query.start_index);
    render::list_head(page.total, start, page.items.len(), next.as_deref())
}

async fn page<K: Listed + 'static>(
    ctx: &Ctx,
    query: &Arc<ListQuery>,
) -> Result<Page<K::Item>, Failure> {
    let now = ctx.app.clock.now();
    let place = match query.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => Some(ctx.app.cursors.open(
            cursor,
            &list::fingerprint::<K>(&ctx.call.directory, query),
            now,
        )?),
    };
    let directory = ctx.call.directory.clone();
    let derived = query.projection.wants(K::of(&directory.catalog), "groups");
    let quick = list::is_lookup::<K>(&directory, query);
    let query = query.clone();
    let work = move |tx: &mut portreeve_store::Tx<'_>| {
        let request = Request {
            directory: &directory,
            query: &query,
            place: place.as_ref(),
            derived,
            now,
        };
        list::page::<K>(tx, &request)
    };
    let page: Result<_, Refusal> = if quick {
        ctx.app.store.lookup(work).await
    } else {
        ctx.app.store.read(work).await
    };
    Ok(page?)
}
