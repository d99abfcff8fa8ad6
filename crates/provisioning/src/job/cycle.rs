//! One cycle from its beginning to its end, or from where it was interrupted.

use std::sync::{Arc, Mutex, PoisonError};

use portreeve_directory::Refusal;
use portreeve_directory::applications::cycles::{self, Cycle};
use portreeve_directory::applications::{self, Status, links};
use portreeve_store::Tx;
use tokio::sync::watch;

use super::claims::Owners;
use super::progress::{Counters, CycleKind, Phase, Progress, Summary};
use super::restart;
use super::state::{JobError, Owner};
use super::status::time;
use super::subject::Stamp;
use super::target::Target;
use super::{Job, Stop};
use crate::engine::guard::Losses;
use crate::engine::quarantine::Reason;
use crate::engine::steps::{Initiator, InitiatorType, System};

/// What a cycle carries from phase to phase. All of it that must survive is in the database as well.
pub(super) struct Run<'a> {
    pub(super) cycle: Cycle,
    /// Where what has changed is read from.
    pub(super) watermark: Option<String>,
    pub(super) counters: Tally,
    pub(super) stamp: Stamp,
    pub(super) owners: Arc<Owners>,
    pub(super) progress: &'a watch::Sender<Progress>,
    pub(super) stop: &'a Stop,
    /// How many requests the target had been asked before.
    asked_before: u64,
    /// Why the cycle does not go on to its end.
    pub(super) stopped: Option<Stopped>,
    /// What the guard against accidental deletions holds.
    pub(super) losses: Option<Losses>,
}

/// Counters that several things under way at once add to.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counters>);

impl Tally {
    pub(super) fn new(counters: Counters) -> Self {
        Self(Mutex::new(counters))
    }

    pub(super) fn get(&self) -> Counters {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Counters)) -> Counters {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut counters);
        *counters
    }
}

/// What every other step of a cycle would run into as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stopped {
    pub(super) reason: Reason,
    pub(super) message: String,
    /// Not before so many seconds should the next cycle begin.
    pub(super) retry_after: Option<u64>,
}

/// How a cycle begins.
enum Begun {
    Paused,
    Disabled,
    Cycle(Box<Cycle>, Option<String>),
}

impl Run<'_> {
    /// Fails when the cycle is to be left where it is.
    pub(super) fn check(&self) -> Result<(), JobError> {
        match self.stop.is_asked() {
            true => Err(JobError::Stopped),
            false => Ok(()),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::by_name(&self.cycle.phase)
    }

    /// How many requests about objects there were since the cycle began or was resumed.
    pub(super) fn requests(&self, target: &Target) -> u64 {
        target.requests().saturating_sub(self.asked_before)
    }

    pub(super) fn kind(&self) -> CycleKind {
        CycleKind::by_name(&self.cycle.kind)
    }

    /// Tells how far the cycle has come.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Progress)) {
        let (number, kind, phase) = (self.cycle.number, self.kind(), self.phase());
        let (counters, began) = (self.counters.get(), time(self.cycle.began_at));
        self.progress.send_modify(|progress| {
            if (progress.number, progress.phase) != (number, phase) {
                (progress.done, progress.total) = (0, None);
            }
            progress.number = number;
            progress.kind = kind;
            progress.phase = phase;
            progress.began = began;
            progress.failed = counters.failed + counters.references_failed;
            change(progress);
        });
    }
}

impl Job {
    /// Runs one cycle: the one that was interrupted, or else a new one. Its end is a [`Summary`] also where the source or
    /// the target does not play along; what went wrong is in it.
    ///
    /// `stop` is asked between pages. Dropping the future does no harm either, at any moment.
    ///
    /// # Errors
    /// Why the job does not go on; the cycle is left where it is then.
    pub async fn cycle(
        &self,
        progress: &watch::Sender<Progress>,
        stop: &Stop,
    ) -> Result<Summary, JobError> {
        let mut run = self.begin(progress, stop).await?;
        while run.stopped.is_none() {
            run.check()?;
            run.tell(|_| {});
            match run.phase() {
                Phase::Import => self.import(&mut run).await?,
                Phase::Absent => self.note_absent(&mut run).await?,
                Phase::Plan => self.plan(&mut run).await?,
                Phase::Export => self.export(&mut run).await?,
                Phase::References => self.refer(&mut run).await?,
                Phase::End => break,
            }
        }
        self.end(run).await
    }

    async fn begin<'a>(
        &self,
        progress: &'a watch::Sender<Progress>,
        stop: &'a Stop,
    ) -> Result<Run<'a>, JobError> {
        let now = self.clock.now();
        let id = self.ids.next(now).to_string();
        let (expand, drift) = (
            self.application.expand_nested_groups,
            self.application.drift,
        );
        let begun = self
            .state
            .write(move |tx, owner| begin(tx, owner, &id, now, expand, drift));
        let (cycle, watermark) = match begun.await? {
            Begun::Paused => return Err(JobError::Paused),
            Begun::Disabled => return Err(JobError::Disabled),
            Begun::Cycle(cycle, watermark) => (*cycle, watermark),
        };
        let owners = Arc::new(Owners::new(self.state.clone()));
        Ok(Run {
            counters: Tally::new(serde_json::from_str(&cycle.counters).unwrap_or_default()),
            stamp: self.stamp(&cycle.id, Arc::clone(&owners)),
            owners,
            cycle,
            watermark,
            progress,
            stop,
            asked_before: self.target.requests(),
            stopped: None,
            losses: None,
        })
    }

    pub(super) fn stamp(&self, cycle_id: &str, claims: Arc<Owners>) -> Stamp {
        let application = &self.application;
        let system = |id: &str, name: &str| System {
            id: id.to_owned(),
            display_name: name.to_owned(),
        };
        Stamp {
            job_id: application.id.clone(),
            cycle_id: cycle_id.to_owned(),
            initiator: Initiator {
                id: application.id.clone(),
                display_name: application.name.clone(),
                initiator_type: InitiatorType::System,
            },
            source: system("source", &application.source_name),
            target: system("target", &application.target_name),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            claims,
            tells_all: false,
        }
    }

    /// Goes on to a phase.
    pub(super) async fn go_on(&self, run: &mut Run<'_>, phase: Phase) -> Result<(), JobError> {
        run.cycle.phase = phase.name().to_owned();
        run.cycle.place = None;
        run.cycle.counters = counted(&run.counters.get());
        let cycle = run.cycle.clone();
        self.state
            .write(move |tx, owner| cycles::advance(tx, &owner.application_id, &cycle))
            .await?;
        run.tell(|_| {});
        Ok(())
    }
}

/// The cycle that was interrupted, or a new one.
fn begin(
    tx: &mut Tx<'_>,
    owner: &Owner,
    id: &str,
    now: i64,
    expand: bool,
    drift: bool,
) -> Result<Begun, Refusal> {
    let (team, application_id) = (&owner.team_id, &owner.application_id);
    let application = applications::by_id(tx, team, application_id)?;
    match application.status {
        Status::Paused => return Ok(Begun::Paused),
        Status::Disabled => return Ok(Begun::Disabled),
        Status::Running => {}
    }
    let last = cycles::by_number(tx, application_id, application.cycle)?;
    if let Some(cycle) = last.as_ref().filter(|cycle| cycle.ended_at.is_none()) {
        return Ok(Begun::Cycle(Box::new(cycle.clone()), application.watermark));
    }
    let restart = restart::take_up(tx, owner, application.reset.as_deref(), expand)?;
    let watermark = application.watermark.filter(|_| !restart.full);
    let number = applications::begin_cycle(tx, team, application_id)?;
    let new = Cycle {
        number,
        id: id.to_owned(),
        kind: CycleKind::Incremental.name().to_owned(),
        phase: Phase::Import.name().to_owned(),
        place: None,
        epoch: 0,
        roles_epoch: 0,
        forced: restart.forced,
        held: false,
        counters: counted(&Counters::default()),
        began_at: now,
        ended_at: None,
        result: None,
        error: None,
    };
    // A read that the source broke off goes on where it stood.
    let broken_off = last.filter(|it| it.phase == Phase::Import.name() && !restart.full);
    let cycle = match (broken_off, &watermark) {
        (Some(earlier), _) if earlier.place.is_some() => Cycle {
            kind: earlier.kind,
            place: earlier.place,
            epoch: earlier.epoch,
            roles_epoch: earlier.roles_epoch,
            forced: restart.forced || earlier.forced,
            ..new
        },
        (_, Some(_)) => new,
        (_, None) => {
            if drift {
                links::touch_all(tx, application_id)?;
            }
            Cycle {
                kind: CycleKind::Initial.name().to_owned(),
                epoch: applications::next_epoch(tx, team, application_id)?,
                ..new
            }
        }
    };
    cycles::begin(tx, application_id, &cycle)?;
    Ok(Begun::Cycle(Box::new(cycle), watermark))
}

/// Counters as they are kept.
pub(super) fn counted(counters: &Counters) -> String {
    serde_json::to_string(counters).unwrap_or_default()
}
