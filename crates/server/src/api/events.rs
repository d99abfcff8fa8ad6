//! `/events`: the log, page by page or as it grows.

use super::ask::Ask;
use super::feed::Part;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::feeds;
use crate::http::asked_to_stop;
use axum::response::Response;
use portreeve_directory::events::{self, Event, Place, Query};
use std::time::Duration;

/// How many events a page has unless the request says.
const PAGE: i64 = 50;
/// The longest that a request may wait for news.
const LONGEST_WAIT_S: u64 = 300;

/// Events: newest first, or oldest first after a place that is known. With `wait`, an empty page is answered only when
/// that many seconds have passed, so that a follower hears of news at once.
pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let Wanted {
        mut query,
        team,
        wait,
    } = read(&ask)?;
    let part = Part::named(&ask, team, query.directory_id.take()).await?;
    query.directory_id = part.directory_id.clone();
    if wait == 0 {
        let events = page(&ask, part.team_id.clone(), &query).await?;
        return Ok(answer(&ask, &part, &events, &query));
    }
    let mut end = feeds::end(&ask.app, &part.team()?);
    let mut stop = ask.app.stop.clone();
    let patience = tokio::time::sleep(Duration::from_secs(wait));
    tokio::pin!(patience);
    loop {
        end.mark_unchanged();
        let events = page(&ask, part.team_id.clone(), &query).await?;
        if !events.is_empty() {
            return Ok(answer(&ask, &part, &events, &query));
        }
        let over = tokio::select! {
            () = &mut patience => true,
            () = asked_to_stop(&mut stop) => true,
            changed = end.changed() => changed.is_err(),
        };
        if over {
            return Ok(answer(&ask, &part, &events, &query));
        }
    }
}

/// One event.
pub(super) async fn get(ask: Ask) -> Result<Response, Problem> {
    let (admin, id) = (ask.admin.clone(), ask.param("event"));
    let event = ask.read(move |tx| match admin.team_id() {
        Some(team_id) => events::get(tx, team_id, &id),
        None => events::find(tx, &id),
    });
    let event = event.await?;
    // What was is never changed.
    reply::tagged(&ask, &event.id, &event.to_json())
}

async fn page(ask: &Ask, team_id: Option<String>, query: &Query) -> Result<Vec<Event>, Problem> {
    let query = query.clone();
    ask.read(move |tx| match &team_id {
        Some(team_id) => events::list(tx, team_id, &query),
        None => events::list_all(tx, &query),
    })
    .await
}

fn answer(ask: &Ask, part: &Part, events: &[Event], query: &Query) -> Response {
    let full = i64::try_from(events.len()).is_ok_and(|count| count == query.limit);
    let place = match query.after {
        Some(_) => "after",
        None => "before",
    };
    let next = events
        .last()
        .filter(|_| full)
        .map(|last| match part.team_id {
            Some(_) => last.position.to_string(),
            None => last.id.clone(),
        });
    let items = events.iter().map(Event::to_json).collect();
    reply::page(ask, items, None, next.map(|next| (place, next)))
}

/// What a request asks for.
#[derive(Default)]
struct Wanted {
    query: Query,
    team: Option<String>,
    /// Seconds.
    wait: u64,
}

fn read(ask: &Ask) -> Result<Wanted, Problem> {
    let mut wanted = Wanted::default();
    let query = &mut wanted.query;
    query.limit = PAGE;
    for (name, value) in &ask.pairs {
        let place = match name.as_str() {
            "team" => &mut wanted.team,
            "directory" => &mut query.directory_id,
            "object" => &mut query.object_id,
            "category" => &mut query.category,
            "action" => &mut query.action,
            "outcome" => &mut query.outcome,
            "after" => {
                query.after = Some(Place::parse(value));
                continue;
            }
            "before" => {
                query.before = Some(Place::parse(value));
                continue;
            }
            "limit" => {
                query.limit = i64::try_from(limit(value)?).unwrap_or(PAGE);
                continue;
            }
            "wait" => {
                wanted.wait = seconds(value, LONGEST_WAIT_S)?;
                continue;
            }
            _ => continue,
        };
        *place = Some(value.clone());
    }
    if query.after.is_some() && query.before.is_some() {
        return Err(Problem::invalid("after and before cannot be combined"));
    }
    if wanted.wait > 0 && query.after.is_none() {
        return Err(Problem::invalid(
            "wait needs after, the last event that is known",
        ));
    }
    Ok(wanted)
}

/// How long to wait for news.
pub(super) fn seconds(value: &str, most: u64) -> Result<u64, Problem> {
    match value.parse() {
        Ok(seconds) if seconds <= most => Ok(seconds),
        _ => Err(Problem::invalid(format!(
            "wait: \"{value}\" is no number of seconds from 0 to {most}"
        ))),
    }
}
