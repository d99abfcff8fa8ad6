//! `portreeve app run`: cycles in this process, or a cycle of a server's application at once.

use super::file::File;
use super::{Place, Which, job, shapes};
use crate::Global;
use crate::client::Api;
use crate::failure::{Code, Failure};
use crate::output::{self, Format};
use crate::runtime::Signals;
use crate::{progress, time};
use clap::Args;
use jiff::Timestamp;
use portreeve_provisioning::engine::steps::Record;
use portreeve_provisioning::job::{Job, JobError, Progress, RunResult, Stop, Summary};
use portreeve_provisioning::log;
use portreeve_provisioning::notice;
use portreeve_provisioning::source::{Source, file::Watch};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;

/// How long a pause between cycles may be until the time of day is looked at again: it may be set.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often a server is asked how far a cycle is.
const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    which: Which,
    /// Run one cycle, which is the default
    #[arg(long, conflicts_with = "watch")]
    once: bool,
    /// Go on until Ctrl-C: after each interval, and at once when a file of the source or the definition changes
    #[arg(long, short)]
    watch: bool,
}

pub(super) async fn run(global: &Global, args: &Run) -> Result<(), Failure> {
    match args.which.place(global)? {
        Place::File(path) => of_file(global, &path, args.watch).await,
        Place::Server(..) if args.watch => Err(Failure::usage(
            "the server runs its applications by itself, after each interval",
        )
        .hint("portreeve app logs NAME --follow shows what they do")),
        Place::Server(api, app) => of_server(global, &api, &app).await,
    }
}

async fn of_file(global: &Global, path: &Path, goes_on: bool) -> Result<(), Failure> {
    let mut signals = Signals::catch()?;
    let file = File::open(path)?;
    let mut job = file.job().await?;
    let mut definition = file.watch();
    // A first cycle may take long. What the others do is told in a line.
    let mut shown = global.output;
    loop {
        let mut files = match job.source() {
            Source::File(file) => Some(file.watch()),
            _ => None,
        };
        let cycle = watched(shown, &mut signals, async |progress, stop| {
            job.cycle(progress, stop).await
        });
        let done = cycle.await.map_err(|failure| match failure.code {
            Code::Conflict => failure.hint(format!(
                "start it with: portreeve app start {}",
                path.display()
            )),
            _ => failure,
        });
        let summary = match done? {
            Some(summary) => summary,
            None if goes_on => return Ok(()),
            None => return Err(stopped()),
        };
        show(global, path, &job, &summary, goes_on).await?;
        if !goes_on {
            return verdict(&summary);
        }
        let Some(next) = summary.next_run else {
            return Err(ended(path));
        };
        loop {
            tokio::select! {
                () = due(next) => break,
                () = changed(&mut files) => break,
                () = definition.changed() => match taken_up(path, &job).await {
                    Ok(now) => {
                        output::say(global.output, "the definition has changed and is taken up");
                        (job, definition) = now;
                        break;
                    }
                    Err(failure) => {
                        let text = format!("{failure}\nThe job goes on as it was declared before.");
                        output::say(global.output, &text);
                    }
                },
                () = signals.next() => return Ok(()),
            }
        }
        shown = Format::Name;
    }
}

/// The job by what the definition says now.
async fn taken_up(path: &Path, job: &Job) -> Result<(Job, Watch), Failure> {
    let file = File::open(path)?;
    Ok((file.job_again(job.state()).await?, file.watch()))
}

/// Does work of a job with its progress shown; `None` when it was asked to stop. The first signal asks it to stop where
/// it can go on later, the second one breaks it off, which does no harm either.
pub(super) async fn watched<T>(
    format: Format,
    signals: &mut Signals,
    work: impl AsyncFnOnce(&watch::Sender<Progress>, &Stop) -> Result<T, JobError>,
) -> Result<Option<T>, Failure> {
    let (sender, receiver) = watch::channel(Progress::new(time::now()));
    let stop = Stop::default();
    let work = progress::of_cycle(format, receiver, work(&sender, &stop));
    let mut work = std::pin::pin!(work);
    let done = tokio::select! {
        done = &mut work => done,
        () = signals.next() => {
            stop.ask();
            output::say(format, "stopping; once more to stop at once");
            tokio::select! {
                done = &mut work => done,
                () = signals.next() => Err(JobError::Stopped),
            }
        }
    };
    match done {
        Ok(done) => Ok(Some(done)),
        Err(JobError::Stopped) => Ok(None),
        Err(error @ (JobError::Paused | JobError::Disabled)) => {
            Err(Failure::new(Code::Conflict, error))
        }
        Err(error) => Err(Failure::plain(error)),
    }
}

/// What came of a cycle: the object that the API shows of it, or a line for each of many.
async fn show(
    global: &Global,
    file: &Path,
    job: &Job,
    summary: &Summary,
    many: bool,
) -> Result<(), Failure> {
    let status = job::of(job.state()).await?;
    let execution = &status["lastExecution"];
    match (global.output, many) {
        (Format::Table, true) => output::print(&line(execution))?,
        (Format::Json, true) => output::json_line(execution)?,
        (Format::Yaml, true) => output::yaml_document(execution)?,
        (Format::Csv, true) => output::csv_row(&shapes::CYCLE, execution)?,
        (format, _) => output::one(format, &shapes::CYCLE, execution)?,
    }
    if let Some(notice) = notice(file, job, summary).await? {
        output::say(global.output, &format!("\n{}", notice.text.trim_end()));
    }
    Ok(())
}

/// What would be sent by mail, if the cycle has changed how the job is.
async fn notice(
    file: &Path,
    job: &Job,
    summary: &Summary,
) -> Result<Option<notice::Notice>, Failure> {
    let Some(filter) = notice::examples(summary) else {
        return Ok(None);
    };
    let page = job.state().read(move |tx, owner| {
        let newest = log::Place::Before(i64::MAX);
        log::read(tx, &owner.application_id, &filter, newest, notice::EXAMPLES)
    });
    let page = page.await.map_err(Failure::plain)?;
    let examples: Vec<Record> = page.entries.into_iter().map(|(_, record)| record).collect();
    let called = file.display().to_string();
    Ok(notice::of(
        job.application(),
        &called,
        summary,
        None,
        &examples,
    ))
}

fn line(execution: &Value) -> String {
    let text = |name: &str| output::plain(&execution[name]);
    let mut line = format!(
        "{}  cycle {} ({}): {}",
        text("ended"),
        text("number"),
        text("kind"),
        shapes::counters(execution)
    );
    if execution["error"].is_string() {
        line.push_str(&format!("; failed: {}", text("error")));
    }
    output::harmless(&line) + "\n"
}

/// A cycle that has not gone well is a failure of the command; what went wrong is on standard output already.
fn verdict(summary: &Summary) -> Result<(), Failure> {
    let well = summary.result == RunResult::Succeeded && summary.held.is_none();
    match well {
        true => Ok(()),
        false => Err(Failure::told(Code::Failure)),
    }
}

fn stopped() -> Failure {
    Failure::new(
        Code::Cancelled,
        "the cycle was stopped; it goes on from there when it is run again",
    )
}

fn ended(path: &Path) -> Failure {
    let file = path.display();
    Failure::plain("the job does not run any more").hint(format!(
        "see what failed with portreeve app logs {file} --status failure, mend it, then: portreeve app start {file}"
    ))
}

/// Waits until a time of day.
async fn due(at: Timestamp) {
    loop {
        let left = at.duration_since(time::now());
        let Ok(left) = Duration::try_from(left) else {
            return;
        };
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LONGEST_PAUSE)).await;
    }
}

async fn changed(files: &mut Option<Watch>) {
    match files {
        Some(files) => files.changed().await,
        None => std::future::pending().await,
    }
}

/// Has a server begin a cycle, and waits for its end.
async fn of_server(global: &Global, api: &Api, app: &str) -> Result<(), Failure> {
    let status = job::of_server(api, app).await?;
    let code = output::plain(&status["code"]).to_lowercase();
    if code == "paused" || code == "disabled" {
        return Err(
            Failure::new(Code::Conflict, format!("the job is {code}; start it first"))
                .hint(format!("start it with: portreeve app start {app}")),
        );
    }
    let before = number(&status);
    let body = json!({"resetScope": "None"});
    api.post(&["applications", app, "restart"], &body).await?;
    let (sender, receiver) = watch::channel(Progress::new(time::now()));
    let cycle = ended_after(api, app, before, &sender);
    let execution = progress::of_cycle(global.output, receiver, cycle).await?;
    output::one(global.output, &shapes::CYCLE, &execution)?;
    let well = execution["result"] == "Succeeded" && execution["counters"]["held"] == 0;
    match well {
        true => Ok(()),
        false => Err(Failure::told(Code::Failure)),
    }
}

/// Waits for the end of a later cycle than that number, and tells meanwhile how far it is.
async fn ended_after(
    api: &Api,
    app: &str,
    before: i64,
    told: &watch::Sender<Progress>,
) -> Result<Value, Failure> {
    loop {
        let mut status = job::of_server(api, app).await?;
        if number(&status) > before && !status["lastExecution"]["ended"].is_null() {
            return Ok(status["lastExecution"].take());
        }
        if let Some(trouble) = status["trouble"].as_str() {
            return Err(Failure::plain(trouble));
        }
        if let Ok(progress) = Progress::deserialize(&status["progress"]) {
            told.send_replace(progress);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

fn number(status: &Value) -> i64 {
    status["lastExecution"]["number"].as_i64().unwrap_or(0)
}
