//! Time as an argument: microseconds since 1970 UTC, from a clock that tests can hold still.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Gives the current time. Nothing else in the program asks the machine for it.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;

    /// How long it is since some moment in the past, the same for the life of the process. It never goes back and
    /// nobody can set it: for ages, where the time of day would be wrong.
    fn steady(&self) -> Duration {
        machine_steady()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// The time since the first call.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's steady clock"
)]
fn machine_steady() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
