//! `portreeve user offboarding` and `portreeve user remove-data`: what became of the accounts of somebody on hosts.

use super::{Which, missing};
use crate::client::Api;
use crate::confirm::{self, Care};
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use serde_json::{Value, json};

const HOSTS: Shape = Shape {
    columns: &[
        Column::text("HOST", "name"),
        Column::text("ACCOUNT", "account"),
        Column::text("STATE", "state"),
        Column::time("DENIED", "denied_at", ""),
        Column::time("ACKNOWLEDGED", "acknowledged_at", ""),
        Column::text("SESSIONS ENDED", "left.sessions_ended"),
        Column::text("PROCESSES", "left.processes"),
        Column::made("LEFT", "left", left),
        Column::text("HAD SUDO", "had_sudo"),
        Column::made("REMOVAL", "removal", removal),
        Column::time("LAST REPORT", "reported_at", "never"),
    ],
    name: "name",
};

pub(super) async fn show(api: &Api, format: Format, which: &Which) -> Result<(), Failure> {
    let directory = which.scope.resolve(api).await?;
    let path = [
        "directories",
        &directory,
        "users",
        &which.user,
        "offboarding",
    ];
    let report = api.get(&path, &[]).await;
    print(
        format,
        &report.map_err(|failure| missing(failure, &directory))?,
    )
}

pub(super) async fn remove(
    api: &Api,
    format: Format,
    which: &Which,
    (hosts, care): (&[String], &Care),
) -> Result<(), Failure> {
    let directory = which.scope.resolve(api).await?;
    if !care.dry_run && !care.yes {
        let places = match hosts {
            [] => "every host that lets them in no longer".to_owned(),
            hosts => hosts.join(", "),
        };
        let user = harmless(&which.user);
        let loss = format!(
            "What \"{user}\" has left will be lost on {}",
            harmless(&places)
        );
        confirm::confirm(&loss)?;
    }
    let path = ["directories", &directory, "users", &which.user, "removal"];
    let body = json!({"dry_run": care.dry_run, "hosts": hosts});
    let report = api.post(&path, &body).await;
    let report = report.map_err(|failure| missing(failure, &directory))?;
    print(format, &report)?;
    output::say(
        format,
        "Each host answers with its next report; portreeve user offboarding shows what it says.",
    );
    Ok(())
}

/// In a table, how things stand and a line for each host.
fn print(format: Format, report: &Value) -> Result<(), Failure> {
    let hosts = report["hosts"].as_array().cloned().unwrap_or_default();
    match format {
        Format::Json | Format::Yaml => output::one(format, &HOSTS, report),
        Format::Table => {
            output::print(&format!("{}\n", harmless(&plain(&report["summary"]))))?;
            output::list(format, &HOSTS, &hosts)
        }
        Format::Csv | Format::Name => output::list(format, &HOSTS, &hosts),
    }
}

fn left(host: &Value) -> String {
    if host["state"] == "removed" {
        return "nothing".to_owned();
    }
    let Some(left) = host["left"].as_object() else {
        return String::new();
    };
    let there = ["home", "crontab", "keys"];
    let there = there.into_iter().filter(|name| left[*name] == true);
    match there.collect::<Vec<_>>().join(", ") {
        all if all.is_empty() => "nothing".to_owned(),
        all => all,
    }
}

fn removal(host: &Value) -> String {
    let removal = &host["removal"];
    let paths = removal["paths"].as_array().map_or(0, Vec::len);
    let failed = removal["error"].as_str();
    match (
        removal["dry_run"].as_bool(),
        removal["answered_at"].is_null(),
        failed,
    ) {
        (None, ..) => String::new(),
        (Some(true), true, _) => "asked what would be".to_owned(),
        (Some(false), true, _) => "asked".to_owned(),
        (_, _, Some(error)) => format!("failed: {error}"),
        (Some(true), false, None) => format!("would remove {paths}"),
        (Some(false), false, None) => format!("removed {paths}"),
    }
}
