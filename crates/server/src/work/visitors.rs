//! Who can be found by visitors: in directories that are for visitors from now on, everybody who was in them before gets the
//! words by which they are found; and open visits say when whoever is visited cannot be found any more.

use super::replica::Held;
use crate::app::App;
use crate::http::asked_to_stop;
use crate::neighbours;
use crate::trouble::Trouble;
use portreeve_directory::events::Cause;
use portreeve_directory::leases::{Halted, VISITORS};
use portreeve_directory::{Actor, Refusal, directories, visit_notices, visitor_hosts};
use portreeve_store::Scope;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long people may go unfound.
const PAUSE: Duration = Duration::from_secs(3);
/// How long the reception may go without hearing that whoever is visited is gone.
const LOOK: Duration = Duration::from_secs(1);

/// Looks for words until the server stops.
pub(crate) async fn find_visitor_hosts(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = sweep(&app, &stop).await {
            tracing::warn!(%error, "not all people can be found by visitors yet; it is tried again");
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Two servers that do it at once do nothing twice, because the place up to which people were looked at moves in the same
/// transaction.
async fn sweep(app: &App, stop: &watch::Receiver<bool>) -> Result<(), Refusal> {
    let waiting: Vec<String> = app.store.lookup(visitor_hosts::sweeps).await?;
    for directory_id in waiting {
        let mut more = true;
        while more && !*stop.borrow() {
            let id = directory_id.clone();
            let write = app.store.write(Scope::of(&directory_id), move |tx| {
                let directory = directories::by_id(tx, &id)?;
                visitor_hosts::sweep(tx, &directory)
            });
            more = write.await?;
        }
    }
    Ok(())
}

/// Follows whoever is visited until the server stops.
pub(crate) async fn follow_visitor_hosts(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut trouble = Trouble::default();
    loop {
        match follow(&app, &stop).await {
            Ok(()) if trouble.ends() => {
                tracing::info!("visits whose visitor host is gone are found again");
            }
            Ok(()) | Err(Halted::Lost(_)) => {}
            Err(error) if trouble.begins() => {
                tracing::warn!(%error, "visits whose visitor host is gone were not found; it is tried again");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Writes down what has turned since the last time, a visit at a time.
async fn follow(app: &App, stop: &watch::Receiver<bool>) -> Result<(), Halted> {
    let now = app.clock.now();
    let turned: Vec<(String, String)> = app
        .store
        .read(move |tx| visit_notices::turned(tx, now))
        .await?;
    for (team_id, visit_id) in turned {
        if *stop.borrow() {
            return Ok(());
        }
        let Some(held) = app.replica.take(&team_id, VISITORS).await? else {
            continue;
        };
        if follow_one(app, &held, team_id, visit_id).await? {
            neighbours::tell_news(app);
        }
    }
    Ok(())
}

async fn follow_one(
    app: &App,
    held: &Held,
    team_id: String,
    visit_id: String,
) -> Result<bool, Halted> {
    let (clock, ids) = (app.clock.clone(), app.ids.clone());
    let (base, mails) = (app.public_url(), app.mailer.is_some());
    held.write(move |tx| {
        let cause = Cause {
            team_id: &team_id,
            directory_id: None,
            actor: &Actor::System,
            request_id: None,
            at: clock.now(),
            clock: &*clock,
            ids: &ids,
        };
        visit_notices::follow(tx, &cause, (&base, mails), &visit_id)
    })
    .await
}
