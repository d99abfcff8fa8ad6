//! Webhooks: what was written down to be told to programs is told, by one of the servers, and tried again until a program
//! takes it.
//!
//! Messages are those of the Standard Webhooks specification (version 1): three headers name the message, the time of the
//! attempt and the signature, by a secret that the server works out for each location and shows its admins.

mod client;
mod secret;

use super::pace::{ATTEMPTS, LONGEST_PAUSE_US, pause};
use super::replica::Held;
use crate::app::App;
use crate::http::asked_to_stop;
use crate::trouble::Trouble;
use client::{Client, Reply};
use portreeve_directory::events::{self, Category, Cause, Outcome};
use portreeve_directory::leases::{Halted, WEBHOOKS};
use portreeve_directory::webhooks::{self, Webhook};
use portreeve_directory::{Actor, Refusal, visit_locations};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use secret::WebhookKey;

/// Messages per read.
const BATCH: i64 = 20;

/// Tells programs until the server stops.
pub(crate) async fn send(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let client = match Client::new(app.config.applications.private_addresses) {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "programs are not told of visits, because no HTTP client can be made");
            return;
        }
    };
    let mut trouble = Trouble::default();
    loop {
        match round(&app, &client, &stop).await {
            Ok(()) if trouble.ends() => tracing::info!("programs are told of visits again"),
            Ok(()) | Err(Halted::Lost(_)) => {}
            Err(error) if trouble.begins() => {
                tracing::warn!(%error, "what programs are to be told could not be read, or not be noted as told");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(app.config.pace.cycles) => {}
        }
    }
}

/// Tells all that is due.
async fn round(
    app: &Arc<App>,
    client: &Client,
    stop: &watch::Receiver<bool>,
) -> Result<(), Halted> {
    let teams: Vec<String> = app.store.lookup(webhooks::teams).await?;
    for team_id in teams {
        let Some(held) = app.replica.take(&team_id, WEBHOOKS).await? else {
            continue;
        };
        loop {
            let due = due(app, &team_id).await?;
            if due.is_empty() {
                break;
            }
            if *stop.borrow() {
                return Ok(());
            }
            // All at once: one that does not answer holds nobody else up.
            let mut attempts = JoinSet::new();
            for (webhook, is_wanted) in due {
                let (app, client, held) = (app.clone(), client.clone(), held.clone());
                let team_id = team_id.clone();
                attempts.spawn(async move {
                    match is_wanted {
                        true => try_one(&app, &client, &held, &team_id, webhook).await,
                        false => done(&held, &team_id, webhook).await,
                    }
                });
            }
            while let Some(attempt) = attempts.join_next().await {
                attempt.unwrap_or(Err(Halted::Lost(WEBHOOKS)))?;
            }
        }
    }
    Ok(())
}

/// What is due in a team, and whether its location still has it told there: an address that was taken away hears no more.
async fn due(app: &App, team_id: &str) -> Result<Vec<(Webhook, bool)>, Refusal> {
    let (team, now) = (team_id.to_owned(), app.clock.now());
    let times = (now, now.saturating_add(LONGEST_PAUSE_US));
    let due = app.store.lookup(move |tx| {
        let mut due = Vec::new();
        for webhook in webhooks::due(tx, &team, times, BATCH)? {
            let is_wanted = match visit_locations::find(tx, &team, &webhook.location_id) {
                Err(Refusal::NotFound(..)) => false,
                location => location?.settings.webhook.as_ref() == Some(&webhook.url),
            };
            due.push((webhook, is_wanted));
        }
        Ok(due)
    });
    due.await
}

/// A message was taken, or never will be.
async fn done(held: &Held, team_id: &str, webhook: Webhook) -> Result<(), Halted> {
    let team = team_id.to_owned();
    held.write(move |tx| webhooks::done(tx, &team, &webhook.id))
        .await
}

async fn try_one(
    app: &App,
    client: &Client,
    held: &Held,
    team_id: &str,
    webhook: Webhook,
) -> Result<(), Halted> {
    let headers = app
        .webhook_key
        .headers(&webhook, app.clock.now() / 1_000_000);
    // Nobody else may tell it while this does.
    let Some(reply) = held.guard(client.send(&webhook, &headers)).await else {
        held.forget();
        return Err(Halted::Lost(WEBHOOKS));
    };
    let team = team_id.to_owned();
    match reply {
        Reply::Taken => done(held, team_id, webhook).await,
        Reply::Failed(said) if webhook.attempts >= ATTEMPTS => {
            give_up(app, held, team, webhook, said).await
        }
        Reply::Refused(said) => give_up(app, held, team, webhook, said).await,
        Reply::Failed(said) => {
            if webhook.attempts == 0 {
                tracing::warn!(
                    error = said,
                    location = webhook.location_id,
                    "a program was not told of a visit; it is tried again"
                );
            }
            let next = app.clock.now() + pause(webhook.attempts);
            held.write(move |tx| webhooks::failed(tx, &team, &webhook.id, &said, next))
                .await
        }
    }
}

/// Forgets a message that nobody takes, and leaves an event of it.
async fn give_up(
    app: &App,
    held: &Held,
    team: String,
    webhook: Webhook,
    said: String,
) -> Result<(), Halted> {
    tracing::warn!(
        error = said,
        location = webhook.location_id,
        "a program is not told of a visit"
    );
    let (clock, ids) = (app.clock.clone(), app.ids.clone());
    held.write(move |tx| {
        let cause = Cause {
            team_id: &team,
            directory_id: None,
            actor: &Actor::System,
            request_id: None,
            at: clock.now(),
            clock: &*clock,
            ids: &ids,
        };
        let event = events::New {
            category: Category::Admin,
            action: "webhook",
            outcome: Outcome::Refused {
                reason: "webhook_refused",
                detail: &said,
            },
            object_kind: Some("Location"),
            object_id: Some(&webhook.location_id),
            object_name: None,
            version: None,
            changes: None,
        };
        events::record_of(tx, &cause, &event)?;
        webhooks::done(tx, &team, &webhook.id)
    })
    .await
}
