//! Reading the source to its end, page by page.

use std::sync::Arc;

use portreeve_directory::Refusal;
use portreeve_directory::applications;
use portreeve_directory::applications::cycles::{self, Cycle};
use portreeve_directory::applications::records::{self, Record as Row};
use portreeve_store::Tx;

use super::Job;
use super::cycle::{Run, Stopped, counted};
use super::import::{self, Reading, Unusable};
use super::progress::{Counters, CycleKind, Phase};
use super::record::{Ending, Log};
use super::state::{JobError, Owner};
use super::subject::Stamp;
use crate::engine::codes::Code;
use crate::engine::quarantine::Reason;
use crate::engine::steps::{Identity, RecordAction, StatusInfo};
use crate::log;
use crate::source::{Change, Error, Kind, Next, Page, Place};

/// How often a cycle begins to read everything anew before it leaves the source alone until the next one.
const TRIES: u32 = 3;

impl Job {
    pub(super) async fn import(&self, run: &mut Run<'_>) -> Result<(), JobError> {
        let mut tries = 0;
        while run.phase() == Phase::Import && run.stopped.is_none() {
            run.check()?;
            match self.source.read(&place(run)).await {
                Ok(page) => self.take_in(run, page).await?,
                Err(Error::Expired(reason)) if tries < TRIES => {
                    tracing::info!(
                        application = self.application.id,
                        reason,
                        "everything is read anew"
                    );
                    tries += 1;
                    self.read_anew(run).await?;
                }
                Err(error) => run.stopped = Some(stopped(&error)),
            }
        }
        Ok(())
    }

    async fn take_in(&self, run: &mut Run<'_>, page: Page) -> Result<(), JobError> {
        let stamp = run.stamp.clone();
        let (changes, next) = (Arc::new(page.changes), Arc::new(page.next));
        let before = Before {
            cycle: run.cycle.clone(),
            counters: run.counters.get(),
            expand: self.application.expand_nested_groups,
        };
        let told = before.counters.imported;
        let taken = self
            .state
            .write(move |tx, owner| before.take_in(tx, owner, (&changes, &next), &stamp));
        let (cycle, counters) = taken.await?;
        let told = counters.imported - told;
        run.cycle = cycle;
        run.counters.change(|all| *all = counters);
        run.tell(|progress| {
            progress.phase = Phase::Import;
            progress.done += told;
            progress.total = page.total.or(progress.total);
        });
        Ok(())
    }

    /// The source no longer knows what has changed: everything is read, from the beginning.
    async fn read_anew(&self, run: &mut Run<'_>) -> Result<(), JobError> {
        let mut cycle = run.cycle.clone();
        cycle.kind = CycleKind::Initial.name().to_owned();
        cycle.place = None;
        cycle.roles_epoch = 0;
        run.cycle = self
            .state
            .write(move |tx, owner| {
                let Owner {
                    team_id,
                    application_id,
                } = owner;
                let mut cycle = cycle.clone();
                cycle.epoch = applications::next_epoch(tx, team_id, application_id)?;
                cycles::advance(tx, application_id, &cycle)?;
                Ok(cycle)
            })
            .await?;
        Ok(())
    }
}

/// Where to read on.
fn place(run: &Run<'_>) -> Place {
    match (&run.cycle.place, run.cycle.epoch, &run.watermark) {
        (Some(place), _, _) => Place::Page(place.clone()),
        (None, 0, Some(watermark)) => Place::Since(watermark.clone()),
        (None, _, _) => Place::Everything,
    }
}

/// Where a cycle is before a page is taken in.
struct Before {
    cycle: Cycle,
    counters: Counters,
    /// Whether nested groups are expanded.
    expand: bool,
}

impl Before {
    /// Takes a page in. Returns where the cycle is then, and what it has counted.
    fn take_in(
        &self,
        tx: &mut Tx<'_>,
        owner: &Owner,
        (changes, next): (&[Change], &Next),
        stamp: &Stamp,
    ) -> Result<(Cycle, Counters), Refusal> {
        let (team, id) = (&owner.team_id, &owner.application_id);
        let mut counters = self.counters;
        let reading = Reading {
            epoch: self.cycle.epoch,
            roles_epoch: self.cycle.roles_epoch,
            expand: self.expand,
        };
        let (roles_epoch, unusable) = import::merge(tx, owner, reading, changes, &mut counters)?;
        let rows: Vec<Row> = unusable.iter().map(|it| record(it, stamp)).collect();
        records::append(tx, team, id, &rows)?;
        let (phase, place) = match next {
            Next::Page(place) => (Phase::Import, Some(place.clone())),
            Next::Watermark(watermark) => {
                applications::set_watermark(tx, team, id, Some(watermark))?;
                (Phase::Absent, None)
            }
        };
        let cycle = Cycle {
            roles_epoch,
            phase: phase.name().to_owned(),
            place,
            counters: counted(&counters),
            ..self.cycle.clone()
        };
        cycles::advance(tx, id, &cycle)?;
        Ok((cycle, counters))
    }
}

/// What the log tells of a row that cannot be used.
fn record(unusable: &Unusable, stamp: &Stamp) -> Row {
    let ending = Ending {
        action: RecordAction::Other,
        status: StatusInfo::of(Code::ImportSkipped, unusable.reason.as_str()),
        modified: Vec::new(),
        source: Identity {
            id: unusable.place.clone(),
            display_name: None,
            identity_type: Kind::User,
            details: serde_json::Map::new(),
        },
        target: None,
    };
    log::row(&Log::begin(stamp).record(Vec::new(), ending))
}

fn stopped(error: &Error) -> Stopped {
    let (reason, retry_after) = match error {
        Error::Credentials(_) => (Reason::EncounteredQuarantineException, None),
        Error::Unavailable { retry_after, .. } => (Reason::IngestionInterrupted, *retry_after),
        Error::Expired(_) | Error::Unusable(_) => (Reason::IngestionInterrupted, None),
    };
    Stopped {
        reason,
        message: error.to_string(),
        retry_after,
    }
}
