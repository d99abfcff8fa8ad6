//! When a whole job is put into quarantine, how often it is tried there, and how it comes out.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// In quarantine a cycle runs at least this often.
const RAREST: SignedDuration = SignedDuration::from_hours(24);

/// After this long in quarantine a job is disabled.
const DISABLED_AFTER: SignedDuration = SignedDuration::from_hours(28 * 24);

/// Why a job is in quarantine, in Entra's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Too many objects failed.
    EncounteredBaseEscrowThreshold,
    /// Too many objects, managers and members failed.
    EncounteredTotalEscrowThreshold,
    /// Too large a part of the objects failed.
    EncounteredEscrowProportionThreshold,
    /// The credentials are refused, the target cannot be reached, or it does not speak SCIM.
    EncounteredQuarantineException,
    /// The guard against accidental deletions holds what the cycle would have taken away.
    TooManyDeletes,
    /// The source could not be read to the end.
    IngestionInterrupted,
}

/// How many failures are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// With fewer failures than this, nothing is concluded from them.
    pub evaluated_from: u64,
    /// More than this part of the objects, in percent.
    pub percent: u64,
    /// More objects than this.
    pub objects: u64,
    /// More objects, managers and members than this.
    pub total: u64,
}

/// Entra's.
impl Default for Thresholds {
    fn default() -> Self {
        Self {
            evaluated_from: 5_000,
            percent: 40,
            objects: 40_000,
            total: 60_000,
        }
    }
}

/// How a cycle went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Whether it was an initial cycle.
    pub initial: bool,
    /// Objects that came through.
    pub succeeded: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Managers and members that failed, which do not count among the objects.
    pub failed_references: u64,
    /// What stopped the cycle, or was held, whatever the counts are.
    pub stopped: Option<Reason>,
}

/// What follows from how a cycle went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is well, or well enough.
    Healthy,
    /// The job goes into quarantine or stays there.
    Quarantine(Reason),
    /// An initial cycle with too many failures: what failed is not tried again, and the job is paused for somebody to
    /// look at it.
    PruneAndPause(Reason),
}

impl Thresholds {
    /// What follows from how a cycle went.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome) -> Verdict {
        match (outcome.stopped, self.reached(outcome)) {
            (Some(reason), _) => Verdict::Quarantine(reason),
            (None, None) => Verdict::Healthy,
            (None, Some(reason)) if outcome.initial => Verdict::PruneAndPause(reason),
            (None, Some(reason)) => Verdict::Quarantine(reason),
        }
    }

    fn reached(&self, outcome: &Outcome) -> Option<Reason> {
        let failed = u128::from(outcome.failed);
        let events = failed + u128::from(outcome.succeeded);
        if failed + u128::from(outcome.failed_references) > u128::from(self.total) {
            return Some(Reason::EncounteredTotalEscrowThreshold);
        }
        if outcome.failed < self.evaluated_from {
            return None;
        }
        if outcome.failed > self.objects {
            return Some(Reason::EncounteredBaseEscrowThreshold);
        }
        (failed * 100 > events * u128::from(self.percent))
            .then_some(Reason::EncounteredEscrowProportionThreshold)
    }
}

/// A job in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantine {
    /// Why.
    pub reason: Reason,
    /// Since when for this reason.
    pub current_began: Timestamp,
    /// Since when at all.
    pub series_began: Timestamp,
    /// How many cycles have ended in quarantine since.
    pub series_count: u32,
    /// When the next cycle runs.
    pub next_attempt: Timestamp,
}

/// What changes for a job as a cycle ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The job was not in quarantine and is not.
    Active,
    /// It goes into quarantine; people are told.
    Entered(Quarantine),
    /// It stays there for another reason; people are told.
    ReasonChanged(Quarantine),
    /// It stays there.
    Stays(Quarantine),
    /// It leaves: the cycle went well.
    Left,
    /// It was there for four weeks and is disabled; people are told.
    Disabled,
}

impl Change {
    /// The quarantine that the job is in now.
    #[must_use]
    pub fn quarantine(&self) -> Option<Quarantine> {
        match self {
            Self::Entered(now) | Self::ReasonChanged(now) | Self::Stays(now) => Some(*now),
            Self::Active | Self::Left | Self::Disabled => None,
        }
    }

    /// Whether a mail goes to those who are to be notified.
    #[must_use]
    pub fn is_told(&self) -> bool {
        matches!(
            self,
            Self::Entered(_) | Self::ReasonChanged(_) | Self::Disabled
        )
    }
}

/// What changes as a cycle ends with this reason for quarantine, or with none. `interval` is the time between the
/// cycles of a healthy job: in quarantine it doubles with each of them, up to a day.
#[must_use]
pub fn after_cycle(
    current: Option<&Quarantine>,
    reason: Option<Reason>,
    now: Timestamp,
    interval: SignedDuration,
) -> Change {
    let Some(reason) = reason else {
        return current.map_or(Change::Active, |_| Change::Left);
    };
    let Some(current) = current else {
        return Change::Entered(Quarantine {
            reason,
            current_began: now,
            series_began: now,
            series_count: 1,
            next_attempt: later(now, wait(interval, 1)),
        });
    };
    let series_began = current.series_began.min(now);
    if now.duration_since(series_began) > DISABLED_AFTER {
        return Change::Disabled;
    }
    let changed = current.reason != reason;
    let series_count = current.series_count.saturating_add(1);
    let next = Quarantine {
        reason,
        current_began: if changed {
            now
        } else {
            current.current_began.min(now)
        },
        series_began,
        series_count,
        next_attempt: later(now, wait(interval, series_count)),
    };
    if changed {
        Change::ReasonChanged(next)
    } else {
        Change::Stays(next)
    }
}

/// How long to wait after that many cycles in quarantine.
fn wait(interval: SignedDuration, cycles: u32) -> SignedDuration {
    let shortest = SignedDuration::from_mins(1);
    let factor = 1_i32.checked_shl(cycles.min(30)).unwrap_or(i32::MAX);
    let doubled = interval.max(shortest).checked_mul(factor);
    // A job that runs once a week is not hurried by being in quarantine.
    doubled.unwrap_or(RAREST).min(RAREST.max(interval))
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: SignedDuration = SignedDuration::from_mins(5);
    const REFUSED: Reason = Reason::EncounteredQuarantineException;

    fn minutes(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn outcome(succeeded: u64, failed: u64, failed_references: u64) -> Outcome {
        Outcome {
            succeeded,
            failed,
            failed_references,
            ..Outcome::default()
        }
    }

    #[test]
    fn entras_examples() {
        use Reason::{
            EncounteredBaseEscrowThreshold as Base,
            EncounteredEscrowProportionThreshold as Proportion,
            EncounteredTotalEscrowThreshold as Total,
        };
        let cases = [
            ("4 000 failures", outcome(0, 4_000, 0), None),
            ("45 000 failures", outcome(1_000_000, 45_000, 0), Some(Base)),
            (
                "30 000 and 5 000 well",
                outcome(5_000, 30_000, 0),
                Some(Proportion),
            ),
            ("20 000 and 100 000 well", outcome(100_000, 20_000, 0), None),
            (
                "40 000 and 21 000 references",
                outcome(1_000_000, 40_000, 21_000),
                Some(Total),
            ),
            (
                "40 000 are not more than 40 000",
                outcome(1_000_000, 40_000, 0),
                None,
            ),
            (
                "40 percent are not more than 40",
                outcome(9_000, 6_000, 0),
                None,
            ),
            ("references alone", outcome(10, 0, 60_000), None),
            ("one reference more", outcome(10, 0, 60_001), Some(Total)),
            ("just evaluated", outcome(0, 5_000, 0), Some(Proportion)),
            ("just not evaluated", outcome(0, 4_999, 0), None),
            ("nothing happened", outcome(0, 0, 0), None),
        ];
        let thresholds = Thresholds::default();
        for (name, outcome, reason) in cases {
            let verdict = reason.map_or(Verdict::Healthy, Verdict::Quarantine);
            assert_eq!(thresholds.judge(&outcome), verdict, "{name}");
            let initial = Outcome {
                initial: true,
                ..outcome
            };
            let verdict = reason.map_or(Verdict::Healthy, Verdict::PruneAndPause);
            assert_eq!(thresholds.judge(&initial), verdict, "{name}, initial");
        }
    }

    #[test]
    fn refused_credentials_need_no_count() {
        for initial in [false, true] {
            let stopped = Outcome {
                initial,
                stopped: Some(REFUSED),
                ..outcome(100_000, 0, 0)
            };
            assert_eq!(
                Thresholds::default().judge(&stopped),
                Verdict::Quarantine(REFUSED)
            );
        }
    }

    #[test]
    fn thresholds_may_be_chosen() {
        let thresholds = Thresholds {
            evaluated_from: 5,
            percent: 50,
            ..Thresholds::default()
        };
        let reason = Reason::EncounteredEscrowProportionThreshold;
        assert_eq!(
            thresholds.judge(&outcome(4, 6, 0)),
            Verdict::Quarantine(reason)
        );
        assert_eq!(thresholds.judge(&outcome(5, 5, 0)), Verdict::Healthy);
    }

    #[test]
    fn cycles_become_rarer_until_one_a_day_and_end_after_four_weeks() {
        let mut now = minutes(0);
        let mut change = after_cycle(None, Some(REFUSED), now, INTERVAL);
        assert!(matches!(change, Change::Entered(_)) && change.is_told());
        let mut waits = Vec::new();
        while let Some(quarantine) = change.quarantine() {
            assert!(now.duration_since(quarantine.series_began) <= DISABLED_AFTER);
            waits.push(quarantine.next_attempt.duration_since(now).as_mins());
            now = quarantine.next_attempt;
            change = after_cycle(Some(&quarantine), Some(REFUSED), now, INTERVAL);
            assert!(matches!(change, Change::Stays(_) | Change::Disabled));
        }
        assert_eq!(change, Change::Disabled);
        assert!(change.is_told());
        assert!(now.duration_since(minutes(0)) > DISABLED_AFTER);
        assert_eq!(waits[..9], [10, 20, 40, 80, 160, 320, 640, 1280, 1440]);
        assert!(waits[9..].iter().all(|wait| *wait == 1440));
    }

    #[test]
    fn one_cycle_that_goes_well_ends_it() {
        let entered = after_cycle(None, Some(REFUSED), minutes(0), INTERVAL).quarantine();
        assert_eq!(
            after_cycle(entered.as_ref(), None, minutes(10), INTERVAL),
            Change::Left
        );
        assert_eq!(
            after_cycle(None, None, minutes(10), INTERVAL),
            Change::Active
        );
    }

    #[test]
    fn another_reason_is_told_and_the_series_goes_on() {
        let entered = after_cycle(None, Some(REFUSED), minutes(0), INTERVAL).quarantine();
        let reason = Reason::TooManyDeletes;
        let change = after_cycle(entered.as_ref(), Some(reason), minutes(10), INTERVAL);
        let expected = Quarantine {
            reason,
            current_began: minutes(10),
            series_began: minutes(0),
            series_count: 2,
            next_attempt: minutes(30),
        };
        assert_eq!(change, Change::ReasonChanged(expected));
        assert!(change.is_told());
    }

    proptest! {
        #[test]
        fn the_next_attempt_is_ahead_and_within_a_day_or_the_interval(
            interval in 0_i64..1_000_000,
            cycles in any::<u32>(),
        ) {
            let interval = SignedDuration::from_secs(interval);
            let wait = wait(interval, cycles);
            prop_assert!(wait > SignedDuration::ZERO);
            prop_assert!(wait <= RAREST.max(interval));
            prop_assert!(wait >= interval);
        }
    }
}
