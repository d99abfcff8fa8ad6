//! The world as this machine has it: here, at the edge, are its clocks and its chance.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use jiff::Timestamp;
use portreeve_host::world::{Level, World};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// This machine.
#[derive(Debug)]
pub(crate) struct Machine {
    started: Instant,
    /// Whether the journal reads what is said, and with it how much that matters (sd-daemon(3)).
    is_journal: bool,
}

impl Machine {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others are passed"
    )]
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            is_journal: std::env::var_os("JOURNAL_STREAM").is_some(),
        }
    }
}

impl World for Machine {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others are passed"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn steady(&self) -> Duration {
        self.started.elapsed()
    }

    fn chance(&self) -> f64 {
        let mut bytes = [0; 4];
        // Without random numbers everybody waits equally long.
        let _ = SystemRandom::new().fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }

    fn sleep(&self, length: Duration) {
        std::thread::sleep(length);
    }

    fn say(&self, level: Level, text: &str) {
        let priority = match (self.is_journal, level) {
            (true, Level::Warning) => "<4>",
            (true, Level::Info) => "<6>",
            (false, Level::Warning) => "warning: ",
            (false, Level::Info) => "",
        };
        // Where it cannot be said, as on a full disk, the work goes on.
        let _ = writeln!(io::stderr(), "{priority}{text}");
    }
}
