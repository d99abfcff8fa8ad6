//! `/visits`: who came to see whom, and who is in the house.

use super::ask::Ask;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::admin::version;
use crate::admin::visits::{self, Chosen, NewVisit, Place};
use crate::download::Form;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use portreeve_directory::visits::State;
use portreeve_scim::time;

/// How many visits a page has unless the request says.
const PAGE: u64 = 50;
/// How the states are called.
pub(super) const STATES: &[&str] = &["expected", "here", "gone"];
/// What an export may be.
pub(super) const FORMS: &[&str] = &["csv", "json"];

/// The visits of a team, the latest first.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let count = ask.query("limit").map_or(Ok(PAGE), limit)?;
    let after = ask.query("cursor").filter(|cursor| !cursor.is_empty());
    let after = after.map(Place::parse).transpose()?;
    let team = ask.query("team");
    let page = visits::list(&ask.app, &ask.admin, team, chosen(&ask), (after, count)).await?;
    let next = page
        .last()
        .filter(|_| page.len() as u64 == count)
        .map(|last| ("cursor", last.place.text()));
    Ok(reply::page(&ask, page, None, next))
}

/// All of them as a file.
pub(super) async fn export(ask: Ask) -> Result<Response, Problem> {
    let form = match ask.query("format") {
        Some("csv") => Form::Csv,
        _ => Form::Json,
    };
    let team = ask.query("team");
    let file = visits::export(&ask.app, &ask.admin, team, chosen(&ask), form).await?;
    Ok(file.into_response())
}

/// One visit.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("visit"));
    let found = visits::get(&ask.app, &ask.admin, team, &id).await?;
    reply::tagged(&ask, &version(&found.state), &found)
}

/// Announces a visitor.
pub(super) async fn expect(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: NewVisit = ask.body(body).await?;
    let made = visits::create(&ask.app, &ask.admin, wanted).await?;
    let response = reply::object(StatusCode::CREATED, &made);
    Ok(reply::located(response, &format!("/visits/{}", made.id)))
}

/// Signs a visitor out.
pub(super) async fn sign_out(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("visit"));
    let gone = visits::sign_out(&ask.app, &ask.admin, team, &id).await?;
    Ok(reply::object(StatusCode::OK, &gone))
}

/// The picture of a visitor.
pub(super) async fn photo(ask: Ask) -> Result<Response, Problem> {
    let (team, id) = (ask.query("team"), ask.param("visit"));
    let photo = visits::photo(&ask.app, &ask.admin, team, &id).await?;
    let photo = photo.ok_or_else(|| Problem::not_found("there is no picture of this visitor"))?;
    // What else is a picture is not taken.
    let media_type = match photo.starts_with(b"\x89PNG") {
        true => "image/png",
        false => "image/jpeg",
    };
    let mut response = Response::new(Body::from(photo));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// What people and programs are still to be told.
pub(super) async fn notices(ask: Ask) -> Result<Response, Problem> {
    let waiting = visits::notices(&ask.app, &ask.admin, ask.query("team")).await?;
    Ok(reply::object(StatusCode::OK, &waiting))
}

/// Which visits are asked for; the values were checked before.
fn chosen(ask: &Ask) -> Chosen {
    let own = |name: &str| ask.query(name).map(str::to_owned);
    let state = |text: &str| {
        let mut all = [State::Expected, State::Here, State::Gone].into_iter();
        all.find(|state| state.name() == text)
    };
    Chosen {
        location: own("location"),
        state: ask.query("state").and_then(state),
        visitor_host: own("visitor_host"),
        from: ask.query("from").and_then(time::parse),
        until: ask.query("until").and_then(time::parse),
    }
}
