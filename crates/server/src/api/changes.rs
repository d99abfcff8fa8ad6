//! `/changes`: the feed of a team's committed changes, for whoever keeps a copy of them or wants to see them come.
//!
//! It is ordered and can be resumed at every position, over restarts and on any server. It is answered page by page, if
//! need be after a wait for the next change, or as a stream of server-sent events. A stream reads its next page when its
//! client has taken the one before, so that a client that reads slowly holds one page in memory, and one that reads
//! nothing is cut off as from every answer.

use super::ask::Ask;
use super::events::seconds;
use super::feed::Part;
use super::groups::limit;
use super::problem::Problem;
use super::reply;
use crate::app::App;
use crate::feeds;
use crate::http::asked_to_stop;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use portreeve_directory::Refusal;
use portreeve_directory::events::{self, Changes, Event, Page};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How many changes a page has unless the request says.
const PAGE: usize = 100;
/// The longest that a request may wait for the next change.
const LONGEST_WAIT_S: u64 = 60;

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: &str = "last-event-id";
/// Keeps nginx from collecting a stream.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The changes after a position, or from the beginning of what is kept.
pub(super) async fn list(headers: HeaderMap, ask: Ask) -> Result<Response, Problem> {
    let streamed = wants_stream(&headers);
    let mut wanted = read(&ask)?;
    if let Some(last) = headers.get(LAST_EVENT_ID).filter(|_| streamed) {
        // A client that comes again does so with the address that it began with.
        wanted.after = after(last.to_str().unwrap_or_default())?;
    }
    let part = Part::named(&ask, wanted.team, wanted.directory).await?;
    let mut feed = Feed {
        app: ask.app.clone(),
        team_id: part.team()?,
        directory_id: part.directory_id,
        limit: wanted.limit,
        place: None,
    };
    feed.place = match wanted.after {
        After::Beginning => None,
        After::Position(position) => Some(position),
        After::Now => Some(feed.end().await?),
    };
    match streamed {
        true => stream(feed).await,
        false => page(feed, wanted.wait).await,
    }
}

/// One page, as soon as there is something on it.
async fn page(mut feed: Feed, wait: u64) -> Result<Response, Problem> {
    let mut end = feeds::end(&feed.app, &feed.team_id);
    let mut stop = feed.app.stop.clone();
    let patience = tokio::time::sleep(Duration::from_secs(wait));
    tokio::pin!(patience);
    loop {
        end.mark_unchanged();
        let page = feed.next().await?;
        let more = page.next < page.end;
        if wait == 0 || !page.changes.is_empty() || patience.is_elapsed() {
            return Ok(answer(&page));
        }
        if more {
            continue;
        }
        let over = tokio::select! {
            () = &mut patience => true,
            () = asked_to_stop(&mut stop) => true,
            changed = end.changed() => changed.is_err(),
        };
        if over {
            return Ok(answer(&page));
        }
    }
}

fn answer(page: &Page) -> Response {
    let changes: Vec<Value> = page.changes.iter().map(Event::to_json).collect();
    let body = json!({"changes": changes, "next": page.next, "more": page.next < page.end});
    let mut response = reply::object(StatusCode::OK, &body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// All changes from here on, as server-sent events.
async fn stream(mut feed: Feed) -> Result<Response, Problem> {
    let end = feeds::end(&feed.app, &feed.team_id);
    // What cannot be told is refused before the stream begins.
    let first = feed.next().await?;
    let follower = Follower {
        stop: feed.app.stop.clone(),
        told: None,
        first: Some(first),
        feed,
        end,
    };
    let pieces = stream::unfold(follower, |mut follower| async move {
        let piece = follower.piece().await?;
        Some((Ok::<_, Infallible>(piece), follower))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// Somebody who reads a stream.
struct Follower {
    feed: Feed,
    end: watch::Receiver<i64>,
    stop: watch::Receiver<bool>,
    /// The position that the client goes on from if it comes again.
    told: Option<i64>,
    /// The page that was read before the stream began.
    first: Option<Page>,
}

impl Follower {
    /// The next text to send; `None` at the end, after which the client comes again and hears of the cause.
    async fn piece(&mut self) -> Option<Bytes> {
        // At once the first time: a client that knows its place can come again before anything has happened.
        let silence = match self.told {
            None => Duration::ZERO,
            Some(_) => self.feed.app.config.patience.silence,
        };
        let silence = tokio::time::sleep(silence);
        tokio::pin!(silence);
        while !*self.stop.borrow() {
            let page = match self.first.take() {
                Some(page) => page,
                None => {
                    self.end.mark_unchanged();
                    self.read().await?
                }
            };
            if let Some(last) = page.changes.last() {
                self.told = Some(last.position);
                return Some(text(&page.changes));
            }
            if page.next < page.end {
                continue;
            }
            tokio::select! {
                () = asked_to_stop(&mut self.stop) => return None,
                () = &mut silence => return Some(self.heartbeat(page.next)),
                changed = self.end.changed() => changed.ok()?,
            }
        }
        None
    }

    async fn read(&mut self) -> Option<Page> {
        match self.feed.next().await {
            Ok(page) => Some(page),
            Err(Stopped::Lost { .. }) => None,
            Err(Stopped::Refused(error)) => {
                tracing::warn!(%error, "a stream of changes ends, because the feed could not be read");
                None
            }
        }
    }

    /// A comment; and where the feed is, if that has changed: an event without data is not told to the reader of an
    /// event source, but its id is kept.
    fn heartbeat(&mut self, position: i64) -> Bytes {
        if self.told == Some(position) {
            return Bytes::from_static(b":\n\n");
        }
        self.told = Some(position);
        Bytes::from(format!(":\nid: {position}\n\n"))
    }
}

/// Changes as server-sent events. JSON has no line breaks, so each is one line.
fn text(changes: &[Event]) -> Bytes {
    let mut text = String::new();
    for change in changes {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "id: {}\nevent: change\ndata: {}\n\n",
            change.position,
            change.to_json()
        );
    }
    Bytes::from(text)
}

/// A place in a team's feed that moves on.
struct Feed {
    app: Arc<App>,
    team_id: String,
    directory_id: Option<String>,
    limit: usize,
    /// `None`: at the beginning of what is kept.
    place: Option<i64>,
}

/// Why a feed cannot be read on.
enum Stopped {
    /// It does not have everything after that place; see [`Changes::Lost`].
    Lost {
        ahead: bool,
        end: i64,
    },
    Refused(Refusal),
}

impl Feed {
    /// The next page.
    async fn next(&mut self) -> Result<Page, Stopped> {
        let (team, directory) = (self.team_id.clone(), self.directory_id.clone());
        let (place, limit) = (self.place, self.limit);
        let read = self
            .app
            .store
            .read(move |tx| events::changes(tx, &team, directory.as_deref(), place, limit));
        match read.await.map_err(Stopped::Refused)? {
            Changes::Page(page) => {
                self.place = Some(page.next);
                Ok(page)
            }
            Changes::Lost { ahead, end } => Err(Stopped::Lost { ahead, end }),
        }
    }

    /// Where the feed ends now.
    async fn end(&self) -> Result<i64, Refusal> {
        let team = self.team_id.clone();
        let look = self.app.store.lookup(move |tx| events::last(tx, &team));
        look.await
    }
}

impl From<Stopped> for Problem {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Lost { ahead, end } => Self::feed_lost(ahead, end),
            Stopped::Refused(refusal) => refusal.into(),
        }
    }
}

/// What a request asks for.
struct Wanted {
    team: Option<String>,
    directory: Option<String>,
    after: After,
    limit: usize,
    /// Seconds.
    wait: u64,
}

enum After {
    Beginning,
    Position(i64),
    Now,
}

fn read(ask: &Ask) -> Result<Wanted, Problem> {
    let mut wanted = Wanted {
        team: None,
        directory: None,
        after: After::Beginning,
        limit: PAGE,
        wait: 0,
    };
    for (name, value) in &ask.pairs {
        match name.as_str() {
            "team" => wanted.team = Some(value.clone()),
            "directory" => wanted.directory = Some(value.clone()),
            "after" => wanted.after = after(value)?,
            "limit" => wanted.limit = usize::try_from(limit(value)?).unwrap_or(PAGE),
            "wait" => wanted.wait = seconds(value, LONGEST_WAIT_S)?,
            _ => {}
        }
    }
    Ok(wanted)
}

fn after(value: &str) -> Result<After, Problem> {
    match value.parse() {
        Ok(position) if position >= 0 => Ok(After::Position(position)),
        _ if value == "now" => Ok(After::Now),
        _ => Err(Problem::invalid(format!(
            "after: \"{value}\" is no position; give the \"next\" of the answer before, or \"now\""
        ))),
    }
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(EVENT_STREAM))
}
