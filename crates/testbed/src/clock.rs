//! A clock that moves when a test says so.

use portreeve_server::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// Stands still at a moment until it is moved. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Times>);

#[derive(Debug)]
struct Times {
    /// Microseconds since 1970 UTC.
    day: AtomicI64,
    /// Microseconds that have passed.
    steady: AtomicI64,
}

/// 2026-01-05T08:00:00Z, a Monday.
const START: i64 = 1_767_600_000_000_000;

impl TestClock {
    /// Moves on.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.steady.fetch_add(micros, Ordering::SeqCst);
        self.0.day.fetch_add(micros, Ordering::SeqCst);
    }

    /// The time of day.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        let micros = u64::try_from(self.now()).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
    }

    /// Is set to a time of day (microseconds since 1970 UTC), without any passing.
    pub fn set(&self, micros: i64) {
        self.0.day.store(micros, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    /// At the beginning of a working week.
    fn default() -> Self {
        Self(Arc::new(Times {
            day: AtomicI64::new(START),
            steady: AtomicI64::new(0),
        }))
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.day.load(Ordering::SeqCst)
    }

    fn steady(&self) -> Duration {
        let micros = self.0.steady.load(Ordering::SeqCst);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}
