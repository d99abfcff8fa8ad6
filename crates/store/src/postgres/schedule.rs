//! Who writes next: every scope in turn, and none at two sessions at a time.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::Scope;
use crate::job::Job;

#[derive(Default)]
pub(super) struct Schedule {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Jobs that wait, of every scope that has its turn or waits for it.
    waiting: HashMap<Scope, VecDeque<Box<dyn Job>>>,
    /// Scopes that wait for their turn, the longest first.
    turns: VecDeque<Scope>,
    closed: bool,
}

impl Schedule {
    pub(super) fn add(&self, scope: Scope, job: Box<dyn Job>) {
        let mut state = self.state();
        match state.waiting.entry(scope) {
            Entry::Occupied(mut jobs) => jobs.get_mut().push_back(job),
            Entry::Vacant(none) => {
                none.insert(VecDeque::from([job]));
                state.turns.push_back(scope);
                self.changed.notify_one();
            }
        }
    }

    /// Waits for a scope whose turn it is. `None`: there will be no more.
    pub(super) fn next(&self) -> Option<Scope> {
        let mut state = self.state();
        loop {
            if let Some(scope) = state.turns.pop_front() {
                return Some(scope);
            }
            if state.closed {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes up to `count` jobs of a scope whose turn it is.
    pub(super) fn take(&self, scope: Scope, count: usize) -> Vec<Box<dyn Job>> {
        let mut state = self.state();
        let Some(jobs) = state.waiting.get_mut(&scope) else {
            return Vec::new();
        };
        let count = count.min(jobs.len());
        jobs.drain(..count).collect()
    }

    /// Ends the turn of a scope. Jobs that have come meanwhile wait for the next.
    pub(super) fn done(&self, scope: Scope) {
        let mut state = self.state();
        if state
            .waiting
            .get(&scope)
            .is_some_and(|jobs| !jobs.is_empty())
        {
            state.turns.push_back(scope);
            self.changed.notify_one();
        } else {
            state.waiting.remove(&scope);
        }
    }

    /// Has everybody stop who waits for a turn, once there is none.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
