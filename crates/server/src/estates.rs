//! The hosts and grants of teams, remembered: decisions about access need all of them, and they change seldom.
//!
//! They are forgotten at once when an admin changes anything here, and another server hears of it. What nobody has said is
//! asked for after a second: whether they are still the same is one look-up by key.

use crate::app::App;
use portreeve_directory::Refusal;
use portreeve_directory::access::{self, Access};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long they are taken for the same.
const LIFE: Duration = Duration::from_secs(1);

/// What is remembered, by team.
#[derive(Debug, Default)]
pub(crate) struct Estates(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Rises when something has changed: what was read before counts no longer as of now.
    epoch: u64,
    teams: HashMap<String, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    access: Arc<Access>,
    /// In which epoch, and when by the steady clock, it was the same as in the database.
    seen: (u64, Duration),
}

impl Estates {
    /// Something has changed.
    pub(crate) fn look_again(&self) {
        self.lock().epoch += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// The hosts and grants of a team, as they are now on this server, and at most a second ago on another one.
    pub(crate) async fn access(&self, team_id: &str) -> Result<Arc<Access>, Refusal> {
        let now = self.clock.steady();
        let (epoch, known) = {
            let known = self.estates.lock();
            (known.epoch, known.teams.get(team_id).cloned())
        };
        let is_fresh = |entry: &Entry| entry.seen.0 == epoch && now < entry.seen.1 + LIFE;
        if let Some(entry) = known.as_ref().filter(|entry| is_fresh(entry)) {
            return Ok(entry.access.clone());
        }
        let of = team_id.to_owned();
        let version = self.store.lookup(move |tx| access::version(tx, &of));
        let version: i64 = version.await?;
        let access = match known.filter(|entry| entry.access.version == version) {
            Some(entry) => entry.access,
            None => {
                let of = team_id.to_owned();
                let read = self.store.read(move |tx| access::of_team(tx, &of));
                Arc::new(read.await?)
            }
        };
        let entry = Entry {
            access: access.clone(),
            seen: (epoch, now),
        };
        self.estates.lock().teams.insert(team_id.to_owned(), entry);
        Ok(access)
    }
}
