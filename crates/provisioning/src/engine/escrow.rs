//! When an object that failed is tried again.

use jiff::{SignedDuration, Timestamp};

use super::codes::{Code, Retry};

/// Hours after the first failure at which an object is tried again; after the last of them, every 24 hours.
const RETRIES: [i64; 3] = [6, 12, 24];

/// How long an object is tried before it is given up.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(28 * 24);

/// The shortest time between two tries.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);

/// A failure that is to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escrow {
    /// What went wrong last.
    pub code: Code,
    /// When the object failed first.
    pub first_at: Timestamp,
    /// How often it was tried again since.
    pub attempts: u32,
    /// Not before then is it tried again; `None` where only a change of the object, the mappings or the scope can help.
    pub next_at: Option<Timestamp>,
}

impl Escrow {
    /// An object has failed, for the first time or as it was tried again. `None` when it is given up, 28 days after the
    /// first failure.
    #[must_use]
    pub fn failed(earlier: Option<&Self>, code: Code, now: Timestamp) -> Option<Self> {
        let first_at = earlier.map_or(now, |earlier| earlier.first_at.min(now));
        let elapsed = now.duration_since(first_at);
        if elapsed >= GIVEN_UP {
            return None;
        }
        let wait = match code.retry() {
            Retry::Soon => Some(elapsed.max(SHORTEST).min(until_next(elapsed))),
            Retry::Later => Some(until_next(elapsed)),
            Retry::OnChange => None,
        };
        Some(Self {
            code,
            first_at,
            attempts: earlier.map_or(0, |earlier| earlier.attempts.saturating_add(1)),
            next_at: wait.map(|wait| now.saturating_add(wait).unwrap_or(Timestamp::MAX)),
        })
    }

    /// Whether it is time to try again.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_at.is_some_and(|next| next <= now)
    }

    /// An error's text with the counter that Entra puts behind it.
    #[must_use]
    pub fn describe(&self, error: &str) -> String {
        let tried = match self.attempts {
            1 => "1 time".to_owned(),
            several => format!("{several} times"),
        };
        let error = error.trim_end().trim_end_matches('.');
        match self.next_at {
            Some(next) => format!(
                "{error}. This operation was retried {tried}. It will be retried again after this date: {} UTC",
                next.strftime("%Y-%m-%dT%H:%M:%S")
            ),
            None => format!(
                "{error}. It will be tried again when the object, its mappings or the scope change"
            ),
        }
    }
}

/// From that long after the first failure to the next try by the documented plan, which counts from the first failure.
fn until_next(elapsed: SignedDuration) -> SignedDuration {
    let hours = elapsed.as_hours();
    let daily = (hours / 24 + 1) * 24;
    let next = RETRIES.into_iter().find(|retry| *retry > hours);
    SignedDuration::from_hours(next.unwrap_or(daily)) - elapsed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    /// Fails again at every time that the escrow names.
    fn run(code: Code) -> Vec<Timestamp> {
        let mut escrow = Escrow::failed(None, code, after(0)).unwrap();
        let mut times = Vec::new();
        while let Some(next) = escrow.next_at {
            times.push(next);
            match Escrow::failed(Some(&escrow), code, next) {
                Some(again) => escrow = again,
                None => break,
            }
        }
        times
    }

    #[test]
    fn what_a_person_must_repair_is_tried_after_6_12_24_hours_and_then_daily_for_28_days() {
        let days = (1..=28).map(|day| day * 24);
        let expected: Vec<_> = [6, 12].into_iter().chain(days).map(after).collect();
        assert_eq!(run(Code::EntryConflict), expected);
    }

    #[test]
    fn what_may_pass_is_tried_soon_with_widening_gaps() {
        let times = run(Code::Timeout);
        let minutes: Vec<_> = times
            .iter()
            .take(8)
            .map(|time| time.as_second() / 60)
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128]);
        assert_eq!(times.last(), Some(&after(28 * 24)));
        assert!(times.contains(&after(6)) && times.contains(&after(24 * 7)));
    }

    #[test]
    fn what_only_a_change_can_help_waits_for_it() {
        let escrow = Escrow::failed(None, Code::ImportSkipped, after(0)).unwrap();
        assert_eq!(escrow.next_at, None);
        assert!(!escrow.is_due(after(24 * 365)));
        assert_eq!(
            escrow.describe("userName has no value."),
            "userName has no value. It will be tried again when the object, its mappings or the scope change"
        );
    }

    #[test]
    fn the_text_counts_the_tries() {
        let first = Escrow::failed(None, Code::EntryConflict, after(0)).unwrap();
        assert_eq!(
            first.describe("userName is taken"),
            "userName is taken. This operation was retried 0 times. It will be retried again after this date: 1970-01-01T06:00:00 UTC"
        );
        let second = Escrow::failed(Some(&first), Code::EntryConflict, after(6)).unwrap();
        assert!(second.describe("no").contains("retried 1 time."));
        assert_eq!(
            (first.is_due(after(5)), first.is_due(after(6))),
            (false, true)
        );
    }

    #[test]
    fn a_long_pause_skips_tries_and_28_days_end_it() {
        let first = Escrow::failed(None, Code::EntryConflict, after(0)).unwrap();
        let late = Escrow::failed(Some(&first), Code::EntryConflict, after(100)).unwrap();
        assert_eq!(late.next_at, Some(after(120)));
        assert_eq!(
            Escrow::failed(Some(&late), Code::EntryConflict, after(28 * 24)),
            None
        );
    }

    proptest! {
        #[test]
        fn the_next_try_is_ahead_and_at_most_a_day_away(
            code in prop::sample::select(Code::ALL.to_vec()),
            first in 0_i64..4_000_000_000,
            later in -4_000_000_i64..4_000_000,
        ) {
            let at = |second| Timestamp::from_second(second).unwrap();
            let escrow = Escrow::failed(None, code, at(first)).unwrap();
            let now = at(first + later);
            // The clock may have been set back.
            if let Some(again) = Escrow::failed(Some(&escrow), code, now) {
                prop_assert_eq!(again.attempts, 1);
                if let Some(next) = again.next_at {
                    let wait = next.duration_since(now);
                    prop_assert!(wait > SignedDuration::ZERO, "{wait:?}");
                    prop_assert!(wait <= SignedDuration::from_hours(24), "{wait:?}");
                }
            } else {
                prop_assert!(later >= 28 * 24 * 3600);
            }
        }
    }
}
