//! Keys of certificate authorities: those whose turn has come take over, those that nobody needs any more are forgotten, and
//! those that end get successors.
//!
//! Two servers that do it at once do nothing twice, because what is due is looked for in the transaction that does it.

use super::retention::Time;
use crate::app::App;
use crate::ca;
use crate::http::asked_to_stop;
use portreeve_directory::authorities;
use std::sync::Arc;
use tokio::sync::watch;

/// Looks after the keys, until the server stops. Nothing is done while the clock is being set.
pub(crate) async fn turn_keys(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut last: Option<Time> = None;
    loop {
        let time = Time::of(&app).await;
        if let (Some(last), Some(time)) = (&last, &time)
            && time.follows(last)
            && let Err(error) = turn(&app, time.day()).await
        {
            tracing::warn!(%error, "keys of the certificate authority were not looked after; it is tried again");
        }
        last = time;
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(app.config.pace.cycles) => {}
        }
    }
}

async fn turn(app: &App, now: i64) -> Result<(), ca::Error> {
    let due = app
        .store
        .lookup(move |tx| authorities::teams_with_due(tx, now));
    for team_id in due.await? {
        ca::turn(app, &team_id, now).await?;
    }
    Ok(())
}
