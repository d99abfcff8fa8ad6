//! What happened in the demonstration, and which commands show more of it.

use super::days::{Cycle, heading};
use super::host::Shown;
use super::{TEAM, Told};
use crate::environment;
use crate::failure::Failure;
use crate::output::{self, Format, harmless};
use portreeve_provisioning::demo::{Notable, What};
use portreeve_server::Running;
use secrecy::ExposeSecret;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

/// What becomes of the server and its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The server goes on.
    Serving,
    /// The server ends, and its data stays.
    Kept,
    /// The server ends, and its data goes.
    Gone,
}

/// Prints what happened; to a program, the report.
pub(super) fn tell(
    format: Format,
    told: &Told,
    server: &Running,
    data: &Path,
    next: Next,
) -> Result<(), Failure> {
    let id = told.directory["id"].as_str().unwrap_or_default();
    let object = json!({
        "url": server.url(),
        "data": data,
        "directory": {"id": id, "name": told.directory["name"], "tenant_url": told.directory["tenant_url"]},
        "application": told.definition,
        "report": told.report,
        "host": told.host,
    });
    match format {
        Format::Table => output::print(&prose(told, data, next)),
        _ => output::one(format, &SHAPE, &object),
    }
}

const SHAPE: output::Shape = output::Shape {
    columns: &[
        output::Column::text("Directory", "directory.name"),
        output::Column::text("Id", "directory.id"),
        output::Column::text("Tenant URL", "directory.tenant_url"),
        output::Column::text("Data", "data"),
    ],
    name: "directory.name",
};

fn prose(told: &Told, data: &Path, next: Next) -> String {
    let report = &told.report;
    let mut text = String::from("\n");
    if report.again {
        text.push_str(
            "An earlier run has done this already; this one has looked for what is new.\n\n",
        );
    }
    text.push_str("What happened\n");
    text.push_str(&output::table(report.cycles.iter().map(cycle)));
    if let Some(last) = report.cycles.last() {
        let _ = writeln!(
            text,
            "  {} people and {} groups are managed now.",
            last.users, last.groups
        );
    }
    text.push_str("\nWho to look at\n");
    text.push_str(&output::table(report.notable.iter().map(notable)));
    for problem in &report.problems {
        let _ = writeln!(
            text,
            "\nProblem: {}: {} {}",
            problem.name, problem.error, problem.remedy
        );
    }
    text.push_str("\nWho may log in\n");
    text.push_str(&at_the_host(&told.host));
    look_around(&mut text, told, &data.display().to_string(), next);
    text
}

/// What a host said to one of the company's people.
fn at_the_host(shown: &Shown) -> String {
    match shown {
        Shown::Nothing { why } => format!("  Nobody was shown logging in to a host: {why}.\n"),
        Shown::Done(story) => format!(
            "  The group {group} was granted the hosts with role=web. {name} was given a certificate for the account\n  \
             {account} (serial number {serial}), and ssh logged in to {host} with it. Then {name} was suspended,\n  \
             and the same ssh was told: {refused} Reinstated, {name} needs another certificate.\n",
            group = harmless(&story.group),
            name = harmless(&story.name),
            account = harmless(&story.account),
            serial = story.serial,
            host = story.host,
            refused = harmless(&story.refused),
        ),
        Shown::Managed(story) => format!(
            "  The group {group} was granted login and sudo on the hosts with role=web. {host} is a managed host: there\n  \
             {name} has the account {account}, which nobody had to make, and became root with sudo. When the identity\n  \
             provider said that {name} had left, {host} refused ssh {refused:.1} seconds later, and within {ended:.1} seconds\n  \
             the open session was ended. What {name} had there is there still.\n",
            group = harmless(&story.group),
            name = harmless(&story.name),
            account = harmless(&story.account),
            host = story.host,
            refused = story.refused_after,
            ended = story.ended_after,
        ),
    }
}

/// Where there is more to see.
fn look_around(text: &mut String, told: &Told, data: &str, next: Next) {
    let (folder, program) = (quoted(data), quoted(&environment::program()));
    match next {
        Next::Serving => {
            let link = told.link.expose_secret();
            let _ = writeln!(
                text,
                "\nLook around in a browser (the link is good for once, within 15 minutes)\n  {link}\n\nOr from another terminal\n  {program} owner link --team {TEAM} --data {folder}"
            );
        }
        Next::Kept => {
            let _ = writeln!(
                text,
                "\nServe it again with {program} serve --data {folder}, and look around"
            );
        }
        Next::Gone => {
            let _ = writeln!(
                text,
                "\nThe data is gone now. To look around, run {program} demo without --exit, or with --data DIR."
            );
            return;
        }
    }
    for command in about_people(told) {
        let _ = writeln!(text, "  {program} {command} --data {folder}");
    }
    let definition = quoted(&told.definition.display().to_string());
    for command in about_the_application(told) {
        let _ = writeln!(text, "  {program} app {command} {definition}");
    }
    if let (Next::Serving, Shown::Managed(story)) = (next, &told.host) {
        let _ = writeln!(
            text,
            "\nLog in to {host} as {account}, or as warden, who is local and is let in whatever happens here\n  \
             ssh -F {config} {account}@{host}\n  ssh -F {config} warden@{host}",
            host = story.host,
            account = harmless(&story.account),
            config = quoted(&story.config.display().to_string()),
        );
    }
    if next == Next::Serving {
        let people = told.people.display();
        let _ = writeln!(
            text,
            "\nChange somebody in {people}, and bring that over\n  {program} app run {definition}\n\nCtrl-C ends the server."
        );
    }
}

fn cycle(cycle: &Cycle) -> Vec<String> {
    let counters = &cycle.counters;
    let parts: Vec<String> = [
        (counters.created, "created"),
        (counters.updated, "updated"),
        (counters.disabled, "disabled"),
        (counters.deleted, "deleted"),
        (counters.unchanged, "unchanged"),
        (counters.failed, "refused"),
        (counters.references_written, "members and managers written"),
        (counters.references_failed, "members and managers refused"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect();
    let done = match parts.is_empty() {
        true => "nothing to do".to_owned(),
        false => parts.join(", "),
    };
    vec![
        format!("  {}", heading(cycle.day)),
        done,
        format!("{} requests in {:.2} s", cycle.requests, cycle.seconds),
    ]
}

fn notable(notable: &Notable) -> Vec<String> {
    vec![
        format!("  {}", notable.name),
        said(notable.what).to_owned(),
        notable.detail.clone(),
    ]
}

fn said(what: What) -> &'static str {
    match what {
        What::Joined => "joined",
        What::Renamed => "renamed",
        What::Left => "left",
        What::Restored => "came back",
        What::GroupRenamed => "renamed group",
        What::MembersChanged => "changed group",
        What::NoEmail => "no e-mail",
    }
}

/// Commands that show something of what is there now.
fn about_people(told: &Told) -> Vec<String> {
    let of = |wanted| name_of(told, wanted);
    let mut commands = vec![
        "directory get Contoso".to_owned(),
        "user list --directory Contoso --filter 'active eq false'".to_owned(),
    ];
    if let Some(left) = of(What::Left) {
        commands.push(format!("user get {left} --directory Contoso"));
    }
    if let Some(id) = &told.renamed {
        commands.push(format!("event list --object {}", quoted(id)));
    }
    if let Some(group) = of(What::MembersChanged) {
        commands.push(format!("group members {group} --directory Contoso"));
    }
    let shown = match &told.host {
        Shown::Nothing { .. } => None,
        Shown::Done(story) => Some((&story.user, story.host)),
        Shown::Managed(story) => Some((&story.user, story.host)),
    };
    if let Some((user, host)) = shown {
        let user = quoted(user);
        commands.push(format!("explain {user} {host} --team {TEAM}"));
        commands.push(format!("certificate list --team {TEAM}"));
    }
    if let Shown::Managed(story) = &told.host {
        commands.push(format!("host get {} --team {TEAM}", story.host));
    }
    commands.push("event tail -f".to_owned());
    commands
}

/// Commands that show something of how it came there.
fn about_the_application(told: &Told) -> Vec<String> {
    let renamed = name_of(told, What::Renamed);
    let logs = renamed.map(|name| format!("logs --user {name}"));
    logs.into_iter().chain(["status".to_owned()]).collect()
}

fn name_of(told: &Told, wanted: What) -> Option<String> {
    let notable = &told.report.notable;
    let found = notable.iter().find(|it| it.what == wanted);
    found.map(|it| quoted(&it.name))
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
