//! Counting events for charts. Two servers that do it at once count nothing twice, because the place up to which events are
//! counted moves in the same transaction.

use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_directory::event_counts::{self, HOUR};
use portreeve_directory::{Refusal, teams};
use portreeve_store::Scope;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How far charts may lag behind.
const PAUSE: Duration = Duration::from_secs(3);
/// For how many hours counts are kept.
const KEPT: i64 = 400 * 24;

/// Counts until the server stops.
pub(crate) async fn count_events(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = count(&app).await {
            // Whoever waits for the database says so; charts can wait.
            tracing::debug!(%error, "events were not counted; it is tried again");
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn count(app: &App) -> Result<(), Refusal> {
    let oldest = app.clock.now() / HOUR - KEPT;
    let behind = app.store.read(|tx| -> Result<_, Refusal> {
        let mut behind = Vec::new();
        for team in teams::list(tx)? {
            if event_counts::is_behind(tx, &team.id)? {
                behind.push(team.id);
            }
        }
        Ok(behind)
    });
    for team in behind.await? {
        loop {
            let of = team.clone();
            let more = app
                .store
                .write(Scope::of(&team), move |tx| -> Result<_, Refusal> {
                    event_counts::prune(tx, &of, oldest)?;
                    event_counts::advance(tx, &of)
                });
            if !more.await? {
                break;
            }
        }
    }
    Ok(())
}
