//! How applications look in tables.

use crate::output::{Column, Shape, member, plain};
use serde_json::Value;

/// Both ends of a connection test.
pub(super) const TESTED: Shape = Shape {
    columns: &[
        Column::text("Source", "source.ok"),
        Column::text("", "source.detail"),
        Column::text("Target", "target.ok"),
        Column::text("", "target.detail"),
    ],
    name: "source.ok",
};

/// Applications of a server.
pub(super) const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("STATUS", "status"),
        Column::text("TEAM", "team"),
        Column::text("SOURCE", "source"),
        Column::text("TARGET", "target"),
        Column::time("NEXT CYCLE", "next_run_at", ""),
        Column::text("ID", "id"),
    ],
    name: "name",
};

/// One application.
pub(super) const ONE: Shape = Shape {
    columns: &[
        Column::text("Name", "name"),
        Column::text("Id", "id"),
        Column::text("Team", "team"),
        Column::text("Status", "status"),
        Column::text("Source", "source"),
        Column::text("Target", "target"),
        Column::text("Interval", "definition.interval"),
        Column::text("Template", "definition.template"),
        Column::time("Next cycle", "next_run_at", ""),
        Column::text("Secrets", "secrets"),
        Column::time("Created", "created_at", ""),
        Column::time("Changed", "updated_at", ""),
    ],
    name: "name",
};

/// How a job is.
pub(super) const STATUS: Shape = Shape {
    columns: &[
        Column::text("Status", "code"),
        Column::text("Quarantine", "quarantine.reason"),
        Column::time("In quarantine since", "quarantine.seriesBegan", ""),
        Column::text("Cycle", "lastExecution.number"),
        Column::text("Kind", "lastExecution.kind"),
        Column::made("Doing", "lastExecution.phase", doing),
        Column::text("Result", "lastExecution.result"),
        Column::text("Error", "lastExecution.error"),
        Column::made("Done", "lastExecution.counters", done),
        Column::time("Began", "lastExecution.began", ""),
        Column::time("Ended", "lastExecution.ended", ""),
        Column::text("People managed", "users"),
        Column::text("Groups managed", "groups"),
        Column::made("Failed, tried again", "escrowed", nothing_for_0),
        Column::made(
            "Their members and managers",
            "escrowedReferences",
            references_for_0,
        ),
        Column::text("Trouble", "trouble"),
        Column::text("Restart asked for", "restart"),
        Column::time("Next cycle", "nextRun", ""),
    ],
    name: "code",
};

/// A cycle that has ended.
pub(super) const CYCLE: Shape = Shape {
    columns: &[
        Column::text("Cycle", "number"),
        Column::text("Kind", "kind"),
        Column::text("Result", "result"),
        Column::text("Error", "error"),
        Column::made("Done", "counters", counters),
        Column::time("Began", "began", ""),
        Column::time("Ended", "ended", ""),
        Column::text("Id", "id"),
    ],
    name: "id",
};

/// What came of provisioning on demand.
pub(super) const ON_DEMAND: Shape = Shape {
    columns: &[
        Column::text("Result", "result"),
        Column::text("Code", "error.errorCode"),
        Column::text("Reason", "error.reason"),
    ],
    name: "result",
};

/// What a cycle would do.
pub(super) const DRY_RUN: Shape = Shape {
    columns: &[
        Column::text("Result", "result"),
        Column::text("Error", "error"),
        Column::made("Would be", "counters", counters),
    ],
    name: "result",
};

/// Entries of the provisioning log.
pub(super) const LOG: Shape = Shape {
    columns: &[
        Column::time("TIME", "activityDateTime", ""),
        Column::text("ACTION", "provisioningAction"),
        Column::text("STATUS", "provisioningStatusInfo.status"),
        Column::text("CODE", "provisioningStatusInfo.errorInformation.errorCode"),
        Column::text("KIND", "sourceIdentity.identityType"),
        Column::made("NAME", "sourceIdentity.displayName", name),
        Column::made("WHAT", "what", what),
    ],
    name: "id",
};

/// What a cycle is doing while it has not ended.
fn doing(status: &Value) -> String {
    match status["lastExecution"]["ended"] {
        Value::Null => plain(&status["lastExecution"]["phase"]),
        _ => String::new(),
    }
}

fn done(status: &Value) -> String {
    counters(&status["lastExecution"])
}

/// What a cycle has done: all counters that are not zero, in words.
pub(super) fn counters(cycle: &Value) -> String {
    let counted = |(name, words): &(&str, &str)| {
        let count = cycle["counters"][*name].as_u64().filter(|count| *count > 0);
        count.map(|count| format!("{count} {words}"))
    };
    let words = [
        ("imported", "imported"),
        ("created", "created"),
        ("updated", "updated"),
        ("disabled", "disabled"),
        ("deleted", "deleted"),
        ("released", "released"),
        ("unchanged", "unchanged"),
        ("skipped", "skipped"),
        ("held", "held"),
        ("failed", "failed"),
        ("referencesWritten", "members and managers written"),
        ("referencesFailed", "members and managers failed"),
        ("unusable", "rows unusable"),
    ];
    let all: Vec<String> = words.iter().filter_map(counted).collect();
    match (all.is_empty(), cycle["counters"].is_object()) {
        (true, true) => "nothing was to be done".to_owned(),
        _ => all.join(", "),
    }
}

fn nothing_for_0(status: &Value) -> String {
    not_0(&status["escrowed"])
}

fn references_for_0(status: &Value) -> String {
    not_0(&status["escrowedReferences"])
}

fn not_0(count: &Value) -> String {
    match count.as_u64() {
        Some(0) => String::new(),
        _ => plain(count),
    }
}

pub(super) fn name(record: &Value) -> String {
    match member(record, "sourceIdentity.displayName") {
        Value::Null => plain(member(record, "sourceIdentity.id")),
        name => plain(name),
    }
}

/// Why it failed or was skipped, or which attributes were changed.
pub(super) fn what(record: &Value) -> String {
    let reason = member(record, "provisioningStatusInfo.errorInformation.reason");
    if reason.is_string() {
        return plain(reason);
    }
    const SHOWN: usize = 4;
    let properties = record["modifiedProperties"].as_array();
    let mut names: Vec<(String, usize)> = Vec::new();
    for property in properties.into_iter().flatten() {
        let name = plain(&property["displayName"]);
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
    }
    let shown = names.iter().take(SHOWN).map(|(name, count)| {
        // Of an extension's attribute the URN says less than the name.
        let short = name.rsplit(':').next().unwrap_or(name);
        match count {
            1 => short.to_owned(),
            count => format!("{short} ({count})"),
        }
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
