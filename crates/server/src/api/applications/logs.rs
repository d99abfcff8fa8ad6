//! The provisioning log of an application, page by page or as it grows.

use super::{Found, read};
use crate::api::ask::Ask;
use crate::api::events::seconds;
use crate::api::groups::limit;
use crate::api::problem::Problem;
use crate::api::reply;
use crate::http::asked_to_stop;
use axum::response::Response;
use jiff::Timestamp;
use portreeve_directory::applications::records;
use portreeve_provisioning::engine::steps::Record;
use portreeve_provisioning::log::{self, Filter, Page, Place};
use portreeve_scim::time;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// How many entries a page has unless the request says.
const PAGE: usize = 50;
/// The longest that a request may wait for news.
const LONGEST_WAIT_S: u64 = 300;
/// How often somebody who waits looks again: the job may run on any server.
const TICK: Duration = Duration::from_secs(1);

/// Entries: newest first, or oldest first after a position that is known (`now` is the newest). With `wait`, an empty page
/// is answered only when that many seconds have passed.
pub(in crate::api) async fn list(ask: Ask) -> Result<Response, Problem> {
    let Wanted {
        filter,
        from,
        limit,
        wait,
    } = parameters(&ask)?;
    let (Found { application, .. }, _) = read(&ask).await?;
    let id = application.id;
    let mut place = match from {
        From::Place(place) => place,
        From::Now => {
            let id = id.clone();
            let newest = ask.read(move |tx| records::before(tx, &id, i64::MAX, 1));
            let newest = newest.await?;
            Place::After(newest.first().map_or(0, |record| record.position))
        }
    };
    let mut stop = ask.app.stop.clone();
    let patience = tokio::time::sleep(Duration::from_secs(wait));
    tokio::pin!(patience);
    loop {
        let page = page(&ask, &id, &filter, place, limit).await?;
        if !page.entries.is_empty() || patience.is_elapsed() || (wait == 0 && page.ended) {
            return Ok(answer(&ask, &page));
        }
        place = page.next;
        if !page.ended {
            continue;
        }
        tokio::select! {
            () = &mut patience => {}
            () = asked_to_stop(&mut stop) => return Ok(answer(&ask, &page)),
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn page(
    ask: &Ask,
    id: &str,
    filter: &Filter,
    place: Place,
    limit: usize,
) -> Result<Page, Problem> {
    let (id, filter) = (id.to_owned(), filter.clone());
    ask.read(move |tx| log::read(tx, &id, &filter, place, limit))
        .await
}

fn answer(ask: &Ask, page: &Page) -> Response {
    let entry = |(position, record): &(i64, Record)| {
        let mut entry = json!(record);
        entry["position"] = json!(position);
        entry
    };
    let items: Vec<Value> = page.entries.iter().map(entry).collect();
    let next = match page.next {
        Place::After(position) => ("after", position),
        Place::Before(position) => ("before", position),
    };
    let next = (!page.ended).then(|| (next.0, next.1.to_string()));
    reply::page(ask, items, None, next)
}

/// What a request asks for.
struct Wanted {
    filter: Filter,
    from: From,
    limit: usize,
    /// Seconds.
    wait: u64,
}

enum From {
    Place(Place),
    Now,
}

fn parameters(ask: &Ask) -> Result<Wanted, Problem> {
    let mut wanted = Wanted {
        filter: Filter::default(),
        from: From::Place(Place::Before(i64::MAX)),
        limit: PAGE,
        wait: 0,
    };
    let (mut after, mut before) = (None, None);
    for (name, value) in &ask.pairs {
        let filter = &mut wanted.filter;
        match name.as_str() {
            "status" => filter.statuses.push(word(name, value)?),
            "action" => filter.actions.push(word(name, value)?),
            "code" => filter.codes.push(word(name, value)?),
            "object" => filter.object.clone_from(value),
            "source" => filter.source.clone_from(value),
            "target" => filter.target.clone_from(value),
            "since" => filter.since = Some(moment(name, value)?),
            "until" => filter.until = Some(moment(name, value)?),
            "after" if value == "now" => after = Some(From::Now),
            "after" => after = Some(From::Place(Place::After(position(name, value)?))),
            "before" => before = Some(From::Place(Place::Before(position(name, value)?))),
            "limit" => wanted.limit = usize::try_from(limit(value)?).unwrap_or(PAGE),
            "wait" => wanted.wait = seconds(value, LONGEST_WAIT_S)?,
            _ => {}
        }
    }
    if wanted.wait > 0 && after.is_none() {
        return Err(Problem::invalid(
            "wait needs after, the position of the last entry that is known, or now",
        ));
    }
    match (after, before) {
        (Some(_), Some(_)) => return Err(Problem::invalid("after and before cannot be combined")),
        (Some(from), None) | (None, Some(from)) => wanted.from = from,
        (None, None) => {}
    }
    Ok(wanted)
}

fn word<T: DeserializeOwned>(name: &str, value: &str) -> Result<T, Problem> {
    Filter::word(value).map_err(|wrong| Problem::invalid(format!("{name}: {wrong}")))
}

fn moment(name: &str, value: &str) -> Result<Timestamp, Problem> {
    let micros = time::parse(value);
    let at = micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
    at.ok_or_else(|| {
        Problem::invalid(format!(
            "{name}: \"{value}\" is no time; write it as 2027-01-31T00:00:00Z"
        ))
    })
}

fn position(name: &str, value: &str) -> Result<i64, Problem> {
    let position = value.parse().ok().filter(|position| *position >= 0);
    position.ok_or_else(|| {
        Problem::invalid(format!(
            "{name}: \"{value}\" is no position; give that of an entry"
        ))
    })
}
