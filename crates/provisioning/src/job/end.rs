//! The end of a cycle: what follows from how it went, and when the next one begins.

use jiff::{SignedDuration, Timestamp};
use portreeve_directory::Refusal;
use portreeve_directory::applications::{self, Status, cycles, escrows, links};
use portreeve_store::Tx;

use super::Job;
use super::cycle::{Run, Stopped, counted};
use super::progress::{Counters, CycleKind, RunResult, Summary};
use super::state::{JobError, Owner};
use super::status::{quarantine, time};
use crate::engine::codes::{Category, Code};
use crate::engine::guard::{Guard, Losses};
use crate::engine::quarantine::{
    Change, Outcome, Quarantine, Reason, Thresholds, Verdict, after_cycle,
};

/// How a cycle ended, as far as it decides what follows.
#[derive(Debug, Clone)]
struct Ending {
    number: i64,
    initial: bool,
    held: bool,
    stopped: Option<Stopped>,
    began: Timestamp,
    now: Timestamp,
    interval: SignedDuration,
    thresholds: Thresholds,
    result: RunResult,
    error: Option<String>,
}

/// What follows.
struct Concluded {
    verdict: Verdict,
    /// The quarantine that the job was in.
    before: Option<Quarantine>,
    change: Change,
    next_run: Option<Timestamp>,
}

impl Job {
    pub(super) async fn end(&self, mut run: Run<'_>) -> Result<Summary, JobError> {
        let counters = run.counters.get();
        let (result, error) = self.result(&run, &counters);
        let ending = Ending {
            number: run.cycle.number,
            initial: run.kind() == CycleKind::Initial,
            held: run.cycle.held,
            stopped: run.stopped.clone(),
            began: time(run.cycle.began_at),
            now: self.now(),
            interval: self.application.interval,
            thresholds: self.application.thresholds,
            result,
            error,
        };
        run.cycle.counters = counted(&counters);
        let requests = run.requests(&self.target);
        run.tell(|progress| progress.requests = requests);
        let (cycle, kind, held) = (run.cycle.clone(), run.kind(), losses(&run, &counters));
        let ended = self.state.ended().cloned();
        let concluded = self.state.write(move |tx, owner| {
            cycles::advance(tx, &owner.application_id, &cycle)?;
            let concluded = ending.conclude(tx, owner)?;
            let summary = Summary {
                number: ending.number,
                id: cycle.id.clone(),
                kind,
                result: ending.result,
                error: ending.error.clone(),
                counters,
                requests,
                held,
                verdict: concluded.verdict,
                quarantine: concluded.change,
                began: ending.began,
                ended: ending.now,
                next_run: concluded.next_run,
            };
            if let Some(ended) = &ended {
                ended(tx, &summary, concluded.before.as_ref())?;
            }
            Ok(summary)
        });
        concluded.await
    }

    fn result(&self, run: &Run<'_>, counters: &Counters) -> (RunResult, Option<String>) {
        let held = || {
            let guard = Guard {
                threshold: self.application.guard_threshold,
                forced: false,
            };
            let held = guard.judge(losses(run, counters)?).err()?;
            Some(held.to_string())
        };
        match &run.stopped {
            Some(stopped) => (RunResult::Failed, Some(stopped.message.clone())),
            None if run.cycle.held => (RunResult::EntryLevelErrors, held()),
            None if counters.failed + counters.references_failed > 0 => {
                (RunResult::EntryLevelErrors, None)
            }
            None => (RunResult::Succeeded, None),
        }
    }
}

/// What the guard holds. A cycle that was interrupted no longer knows what it has counted, but what it has held.
fn losses(run: &Run<'_>, counters: &Counters) -> Option<Losses> {
    let held = Losses {
        deletes: counters.held,
        disables: 0,
    };
    run.cycle.held.then(|| run.losses.unwrap_or(held))
}

impl Ending {
    fn conclude(&self, tx: &mut Tx<'_>, owner: &Owner) -> Result<Concluded, Refusal> {
        let (team, id) = (&owner.team_id, &owner.application_id);
        let application = applications::by_id(tx, team, id)?;
        let verdict = self.thresholds.judge(&self.outcome(tx, id)?);
        let reason = match verdict {
            Verdict::Quarantine(reason) => Some(reason),
            Verdict::Healthy | Verdict::PruneAndPause(_) => None,
        };
        let current = quarantine(application.quarantine.as_deref());
        let change = after_cycle(current.as_ref(), reason, self.now, self.interval);
        let kept = change.quarantine().map(|it| written(&it));
        applications::set_quarantine(tx, team, id, kept.as_deref())?;
        if let Verdict::PruneAndPause(_) = verdict {
            escrows::clear(tx, id)?;
        }
        let status = match (&verdict, change, application.status) {
            (_, Change::Disabled, _) => Status::Disabled,
            (Verdict::PruneAndPause(_), _, _) => Status::Paused,
            (_, _, status) => status,
        };
        let next_run = match status {
            // Somebody has asked for a restart meanwhile.
            Status::Running if application.reset.is_some() => Some(self.now),
            Status::Running => Some(self.next_run(change.quarantine().as_ref())),
            Status::Paused | Status::Disabled => None,
        };
        let next_run_at = next_run.map(Timestamp::as_microsecond);
        applications::set_status(tx, team, id, status, next_run_at)?;
        let (result, error) = (self.result.name(), self.error.as_deref());
        let at = self.now.as_microsecond();
        cycles::end(tx, id, self.number, at, result, error)?;
        Ok(Concluded {
            verdict,
            before: current,
            change,
            next_run,
        })
    }

    /// How many fail and how many come through. What failed in an earlier cycle and waits for its next try counts: a
    /// job does not get well by waiting.
    fn outcome(&self, tx: &mut Tx<'_>, id: &str) -> Result<Outcome, Refusal> {
        let (mut failed, mut failed_references) = (0, 0);
        for kept in escrows::count(tx, id)? {
            let count = u64::try_from(kept.count).unwrap_or_default();
            match kept.of_references {
                true => failed_references += count,
                false if concludes(&kept.code) => failed += count,
                false => {}
            }
        }
        // To count those who came through is to read them all; few failures need no comparison.
        let mut succeeded = 0;
        if failed >= self.thresholds.evaluated_from {
            for linked in links::count(tx, id)? {
                let follows =
                    matches!(linked.state, links::State::Managed | links::State::Disabled);
                succeeded += u64::try_from(linked.count).unwrap_or_default() * u64::from(follows);
            }
        }
        let held = self.held.then_some(Reason::TooManyDeletes);
        let stopped = self.stopped.as_ref().map(|stopped| stopped.reason);
        Ok(Outcome {
            initial: self.initial,
            succeeded,
            failed,
            failed_references,
            stopped: stopped.or(held),
        })
    }

    fn next_run(&self, quarantine: Option<&Quarantine>) -> Timestamp {
        let after = |from: Timestamp, wait: SignedDuration| {
            from.saturating_add(wait).unwrap_or(Timestamp::MAX)
        };
        let next = match quarantine {
            Some(quarantine) => quarantine.next_attempt,
            // A clock that was put back does not make anybody wait for its return.
            None => after(self.began.min(self.now), self.interval).max(self.now),
        };
        let asked = self.stopped.as_ref().and_then(|it| it.retry_after);
        let asked = asked.and_then(|seconds| i64::try_from(seconds).ok());
        match asked {
            Some(seconds) => next.max(after(self.now, SignedDuration::from_secs(seconds))),
            None => next,
        }
    }
}

/// Whether a failure with this code says something about the job: one that is skipped or held does not.
pub(super) fn concludes(code: &str) -> bool {
    let code: Option<Code> = serde_json::from_value(serde_json::Value::from(code)).ok();
    code.is_none_or(|code| {
        !matches!(code, Code::ImportSkipped | Code::TooManyDeletes)
            && code.category() != Category::None
    })
}

fn written(quarantine: &Quarantine) -> String {
    serde_json::to_string(quarantine).unwrap_or_default()
}
