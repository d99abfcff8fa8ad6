//! Access that changes by itself: grants whose time is over get their event, and people get accounts on hosts as they come.
//!
//! Nobody is let in by a grant that has ended, whenever that is told; and whoever needs an account earlier gets it then.
//! A clock that is wrong must not tell of an end that has not come: nothing is told while the time of day does not go on as
//! the steady clock of the machine does.

use super::retention::Time;
use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_directory::events::Cause;
use portreeve_directory::teams::{self, Team};
use portreeve_directory::{Actor, Refusal, accounts, grants};
use portreeve_store::{Scope, Tx};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long an end may go untold, and somebody be without an account.
const PAUSE: Duration = Duration::from_secs(3);
/// Grants per transaction.
const BATCH: i64 = 200;

/// Looks after access until the server stops.
pub(crate) async fn follow_access(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut last: Option<Time> = None;
    loop {
        let time = Time::of(&app).await;
        if let (Some(last), Some(time)) = (&last, &time)
            && time.follows(last)
            && let Err(error) = tell_expired(&app, time.day()).await
        {
            tracing::debug!(%error, "grants that have ended were not told of; it is tried again");
        }
        last = time;
        give_accounts(&app, &stop).await;
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Two servers that do it at once tell nothing twice, because grant and event go in one transaction.
async fn tell_expired(app: &App, now: i64) -> Result<(), Refusal> {
    loop {
        let untold = app.store.lookup(move |tx| grants::untold(tx, now, BATCH));
        let untold: Vec<String> = untold.await?;
        if untold.is_empty() {
            return Ok(());
        }
        for team_id in untold {
            let (clock, ids) = (app.clock.clone(), app.ids.clone());
            let scope = Scope::of(&team_id);
            let tell = app.write(scope, move |tx: &mut Tx<'_>| {
                let cause = Cause {
                    team_id: &team_id,
                    directory_id: None,
                    actor: &Actor::System,
                    request_id: None,
                    at: now,
                    clock: &*clock,
                    ids: &ids,
                };
                grants::tell_expired(tx, &cause, BATCH)
            });
            tell.await?;
        }
    }
}

async fn give_accounts(app: &App, stop: &watch::Receiver<bool>) {
    let all: Result<Vec<Team>, Refusal> = app.store.lookup(teams::list).await;
    for team in all.unwrap_or_default() {
        if let Err(error) = give_accounts_in(app, stop, &team).await {
            tracing::warn!(%error, team = team.name, "people have not been given accounts on hosts; it is tried again");
        }
    }
}

/// Two servers that do it at once give nobody two accounts, because the place up to which people were looked at moves in the
/// same transaction.
async fn give_accounts_in(
    app: &App,
    stop: &watch::Receiver<bool>,
    team: &Team,
) -> Result<(), Refusal> {
    while !*stop.borrow() {
        let of = team.id.clone();
        let look = app.store.read(move |tx| accounts::look(tx, &of));
        let Some(needing) = look.await? else {
            break;
        };
        let now = app.clock.now();
        let settle = app.store.write(Scope::of(&team.id), move |tx| {
            accounts::settle(tx, &needing, now)
        });
        settle.await?;
    }
    Ok(())
}
