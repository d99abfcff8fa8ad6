//! The one place of this crate that reads a clock: to measure how long work took, never to tell the time.

use std::time::Instant;

/// Starts measuring.
#[expect(
    clippy::disallowed_methods,
    reason = "durations decide how long a commit group collects and what the statistics say; no result of a transaction depends on them"
)]
pub(crate) fn stopwatch() -> Instant {
    Instant::now()
}
