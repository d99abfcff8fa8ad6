//! Identifiers: UUIDv7, rising even within one millisecond, so that their order is the order in which they were made.

use std::fmt;
use std::sync::Mutex;
use uuid::{ContextV7, Timestamp, Uuid};

/// Makes ids. One per process.
pub struct Ids {
    context: Mutex<ContextV7>,
    /// No id is made for a time before this one (microseconds since 1970 UTC).
    floor: i64,
}

impl Ids {
    /// A new source of ids.
    pub fn new() -> Self {
        Self::after(None)
    }

    /// A source of ids that are all later than `last`, which an earlier process has made: the order of ids is the order
    /// of commits even when the machine's clock was set back in between.
    pub fn after(last: Option<Uuid>) -> Self {
        let time = last.and_then(|last| last.get_timestamp()).map(|time| {
            let (seconds, nanos) = time.to_unix();
            let micros = i64::try_from(seconds)
                .unwrap_or(0)
                .saturating_mul(1_000_000);
            micros.saturating_add(i64::from(nanos) / 1000)
        });
        Self {
            context: Mutex::new(ContextV7::new()),
            // Ids have milliseconds, and the counter within one is not known any more.
            floor: time.map_or(0, |time| time.saturating_add(1000)),
        }
    }

    /// The next id at that time (microseconds since 1970 UTC). Ids of one `Ids` rise as long as `now` does not go back.
    pub fn next(&self, now: i64) -> Uuid {
        let now = u64::try_from(now.max(self.floor)).unwrap_or(0);
        let nanos = u32::try_from(now % 1_000_000).unwrap_or(0) * 1000;
        let context = self
            .context
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, now / 1_000_000, nanos))
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_within_one_instant() {
        let ids = Ids::new();
        let made: Vec<_> = (0..1000).map(|_| ids.next(1_700_000_000_000_000)).collect();
        assert!(made.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn ids_rise_over_a_restart_and_a_clock_that_was_set_back() {
        let now = 1_700_000_000_000_000;
        let last = Ids::new().next(now);
        let ids = Ids::after(Some(last));
        let made = [now, now - 3_600_000_000, 0, now + 1].map(|now| ids.next(now));
        assert!(last < made[0], "{last} {made:?}");
        assert!(made.windows(2).all(|w| w[0] < w[1]), "{made:?}");
    }
}
