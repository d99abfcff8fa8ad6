//! Starting, pausing and restarting the job of an application.

use super::{ApplicationDetail, Found, find, object};
use crate::api::ask::{Admin, Ask};
use crate::api::problem::Problem;
use crate::api::reply;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use portreeve_directory::applications::{self, Application, Status, secrets};
use portreeve_directory::{Refusal, events};
use portreeve_provisioning::job::{Owner, Reset, restart as ask_restart};
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Lets no further cycle begin. One that is under way stops where it can go on.
pub(in crate::api) async fn pause(ask: Ask) -> Result<Response, Problem> {
    steer(ask, "pause", |tx, application, _| {
        let (team_id, id) = (&application.team_id, &application.id);
        applications::set_status(tx, team_id, id, Status::Paused, None)
    })
    .await
}

/// Lets the job go on where it stood, out of quarantine.
pub(in crate::api) async fn start(ask: Ask) -> Result<Response, Problem> {
    steer(ask, "start", |tx, application, admin| {
        let (team_id, id) = (&application.team_id, &application.id);
        applications::set_quarantine(tx, team_id, id, None)?;
        applications::set_status(tx, team_id, id, Status::Running, Some(admin.at))
    })
    .await
}

/// What the job is to begin anew with.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct RestartRequest {
    /// Entra's scopes, separated by commas, such as `Full` or `Escrows,QuarantineState`.
    #[serde(default)]
    reset_scope: String,
}

/// Has the job begin anew what the scopes say, which are Entra's; as its portal does where there are none.
pub(in crate::api) async fn restart(ask: Ask, body: Body) -> Result<Response, Problem> {
    let wanted: RestartRequest = ask.body(body).await?;
    let reset: Reset = wanted
        .reset_scope
        .parse()
        .map_err(|unknown| Problem::invalid(format!("resetScope: {unknown}")))?;
    steer(ask, "restart", move |tx, application, admin| {
        ask_restart(tx, &owner(application), &reset, admin.at)
    })
    .await
}

/// Asks of the next cycle what a changed definition needs. A job that does not run stays so.
pub(super) fn renew(
    tx: &mut Tx<'_>,
    application: &Application,
    reset: &Reset,
    now: i64,
) -> Result<(), Refusal> {
    ask_restart(tx, &owner(application), reset, now)?;
    if application.status == Status::Running {
        return Ok(());
    }
    let (team_id, id) = (&application.team_id, &application.id);
    applications::set_status(tx, team_id, id, application.status, application.next_run_at)
}

/// Does something with a job, and leaves an event of what that changed.
async fn steer(
    ask: Ask,
    action: &'static str,
    work: impl Fn(&mut Tx<'_>, &Application, &Admin) -> Result<(), Refusal> + Send + 'static,
) -> Result<Response, Problem> {
    let (admin, wanted) = (ask.admin.clone(), ask.param("application"));
    let steered = ask.change(move |tx| {
        let Found { application, team } = find(tx, &admin, &wanted)?;
        work(tx, &application, &admin)?;
        let before = state(&application);
        let application = applications::by_id(tx, &application.team_id, &application.id)?;
        let changes = events::diff(&before, &state(&application));
        let (team_id, object) = (&application.team_id, object(&application));
        admin.record_provisioning(tx, team_id, action, &object, changes.as_deref())?;
        let sealed = secrets::all(tx, &application.id)?;
        Ok((Found { application, team }, sealed))
    });
    let (found, sealed) = steered.await?;
    let view = ApplicationDetail::of(&ask.app, &found, &sealed);
    ask.app.jobs.look();
    Ok(reply::object(StatusCode::OK, &view))
}

/// What an event of the job compares.
fn state(application: &Application) -> Map<String, Value> {
    let members = [
        ("status", Some(application.status.name())),
        ("quarantine", application.quarantine.as_deref()),
        ("restart", application.reset.as_deref()),
    ];
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    members
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), read(text?))))
        .collect()
}

fn owner(application: &Application) -> Owner {
    Owner {
        team_id: application.team_id.clone(),
        application_id: application.id.clone(),
    }
}
