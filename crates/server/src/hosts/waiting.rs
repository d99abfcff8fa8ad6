//! Hosts that wait for news: for another version of their policy, or for something to be revoked in their team.
//!
//! All who wait for a team share one look at what has changed. It is taken when this server has committed something or hears
//! that another one has, and every second besides. A change wakes the hosts that it concerns; one that waits costs a place
//! in a map.

use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_directory::Refusal;
use portreeve_directory::host_policies::{self, News};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The longest that a change of another server goes unnoticed.
const TICK: Duration = Duration::from_secs(1);
/// A busy team changes thousands of times a second; it is looked at this often.
const BREATH: Duration = Duration::from_millis(20);

/// What a host has, beyond which it waits for news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Has {
    /// The version of its policy.
    pub(crate) policy: u64,
    /// That of the list of what is revoked, as [`crate::ca`]'s list says it.
    pub(crate) revoked: i64,
}

/// The hosts that wait, by team.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<HashMap<String, Team>>);

#[derive(Debug)]
struct Team {
    /// The position of what was revoked last.
    revoked: watch::Sender<i64>,
    /// The versions of policies, by host.
    hosts: HashMap<String, watch::Sender<u64>>,
}

/// One host that waits. When it does no more, its place is free.
struct Place {
    app: Arc<App>,
    team_id: String,
    host_id: String,
    version: watch::Receiver<u64>,
    revoked: watch::Receiver<i64>,
}

/// Waits until there is another version of a host's policy, or something was revoked, or that much time has passed, or the
/// server is to stop. Whether there are news.
pub(crate) async fn changed(
    app: &Arc<App>,
    team_id: &str,
    host_id: &str,
    has: Has,
    wait: Duration,
) -> Result<bool, Refusal> {
    // Whoever has a place first and then looks misses nothing.
    let mut place = Place::take(app, team_id, host_id);
    let (team, host) = (team_id.to_owned(), host_id.to_owned());
    let look = app
        .store
        .lookup(move |tx| host_policies::version(tx, &team, &host));
    let looked: Result<(i64, News), Refusal> = look.await;
    let (version, news) = looked?;
    if version.unsigned_abs() > has.policy || news.revoked > has.revoked {
        return Ok(true);
    }
    let mut stop = app.stop.clone();
    let news = async {
        tokio::select! {
            // An error means that the server stops.
            told = place.version.wait_for(|version| *version > has.policy) => told.is_ok(),
            told = place.revoked.wait_for(|revoked| *revoked > has.revoked) => told.is_ok(),
        }
    };
    tokio::select! {
        () = asked_to_stop(&mut stop) => Ok(false),
        () = tokio::time::sleep(wait) => Ok(false),
        has_news = news => Ok(has_news),
    }
}

impl Place {
    fn take(app: &Arc<App>, team_id: &str, host_id: &str) -> Self {
        let mut teams = app.waiting.lock();
        let team = match teams.entry(team_id.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                tokio::spawn(look_after(app.clone(), team_id.to_owned()));
                place.insert(Team {
                    revoked: watch::channel(0).0,
                    hosts: HashMap::new(),
                })
            }
        };
        let revoked = team.revoked.subscribe();
        let host = team.hosts.entry(host_id.to_owned());
        let version = host.or_insert_with(|| watch::channel(0).0).subscribe();
        Self {
            app: app.clone(),
            team_id: team_id.to_owned(),
            host_id: host_id.to_owned(),
            version,
            revoked,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut teams = self.app.waiting.lock();
        if let Some(team) = teams.get_mut(&self.team_id)
            && let Entry::Occupied(host) = team.hosts.entry(self.host_id.clone())
            && host.get().receiver_count() <= 1
        {
            host.remove();
        }
    }
}

/// Looks what has changed in a team until nobody waits any more or the server stops.
async fn look_after(app: Arc<App>, team_id: String) {
    let mut commits = app.news.subscribe();
    let mut stop = app.stop.clone();
    // The first look finds all policies, for those who have looked before it.
    let mut seen = News::default();
    loop {
        commits.mark_unchanged();
        match look(&app, &team_id, seen).await {
            Ok((news, changed)) => {
                seen = news;
                if !app.waiting.tell(&team_id, news, changed) {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "changes for hosts could not be read; it is tried again in a second");
            }
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => break,
            () = tokio::time::sleep(TICK) => {}
            changed = commits.changed() => if changed.is_err() { break },
        }
        tokio::time::sleep(BREATH).await;
    }
    // Without the senders, those who wait stop waiting.
    app.waiting.lock().remove(&team_id);
}

/// What is new in a team, and the versions of the policies that have changed since.
async fn look(app: &App, team_id: &str, seen: News) -> Result<(News, Vec<(String, i64)>), Refusal> {
    let team = team_id.to_owned();
    let look = app.store.lookup(move |tx| host_policies::news(tx, &team));
    let news: News = look.await?;
    if news.wave == seen.wave {
        return Ok((news, Vec::new()));
    }
    let team = team_id.to_owned();
    let read = app.store.read(move |tx| {
        Ok::<_, Refusal>((
            host_policies::news(tx, &team)?,
            host_policies::since(tx, &team, seen.wave)?,
        ))
    });
    read.await
}

impl Waiting {
    /// Tells those who wait. `false`, and all is forgotten, when there are none.
    fn tell(&self, team_id: &str, news: News, changed: Vec<(String, i64)>) -> bool {
        let mut teams = self.lock();
        let Some(team) = teams.get(team_id).filter(|team| !team.hosts.is_empty()) else {
            teams.remove(team_id);
            return false;
        };
        let known = |known: &mut i64| std::mem::replace(known, news.revoked) != news.revoked;
        team.revoked.send_if_modified(known);
        for (host_id, version) in changed {
            if let Some(host) = team.hosts.get(&host_id) {
                host.send_replace(version.unsigned_abs());
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Team>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
