//! Work on an application beside its schedule: while it lasts, no server begins a cycle of it.
//!
//! It has a lease of its own for that time, and the job's for good: the server that runs the cycles keeps their lease as
//! long as it lives, and would not ask anybody. With the lease gone its next cycle fails before anything is sent, and the
//! job goes on here.

use super::jobs::Turn;
use super::replica::Held;
use crate::app::App;
use portreeve_directory::Refusal;
use portreeve_directory::applications::{self, Status, cycles};
use portreeve_directory::leases::{Halted, ON_DEMAND, PROVISIONING};
use portreeve_store::Tx;
use std::sync::Arc;

/// The right to work on an application while its job rests, on all servers.
pub(crate) struct Alone {
    app: Arc<App>,
    id: String,
    /// Taken when it ends.
    held: Option<Held>,
    /// Whether the job was another server's.
    has_moved: bool,
    _turn: Turn,
}

impl Alone {
    /// The right, unless a cycle runs or goes on by itself, or somebody else has it.
    pub(crate) async fn take(
        app: &Arc<App>,
        team_id: &str,
        id: &str,
    ) -> Result<Option<Self>, Refusal> {
        let Some(turn) = Turn::take(app, id) else {
            return Ok(None);
        };
        let (team_id, application_id) = (team_id.to_owned(), id.to_owned());
        let rests = move |tx: &mut Tx<'_>| rests(tx, &team_id, &application_id);
        let taken = app.replica.take_over(id, (ON_DEMAND, PROVISIONING), rests);
        Ok(taken.await?.map(|(held, has_moved)| Self {
            app: app.clone(),
            id: id.to_owned(),
            held: Some(held),
            has_moved,
            _turn: turn,
        }))
    }

    /// What each transaction of the work checks first.
    pub(crate) fn check(&self) -> impl Fn(&mut Tx<'_>) -> Result<(), Halted> + Send + Sync + use<> {
        let check = self.held.as_ref().map(Held::check);
        move |tx| match &check {
            Some(check) => check(tx),
            None => Err(Halted::Lost(ON_DEMAND)),
        }
    }

    /// Works as long as nobody else can have the right; `None` when it was broken off.
    pub(crate) async fn guard<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.held.as_ref()?.guard(work).await
    }

    /// Gives the right back, before anybody is told that the work is done.
    pub(crate) async fn end(mut self) {
        if let Some(held) = self.held.take() {
            held.release().await;
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            tokio::spawn(async move { held.release().await });
        }
        if self.has_moved {
            // Nobody has watched the source since.
            self.app.jobs.nudge(&self.id);
        }
    }
}

fn rests(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<bool, Refusal> {
    let application = applications::by_id(tx, team_id, id)?;
    if application.status != Status::Running {
        return Ok(true);
    }
    let latest = cycles::by_number(tx, &application.id, application.cycle)?;
    Ok(latest.is_none_or(|cycle| cycle.ended_at.is_some()))
}
