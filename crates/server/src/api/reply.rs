//! The forms that answers share.

use super::ask::Ask;
use super::groups::limit;
use super::problem::Problem;
use crate::admin;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::{HeaderValue, StatusCode};
use portreeve_directory::list::MAX_PAGE;
use portreeve_scim::text::fold;
use reqwest::Url;
use serde::Serialize;

/// An object as JSON.
pub(super) fn object(status: StatusCode, body: &impl Serialize) -> Response {
    let text = match serde_json::to_string(body) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    self::text(status, text)
}

/// JSON as it is.
pub(super) fn text(status: StatusCode, text: String) -> Response {
    let mut response = (status, text).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An object with a secret that is in this answer only.
pub(super) fn secret(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = object(status, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The same answer, saying where what was made is from now on (below the root of the API).
pub(super) fn located(mut response: Response, path: &str) -> Response {
    if let Ok(location) = HeaderValue::try_from(format!("{}{path}", super::ROOT)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// An object at a version, or that its sender has it already. What is shown may change without the version: people are
/// counted, a provider asks again. So the tag has a hash of what is shown behind the version, and `If-Match` compares the
/// version alone.
pub(super) fn tagged(ask: &Ask, version: &str, body: &impl Serialize) -> Result<Response, Problem> {
    let tag = tag(version, body);
    match ask.has(&tag)? {
        true => with_tag(StatusCode::NOT_MODIFIED.into_response(), &tag),
        false => with_tag(object(StatusCode::OK, body), &tag),
    }
}

/// An object that was changed, at its new version.
pub(super) fn changed(version: &str, body: &impl Serialize) -> Result<Response, Problem> {
    with_tag(object(StatusCode::OK, body), &tag(version, body))
}

fn tag(version: &str, body: &impl Serialize) -> String {
    format!("\"{version}.{}\"", admin::version(body))
}

fn with_tag(mut response: Response, tag: &str) -> Result<Response, Problem> {
    let tag = HeaderValue::try_from(tag).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

/// A list that is whole.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the items were made for this"
)]
pub(super) fn list<T: Serialize>(items: Vec<T>) -> Response {
    object(StatusCode::OK, &items)
}

/// A page of a list. Where it goes on is in the header `Link` (RFC 8288) as the same request with another place; how
/// many there are in all, where that is known, in `X-Total-Count`.
pub(super) fn page<T: Serialize>(
    ask: &Ask,
    items: Vec<T>,
    total: Option<i64>,
    next: Option<(&str, String)>,
) -> Response {
    let mut response = list(items);
    if let Some(total) = total {
        response
            .headers_mut()
            .insert("x-total-count", HeaderValue::from(total));
    }
    if let Some((place, next)) = next
        && let Some(link) = link(ask, place, &next)
    {
        response.headers_mut().insert(LINK, link);
    }
    response
}

/// A page of a list that is read as a whole, because people have made each of its items: the first `count` behind the
/// cursor, in the order of their places. It goes on behind the last place, whether or not something is there by then.
pub(super) fn part<T: Serialize>(
    ask: &Ask,
    items: Vec<T>,
    place: impl Fn(&T) -> String,
) -> Result<Response, Problem> {
    let total = i64::try_from(items.len()).ok();
    let mut placed: Vec<_> = items.into_iter().map(|item| (place(&item), item)).collect();
    placed.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(cursor) = ask.query("cursor").filter(|cursor| !cursor.is_empty()) {
        let after = URL_SAFE_NO_PAD.decode(cursor);
        let after = after.ok().and_then(|place| String::from_utf8(place).ok());
        let after = after.ok_or_else(|| {
            Problem::invalid("cursor: it is none of this list; take it from the header Link of the page before, or leave it out")
        })?;
        placed.retain(|(place, _)| *place > after);
    }
    let count = ask.query("count").map_or(Ok(MAX_PAGE), limit)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let goes_on = placed.len() > count;
    placed.truncate(count);
    let last = placed.last().filter(|_| goes_on);
    let next = last.map(|(place, _)| ("cursor", URL_SAFE_NO_PAD.encode(place)));
    let items = placed.into_iter().map(|(_, item)| item).collect();
    Ok(page(ask, items, total, next))
}

/// The place of something in a list that is ordered by names.
pub(super) fn by_name(name: &str, id: &str) -> String {
    format!("{}\n{id}", fold(name))
}

fn link(ask: &Ask, place: &str, next: &str) -> Option<HeaderValue> {
    let kept = ask.pairs.iter().filter(|(name, _)| name != place);
    let pairs = kept.map(|(name, value)| (name.as_str(), value.as_str()));
    let url = Url::parse_with_params("http://localhost", pairs.chain([(place, next)])).ok()?;
    let query = url.query().unwrap_or_default();
    HeaderValue::try_from(format!("<?{query}>; rel=\"next\"")).ok()
}
