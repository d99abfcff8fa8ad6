//! The log as a file.

use super::filter::Filters;
use crate::app::App;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use crate::download::{File, Form, Record};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use portreeve_directory::Refusal;
use portreeve_directory::events::{self, Event, Place, Query};
use std::sync::Arc;

/// How many events are read at once.
const PAGE: i64 = 500;

/// As CSV (RFC 4180).
pub(in crate::console) async fn csv(visit: Visit) -> Response {
    file(&visit, Form::Csv)
}

/// As JSON, an object on each line.
pub(in crate::console) async fn json(visit: Visit) -> Response {
    file(&visit, Form::Json)
}

fn file(visit: &Visit, form: Form) -> Response {
    let query = match Filters::of(visit).query(PAGE) {
        Ok(query) => query,
        Err(said) => return visit.trouble(&Trouble::Invalid(said)),
    };
    let reader = Reader {
        app: visit.app.clone(),
        team_id: visit.team.id.clone(),
        query,
        done: false,
    };
    File::of(form, "events", pages(reader)).into_response()
}

/// The log page by page, the newest first.
fn pages(reader: Reader) -> impl Stream<Item = Result<Vec<Event>, Refusal>> + Send + 'static {
    stream::unfold(reader, |mut reader| async move {
        let page = reader.page().await?;
        Some((page, reader))
    })
}

struct Reader {
    app: Arc<App>,
    team_id: String,
    query: Query,
    done: bool,
}

impl Reader {
    async fn page(&mut self) -> Option<Result<Vec<Event>, Refusal>> {
        if self.done {
            return None;
        }
        let (team, query) = (self.team_id.clone(), self.query.clone());
        let read = self
            .app
            .store
            .read(move |tx| events::list(tx, &team, &query));
        let found: Result<Vec<Event>, Refusal> = read.await;
        let count = found.as_ref().map_or(0, Vec::len);
        self.done = i64::try_from(count).is_ok_and(|count| count < PAGE);
        if let Some(last) = found.as_ref().ok().and_then(|found| found.last()) {
            self.query.before = Some(Place::Position(last.position));
        }
        Some(found)
    }
}

impl Record for Event {
    const COLUMNS: &'static [&'static str] = &[
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

    fn cells(&self) -> Vec<String> {
        let some = |text: &Option<String>| text.clone().unwrap_or_default();
        let changes = match self.changes.is_empty() {
            true => String::new(),
            false => serde_json::Value::Array(self.changes.clone()).to_string(),
        };
        vec![
            portreeve_scim::time::format(self.at),
            self.category.clone(),
            self.action.clone(),
            self.outcome.clone(),
            some(&self.reason),
            some(&self.detail),
            some(&self.object_kind),
            some(&self.object_id),
            some(&self.object_name),
            self.actor_kind.clone(),
            some(&self.actor_id),
            some(&self.directory_id),
            some(&self.request_id),
            changes,
            self.id.clone(),
        ]
    }

    fn json(&self) -> String {
        self.to_json().to_string()
    }
}
