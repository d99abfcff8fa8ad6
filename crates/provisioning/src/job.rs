//! A job: the cycles that bring what a source has to a target, and everything that they remember.
//!
//! A [`Job`] is an application with its two ends and its [`State`]. [`Job::cycle`] runs one cycle, or goes on with one
//! that was interrupted: every step commits what it has done together with the place that the cycle has reached, so that
//! it can be broken off anywhere. [`export()`] and [`write_references`] are what a cycle does for one object.

mod absent;
mod claims;
mod cycle;
mod drift;
mod dry_run;
mod end;
mod evaluation;
mod export;
mod exporting;
mod facts;
mod failure;
mod import;
mod matching;
mod on_demand;
mod progress;
mod reading;
mod record;
mod references;
mod referring;
mod restart;
mod settle;
mod state;
mod status;
mod subject;
mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use portreeve_directory::{Clock, Ids};

use crate::application::Application;
use crate::source::Source;

pub use dry_run::DryRun;
pub use export::export;
pub use on_demand::{Asked, MEMBERS_AT_MOST, OnDemand, OnDemandError, OnDemandResult};
pub use progress::{Counters, CycleKind, Phase, Progress, RunResult, Summary};
pub use references::{Change, Due, MEMBERS, ReferencesOutcome, write_references};
pub use restart::{Reset, ResetScope, UnknownScope, restart};
pub use state::{Ended, Hold, JobError, Owner, State};
pub use status::{Execution, Status, StatusCode};
pub use subject::{Claim, Claims, Counted, Outcome, Stamp, Subject};
pub use target::Target;

/// An application with its two ends and what its job knows.
#[derive(Clone)]
pub struct Job {
    application: Arc<Application>,
    source: Arc<Source>,
    target: Arc<Target>,
    state: State,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("application", &self.application.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Asks a cycle to stop where it can go on later. Clones ask the same cycle.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Job {
    /// A job whose application is in its state already.
    #[must_use]
    pub fn new(
        application: Arc<Application>,
        source: Source,
        target: Target,
        state: State,
        clock: Arc<dyn Clock>,
        ids: Arc<Ids>,
    ) -> Self {
        Self {
            application,
            source: Arc::new(source),
            target: Arc::new(target),
            state,
            clock,
            ids,
        }
    }

    /// What it works for.
    #[must_use]
    pub fn application(&self) -> &Arc<Application> {
        &self.application
    }

    /// Where people and groups come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Where they go.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What it knows.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    fn now(&self) -> Timestamp {
        status::time(self.clock.now())
    }
}
