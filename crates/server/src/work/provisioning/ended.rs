//! What follows from the end of a cycle besides its summary: an event where the state of the job has changed, and mails
//! to those who want to be told. All of it is written in the transaction that ends the cycle.

use crate::app::App;
use portreeve_directory::applications::Status;
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::{Actor, Clock, Ids, Refusal, mails};
use portreeve_provisioning::application::Application;
use portreeve_provisioning::engine::quarantine::{Change, Quarantine, Verdict};
use portreeve_provisioning::job::{Ended, Summary};
use portreeve_provisioning::log::{self, Place};
use portreeve_provisioning::notice;
use portreeve_store::Tx;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Who is told of the ends of an application's cycles.
struct Telling {
    team_id: String,
    application: Arc<Application>,
    /// Whether mails can be sent.
    mails: bool,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
}

/// Writes down what follows from the ends of an application's cycles.
pub(super) fn telling(app: &App, team_id: &str, application: &Arc<Application>) -> Ended {
    let telling = Telling {
        team_id: team_id.to_owned(),
        application: application.clone(),
        mails: app.mailer.is_some(),
        clock: app.clock.clone(),
        ids: app.ids.clone(),
    };
    Arc::new(move |tx, summary, before| {
        telling.record(tx, summary, before)?;
        telling.notify(tx, summary, before)
    })
}

impl Telling {
    fn record(
        &self,
        tx: &mut Tx<'_>,
        summary: &Summary,
        before: Option<&Quarantine>,
    ) -> Result<(), Refusal> {
        let Some(action) = action(summary) else {
            return Ok(());
        };
        let changes = events::diff(&state(Status::Running, before), &after(summary));
        let cause = Cause {
            team_id: &self.team_id,
            directory_id: None,
            actor: &Actor::System,
            request_id: None,
            at: self.clock.now(),
            clock: &*self.clock,
            ids: &self.ids,
        };
        let event = New {
            category: Category::Provisioning,
            action,
            outcome: Outcome::Ok,
            object_kind: Some("Application"),
            object_id: Some(&self.application.id),
            object_name: Some(&self.application.name),
            version: None,
            changes: changes.as_deref(),
        };
        events::record_of(tx, &cause, &event)
    }

    /// Has a mail sent to each who is to be told. Without a mail server nobody is.
    fn notify(
        &self,
        tx: &mut Tx<'_>,
        summary: &Summary,
        before: Option<&Quarantine>,
    ) -> Result<(), Refusal> {
        let application = &self.application;
        if !self.mails || application.notify.is_empty() {
            return Ok(());
        }
        let Some(filter) = notice::examples(summary) else {
            return Ok(());
        };
        let newest = Place::Before(i64::MAX);
        let page = log::read(tx, &application.id, &filter, newest, notice::EXAMPLES)?;
        let examples: Vec<_> = page.entries.into_iter().map(|(_, record)| record).collect();
        let Some(told) = notice::of(application, &application.name, summary, before, &examples)
        else {
            return Ok(());
        };
        for recipient in &application.notify {
            let now = self.clock.now();
            let new = mails::New {
                id: &self.ids.next(now).to_string(),
                recipient,
                subject: &told.subject,
                body: &told.text,
            };
            mails::add(tx, &self.team_id, &new, now)?;
        }
        Ok(())
    }
}

/// What the job has done with itself, in a word; nothing where all is as it was.
fn action(summary: &Summary) -> Option<&'static str> {
    match (&summary.verdict, &summary.quarantine) {
        (Verdict::PruneAndPause(_), _) => Some("pause"),
        (_, Change::Entered(_) | Change::ReasonChanged(_)) => Some("quarantine"),
        (_, Change::Left) => Some("recover"),
        (_, Change::Disabled) => Some("disable"),
        (_, Change::Active | Change::Stays(_)) => None,
    }
}

fn after(summary: &Summary) -> Map<String, Value> {
    let status = match (&summary.verdict, &summary.quarantine) {
        (Verdict::PruneAndPause(_), _) => Status::Paused,
        (_, Change::Disabled) => Status::Disabled,
        _ => Status::Running,
    };
    let mut state = state(status, summary.quarantine.quarantine().as_ref());
    if let Some(error) = &summary.error {
        state.insert("error".to_owned(), json!(error));
    }
    state
}

fn state(status: Status, quarantine: Option<&Quarantine>) -> Map<String, Value> {
    let mut state = Map::from_iter([("status".to_owned(), json!(status.name()))]);
    if let Some(quarantine) = quarantine {
        state.insert("quarantine".to_owned(), json!(quarantine));
    }
    state
}
