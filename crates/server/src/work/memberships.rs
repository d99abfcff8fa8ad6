//! Memberships that were added here for a time: once it is over they are cleared away, with an event each.
//!
//! Nobody is let in by one that has ended, whenever that happens. Two servers that do it at once clear nothing away twice,
//! because the row and the event go in one transaction. A clock that is wrong must not end what was granted: nothing is
//! cleared away while the time of day does not go on as the steady clock of the machine does.

use super::retention::Time;
use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_directory::{Actor, Call, Refusal, directories, local_members};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long one may stand there after its end.
const PAUSE: Duration = Duration::from_secs(3);
/// Memberships per transaction.
const BATCH: i64 = 500;

/// Clears away what has ended, until the server stops.
pub(crate) async fn end_memberships(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut last: Option<Time> = None;
    loop {
        let time = Time::of(&app).await;
        if let (Some(last), Some(time)) = (&last, &time)
            && time.follows(last)
            && let Err(error) = clear(&app, time.day()).await
        {
            tracing::debug!(%error, "memberships that have ended were not cleared away; it is tried again");
        }
        last = time;
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn clear(app: &Arc<App>, now: i64) -> Result<(), Refusal> {
    loop {
        let ended = app.store.lookup(move |tx| {
            let mut ended = Vec::new();
            for id in local_members::ended(tx, now, BATCH)? {
                ended.push(directories::by_id(tx, &id)?);
            }
            Ok::<_, Refusal>(ended)
        });
        let ended = ended.await?;
        if ended.is_empty() {
            return Ok(());
        }
        for directory in ended {
            let call = Call {
                directory: Arc::new(directory),
                actor: Actor::System,
                request_id: String::new(),
                at: now,
                clock: app.clock.clone(),
                ids: app.ids.clone(),
            };
            let scope = call.scope();
            let work = move |tx: &mut portreeve_store::Tx<'_>| {
                local_members::clear_ended(tx, &call, BATCH)
            };
            app.write(scope, work).await?;
        }
    }
}
