//! What happened in the demonstration, and which commands show more of it.

use super::Told;
use crate::failure::Failure;
use crate::output::{self, Format};
use portreeve_provisioning::demo::{Counts, Notable, Report, Round, What};
use portreeve_server::Running;
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
        "report": told.report,
    });
    match format {
        Format::Table => output::print(&prose(&told.report, data, next)),
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

fn prose(report: &Report, data: &Path, next: Next) -> String {
    let mut text = String::new();
    if report.again {
        text.push_str(
            "\nAn earlier run has done this already; this one compared everything again.\n",
        );
        let _ = writeln!(text, "  {}", round(&report.first_round));
    } else {
        text.push_str("\nWhat happened\n");
        let _ = writeln!(text, "  First day:  {}", round(&report.first_round));
        let _ = writeln!(text, "  Second day: {}", round(&report.second_round));
    }
    if !report.notable.is_empty() {
        text.push_str("\nWho to look at\n");
        let rows = report.notable.iter().map(notable);
        text.push_str(&output::table(rows));
    }
    for problem in &report.problems {
        let _ = writeln!(
            text,
            "\nProblem: {}: {} ({})",
            problem.name, problem.error, problem.remedy
        );
    }
    let data = quoted(&data.display().to_string());
    match next {
        Next::Serving => text.push_str("\nLook around from another terminal\n"),
        Next::Kept => {
            let _ = writeln!(
                text,
                "\nServe it again with portreeve serve --data {data}, and look around"
            );
        }
        Next::Gone => {
            text.push_str("\nThe data is gone now. To look around, run portreeve demo without --exit, or with --data DIR.\n");
            return text;
        }
    }
    for command in commands(report) {
        let _ = writeln!(text, "  portreeve {command} --data {data}");
    }
    if next == Next::Serving {
        text.push_str("\nCtrl-C ends the server.\n");
    }
    text
}

fn round(round: &Round) -> String {
    let mut parts = vec![
        format!("people: {}", counts(&round.users)),
        format!("groups: {}", counts(&round.groups)),
    ];
    for (number, what) in [
        (round.managers_set, "managers set"),
        (round.members_added, "memberships added"),
        (round.members_removed, "memberships removed"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    parts.join("; ")
}

fn counts(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.unchanged, "unchanged"),
        (counts.failed, "refused"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect();
    match parts.is_empty() {
        true => "none".to_owned(),
        false => parts.join(", "),
    }
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
        What::Disabled => "disabled",
        What::NoEmail => "no e-mail",
        _ => "",
    }
}

/// Commands that show something of this run.
fn commands(report: &Report) -> Vec<String> {
    let of = |wanted: What| report.notable.iter().find(|one| one.what == wanted);
    let mut commands = vec![
        "directory get Contoso".to_owned(),
        "user list --directory Contoso --filter 'active eq false'".to_owned(),
    ];
    if let Some(left) = of(What::Left) {
        commands.push(format!(
            "user get {} --directory Contoso",
            quoted(&left.name)
        ));
    }
    if let Some(id) = of(What::Renamed).and_then(|one| one.id.as_ref()) {
        commands.push(format!("event list --object {}", quoted(id.as_str())));
    }
    if let Some(group) = of(What::MembersChanged) {
        commands.push(format!(
            "group members {} --directory Contoso",
            quoted(&group.name)
        ));
    }
    commands.push("event tail -f".to_owned());
    commands
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
