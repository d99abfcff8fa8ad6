//! Identifiers: UUIDv7, unique on any number of servers, and roughly in the order in which they were made, which keeps
//! new rows together. Nothing relies on the order: events have positions for that.

use std::fmt;
use std::sync::Mutex;
use uuid::{ContextV7, Timestamp, Uuid};

/// Makes ids. One per process.
pub struct Ids {
    context: Mutex<ContextV7>,
}

impl Ids {
    /// A new source of ids.
    pub fn new() -> Self {
        Self {
            context: Mutex::new(ContextV7::new()),
        }
    }

    /// The next id at that time (microseconds since 1970 UTC). Ids of one `Ids` rise as long as `now` does not go back.
    pub fn next(&self, now: i64) -> Uuid {
        let now = u64::try_from(now).unwrap_or(0);
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
}
