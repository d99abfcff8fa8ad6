//! `portreeve app dry-run`: what a whole cycle would do, read from the real source and the real target.

use super::file::File;
use super::run::watched;
use super::{Place, Which, details, logs, shapes};
use crate::Global;
use crate::failure::{Code, Failure};
use crate::output::{self, Format};
use crate::runtime::Signals;
use clap::Args;
use portreeve_provisioning::log::{self, Filter};
use portreeve_provisioning::source::Home;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct DryRun {
    #[command(flatten)]
    which: Which,
    /// Show at most so many objects; 0 shows all
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
}

pub(super) async fn run(global: &Global, args: &DryRun) -> Result<(), Failure> {
    let limit = match args.limit {
        0 => usize::MAX,
        limit => limit,
    };
    let report = match args.which.place(global)? {
        Place::File(path) => of_file(global, &path, limit).await?,
        Place::Server(api, app) => {
            let path = ["applications", &app, "dry-run"];
            let mut report = api.post(&path, &json!({})).await?;
            if let Some(records) = report["records"].as_array_mut() {
                records.truncate(limit);
            }
            report
        }
    };
    show(global.output, &report)?;
    match report["result"] == "Failed" {
        true => Err(Failure::told(Code::Failure)),
        false => Ok(()),
    }
}

/// Runs it in a folder that is gone afterwards.
async fn of_file(global: &Global, path: &Path, limit: usize) -> Result<Value, Failure> {
    let mut signals = Signals::catch()?;
    let file = File::open(path)?;
    let job = file.job().await?;
    let scratch = tempfile::Builder::new()
        .prefix("portreeve-dry-run-")
        .tempdir()
        .map_err(|error| {
            Failure::plain(format!("a folder for the copy cannot be made: {error}"))
        })?;
    let home = Home {
        state: scratch.path().join("source"),
        ..file.home.clone()
    };
    let source = file.definition.open_source(&file.application, &home);
    let source = source.map_err(|error| super::file::wrong(path, &error))?;
    let work = watched(global.output, &mut signals, async |progress, stop| {
        job.dry_run(scratch.path(), source, progress, stop).await
    });
    let Some(done) = work.await? else {
        return Err(Failure::new(
            Code::Cancelled,
            "cancelled; nothing was changed",
        ));
    };
    let mut records = Vec::new();
    let (all, first) = (Filter::default(), log::Place::After(0));
    logs::read(&done.state, &all, first, limit, |record| {
        records.push(record);
        Ok(())
    })
    .await?;
    let summary = &done.summary;
    Ok(json!({
        "result": summary.result,
        "error": summary.error,
        "counters": summary.counters,
        "requests": summary.requests,
        "held": summary.held.is_some(),
        "began": summary.began,
        "ended": summary.ended,
        "records": records,
    }))
}

fn show(format: Format, report: &Value) -> Result<(), Failure> {
    if format != Format::Table {
        return output::one(format, &shapes::DRY_RUN, report);
    }
    let records = report["records"].as_array().map_or(&[][..], Vec::as_slice);
    let mut text: String = records.iter().map(details::outline).collect();
    let mut say = |line: String| text.push_str(&(output::harmless(&line) + "\n"));
    if report["error"].is_string() {
        say(format!("failed: {}", output::plain(&report["error"])));
    }
    if report["held"] == true {
        say("held: more would lose their access at once than the guard against accidental deletions lets through".to_owned());
    }
    say(format!("would be: {}", shapes::counters(report)));
    text.push_str("Nothing was changed.\n");
    output::print(&text)
}
