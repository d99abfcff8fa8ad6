//! The jobs of applications: cycles that run when their time has come, or when something has happened at the source.
//!
//! A job is run by the server that has the lease of its application, which keeps it as long as it lives, because source
//! and target are then known to it. Nothing that a cycle writes is committed without the lease, and nothing is sent once
//! the others may hold this server to be dead. A cycle that was broken off goes on at whichever server has the lease
//! next.

mod ended;
mod tenure;

use crate::app::App;
use crate::applications::{Scratch, state_folders};
use crate::http::asked_to_stop;
use crate::neighbours;
use crate::trouble::Trouble;
use crate::work::Turn;
use portreeve_directory::Refusal;
use portreeve_directory::applications::{self, Scheduled};
use portreeve_directory::leases::PROVISIONING;
use portreeve_provisioning::job::{JobError, Stop, Summary};
use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tenure::Tenure;
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};

/// After a failure that is not the application's, or before an application is opened again that could not be.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a stop of the server waits for cycles to reach a place where they can go on.
const GRACE: Duration = Duration::from_secs(5);

/// Runs jobs until the server stops.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    if let Err(error) = sweep(&app).await {
        tracing::warn!(%error, "what is of no use any more was not removed from the data folder");
    }
    let (mut work, mut trouble) = (Work::default(), Trouble::default());
    loop {
        match work.begin(&app).await {
            Ok(()) if trouble.ends() => tracing::info!("applications are provisioned again"),
            Err(error) if trouble.begins() => {
                tracing::warn!(%error, "which applications are to be provisioned could not be read");
            }
            Ok(()) | Err(_) => {}
        }
        tokio::select! {
            () = asked_to_stop(&mut stop) => break,
            // What could not be opened may have been mended.
            changed = app.jobs.asked() => if changed { work.later.clear() },
            Some(done) = work.running.join_next_with_id() => work.ended(&app, done),
            () = tokio::time::sleep(app.config.pace.cycles) => {}
        }
    }
    work.busy.values().for_each(|(_, stop)| stop.ask());
    let ended = async { while work.running.join_next().await.is_some() {} };
    // What has not come to such a place by then is broken off; it goes on from the one before.
    let _ = tokio::time::timeout(GRACE, ended).await;
}

/// The jobs that this server runs.
#[derive(Default)]
struct Work {
    running: JoinSet<Option<Result<Summary, JobError>>>,
    /// The cycles under way: whose each is, and how it is asked to stop.
    busy: HashMap<task::Id, (String, Stop)>,
    /// The applications whose lease this server has, as they were when their last cycle began.
    tenures: HashMap<String, Arc<Tenure>>,
    /// Not before then, on the steady clock, is it tried again.
    later: HashMap<String, Duration>,
}

impl Work {
    /// Begins the cycles that are due, as many as may run at once, and asks those to stop that are not to run any more.
    async fn begin(&mut self, app: &Arc<App>) -> Result<(), Refusal> {
        let scheduled = app.store.lookup(applications::running).await?;
        let ids: HashSet<&str> = scheduled.iter().map(|it| it.id.as_str()).collect();
        for (id, stop) in self.busy.values() {
            if !ids.contains(id.as_str()) {
                stop.ask();
            }
        }
        self.tenures.retain(|id, _| ids.contains(id.as_str()));
        for job in &scheduled {
            if self.running.len() >= app.config.applications.at_once {
                break;
            }
            if self.is_due(app, job) {
                self.begin_one(app, job).await?;
            }
        }
        Ok(())
    }

    fn is_due(&self, app: &App, job: &Scheduled) -> bool {
        let nudged = !job.is_quarantined && app.jobs.is_nudged(&job.id);
        let waits = self
            .later
            .get(&job.id)
            .is_some_and(|time| app.clock.steady() < *time);
        let busy = self.busy.values().any(|(id, _)| *id == job.id);
        (nudged || job.next_run_at <= app.clock.now()) && !waits && !busy
    }

    async fn begin_one(&mut self, app: &Arc<App>, job: &Scheduled) -> Result<(), Refusal> {
        // Whoever provisions somebody at once has ended soon.
        let Some(turn) = Turn::take(app, &job.id) else {
            return Ok(());
        };
        let Some(held) = app.replica.take(&job.id, PROVISIONING).await? else {
            self.tenures.remove(&job.id);
            app.jobs.leaves(&job.id);
            return Ok(());
        };
        let before = self.tenures.get(&job.id);
        let tenure = match Tenure::of(app, job, held, before).await? {
            Ok(tenure) => tenure,
            Err(unusable) => {
                let trouble = unusable.to_string();
                tracing::warn!(
                    application = job.id,
                    "an application cannot be provisioned: {trouble}"
                );
                app.jobs.fails(&job.id, trouble);
                self.put_off(app, &job.id);
                return Ok(());
            }
        };
        self.tenures.insert(job.id.clone(), tenure.clone());
        let (stop, progress) = (Stop::default(), tenure.progress(app));
        app.jobs.begins(&job.id, progress.subscribe());
        let asked = stop.clone();
        let cycle = async move {
            let _turn = turn;
            tenure.cycle(&progress, &asked).await
        };
        let id = self.running.spawn(cycle).id();
        self.busy.insert(id, (job.id.clone(), stop));
        Ok(())
    }

    /// Looks at how a cycle ended. The next one is due when the database says so.
    fn ended(
        &mut self,
        app: &Arc<App>,
        done: Result<(task::Id, Option<Result<Summary, JobError>>), JoinError>,
    ) {
        let (task, outcome) = match done {
            Ok((task, outcome)) => (task, Some(outcome)),
            Err(error) => {
                tracing::error!(%error, "a cycle broke off");
                (error.id(), None)
            }
        };
        let Some((id, _)) = self.busy.remove(&task) else {
            return;
        };
        app.jobs.ends(&id);
        match outcome {
            Some(Some(Ok(summary))) => {
                tell(&id, &summary);
                neighbours::tell_news(app);
            }
            Some(Some(Err(JobError::Stopped | JobError::Paused | JobError::Disabled))) => {}
            Some(None | Some(Err(JobError::Lost))) => {
                tracing::info!(application = id, "another server runs this job now");
                if let Some(tenure) = self.tenures.remove(&id) {
                    tenure.forget();
                }
            }
            Some(Some(Err(JobError::State(Refusal::NotFound(..))))) => {}
            Some(Some(Err(error))) => {
                tracing::warn!(application = id, %error, "a cycle stands still");
                self.put_off(app, &id);
            }
            None => self.put_off(app, &id),
        }
    }

    fn put_off(&mut self, app: &App, id: &str) {
        let time = app.clock.steady().saturating_add(PAUSE);
        self.later.insert(id.to_owned(), time);
    }
}

fn tell(id: &str, summary: &Summary) {
    let counters = &summary.counters;
    tracing::info!(
        application = id,
        cycle = summary.number,
        result = summary.result.name(),
        exported = counters.exported(),
        failed = counters.failed,
        requests = summary.requests,
        "a cycle has ended"
    );
}

/// Removes what applications that are gone remembered of their sources, and what a server that was killed has left.
async fn sweep(app: &App) -> io::Result<()> {
    Scratch::sweep(&app.config.data)?;
    let folder = state_folders(&app.config.data);
    let mut entries = match tokio::fs::read_dir(&folder).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let known: Result<HashSet<String>, Refusal> = app.store.lookup(applications::ids).await;
    let known = known.map_err(io::Error::other)?;
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name();
        if name.to_str().is_none_or(|name| !known.contains(name)) {
            tokio::fs::remove_dir_all(entry.path()).await?;
        }
    }
    Ok(())
}
