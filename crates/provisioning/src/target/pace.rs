//! How fast one target is asked: so many requests a second, so many at a time, and none while it wants to be left alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::retry::Surroundings;

/// Shared by all clones of a client, because all of them ask the same target.
#[derive(Debug)]
pub(super) struct Pace {
    places: Semaphore,
    parallel: u32,
    /// Time from one request to the next.
    interval: Duration,
    state: Mutex<State>,
    surroundings: Arc<dyn Surroundings>,
}

#[derive(Debug, Default)]
struct State {
    /// When the next request may go.
    next: Option<SystemTime>,
    /// Until when the target wants to be left alone, and since when.
    quiet: Option<Quiet>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quiet {
    until: SystemTime,
    length: Duration,
}

impl Pace {
    /// `per_second` may be a fraction; `None` is as fast as the target answers.
    pub(super) fn new(
        parallel: u32,
        per_second: Option<f64>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Self {
        let interval = per_second.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Self {
            places: Semaphore::new(parallel.max(1) as usize),
            parallel: parallel.max(1),
            interval: interval.unwrap_or_default(),
            state: Mutex::default(),
            surroundings,
        }
    }

    /// Waits until a request may go. Its place is taken until the permit is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there always is a place in the end.
        let place = self.places.acquire().await.ok();
        self.quiet().await;
        let wait = self.book();
        if !wait.is_zero() {
            self.surroundings.pause(wait).await;
        }
        place
    }

    /// Lets nobody ask for a while. Of two such wishes the longer one counts.
    pub(super) fn hold(&self, length: Duration) {
        let until = self.surroundings.now() + length;
        let mut state = self.lock();
        if state.quiet.is_none_or(|quiet| quiet.until < until) {
            state.quiet = Some(Quiet { until, length });
        }
    }

    /// Waits for the quiet to end, and for one that another request brought about meanwhile.
    async fn quiet(&self) {
        let mut waited = None;
        loop {
            let (quiet, now) = (self.lock().quiet, self.surroundings.now());
            let Some(quiet) = quiet.filter(|quiet| Some(*quiet) != waited && quiet.until > now)
            else {
                return;
            };
            // A clock that is set back must not make the quiet longer than it was meant to be.
            let left = quiet.until.duration_since(now).unwrap_or_default();
            self.surroundings.pause(left.min(quiet.length)).await;
            waited = Some(quiet);
        }
    }

    /// Takes the next free moment, and says how far away it is.
    fn book(&self) -> Duration {
        if self.interval.is_zero() {
            return Duration::ZERO;
        }
        let now = self.surroundings.now();
        // Whoever waits holds one of the places, so nobody has more than these before him, whatever the clock says.
        let farthest = now + self.interval * self.parallel;
        let mut state = self.lock();
        let moment = state.next.unwrap_or(now).clamp(now, farthest);
        state.next = Some(moment + self.interval);
        moment.duration_since(now).unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
