//! How a job is: what admins see of it while it runs and between its cycles.

use jiff::Timestamp;
use portreeve_directory::Refusal;
use portreeve_directory::applications::{self, cycles, escrows, links};
use portreeve_store::Tx;
use serde::Serialize;

use super::end::concludes;
use super::progress::{Counters, CycleKind, Phase, RunResult};
use super::state::{JobError, Owner, State};
use crate::engine::quarantine::Quarantine;

/// How many cycles are looked through for the last one that succeeded.
const LOOKED_THROUGH: i64 = 100;

/// How a job is, in Entra's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[expect(missing_docs, reason = "the names are Entra's own")]
pub enum StatusCode {
    /// No cycle has come to its end yet.
    NotRun,
    Active,
    Paused,
    Disabled,
    Quarantine,
}

/// A cycle as admins see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// Counts the cycles of an application from 1.
    pub number: i64,
    /// The id that its records carry.
    pub id: String,
    /// Which kind of cycle it is.
    pub kind: CycleKind,
    /// What it is doing, or was doing when it ended.
    pub phase: Phase,
    /// How it ended; `None` while it runs, or when it was interrupted and goes on.
    pub result: Option<RunResult>,
    /// Why it failed.
    pub error: Option<String>,
    /// What it has done.
    pub counters: Counters,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// How a job is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// In one word.
    pub code: StatusCode,
    /// The quarantine that it is in.
    pub quarantine: Option<Quarantine>,
    /// The latest cycle, which may be under way.
    pub last_execution: Option<Execution>,
    /// The latest cycle that came to its end without failing.
    pub last_successful_execution: Option<Execution>,
    /// When the next cycle begins; `None` while the job does not run.
    pub next_run: Option<Timestamp>,
    /// A restart that the next cycle takes up: its scopes.
    pub restart: Option<String>,
    /// People with a resource that follows them.
    pub users: u64,
    /// Groups with a resource that follows them.
    pub groups: u64,
    /// Objects that failed and are tried again.
    pub escrowed: u64,
    /// Objects whose members or managers failed and are tried again.
    pub escrowed_references: u64,
}

impl State {
    /// How the job is.
    ///
    /// # Errors
    /// [`JobError::State`].
    pub async fn status(&self) -> Result<Status, JobError> {
        self.read(status).await
    }
}

fn status(tx: &mut Tx<'_>, owner: &Owner) -> Result<Status, Refusal> {
    let id = &owner.application_id;
    let application = applications::by_id(tx, &owner.team_id, id)?;
    let newest = cycles::newest(tx, id, i64::MAX, LOOKED_THROUGH)?;
    let executions: Vec<Execution> = newest.into_iter().map(execution).collect();
    let succeeded = |it: &&Execution| it.result.is_some_and(|it| it != RunResult::Failed);
    let last_successful_execution = executions.iter().find(succeeded).cloned();
    let quarantine = quarantine(application.quarantine.as_deref());
    let code = match application.status {
        applications::Status::Paused => StatusCode::Paused,
        applications::Status::Disabled => StatusCode::Disabled,
        applications::Status::Running if quarantine.is_some() => StatusCode::Quarantine,
        applications::Status::Running if last_successful_execution.is_none() => StatusCode::NotRun,
        applications::Status::Running => StatusCode::Active,
    };
    let linked = links::count(tx, id)?;
    let managed = |kind: applications::Kind| {
        let follows =
            |it: &&links::Count| matches!(it.state, links::State::Managed | links::State::Disabled);
        let counts = linked.iter().filter(|it| it.kind == kind).filter(follows);
        number(counts.map(|it| it.count).sum())
    };
    let failed = escrows::count(tx, id)?;
    let escrowed = |of_references: bool| {
        let counts = failed
            .iter()
            .filter(|it| it.of_references == of_references && concludes(&it.code));
        number(counts.map(|it| it.count).sum())
    };
    Ok(Status {
        code,
        quarantine,
        last_execution: executions.into_iter().next(),
        last_successful_execution,
        next_run: application.next_run_at.map(time),
        restart: application.reset,
        users: managed(applications::Kind::User),
        groups: managed(applications::Kind::Group),
        escrowed: escrowed(false),
        escrowed_references: escrowed(true),
    })
}

fn execution(cycle: cycles::Cycle) -> Execution {
    Execution {
        number: cycle.number,
        id: cycle.id,
        kind: CycleKind::by_name(&cycle.kind),
        phase: Phase::by_name(&cycle.phase),
        result: cycle.result.as_deref().and_then(RunResult::by_name),
        error: cycle.error,
        counters: serde_json::from_str(&cycle.counters).unwrap_or_default(),
        began: time(cycle.began_at),
        ended: cycle.ended_at.map(time),
    }
}

/// A quarantine as it is kept. One that cannot be read counts as none.
pub(super) fn quarantine(kept: Option<&str>) -> Option<Quarantine> {
    serde_json::from_str(kept?).ok()
}

/// A time as it is kept: microseconds since 1970 UTC.
pub(super) fn time(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
