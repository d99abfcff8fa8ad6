//! Visits as a file.

use super::{Chosen, Place, VisitView, page};
use crate::admin::Admin;
use crate::app::App;
use crate::download::{File, Form, Record};
use futures_util::{Stream, stream};
use portreeve_directory::Refusal;
use portreeve_scim::time;
use std::sync::Arc;

/// How many visits are read at once.
const PAGE: i64 = 500;

/// All visits of a team that are chosen, the latest first.
pub(crate) async fn export(
    app: &Arc<App>,
    admin: &Admin,
    team: Option<&str>,
    chosen: Chosen,
    form: Form,
) -> Result<File, Refusal> {
    let mut reader = Reader {
        app: app.clone(),
        admin: admin.clone(),
        team: team.map(str::to_owned),
        chosen,
        after: None,
        done: false,
    };
    // The first page says whether there is such a team, location and person.
    let first = reader.next().await?;
    Ok(File::of(form, "visits", pages(first, reader)))
}

fn pages(
    first: Vec<VisitView>,
    reader: Reader,
) -> impl Stream<Item = Result<Vec<VisitView>, Refusal>> + Send + 'static {
    stream::unfold((Some(first), reader), |(first, mut reader)| async {
        let page = match first {
            Some(first) => Ok(first),
            None if reader.done => return None,
            None => reader.next().await,
        };
        reader.done |= page.is_err();
        Some((page, (None, reader)))
    })
}

struct Reader {
    app: Arc<App>,
    admin: Admin,
    team: Option<String>,
    chosen: Chosen,
    after: Option<Place>,
    /// Whether there are no more.
    done: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Vec<VisitView>, Refusal> {
        let (chosen, after) = (self.chosen.clone(), self.after.clone());
        let read = self
            .admin
            .read(&self.app, self.team.as_deref(), move |tx, admin, team| {
                page(tx, admin, team, &chosen, (after.as_ref(), PAGE))
            });
        let page = read.await?;
        self.done = i64::try_from(page.len()).is_ok_and(|count| count < PAGE);
        self.after = page.last().map(|last| last.place.clone());
        Ok(page)
    }
}

impl Record for VisitView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "location",
        "state",
        "visitor_name",
        "company",
        "purpose",
        "visitor_host",
        "visitor_host_id",
        "visitor_host_is_gone_since",
        "expected_at",
        "came_at",
        "left_at",
        "answer",
        "answered_at",
        "is_anonymous",
    ];

    fn cells(&self) -> Vec<String> {
        let at = |at: Option<i64>| at.map(time::format).unwrap_or_default();
        let host = self.visitor_host.as_ref();
        let answer = self.answer.as_ref();
        vec![
            self.id.clone(),
            self.location.name.clone(),
            self.state.name().to_owned(),
            self.visitor_name.clone(),
            self.company.clone(),
            self.purpose.clone(),
            host.map(|host| host.name.clone()).unwrap_or_default(),
            host.map(|host| host.id.clone()).unwrap_or_default(),
            at(self.visitor_host_is_gone_since.map(|at| at.0)),
            at(self.expected_at.map(|at| at.0)),
            at(self.came_at.map(|at| at.0)),
            at(self.left_at.map(|at| at.0)),
            answer.map_or("", |answer| answer.what.name()).to_owned(),
            at(answer.map(|answer| answer.at.0)),
            self.is_anonymous.to_string(),
        ]
    }

    fn json(&self) -> String {
        // Texts, numbers and truths: nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}
