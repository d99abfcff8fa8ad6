//! `POST /report`: how things stand on a host, what happened in its sessions, and what became of people who were shut out.

use super::ask::{self, Ask, Speaker};
use super::certify::short;
use crate::api::Problem;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use portreeve_directory::events::Cause;
use portreeve_directory::host_agents::Said;
use portreeve_directory::host_denials::{self, Denial};
use portreeve_directory::host_removals::{self, Answer, Removal};
use portreeve_directory::host_sessions::{self, Happened, Told};
use portreeve_directory::{Refusal, host_agents, hosts};
use portreeve_host_policy::api::{
    self, Conflict, Finding, Heard, MAX_ENTRIES, MAX_SESSIONS, Report,
};
use portreeve_store::{Scope, Tx};

/// The most bytes of a report.
const LIMIT: usize = crate::body::LIMIT;

pub(super) async fn report(ask: Ask, body: Body) -> Result<Response, Problem> {
    let speaker = ask::speaker(&ask).await?;
    let report: Report = ask::body(&ask, body, LIMIT).await?;
    check(&report)?;
    let (by, team_id) = (ask.by(speaker.actor()), ask.team_id.clone());
    let kept = kept(&speaker, &report, ask.at);
    let written = ask.app.write(Scope::of(&ask.team_id), move |tx| {
        kept.write(tx, &by.cause(&team_id, None), &speaker)?;
        host_removals::due(tx, &team_id, &speaker.host.id)
    });
    let heard = Heard {
        now: ask.now(),
        removals: written.await?.into_iter().map(removal).collect(),
    };
    Ok(super::json(StatusCode::OK, &heard))
}

/// Refuses what is more than an agent has to say at once. Longer texts are cut: that is nothing it could act on.
fn check(report: &Report) -> Result<(), Problem> {
    let doctor = report.doctor.as_ref().map_or(0, Vec::len);
    for (name, count, most) in [
        ("sessions", report.sessions.len(), MAX_SESSIONS),
        ("conflicts", report.conflicts.len(), MAX_ENTRIES),
        ("denied", report.denied.len(), MAX_ENTRIES),
        ("removed", report.removed.len(), MAX_ENTRIES),
        ("doctor", doctor, MAX_ENTRIES),
    ] {
        if count > most {
            return Err(Problem::invalid(format!(
                "{name}: at most {most} in one report; send the others with the next"
            )));
        }
    }
    Ok(())
}

/// A report as it is kept.
struct Kept {
    said: Said,
    denied: Vec<Denial>,
    told: Vec<Told>,
    removed: Vec<Answer>,
    /// The machine was started since it was last heard.
    has_started: bool,
}

fn kept(speaker: &Speaker, report: &Report, now: i64) -> Kept {
    let micros = |time: Timestamp| time.as_microsecond();
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let text = |text: &Option<String>| text.as_deref().map(short).filter(|text| !text.is_empty());
    let boot_id = text(&report.boot_id);
    let doctor = report.doctor.as_deref().map(findings);
    Kept {
        has_started: boot_id.is_some() && speaker.agent.said.boot_id != boot_id,
        said: Said {
            version: short(&report.agent_version),
            os: short(&report.os),
            boot_id,
            applied: report
                .applied
                .map(|applied| (number(applied.version), micros(applied.at))),
            lease_until: report.lease_until.map(micros),
            krl: text(&report.krl),
            certificate: report
                .certificate
                .map(|shown| (number(shown.serial), micros(shown.valid_before))),
            clock_ahead: Some((micros(report.now) - now) / 1_000),
            conflicts: conflicts(&report.conflicts),
            doctor,
        },
        denied: report
            .denied
            .iter()
            .map(|denied| denial(speaker, denied, now))
            .collect(),
        told: report.sessions.iter().map(told).collect(),
        removed: report.removed.iter().map(answer).collect(),
    }
}

fn denial(speaker: &Speaker, denied: &api::Denied, now: i64) -> Denial {
    Denial {
        host_id: speaker.host.id.clone(),
        holder_id: denied.id.clone(),
        since_at: denied.since.as_microsecond(),
        reported_at: now,
        sessions_ended: i64::from(denied.sessions_ended),
        processes: i64::from(denied.processes),
        has_home: denied.home,
        has_crontab: denied.crontab,
        has_keys: denied.keys,
        had_sudo: denied.had_sudo,
    }
}

fn told(event: &api::Session) -> Told {
    let text = |text: &Option<String>| text.as_deref().map(short).filter(|text| !text.is_empty());
    Told {
        id: short(&event.id),
        session: text(&event.session),
        what: match event.kind {
            api::Happened::Login => Happened::Login,
            api::Happened::Sudo => Happened::Sudo,
            api::Happened::Logout => Happened::Logout,
        },
        at: event.at.as_microsecond(),
        account: short(&event.account),
        serial: event.serial.and_then(|serial| i64::try_from(serial).ok()),
        key_id: text(&event.key_id),
        address: text(&event.address),
        command: text(&event.command),
    }
}

fn answer(removed: &api::Removed) -> Answer {
    Answer {
        holder_id: removed.id.clone(),
        is_dry_run: removed.dry_run,
        paths: removed
            .paths
            .iter()
            .take(MAX_ENTRIES)
            .map(|path| short(path))
            .collect(),
        error: removed.error.as_deref().map(short),
    }
}

fn removal(due: Removal) -> api::Removal {
    api::Removal {
        id: due.holder_id,
        account: due.account,
        dry_run: due.is_dry_run,
    }
}

fn conflicts(all: &[Conflict]) -> String {
    let kept: Vec<Conflict> = all
        .iter()
        .map(|one| Conflict {
            account: short(&one.account),
            reason: short(&one.reason),
            detail: short(&one.detail),
        })
        .collect();
    as_text(&kept)
}

fn findings(all: &[Finding]) -> String {
    let kept: Vec<Finding> = all
        .iter()
        .map(|one| Finding {
            check: short(&one.check),
            verdict: short(&one.verdict),
            detail: short(&one.detail),
        })
        .collect();
    as_text(&kept)
}

/// Texts alone: nothing in it can fail to be written.
fn as_text<T: serde::Serialize>(all: &[T]) -> String {
    serde_json::to_string(all).unwrap_or_else(|_| "[]".to_owned())
}

impl Kept {
    fn write(&self, tx: &mut Tx<'_>, cause: &Cause<'_>, speaker: &Speaker) -> Result<(), Refusal> {
        let (team_id, host) = (cause.team_id, &speaker.host);
        let by = (host.id.as_str(), speaker.identity.as_str());
        host_agents::report(tx, team_id, by, &self.said, cause.at)?;
        hosts::contact(tx, team_id, &host.id, cause.at)?;
        if self.has_started {
            host_sessions::end_all(tx, team_id, &host.id)?;
        }
        host_sessions::tell(tx, cause, host, &self.told)?;
        host_removals::answered(tx, cause, host, &self.removed)?;
        // Whoever is shut out has no session any more that was told of before.
        for denial in host_denials::keep(tx, team_id, &host.id, &self.denied)? {
            if denial.sessions_ended > 0 {
                host_sessions::end_of(tx, team_id, &host.id, &denial.holder_id)?;
            }
        }
        Ok(())
    }
}
