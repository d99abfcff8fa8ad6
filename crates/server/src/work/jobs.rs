//! What the rest of the server has to do with the jobs of applications that run on it.

use crate::app::App;
use portreeve_provisioning::job::Progress;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// What the rest of the server has to do with jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    known: Mutex<Known>,
    look: Notify,
}

#[derive(Default)]
struct Known {
    /// Applications at whose source something has happened.
    nudged: HashSet<String>,
    /// Cycles that run on this server.
    progress: HashMap<String, watch::Receiver<Progress>>,
    /// Why an application cannot be opened.
    trouble: HashMap<String, String>,
    /// Applications that somebody works on, be it a cycle or an admin who provisions somebody at once.
    turns: HashSet<String>,
    /// An admin has changed something since the last look.
    changed: bool,
}

/// The right to work on an application on this server, until it is dropped.
pub(crate) struct Turn {
    app: Arc<App>,
    id: String,
}

impl Turn {
    /// The turn, unless somebody else has it.
    pub(crate) fn take(app: &Arc<App>, id: &str) -> Option<Self> {
        let is_free = app.jobs.known().turns.insert(id.to_owned());
        is_free.then(|| Self {
            app: app.clone(),
            id: id.to_owned(),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.jobs.known().turns.remove(&self.id);
    }
}

impl Jobs {
    /// An admin has changed something about applications.
    pub(crate) fn look(&self) {
        let mut known = self.known();
        known.trouble.clear();
        known.changed = true;
        self.look.notify_one();
    }

    /// Ends when there is something to look at: whether an admin has changed something.
    pub(super) async fn asked(&self) -> bool {
        self.look.notified().await;
        std::mem::take(&mut self.known().changed)
    }

    /// Something has happened at an application's source.
    pub(super) fn nudge(&self, id: &str) {
        self.known().nudged.insert(id.to_owned());
        self.look.notify_one();
    }

    /// How far the cycle of an application has come that runs on this server.
    pub(crate) fn progress(&self, id: &str) -> Option<Progress> {
        let known = self.known();
        known.progress.get(id).map(|progress| *progress.borrow())
    }

    /// Why the job of an application does not run on this server although it should.
    pub(crate) fn trouble(&self, id: &str) -> Option<String> {
        self.known().trouble.get(id).cloned()
    }

    /// Whether something has happened at an application's source since its last cycle began.
    pub(super) fn is_nudged(&self, id: &str) -> bool {
        self.known().nudged.contains(id)
    }

    /// A cycle begins on this server.
    pub(super) fn begins(&self, id: &str, progress: watch::Receiver<Progress>) {
        let mut known = self.known();
        known.nudged.remove(id);
        known.trouble.remove(id);
        known.progress.insert(id.to_owned(), progress);
    }

    /// It does not run any more.
    pub(super) fn ends(&self, id: &str) {
        self.known().progress.remove(id);
    }

    /// An application cannot be opened.
    pub(super) fn fails(&self, id: &str, trouble: String) {
        self.known().trouble.insert(id.to_owned(), trouble);
    }

    /// Another server has the application's lease.
    pub(super) fn leaves(&self, id: &str) {
        self.known().nudged.remove(id);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
