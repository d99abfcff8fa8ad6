//! `/events`: the log, page by page or as it grows.

use super::ask::Ask;
use super::groups::{limit, unknown_parameter};
use super::problem::Problem;
use super::reply;
use crate::http::asked_to_stop;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::events::{self, Event, Query};
use portreeve_directory::{Refusal, directories};
use std::time::Duration;

/// How many events a page has unless the request says.
const PAGE: i64 = 50;
/// The longest that a request may wait for news.
const LONGEST_WAIT_S: u64 = 300;
const PARAMETERS: &str = "directory, object, category, action, outcome, after, before, limit, wait";

/// Events: newest first, or oldest first after one that is known. With `wait`, an empty page is answered only when
/// that many seconds have passed, so that a follower hears of news at once.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let (mut query, wait) = read(&ask)?;
    if let Some(directory) = query.directory_id.take() {
        let found = ask.read(move |tx| directories::find(tx, &directory));
        query.directory_id = Some(found.await?.id);
    }
    let mut news = ask.app.news.subscribe();
    let mut stop = ask.app.stop.clone();
    let patience = tokio::time::sleep(Duration::from_secs(wait));
    tokio::pin!(patience);
    loop {
        news.mark_unchanged();
        let events = page(&ask, query.clone()).await?;
        if wait == 0 || !events.is_empty() {
            return Ok(answer(&ask, &events, &query));
        }
        tokio::select! {
            () = &mut patience => return Ok(answer(&ask, &events, &query)),
            () = asked_to_stop(&mut stop) => return Ok(answer(&ask, &events, &query)),
            _ = news.changed() => {}
        }
    }
}

/// One event.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let id = ask.param("event");
    let event = ask.read(move |tx| events::find(tx, &id)).await?;
    Ok(reply::object(StatusCode::OK, &event.to_json()))
}

async fn page(ask: &Ask, query: Query) -> Result<Vec<Event>, Problem> {
    ask.read(move |tx| -> Result<_, Refusal> { events::list_all(tx, &query) })
        .await
}

fn answer(ask: &Ask, events: &[Event], query: &Query) -> Response {
    let full = i64::try_from(events.len()).is_ok_and(|count| count == query.limit);
    let place = match query.after {
        Some(_) => "after",
        None => "before",
    };
    let last = events.last().filter(|_| full);
    let next = last.map(|event| (place, event.id.clone()));
    let items = events.iter().map(Event::to_json).collect();
    reply::page(ask, items, None, next)
}

fn read(ask: &Ask) -> Result<(Query, u64), Problem> {
    let mut query = Query {
        limit: PAGE,
        ..Query::default()
    };
    let mut wait = 0;
    for (name, value) in &ask.pairs {
        let place = match name.as_str() {
            "directory" => &mut query.directory_id,
            "object" => &mut query.object_id,
            "category" => &mut query.category,
            "action" => &mut query.action,
            "outcome" => &mut query.outcome,
            "after" => &mut query.after,
            "before" => &mut query.before,
            "limit" => {
                query.limit = i64::try_from(limit(value)?).unwrap_or(PAGE);
                continue;
            }
            "wait" => {
                wait = self::wait(value)?;
                continue;
            }
            _ => return Err(unknown_parameter(name, PARAMETERS)),
        };
        *place = Some(value.clone());
    }
    if query.after.is_some() && query.before.is_some() {
        return Err(Problem::invalid("after and before cannot be combined"));
    }
    if wait > 0 && query.after.is_none() {
        return Err(Problem::invalid(
            "wait needs after, the id of the last event that is known",
        ));
    }
    Ok((query, wait))
}

fn wait(value: &str) -> Result<u64, Problem> {
    match value.parse() {
        Ok(seconds) if seconds <= LONGEST_WAIT_S => Ok(seconds),
        _ => Err(Problem::invalid(format!(
            "wait: \"{value}\" is no number of seconds from 0 to {LONGEST_WAIT_S}"
        ))),
    }
}
