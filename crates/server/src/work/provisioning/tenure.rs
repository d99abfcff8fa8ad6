//! An application whose lease this server has: its job with both ends open, and somebody who watches its source.

use super::ended::telling;
use crate::app::App;
use crate::applications::{Opened, SealedSecrets, Unusable};
use crate::feeds;
use crate::work::Held;
use jiff::Timestamp;
use portreeve_directory::applications::{self, Scheduled, secrets};
use portreeve_directory::events::{self, Changes};
use portreeve_directory::{Refusal, directories};
use portreeve_provisioning::job::{Job, JobError, Progress, State, Stop, Summary};
use portreeve_provisioning::source::Source;
use portreeve_provisioning::source::file::Watch;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// An application whose lease this server has.
pub(super) struct Tenure {
    held: Held,
    job: Job,
    /// What was opened.
    definition: String,
    sealed: SealedSecrets,
    _watched: Option<Watched>,
}

/// Watches a source until it is dropped.
struct Watched(AbortHandle);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Tenure {
    /// The tenure as the application is declared now: the one before, where nothing has changed since.
    pub(super) async fn of(
        app: &Arc<App>,
        job: &Scheduled,
        held: Held,
        before: Option<&Arc<Self>>,
    ) -> Result<Result<Arc<Self>, Unusable>, Refusal> {
        let (team_id, id) = (job.team_id.clone(), job.id.clone());
        let look = app.store.lookup(move |tx| {
            let row = applications::by_id(tx, &team_id, &id)?;
            let sealed = secrets::all(tx, &id)?;
            Ok::<_, Refusal>((row, sealed))
        });
        let (row, sealed) = look.await?;
        if let Some(before) = before
            && before.held.is_same(&held)
            && (&before.definition, &before.sealed) == (&row.definition, &sealed)
        {
            return Ok(Ok(before.clone()));
        }
        let opened = match Opened::new(app, &row, &sealed) {
            Ok(opened) => opened,
            Err(unusable) => return Ok(Err(unusable)),
        };
        let state = State::new(app.store.clone(), &row.team_id, &row.id);
        let state = state.held_by(Arc::new(held.check())).telling(telling(
            app,
            &row.team_id,
            &opened.application,
        ));
        let job = match opened.job(app, state) {
            Ok(job) => job,
            Err(unusable) => return Ok(Err(unusable)),
        };
        Ok(Ok(Arc::new(Self {
            _watched: watched(app, &job, &opened),
            held,
            job,
            definition: row.definition,
            sealed,
        })))
    }

    /// Where its cycles tell how far they have come.
    pub(super) fn progress(&self, app: &App) -> watch::Sender<Progress> {
        watch::channel(Progress::new(timestamp(app.clock.now()))).0
    }

    /// Runs a cycle; `None` when this server has not been heard of for so long that another one may run it.
    pub(super) async fn cycle(
        &self,
        progress: &watch::Sender<Progress>,
        stop: &Stop,
    ) -> Option<Result<Summary, JobError>> {
        self.held.guard(self.job.cycle(progress, stop)).await
    }

    /// The lease was lost.
    pub(super) fn forget(&self) {
        self.held.forget();
    }
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Has somebody watch a source that can be watched.
fn watched(app: &Arc<App>, job: &Job, opened: &Opened) -> Option<Watched> {
    let (app, id) = (app.clone(), job.application().id.clone());
    let task = match job.source() {
        Source::File(file) => tokio::spawn(follow_files(app, id, file.watch())),
        Source::Directory(_) => {
            let named = opened.directory()?.to_owned();
            let team_id = job.state().team_id().to_owned();
            tokio::spawn(follow_directory(app, id, team_id, named))
        }
        Source::Ldap(_) | Source::Graph(_) => return None,
    };
    Some(Watched(task.abort_handle()))
}

/// Has a cycle run whenever files have changed.
async fn follow_files(app: Arc<App>, id: String, mut watch: Watch) {
    loop {
        watch.changed().await;
        app.jobs.nudge(&id);
    }
}

/// Has a cycle run whenever something has changed in a directory of the team.
async fn follow_directory(app: Arc<App>, id: String, team_id: String, named: String) {
    let mut end = feeds::end(&app, &team_id);
    // What was there before is read by the cycle that is about to begin.
    let team = team_id.clone();
    let last: Result<i64, Refusal> = app.store.lookup(move |tx| events::last(tx, &team)).await;
    let mut place = last.unwrap_or_default();
    while end.changed().await.is_ok() {
        let until = *end.borrow_and_update();
        match changed(&app, &team_id, &named, place).await {
            Ok(changed) => {
                place = until;
                if changed {
                    app.jobs.nudge(&id);
                }
            }
            Err(error) => {
                tracing::debug!(%error, application = id, "whether a directory has changed could not be read");
            }
        }
        // A busy directory changes all the time; its applications hear of it this often.
        tokio::time::sleep(app.config.pace.cycles).await;
    }
}

/// Whether something has changed in a directory since a place in the feed of its team.
async fn changed(app: &App, team_id: &str, named: &str, place: i64) -> Result<bool, Refusal> {
    let (team, named) = (team_id.to_owned(), named.to_owned());
    let look = app.store.read(move |tx| {
        let directory = directories::find_in(tx, &team, &named)?;
        let mut place = place;
        loop {
            match events::changes(tx, &team, Some(&directory.id), Some(place), 1)? {
                // What is not kept any more may have been a change.
                Changes::Lost { .. } => return Ok(true),
                Changes::Page(page) if !page.changes.is_empty() => return Ok(true),
                Changes::Page(page) if page.next >= page.end => return Ok(false),
                Changes::Page(page) => place = page.next,
            }
        }
    });
    look.await
}
