//! The mails about a job: what happened, how much of it, what failed first, and what to do.
//!
//! Entra sends one when a job goes into quarantine and another when the reason changes. So do we, and also when the job is
//! disabled, and when an initial cycle failed so often that the job was paused.

use std::fmt::Write;

use jiff::Timestamp;

use crate::application::Application;
use crate::engine::quarantine::{Change, Quarantine, Reason, Verdict};
use crate::engine::steps::{Record, RecordAction, Status};
use crate::job::Summary;
use crate::log::{Filter, word};

/// How many entries of the log a mail repeats.
pub const EXAMPLES: usize = 10;

/// The longest part of a foreign text that a mail repeats, in characters.
const LONGEST: usize = 300;

/// What people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub subject: String,
    /// Plain text; lines end in `\n`.
    pub text: String,
}

/// What has happened to a job.
#[derive(Debug, Clone, Copy)]
enum Event<'a> {
    Entered(&'a Quarantine),
    ReasonChanged(&'a Quarantine),
    Disabled,
    Paused(Reason),
}

impl<'a> Event<'a> {
    fn of(summary: &'a Summary) -> Option<Self> {
        match (&summary.verdict, &summary.quarantine) {
            (Verdict::PruneAndPause(reason), _) => Some(Self::Paused(*reason)),
            (_, Change::Entered(now)) => Some(Self::Entered(now)),
            (_, Change::ReasonChanged(now)) => Some(Self::ReasonChanged(now)),
            (_, Change::Disabled) => Some(Self::Disabled),
            (_, Change::Active | Change::Stays(_) | Change::Left) => None,
        }
    }

    fn reason(self, summary: &Summary) -> Option<Reason> {
        match self {
            Self::Entered(now) | Self::ReasonChanged(now) => Some(now.reason),
            Self::Paused(reason) => Some(reason),
            Self::Disabled => match summary.verdict {
                Verdict::Quarantine(reason) => Some(reason),
                Verdict::Healthy | Verdict::PruneAndPause(_) => None,
            },
        }
    }
}

/// Which entries of the log, the first [`EXAMPLES`] of them, the mail about a cycle repeats; `None` where there is nothing
/// to tell.
#[must_use]
pub fn examples(summary: &Summary) -> Option<Filter> {
    let event = Event::of(summary)?;
    let since = Some(summary.began);
    Some(match event.reason(summary) {
        Some(Reason::TooManyDeletes) => Filter {
            actions: vec![RecordAction::StagedDelete],
            since,
            ..Filter::default()
        },
        _ => Filter {
            statuses: vec![Status::Failure],
            since,
            ..Filter::default()
        },
    })
}

/// The mail about a cycle, where it has something to tell. `called` is what commands call the application: its name in a
/// server, its file elsewhere. `before` is the quarantine that the job was in when the cycle
/// began, `examples` are the entries that [`examples`] asks for.
#[must_use]
pub fn of(
    application: &Application,
    called: &str,
    summary: &Summary,
    before: Option<&Quarantine>,
    examples: &[Record],
) -> Option<Notice> {
    let event = Event::of(summary)?;
    let reason = event.reason(summary);
    let mut text = String::new();
    let parts = [
        happened(application, summary, event, before),
        why(application, summary, reason),
        counts(application, summary),
        first(reason, examples),
        to_do(called, reason),
        outlook(event),
    ];
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    }
    let subject = format!(
        "Portreeve: {} {}",
        application.name,
        headline(event, reason)
    );
    Some(Notice {
        subject: one_line(&subject),
        text,
    })
}

fn headline(event: Event<'_>, reason: Option<Reason>) -> String {
    match (event, reason) {
        (Event::Disabled, _) => "is disabled".to_owned(),
        (Event::Paused(_), _) => "is paused: too much failed in its initial cycle".to_owned(),
        (_, Some(Reason::TooManyDeletes)) => "holds deletions back".to_owned(),
        (Event::ReasonChanged(now), _) => {
            format!(
                "is in quarantine for another reason ({})",
                word(&now.reason)
            )
        }
        (Event::Entered(now), _) => format!("is in quarantine ({})", word(&now.reason)),
    }
}

fn happened(
    application: &Application,
    summary: &Summary,
    event: Event<'_>,
    before: Option<&Quarantine>,
) -> String {
    let (name, at) = (one_line(&application.name), time(summary.ended));
    let since = before.map_or_else(
        || "four weeks".to_owned(),
        |before| time(before.series_began),
    );
    match event {
        Event::Entered(_) => {
            format!("The provisioning job of {name} went into quarantine at {at}.\n")
        }
        Event::ReasonChanged(now) => {
            let earlier = before.map_or_else(String::new, |before| {
                format!(" than {}", word(&before.reason))
            });
            format!(
                "The provisioning job of {name} is in quarantine since {}, and since {at} for another reason{earlier}.\n",
                time(now.series_began)
            )
        }
        Event::Disabled => format!(
            "The provisioning job of {name} was disabled at {at}: no cycle has gone well since {since}.\nIt does not run any more, and who leaves keeps access at {}.\n",
            one_line(&application.target_name)
        ),
        Event::Paused(_) => format!(
            "The initial cycle of {name} came to its end at {at}, and so much failed that the job is paused.\nWhat failed is not tried again by itself.\n"
        ),
    }
}

fn why(application: &Application, summary: &Summary, reason: Option<Reason>) -> String {
    let mut out = String::new();
    if let Some(reason) = reason {
        let _ = writeln!(out, "Why: {} ({}).", meaning(reason), word(&reason));
    }
    if let Some(held) = summary.held {
        let threshold = application.guard_threshold.unwrap_or_default();
        let _ = writeln!(
            out,
            "{} objects would be deleted and {} disabled; at most {threshold} may lose their access at once. None of them has lost it.",
            held.deletes, held.disables
        );
    }
    if let Some(error) = &summary.error {
        let _ = writeln!(out, "Error: {}", one_line(error));
    }
    out
}

fn counts(application: &Application, summary: &Summary) -> String {
    let counters = &summary.counters;
    let mut out = format!(
        "Cycle {} ({}) from {} to {}, {} to {}:\n",
        summary.number,
        summary.kind.name(),
        one_line(&application.source_name),
        one_line(&application.target_name),
        time(summary.began),
        time(summary.ended),
    );
    let lines = [
        ("created", counters.created),
        ("updated", counters.updated),
        ("disabled", counters.disabled),
        ("deleted", counters.deleted),
        ("held back", counters.held),
        ("failed", counters.failed),
        (
            "members and managers that failed",
            counters.references_failed,
        ),
        ("nothing to do", counters.unchanged + counters.skipped),
    ];
    let begun = out.len();
    for (what, count) in lines.into_iter().filter(|(_, count)| *count > 0) {
        let _ = writeln!(out, "  {what}: {count}");
    }
    if out.len() == begun {
        out.push_str("  nothing was done\n");
    }
    out
}

fn first(reason: Option<Reason>, examples: &[Record]) -> String {
    let mut out = String::new();
    for record in examples.iter().take(EXAMPLES) {
        if out.is_empty() {
            out.push_str(match reason {
                Some(Reason::TooManyDeletes) => "Some of those who would lose access:\n",
                _ => "Some of what failed:\n",
            });
        }
        let source = &record.source_identity;
        let key = one_line(&source.id);
        let _ = match &source.display_name {
            Some(name) => write!(out, "  {} ({key})", one_line(name)),
            None => write!(out, "  {key}"),
        };
        let error = record.provisioning_status_info.error_information.as_ref();
        match error.filter(|_| reason != Some(Reason::TooManyDeletes)) {
            None => out.push('\n'),
            Some(error) => {
                let _ = writeln!(
                    out,
                    ": {}: {}",
                    word(&error.error_code),
                    one_line(&error.reason)
                );
                if !error.recommended_action.is_empty() {
                    let _ = writeln!(out, "    {}", error.recommended_action);
                }
            }
        }
    }
    out
}

fn to_do(called: &str, reason: Option<Reason>) -> String {
    let name = quoted(called);
    let commands = match reason {
        Some(Reason::TooManyDeletes) => vec![
            (
                format!("logs {name} --action stagedDelete"),
                "shows who would lose access.",
            ),
            (
                format!("restart {name} --scope ForceDeletes"),
                "lets it happen, if it is right.",
            ),
            (
                format!("restart {name}"),
                "counts again, after you have repaired assignments or scoping filters.",
            ),
        ],
        Some(Reason::EncounteredQuarantineException | Reason::IngestionInterrupted) => vec![
            (
                format!("test {name}"),
                "says what is wrong with the source or the target.",
            ),
            (
                format!("start {name}"),
                "tries again at once, after you have repaired it.",
            ),
        ],
        _ => vec![
            (
                format!("logs {name} --status failure"),
                "shows what failed, and what to do about each.",
            ),
            (
                format!("restart {name}"),
                "tries all of it again, after you have repaired the cause.",
            ),
        ],
    };
    let mut out = "What to do:\n".to_owned();
    for (command, why) in commands {
        let _ = writeln!(out, "  portreeve app {command}\n    {why}");
    }
    out
}

fn outlook(event: Event<'_>) -> String {
    match event {
        Event::Entered(now) | Event::ReasonChanged(now) => format!(
            "The next attempt is at {}. In quarantine cycles become rarer, down to one a day. One that goes well ends it; after four weeks without one the job is disabled.\n",
            time(now.next_attempt)
        ),
        Event::Disabled | Event::Paused(_) => String::new(),
    }
}

fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::EncounteredBaseEscrowThreshold => "too many objects failed",
        Reason::EncounteredTotalEscrowThreshold => "too many objects, managers and members failed",
        Reason::EncounteredEscrowProportionThreshold => "too large a part of the objects failed",
        Reason::EncounteredQuarantineException => {
            "the credentials are refused, the target cannot be reached, or it does not speak SCIM"
        }
        Reason::TooManyDeletes => {
            "the guard against accidental deletions holds what the cycle would have taken away"
        }
        Reason::IngestionInterrupted => "the source could not be read to the end",
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A foreign text in one line of bounded length.
fn one_line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.trim().chars().take(LONGEST).map(clean).collect();
    if text.trim().chars().count() > LONGEST {
        line.push('…');
    }
    line
}

/// A name as one word of a command.
fn quoted(name: &str) -> String {
    let name = one_line(name);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !name.is_empty() && name.chars().all(plain) && !name.starts_with('-') {
        true => name,
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests;
