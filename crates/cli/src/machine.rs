//! The clock and the chance of this machine, for the engine.

use portreeve_provisioning::target::Surroundings;
use portreeve_server::{Clock, SystemClock};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// This machine.
#[derive(Debug)]
pub(crate) struct Machine;

impl Surroundings for Machine {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(u64::try_from(SystemClock.now()).unwrap_or(0))
    }

    /// The standard library seeds its hashers from the machine's randomness; that is enough for what is no secret.
    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}
