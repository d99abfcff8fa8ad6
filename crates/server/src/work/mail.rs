//! Mails: what was written down to be sent is sent, by one of the servers, and tried again until a mail server takes it.

use super::pace::{ATTEMPTS, LONGEST_PAUSE_US, pause};
use super::replica::Held;
use crate::app::App;
use crate::http::asked_to_stop;
use crate::trouble::Trouble;
use jiff::Timestamp;
use portreeve_directory::events::{self, Category, Cause, Outcome};
use portreeve_directory::leases::{Halted, MAIL};
use portreeve_directory::mails::{self, Mail};
use portreeve_directory::{Actor, Refusal};
use portreeve_mail::{Mailer, Message};
use std::sync::Arc;
use tokio::sync::watch;

/// Mails per read.
const BATCH: i64 = 20;
/// Sends mails until the server stops; none where no mail server is known.
pub(crate) async fn send(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    if app.mailer.is_none() {
        return;
    }
    let mut trouble = Trouble::default();
    loop {
        match round(&app, &stop).await {
            Ok(()) if trouble.ends() => tracing::info!("mails are sent again"),
            Ok(()) | Err(Halted::Lost(_)) => {}
            Err(error) if trouble.begins() => {
                tracing::warn!(%error, "mails that are to be sent could not be read, or not be noted as sent");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            () = tokio::time::sleep(app.config.pace.cycles) => {}
        }
    }
}

/// Sends all that is due.
async fn round(app: &App, stop: &watch::Receiver<bool>) -> Result<(), Halted> {
    let Some(mailer) = &app.mailer else {
        return Ok(());
    };
    let teams: Vec<String> = app.store.lookup(mails::teams).await?;
    for team_id in teams {
        let Some(held) = app.replica.take(&team_id, MAIL).await? else {
            continue;
        };
        loop {
            let (team, now) = (team_id.clone(), app.clock.now());
            let times = (now, now.saturating_add(LONGEST_PAUSE_US));
            let due = app
                .store
                .lookup(move |tx| mails::due(tx, &team, times, BATCH));
            let due: Result<Vec<Mail>, Refusal> = due.await;
            let due = due?;
            if due.is_empty() {
                break;
            }
            for mail in due {
                if *stop.borrow() {
                    return Ok(());
                }
                try_one(app, mailer, &held, &team_id, mail).await?;
            }
        }
    }
    Ok(())
}

async fn try_one(
    app: &App,
    mailer: &Mailer,
    held: &Held,
    team_id: &str,
    mail: Mail,
) -> Result<(), Halted> {
    let message = Message {
        id: mail.id.clone(),
        to: mail.recipient.clone(),
        subject: mail.subject.clone(),
        text: mail.body.clone(),
        at: Timestamp::from_microsecond(mail.created_at).unwrap_or(Timestamp::UNIX_EPOCH),
    };
    // Nobody else may send it while this does.
    let Some(sent) = held.guard(mailer.send(&message)).await else {
        held.forget();
        return Err(Halted::Lost(MAIL));
    };
    let team = team_id.to_owned();
    match sent {
        Ok(()) => held.write(move |tx| mails::done(tx, &team, &mail.id)).await,
        Err(error) if error.is_permanent() || mail.attempts >= ATTEMPTS => {
            tracing::warn!(%error, to = mail.recipient, "a mail is not sent");
            give_up(app, held, team, mail, error.to_string()).await
        }
        Err(error) => {
            if mail.attempts == 0 {
                tracing::warn!(%error, to = mail.recipient, "a mail was not sent; it is tried again");
            }
            let (next, said) = (app.clock.now() + pause(mail.attempts), error.to_string());
            held.write(move |tx| mails::failed(tx, &team, &mail.id, &said, next))
                .await
        }
    }
}

/// Forgets a mail that nobody takes, and leaves an event of it.
async fn give_up(
    app: &App,
    held: &Held,
    team: String,
    mail: Mail,
    said: String,
) -> Result<(), Halted> {
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
            action: "mail",
            outcome: Outcome::Refused {
                reason: "mail_refused",
                detail: &said,
            },
            object_kind: Some("Mail"),
            object_id: Some(&mail.id),
            object_name: Some(&mail.recipient),
            version: None,
            changes: None,
        };
        events::record_of(tx, &cause, &event)?;
        mails::done(tx, &team, &mail.id)
    })
    .await
}
