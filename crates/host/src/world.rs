//! What a program has of the world and tests have not: the time, chance, and patience.

use jiff::Timestamp;
use std::time::Duration;

/// The world outside.
pub trait World: Send + Sync {
    /// The time of day, as the machine has it. It may be wrong, and may jump.
    fn now(&self) -> Timestamp;

    /// Time on a clock that nobody sets, for lengths of time.
    fn steady(&self) -> Duration;

    /// A number from 0 up to 1, by chance.
    fn chance(&self) -> f64;

    /// Waits.
    fn sleep(&self, length: Duration);

    /// Says something to whoever reads the log.
    fn say(&self, level: Level, text: &str);
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Somebody should do something.
    Warning,
    /// What was done.
    Info,
}
