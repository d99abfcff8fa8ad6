//! The sample company's days: the tables of each are put into a folder, and a cycle of the engine brings them in.

use crate::app::File;
use crate::failure::Failure;
use crate::output::{Format, say};
use crate::{progress, time};
use portreeve_provisioning::demo::{self, Company, Day, Notable, Standing};
use portreeve_provisioning::engine::steps::{Record, Status};
use portreeve_provisioning::job::{
    Counters, CycleKind, Job, JobError, Progress, RunResult, Stop, Summary,
};
use portreeve_provisioning::log::{self, Filter, Place};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// So many people or groups that were refused are named; the log has all.
const PROBLEMS: usize = 20;

/// What the demonstration did.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether an earlier run had come to the last day already, or somebody has changed the tables since.
    pub(super) again: bool,
    pub(super) cycles: Vec<Cycle>,
    /// People and groups worth a look, whichever run made their change.
    pub(super) notable: Vec<Notable>,
    /// People and groups that were refused.
    pub(super) problems: Vec<Problem>,
}

/// One cycle and what was there after it.
#[derive(Debug, Serialize)]
pub(super) struct Cycle {
    /// `None` where the tables are nobody's but the user's.
    pub(super) day: Option<Day>,
    pub(super) kind: CycleKind,
    pub(super) counters: Counters,
    pub(super) requests: u64,
    pub(super) seconds: f64,
    pub(super) users: u64,
    pub(super) groups: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Problem {
    pub(super) name: String,
    pub(super) error: String,
    pub(super) remedy: String,
}

/// Where the company is: its tables, the declaration of the application, and the engine's state beside it.
pub(super) struct Home {
    folder: PathBuf,
}

impl Home {
    pub(super) fn new(data: &Path) -> Self {
        Self {
            folder: data.join("contoso"),
        }
    }

    /// The declaration, which `portreeve app` takes.
    pub(super) fn definition(&self) -> PathBuf {
        self.folder.join("contoso.toml")
    }

    /// The table of people.
    pub(super) fn people(&self) -> PathBuf {
        self.folder.join(demo::USERS)
    }

    /// Puts the declaration there, with the token that its requests carry.
    fn declare(&self, tenant_url: &str, token: &SecretString) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut secret = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.folder.join(demo::TOKEN))?;
        secret.write_all(token.expose_secret().as_bytes())?;
        fs::write(self.definition(), demo::definition(tenant_url))
    }

    /// Has the engine bring the company in, from the day on that an earlier run has come to.
    pub(super) async fn live(
        &self,
        tenant_url: &str,
        token: &SecretString,
        format: Format,
    ) -> Result<Report, Failure> {
        self.declare(tenant_url, token).map_err(|error| {
            let folder = self.folder.display();
            Failure::plain(format!("{folder} cannot be written: {error}"))
        })?;
        let begun = time::now();
        let job = File::open(&self.definition())?.job().await?;
        let standing = Company::standing(&self.folder).map_err(Failure::plain)?;
        let mut cycles = Vec::new();
        for day in days(standing) {
            if let Some(day) = day.filter(|day| standing != Standing::At(*day)) {
                let company = Company::on(day).map_err(Failure::plain)?;
                company.write(&self.folder).map_err(Failure::plain)?;
            }
            say(format, &format!("\n{}", heading(day)));
            cycles.push(cycle(&job, day, format).await?);
        }
        Ok(Report {
            again: matches!(standing, Standing::At(Day::Third) | Standing::Edited),
            cycles,
            notable: demo::notable().map_err(Failure::plain)?,
            problems: problems(&job, begun).await?,
        })
    }
}

/// What is left to do.
fn days(standing: Standing) -> Vec<Option<Day>> {
    let from = |first: Day| {
        let left = Day::ALL.into_iter().filter(|day| *day >= first);
        left.map(Some).collect()
    };
    match standing {
        Standing::Nowhere => from(Day::First),
        Standing::At(day) => from(day),
        Standing::Edited => vec![None],
    }
}

pub(super) fn heading(day: Option<Day>) -> &'static str {
    match day {
        Some(Day::First) => "First day",
        Some(Day::Second) => "Second day",
        Some(Day::Third) => "Third day",
        None => "Your changes",
    }
}

async fn cycle(job: &Job, day: Option<Day>, format: Format) -> Result<Cycle, Failure> {
    let (sender, receiver) = watch::channel(Progress::new(time::now()));
    let stop = Stop::default();
    let work = job.cycle(&sender, &stop);
    let summary = progress::of_cycle(format, receiver, work).await;
    let summary: Summary = summary.map_err(|error: JobError| Failure::plain(error))?;
    if summary.result == RunResult::Failed {
        let why = summary.error.unwrap_or_default();
        return Err(Failure::plain(why));
    }
    let status = job.state().status().await.map_err(Failure::plain)?;
    Ok(Cycle {
        day,
        kind: summary.kind,
        counters: summary.counters,
        requests: summary.requests,
        seconds: summary.ended.duration_since(summary.began).as_secs_f64(),
        users: status.users,
        groups: status.groups,
    })
}

/// Who was refused since a time.
async fn problems(job: &Job, since: jiff::Timestamp) -> Result<Vec<Problem>, Failure> {
    let filter = Filter {
        statuses: vec![Status::Failure],
        since: Some(since),
        ..Filter::default()
    };
    let page = job.state().read(move |tx, owner| {
        let newest = Place::Before(i64::MAX);
        log::read(tx, &owner.application_id, &filter, newest, PROBLEMS)
    });
    let page = page.await.map_err(Failure::plain)?;
    Ok(page
        .entries
        .into_iter()
        .map(|(_, it)| problem(it))
        .collect())
}

fn problem(record: Record) -> Problem {
    let source = record.source_identity;
    let error = record.provisioning_status_info.error_information;
    let (error, remedy) = error.map_or_else(Default::default, |error| {
        (error.reason, error.recommended_action)
    });
    Problem {
        name: source.display_name.unwrap_or(source.id),
        error,
        remedy,
    }
}
