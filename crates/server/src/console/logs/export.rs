//! The log as a file, page by page from the database, so that no memory grows with it.

use super::filter::Filters;
use crate::app::App;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use portreeve_directory::Refusal;
use portreeve_directory::events::{self, Event, Place, Query};
use std::sync::Arc;

/// How many events are read at once.
const PAGE: i64 = 500;

const COLUMNS: &[&str] = &[
    "time",
    "category",
    "action",
    "outcome",
    "reason",
    "detail",
    "object_type",
    "object_id",
    "object_name",
    "actor_type",
    "actor_id",
    "directory_id",
    "request_id",
    "changes",
    "id",
];

/// As CSV (RFC 4180).
pub(in crate::console) async fn csv(visit: Visit) -> Response {
    let head = format!("{}\r\n", COLUMNS.join(","));
    file(&visit, "text/csv; charset=utf-8", "events.csv", head, line)
}

/// As JSON, an object on each line.
pub(in crate::console) async fn json(visit: Visit) -> Response {
    let line = |event: &Event| format!("{}\n", event.to_json());
    file(
        &visit,
        "application/x-ndjson",
        "events.jsonl",
        String::new(),
        line,
    )
}

fn file(
    visit: &Visit,
    media_type: &'static str,
    name: &str,
    head: String,
    line: fn(&Event) -> String,
) -> Response {
    let query = match Filters::of(visit).query(PAGE) {
        Ok(query) => query,
        Err(said) => return visit.trouble(&Trouble::Invalid(said)),
    };
    let reader = Reader {
        app: visit.app.clone(),
        team_id: visit.team.id.clone(),
        query,
        head: Some(head),
        done: false,
    };
    let pieces = stream::unfold(reader, move |mut reader| async move {
        let piece = reader.piece(line).await?;
        Some((piece, reader))
    });
    // What compresses it asks once more after its end.
    let mut response = Response::new(Body::from_stream(pieces.fuse()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}

/// Goes through the log, the newest first.
struct Reader {
    app: Arc<App>,
    team_id: String,
    query: Query,
    head: Option<String>,
    done: bool,
}

impl Reader {
    /// The next piece of the file. An error breaks the connection off, so that nobody takes a part for the whole.
    async fn piece(&mut self, line: fn(&Event) -> String) -> Option<Result<Bytes, Refusal>> {
        if self.done {
            return None;
        }
        let (team, query) = (self.team_id.clone(), self.query.clone());
        let read = self
            .app
            .store
            .read(move |tx| events::list(tx, &team, &query));
        let found = match read.await {
            Ok(found) => found,
            Err(error) => {
                self.done = true;
                return Some(Err(error));
            }
        };
        self.done = !i64::try_from(found.len()).is_ok_and(|count| count == PAGE);
        if let Some(last) = found.last() {
            self.query.before = Some(Place::Position(last.position));
        }
        let mut text = self.head.take().unwrap_or_default();
        for event in &found {
            text.push_str(&line(event));
        }
        Some(Ok(Bytes::from(text)))
    }
}

fn line(event: &Event) -> String {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let changes = match event.changes.is_empty() {
        true => String::new(),
        false => serde_json::Value::Array(event.changes.clone()).to_string(),
    };
    let fields = [
        portreeve_scim::time::format(event.at),
        event.category.clone(),
        event.action.clone(),
        event.outcome.clone(),
        some(&event.reason),
        some(&event.detail),
        some(&event.object_kind),
        some(&event.object_id),
        some(&event.object_name),
        event.actor_kind.clone(),
        some(&event.actor_id),
        some(&event.directory_id),
        some(&event.request_id),
        changes,
        event.id.clone(),
    ];
    let fields = fields.map(|field| quoted(&field));
    format!("{}\r\n", fields.join(","))
}

/// A field of CSV. What a spreadsheet would take for a formula gets an apostrophe before it, because names come from
/// elsewhere.
fn quoted(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if is_formula {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    match safe.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula_or_ends_early() {
        for (field, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
            ("+1", "'+1"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(field), expected);
        }
    }
}
