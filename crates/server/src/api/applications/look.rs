//! What the job of an application does, and whether its source and its target can be used.

use super::{Found, read};
use crate::api::ask::Ask;
use crate::api::problem::Problem;
use crate::api::reply;
use crate::applications::Opened;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_mapping::lint::{Finding, Severity};
use portreeve_provisioning::application::lint;
use portreeve_provisioning::job::{JobError, State};
use portreeve_provisioning::target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How the job is, in Entra's words; with `progress` where its cycle runs on this server.
pub(in crate::api) async fn status(ask: Ask) -> Result<Response, Problem> {
    let (Found { application, .. }, _) = read(&ask).await?;
    let (team_id, id) = (&application.team_id, &application.id);
    let state = State::new(ask.app.store.clone(), team_id, id);
    let status = state.status().await.map_err(problem)?;
    let mut body = json!(status);
    body["id"] = json!(id);
    body["name"] = json!(application.name);
    if let Some(progress) = ask.app.jobs.progress(id) {
        body["progress"] = json!(progress);
    }
    if let Some(trouble) = ask.app.jobs.trouble(id) {
        body["trouble"] = json!(trouble);
    }
    Ok(reply::object(StatusCode::OK, &body))
}

/// Reaches source and target without changing anything.
pub(in crate::api) async fn test(ask: Ask) -> Result<Response, Problem> {
    let opened = open(&ask).await?;
    let tested = opened.definition.test(&opened.application, &opened.home);
    Ok(reply::object(StatusCode::OK, &json!(tested.await)))
}

/// How to look for mistakes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct LintRequest {
    /// Whether not to ask the target what it says of itself.
    #[serde(default)]
    offline: bool,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct LintAnswer {
    /// Why the target was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The worst first.
    #[schemars(with = "Vec<Map<String, Value>>")]
    findings: Vec<Finding>,
}

/// Looks for mistakes in the mappings, also by what the target says of itself unless it is not to be asked. One that
/// cannot be asked is told in `note`.
pub(in crate::api) async fn lint(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: LintRequest = ask.body(body).await?;
    let opened = open(&ask).await?;
    let findings = opened.definition.lint(&opened.home.folder);
    let mut findings = findings.map_err(|error| Problem::invalid(error.to_string()))?;
    let mut note = None;
    let is_usable = findings.iter().all(|it| it.severity != Severity::Error);
    if is_usable && !wanted.offline {
        match against_target(&opened).await {
            Ok(more) => findings.extend(more),
            Err(error) => {
                note = Some(format!("the target was not asked for its schemas: {error}"));
            }
        }
        findings.sort_by_key(|finding| finding.severity);
    }
    Ok(reply::object(StatusCode::OK, &LintAnswer { note, findings }))
}

async fn against_target(opened: &Opened) -> Result<Vec<Finding>, target::Error> {
    let client = opened.target()?;
    let capabilities = client.discover().await?;
    Ok(lint::against_target(&opened.application, capabilities))
}

/// The application that the path names, with its secrets.
pub(super) async fn open(ask: &Ask) -> Result<Opened, Problem> {
    let (found, sealed) = read(ask).await?;
    Ok(Opened::new(&ask.app, &found.application, &sealed)?)
}

pub(super) fn problem(error: JobError) -> Problem {
    match error {
        JobError::State(refusal) => refusal.into(),
        other => Problem::invalid(other.to_string()),
    }
}
