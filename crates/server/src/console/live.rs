//! `/console/live`: what happens in the team, as server-sent events, for pages to know what to ask for again.
//!
//! A stream tells kinds and ids, no content; whoever may not read the log hears of themselves only. Once a second it is
//! looked whether the session still lets its holder in.

use crate::app::App;
use crate::feeds;
use crate::http::asked_to_stop;
use crate::who::{self, Who};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use portreeve_directory::events::{self, Event, Place, Query};
use portreeve_directory::holders::Holder;
use portreeve_directory::{Permission, Refusal};
use serde_json::json;
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The longest that somebody who was suspended goes on hearing.
const LOOK: Duration = Duration::from_millis(900);
/// How many events are told at once.
const PAGE: i64 = 200;

/// Tells what happens from now on, and has happened since the page was made: `after` is where the feed ended then.
pub(super) async fn stream(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let Ok(who) = who::identify(&app, &parts).await else {
        return (StatusCode::UNAUTHORIZED, "the session has ended\n").into_response();
    };
    let Some(team_id) = who.team_id.clone() else {
        return (
            StatusCode::NOT_FOUND,
            "there is no console on this socket\n",
        )
            .into_response();
    };
    let (end, stop) = (feeds::end(&app, &team_id), app.stop.clone());
    let query = parts.uri.query().unwrap_or_default();
    let after = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "after")
        .and_then(|(_, value)| value.parse().ok());
    let follower = Follower {
        parts,
        team_id,
        who,
        end,
        stop,
        requests: app.requests.count(),
        app,
        after,
        place: None,
        silent: 0,
    };
    let pieces = stream::unfold(follower, async |mut follower| {
        let piece = follower.piece().await?;
        Some((Ok::<_, Infallible>(piece), follower))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Keeps nginx from collecting a stream.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// A page that listens.
struct Follower {
    app: Arc<App>,
    /// Of the request, to look at its session again.
    parts: Parts,
    team_id: String,
    who: Who,
    end: watch::Receiver<i64>,
    stop: watch::Receiver<bool>,
    /// Where the page begins to listen, unless that is long ago: a stream that breaks off is asked for again at the same
    /// address, and the page then asks for all it shows.
    after: Option<i64>,
    /// The last position that was read; `None` before the first look.
    place: Option<i64>,
    /// How many requests of providers there had been.
    requests: u64,
    /// Looks since the last piece.
    silent: u32,
}

impl Follower {
    /// The next text to send; `None` at the end.
    async fn piece(&mut self) -> Option<Bytes> {
        loop {
            if *self.stop.borrow() {
                return None;
            }
            self.who = who::identify(&self.app, &self.parts).await.ok()?;
            self.end.mark_unchanged();
            let is_first = self.place.is_none();
            let text = self.news().await.ok()?;
            self.silent += 1;
            // Something every so often, so that whoever is between does not take the stream for dead.
            if is_first || !text.is_empty() || self.silent > 15 {
                self.silent = 0;
                return Some(if text.is_empty() {
                    Bytes::from_static(b":\n\n")
                } else {
                    Bytes::from(text)
                });
            }
            tokio::select! {
                () = asked_to_stop(&mut self.stop) => return None,
                () = tokio::time::sleep(LOOK) => {}
                changed = self.end.changed() => changed.ok()?,
            }
        }
    }

    /// What has happened since the last look, as events for the page.
    async fn news(&mut self) -> Result<String, Refusal> {
        let (team, place, after) = (self.team_id.clone(), self.place, self.after);
        let read = self.app.store.read(move |tx| -> Result<_, Refusal> {
            let place = match place {
                Some(place) => place,
                None => {
                    let end = events::last(tx, &team)?;
                    let is_recent = |after: &i64| (0..=PAGE).contains(&end.saturating_sub(*after));
                    after.filter(is_recent).unwrap_or(end)
                }
            };
            let query = Query {
                after: Some(Place::Position(place)),
                limit: PAGE,
                ..Query::default()
            };
            let found = events::list(tx, &team, &query)?;
            Ok((found.last().map_or(place, |last| last.position), found))
        });
        let (place, found) = read.await?;
        self.place = Some(place);
        let mut text = String::new();
        let requests = self.app.requests.count();
        if std::mem::replace(&mut self.requests, requests) != requests
            && self.who.may(Permission::DirectoryRead)
        {
            text.push_str("event: change\ndata: {\"kind\":\"Request\"}\n\n");
        }
        for event in found.iter().filter(|event| concerns(&self.who, event)) {
            // Writing to a string does not fail.
            let _ = write!(text, "event: change\ndata: {}\n\n", told(event));
        }
        Ok(text)
    }
}

fn concerns(who: &Who, event: &Event) -> bool {
    let own = who.holder.as_ref().map(Holder::id);
    who.may(Permission::EventRead) || event.object_id.as_deref() == own
}

fn told(event: &Event) -> serde_json::Value {
    json!({
        "kind": event.object_kind,
        "id": event.object_id,
        "directory_id": event.directory_id,
        "category": event.category,
        "action": event.action,
        "position": event.position,
    })
}
