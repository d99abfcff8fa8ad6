//! Provisioning outside the schedule: of one object at once, or of nobody, to see what a cycle would do.

use super::look::problem;
use super::{Found, object, read};
use crate::api::ask::Ask;
use crate::api::problem::Problem;
use crate::api::reply;
use crate::applications::{Opened, Scratch};
use crate::work::Alone;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use portreeve_provisioning::job::{
    Asked, DryRun, JobError, OnDemandError, Progress, State, Stop, Summary,
};
use portreeve_provisioning::log::{self, Filter, Place};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// Entries of a dry run per piece of its report.
const PAGE: usize = 500;

/// Provisions one object now, and tells every step. That and a cycle would not know of each other what they send, so only
/// one of them works at a time, on whichever servers they are asked for.
pub(in crate::api) async fn on_demand(ask: Ask, body: Body) -> Result<Response, Problem> {
    let asked: Asked = ask.body(body).await?;
    let (found, sealed) = read(&ask).await?;
    let Found { application, .. } = &found;
    let opened = Opened::new(&ask.app, application, &sealed)?;
    let (team_id, id) = (&application.team_id, &application.id);
    let alone = Alone::take(&ask.app, team_id, id).await?.ok_or_else(busy)?;
    let state = State::new(ask.app.store.clone(), team_id, id);
    let job = opened.job(&ask.app, state.held_by(Arc::new(alone.check())))?;
    let done = job.on_demand(&asked, ask.admin.initiator());
    let done = alone.guard(done).await.ok_or_else(busy)??;
    alone.end().await;
    let (admin, told) = (ask.admin.clone(), json!(done.result));
    let event = ask.change(move |tx| {
        let application = &found.application;
        let changes = json!([
            {"attribute": "object", "new": asked.object},
            {"attribute": "result", "new": told},
        ]);
        let (team_id, object) = (&application.team_id, object(application));
        let changes = changes.to_string();
        admin.record_provisioning(tx, team_id, "provision_on_demand", &object, Some(&changes))
    });
    event.await?;
    Ok(reply::object(StatusCode::OK, &json!(done)))
}

fn busy() -> Problem {
    Problem::pending(
        "a cycle of this application is running, or somebody else is provisioned at this moment; try again when it has ended",
    )
}

/// Runs a whole initial cycle that changes nothing, and reports what it would do: the counts first, then an entry as in
/// the log for each object.
pub(in crate::api) async fn dry_run(ask: Ask) -> Result<Response, Problem> {
    let (Found { application, .. }, sealed) = read(&ask).await?;
    let opened = Opened::new(&ask.app, &application, &sealed)?;
    let state = State::new(ask.app.store.clone(), &application.team_id, &application.id);
    let job = opened.job(&ask.app, state)?;
    let _one = ask.app.applications.dry_runs.try_acquire().map_err(|_| {
        Problem::conflict(
            "another dry run is under way on this server; try again when it has ended",
        )
    })?;
    let scratch = Scratch::new(&ask.app).map_err(Problem::from)?;
    let source = opened.with_state(scratch.path()).source();
    let source = source.map_err(|error| Problem::invalid(format!("source: {error}")))?;
    let now = ask.admin.time();
    let (progress, stop) = (watch::channel(Progress::new(now)).0, Stop::default());
    let run = job.dry_run(scratch.path(), source, &progress, &stop);
    let DryRun { summary, state } = run.await.map_err(problem)?;
    let report = Report {
        state,
        begin: Some(summary),
        place: Place::After(0),
        is_first: true,
        ended: false,
        _scratch: scratch,
    };
    let pieces = stream::unfold(report, |mut report| async move {
        let piece = report.piece().await.transpose()?;
        Some((piece, report))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

/// The report of a dry run, which is sent piece by piece.
struct Report {
    state: State,
    begin: Option<Summary>,
    place: Place,
    is_first: bool,
    ended: bool,
    /// Gone when all is sent.
    _scratch: Scratch,
}

impl Report {
    async fn piece(&mut self) -> Result<Option<Bytes>, io::Error> {
        if let Some(summary) = self.begin.take() {
            let mut begin = summarised(&summary).to_string();
            begin.pop();
            begin.push_str(",\"records\":[");
            return Ok(Some(begin.into()));
        }
        if self.ended {
            return Ok(None);
        }
        let place = self.place;
        let page = self.state.read(move |tx, owner| {
            log::read(tx, &owner.application_id, &Filter::default(), place, PAGE)
        });
        let page = page.await.map_err(io::Error::other)?;
        let mut text = String::new();
        for (_, record) in &page.entries {
            if !self.is_first {
                text.push(',');
            }
            self.is_first = false;
            text.push_str(&json!(record).to_string());
        }
        self.place = page.next;
        if page.ended {
            self.ended = true;
            text.push_str("]}");
        }
        Ok(Some(text.into()))
    }
}

fn summarised(summary: &Summary) -> Value {
    json!({
        "result": summary.result,
        "error": summary.error,
        "counters": summary.counters,
        "requests": summary.requests,
        "held": summary.held.is_some(),
        "began": summary.began,
        "ended": summary.ended,
    })
}

impl From<OnDemandError> for Problem {
    fn from(error: OnDemandError) -> Self {
        let detail = error.to_string();
        match error {
            OnDemandError::NotFound { .. } => Self::not_found(detail),
            OnDemandError::Job(JobError::State(refusal)) => refusal.into(),
            OnDemandError::Job(JobError::Lost) => busy(),
            _ => Self::invalid(detail),
        }
    }
}
