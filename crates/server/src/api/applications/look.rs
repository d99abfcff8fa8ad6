//! What the job of an application does, and whether its source and its target can be used.

use super::{Found, read};
use crate::api::ask::Ask;
use crate::api::problem::Problem;
use crate::api::reply;
use crate::applications::{Opened, Scratch};
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_mapping::Context;
use portreeve_mapping::lint::{Finding, Severity};
use portreeve_provisioning::application::lint;
use portreeve_provisioning::application::survey::Surveyed;
use portreeve_provisioning::job::{JobError, State};
use portreeve_provisioning::source::population::{Census, Named};
use portreeve_provisioning::target;
use portreeve_scim::Catalog;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::Duration;

/// So many people and groups of a source are looked at for mistakes, and for so long.
const MOST: usize = 5_000;
const PATIENCE: Duration = Duration::from_secs(20);

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
    /// Whether neither to ask the target what it says of itself nor to read the source.
    #[serde(default)]
    offline: bool,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct LintAnswer {
    /// Why the target was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// How many people and groups of the source were looked at, and why not all of them.
    looked_at: Vec<String>,
    /// The worst first.
    #[schemars(with = "Vec<Map<String, Value>>")]
    findings: Vec<Finding>,
}

/// Looks for mistakes in the mappings, also by what the target says of itself and by what becomes of the people in the
/// source, unless neither is to be asked. A target that cannot be asked is told in `note`, a source in `looked_at`.
pub(in crate::api) async fn lint(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: LintRequest = ask.body(body).await?;
    let opened = open(&ask).await?;
    let findings = opened.definition.lint(&opened.home.folder);
    let findings = findings.map_err(|error| Problem::invalid(error.to_string()))?;
    let is_usable = findings.iter().all(|it| it.severity != Severity::Error);
    let mut answer = LintAnswer {
        note: None,
        looked_at: Vec::new(),
        findings,
    };
    if is_usable && !wanted.offline {
        match against_target(&opened).await {
            Ok(more) => answer.findings.extend(more),
            Err(error) => {
                let note = format!("the target was not asked for its schemas: {error}");
                answer.note = Some(note);
            }
        }
        let (looked_at, more) = against_source(&ask, &opened).await?;
        answer.looked_at = looked_at;
        answer.findings.extend(more);
        answer.findings.sort_by_key(|finding| finding.severity);
    }
    Ok(reply::object(StatusCode::OK, &answer))
}

/// What would become of those in the source, as many as can be looked at, and how many these were.
async fn against_source(
    ask: &Ask,
    opened: &Opened,
) -> Result<(Vec<String>, Vec<Finding>), Problem> {
    let set = opened.definition.mapping_set(&opened.home.folder);
    let set = set.map_err(|error| Problem::invalid(error.to_string()))?;
    let scratch = Scratch::new(&ask.app).map_err(Problem::from)?;
    let (mut census, mut everybody) = (Census::default(), Vec::new());
    let mut meet = |kind, named: &Named| everybody.push((kind, named.clone()));
    let read = async {
        let source = opened.clone().with_state(scratch.path()).source()?;
        census.read(&source, MOST, &mut meet).await
    };
    let mut notes = match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(())) => Vec::new(),
        Ok(Err(error)) => {
            return Ok((
                vec![format!("the source was not looked at: {error}")],
                Vec::new(),
            ));
        }
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            vec![format!(
                "only those were looked at who were read within {seconds} seconds"
            )]
        }
    };
    notes.extend(census.notes());
    let (now, domain) = (ask.admin.time(), opened.application.default_domain.clone());
    let counted = tokio::task::spawn_blocking(move || {
        let surveyed = Surveyed::new(&set, &Catalog::standard());
        let mut count = surveyed.count(None);
        // What is drawn need not be hard to guess here.
        let draw =
            |bytes: &mut [u8]| bytes.fill_with(|| RandomState::new().build_hasher().finish() as u8);
        let context = Context::at(now).with_random(&draw);
        let context = match &domain {
            Some(domain) => context.with_default_domain(domain),
            None => context,
        };
        for (kind, named) in &everybody {
            count.observe(*kind, named, &context);
        }
        (count.looked_at(), count.findings())
    });
    let (mut looked_at, findings) = counted
        .await
        .map_err(|error| Problem::from(io::Error::other(error)))?;
    looked_at.append(&mut notes);
    Ok((looked_at, findings))
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
