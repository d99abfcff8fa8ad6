//! Waiting at the end of a team's feed.
//!
//! All who wait for a team share one look at where its feed ends. It is taken when this server has committed something,
//! and every second besides, because nobody need hear of what other servers commit.

use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_directory::{Refusal, events};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The longest that a change of another server goes unnoticed.
const TICK: Duration = Duration::from_secs(1);
/// A busy team changes thousands of times a second; those who wait hear of it this often.
const BREATH: Duration = Duration::from_millis(50);

/// The ends of the feeds that somebody waits at, by team.
#[derive(Debug, Default)]
pub(crate) struct Feeds(Mutex<HashMap<String, watch::Sender<i64>>>);

/// Where the feed of a team ends, from now on and as long as somebody keeps the receiver. It is 0 until it is known.
///
/// Whoever marks it as seen, then reads the feed, then waits for it to change, misses nothing.
pub(crate) fn end(app: &Arc<App>, team_id: &str) -> watch::Receiver<i64> {
    match app.feeds.lock().entry(team_id.to_owned()) {
        Entry::Occupied(known) => known.get().subscribe(),
        Entry::Vacant(place) => {
            let (sender, receiver) = watch::channel(0);
            place.insert(sender);
            tokio::spawn(look_after(app.clone(), team_id.to_owned()));
            receiver
        }
    }
}

/// Looks where the feed ends until nobody waits any more or the server stops.
async fn look_after(app: Arc<App>, team_id: String) {
    let mut news = app.news.subscribe();
    let mut stop = app.stop.clone();
    loop {
        news.mark_unchanged();
        let team = team_id.clone();
        let look = app.store.lookup(move |tx| events::last(tx, &team));
        let end: Result<i64, Refusal> = look.await;
        if let Err(error) = &end {
            tracing::debug!(%error, "the end of a feed could not be read; it is tried again in a second");
        }
        if !app.feeds.tell(&team_id, end.ok()) {
            return;
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => break,
            () = tokio::time::sleep(TICK) => {}
            // An error means that the server is gone, and the process with it.
            changed = news.changed() => if changed.is_err() { break },
        }
        tokio::time::sleep(BREATH).await;
    }
    // Without the sender, those who wait stop waiting.
    app.feeds.lock().remove(&team_id);
}

impl Feeds {
    /// Tells those who wait. `false`, and all is forgotten, when there are none.
    fn tell(&self, team_id: &str, end: Option<i64>) -> bool {
        let mut feeds = self.lock();
        let Some(sender) = feeds.get(team_id).filter(|sender| !sender.is_closed()) else {
            feeds.remove(team_id);
            return false;
        };
        if let Some(end) = end {
            sender.send_if_modified(|known| std::mem::replace(known, end) != end);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<i64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
