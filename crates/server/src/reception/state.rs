//! What the page has to know of its location, and what has happened to those who wait there.

use super::ask::{Ask, answer, time};
use super::setup;
use super::{badge, device_cookie};
use crate::admin;
use crate::api::Problem;
use crate::tags::{self, Wanted};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use portreeve_directory::visit_locations::{self, Language};
use portreeve_directory::visits::{self, Answer, Visit};
use serde::Serialize;

/// How long what has happened is shown (microseconds): a quarter of an hour.
const SHOWN: i64 = 15 * 60 * 1_000_000;
/// Of visitors who are expected, those who come this soon (microseconds): what is in a week is nothing for the door.
const SOON: i64 = 12 * 3600 * 1_000_000;
/// How much of it at most.
const MOST: i64 = 6;

/// A location as its tablet sees it.
#[derive(Serialize)]
struct StateView<'a> {
    location: &'a str,
    time_zone: &'a str,
    languages: &'a [Language],
    is_open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<Timestamp>,
    ask_company: bool,
    ask_purpose: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo_consent: Option<&'a str>,
    /// Who is told where a visitor does not know whom they come to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<&'a str>,
    departments: bool,
    attention: Vec<AttentionView>,
}

/// Something that whoever waits should know.
#[derive(Serialize)]
struct AttentionView {
    visit: String,
    what: What,
    visitor_name: String,
    visitor_host: String,
    at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum What {
    OnMyWay,
    InFiveMinutes,
    CannotCome,
    /// Whoever is visited cannot be found any more.
    HostGone,
}

/// The state of the location; with its entity tag, so that a tablet that asks every few seconds is told nothing twice.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let since = ask.at.saturating_sub(SHOWN);
    let before = ask.at.saturating_add(SOON);
    let (team_id, location_id) = (ask.team_id.clone(), ask.location.id.clone());
    let notable = ask
        .app
        .store
        .read(move |tx| visits::notable(tx, &team_id, &location_id, (since, before), MOST));
    let notable = notable.await?;
    let settings = &ask.location.settings;
    let is_open = ask.is_open()?;
    let opens_at = match is_open {
        true => None,
        false => visit_locations::next_opening(&settings.hours, &ask.zone()?, ask.now()),
    };
    let view = StateView {
        location: &ask.location.name,
        time_zone: &settings.time_zone,
        languages: &settings.languages,
        is_open,
        opens_at,
        ask_company: settings.ask_company,
        ask_purpose: settings.ask_purpose,
        photo_consent: settings.photo_consent.as_deref(),
        fallback: settings.fallback.as_ref().map(|it| it.name.as_str()),
        departments: settings.departments,
        attention: notable.iter().map(|visit| attention(&ask, visit)).collect(),
    };
    let tag = format!("\"{}\"", admin::version(&view));
    let mut response = match has(&ask, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => answer(StatusCode::OK, &view)?,
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    // A tablet that is used stays set up.
    let kept = device_cookie(&ask.headers).and_then(|token| setup::cookie(&ask.app, token));
    if let Some(kept) = kept {
        headers.insert(SET_COOKIE, kept);
    }
    Ok(response)
}

fn has(ask: &Ask, tag: &str) -> bool {
    match tags::read(&ask.headers, &IF_NONE_MATCH) {
        Ok(Some(Wanted::Tags(known))) => known.contains(&tags::opaque(tag)),
        Ok(Some(Wanted::Any)) => true,
        Ok(None) | Err(_) => false,
    }
}

fn attention(ask: &Ask, visit: &Visit) -> AttentionView {
    let (what, at) = match (visit.host_gone_at, visit.answer) {
        (Some(at), _) => (What::HostGone, at),
        (None, Some((Answer::OnMyWay, at))) => (What::OnMyWay, at),
        (None, Some((Answer::InFiveMinutes, at))) => (What::InFiveMinutes, at),
        (None, Some((Answer::CannotCome, at))) => (What::CannotCome, at),
        (None, None) => (What::HostGone, visit.at),
    };
    AttentionView {
        visit: visit.id.clone(),
        what,
        visitor_name: visit.visitor_name.clone(),
        visitor_host: badge::shown(&visit.host_name, ask.location.settings.names),
        at: time(at),
    }
}
