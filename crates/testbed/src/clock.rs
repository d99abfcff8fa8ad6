//! A clock that moves when a test says so.

use portreeve_server::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Stands still at a moment until it is moved. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicI64>);

/// 2026-01-05T08:00:00Z, a Monday.
const START: i64 = 1_767_600_000_000_000;

impl TestClock {
    /// Moves on.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Moves to a time (microseconds since 1970 UTC).
    pub fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    /// At the beginning of a working week.
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
