//! What the agent of a host has said: how it stands, what it could not do, who is logged in.

use crate::admin::host_agents::{
    self, AgentView, ConflictView, FindingView, HostSessionView, HostStatus,
};
use crate::admin::hosts::HostView;
use crate::console::certificates;
use crate::console::happening::time;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use portreeve_console::Section;
use portreeve_console::pages::hosts::{Agent, Conflict, Finding, Open};
use portreeve_console::parts::{Badge, Fact, Facts, Link, Shown, Tone};
use portreeve_directory::Permission;

/// An agent reports every few minutes; whoever is silent for so long is not there (microseconds).
pub(in crate::console) const SILENCE: i64 = 15 * 60 * 1_000_000;
/// How long before its end a lease is to be looked at (microseconds); it is renewed all the time.
const LEASE_ENDS: i64 = 24 * 3_600_000_000;
/// A clock that is wrong by less is not worth a word (milliseconds).
const CLOCK: i64 = 2_000;

/// What may be in the way: its code, what that means, and what to do about it.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "uid_zero",
        "It would have the number of root",
        "Give the user another number at the provider.",
    ),
    (
        "id_out_of_range",
        "Its number is not one that hosts take",
        "Give the user a number of the team's range, or none, so that one is chosen here.",
    ),
    (
        "name_invalid",
        "No account can have its name",
        "Change the rule for account names of the directory, or give a name for these hosts.",
    ),
    (
        "name_taken",
        "The machine has an account of that name",
        "Remove or rename the account on the machine, or give the person another name for these hosts.",
    ),
    (
        "uid_taken",
        "The machine has an account with that number",
        "Give the account on the machine another number, and its files with it.",
    ),
    (
        "gid_taken",
        "The machine has a group with that number",
        "Give the group on the machine another number, and its files with it.",
    ),
    (
        "home_invalid",
        "Its home is not where homes are, or is somebody else's",
        "Move what is there on the machine.",
    ),
    (
        "shell_unknown",
        "The machine has not got the shell",
        "Install the shell, or add it to /etc/shells. Until then the account has /bin/sh.",
    ),
    (
        "text_invalid",
        "Its name for people has characters that cannot be in a file of accounts",
        "Take colons and control characters out of the name.",
    ),
    (
        "group_missing",
        "The machine has no such group",
        "Make the group on the machine, or have the grant manage it.",
    ),
    (
        "shared_missing",
        "The machine has no such account",
        "Make the account on the machine, or take it out of the grant.",
    ),
    (
        "shared_root",
        "People would log in as root",
        "Grant sudo instead.",
    ),
    (
        "too_many",
        "It is in more groups than a system takes",
        "Take some groups out of the grants.",
    ),
];

/// How a host stands: the worst that can be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has no agent, as far as is known.
    Without,
    /// Its agent has taken leave.
    Left,
    /// It has enrolled and not reported since.
    NeverReported,
    /// It has not reported for a while.
    Silent,
    /// It has not applied the newest policy.
    Behind,
    /// It closes soon unless it hears of the server.
    LeaseEnds,
    /// As it should be.
    Current,
}

impl State {
    pub(super) fn of(host: &HostView, now: i64) -> Self {
        match (host.status, &host.agent) {
            (HostStatus::Registered, _) | (_, None) => Self::Without,
            (HostStatus::Left, _) => Self::Left,
            (HostStatus::Enrolled, Some(agent)) => match agent.reported_at {
                None => Self::NeverReported,
                Some(at) if at.0 < now - SILENCE => Self::Silent,
                Some(_) if is_behind(agent) => Self::Behind,
                Some(_)
                    if agent
                        .lease_until
                        .is_some_and(|end| end.0 < now + LEASE_ENDS) =>
                {
                    Self::LeaseEnds
                }
                Some(_) => Self::Current,
            },
        }
    }

    pub(super) fn badge(self) -> Badge {
        let (tone, word) = match self {
            Self::Without => (Tone::Neutral, "No agent"),
            Self::Left => (Tone::Neutral, "Left"),
            Self::NeverReported => (Tone::Warn, "Never reported"),
            Self::Silent => (Tone::Bad, "Silent"),
            Self::Behind => (Tone::Warn, "Behind"),
            Self::LeaseEnds => (Tone::Warn, "Lease over soon"),
            Self::Current => (Tone::Good, "Current"),
        };
        Badge::new(tone, word)
    }
}

/// The version that is in force, and the newest where that is another one.
pub(super) fn versions(agent: &AgentView) -> String {
    match (agent.policy_version, agent.applied_version) {
        (None, None) => String::new(),
        (Some(made), None) => format!("none of {made}"),
        (Some(made), Some(applied)) if applied < made => format!("{applied} of {made}"),
        (_, Some(applied)) => applied.to_string(),
    }
}

/// Whether there is a policy that the host has not got in force.
fn is_behind(agent: &AgentView) -> bool {
    agent.applied_version.unwrap_or(0) < agent.policy_version.unwrap_or(0)
}

/// For how long a host has been behind; empty where it is not.
pub(super) fn lag(agent: &AgentView) -> String {
    match agent.lag_seconds {
        Some(seconds) if is_behind(agent) => span(seconds),
        _ => String::new(),
    }
}

/// Seconds, as people say them.
fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The agent of a host, for its page.
pub(super) async fn of(visit: &Visit, host: &HostView) -> Result<Agent, Trouble> {
    let is_enrolled = host.status == HostStatus::Enrolled;
    let sessions = match visit.may(Permission::SessionRead) && is_enrolled {
        true => {
            let all = host_agents::sessions(&visit.app, &visit.admin, None, &host.id).await?;
            let may = visit.may(Permission::CertificateRead);
            Some(all.into_iter().map(|one| open(one, may)).collect())
        }
        false => None,
    };
    let agent = host.agent.as_ref();
    let wrong = agent.into_iter().flat_map(|agent| &agent.doctor);
    let wrong = wrong.filter(|finding| finding.verdict != "ok");
    let conflicts = agent.into_iter().flat_map(|agent| &agent.conflicts);
    Ok(Agent {
        state: State::of(host, visit.admin.at).badge(),
        facts: facts(host),
        enrol: (!is_enrolled && visit.may(Permission::HostWrite))
            .then(|| Section::Hosts.address().join("enrolment")),
        conflicts: conflicts.map(conflict).collect(),
        findings: wrong.map(finding).collect(),
        sessions,
    })
}

fn facts(host: &HostView) -> Facts {
    let mut facts = Vec::new();
    if let Some(key) = &host.host_key {
        facts.push(
            Fact::text("Key", key.clone()).note("By which the machine proves to be this host."),
        );
    }
    let Some(agent) = &host.agent else {
        return Facts(facts);
    };
    let moment = |label: &str, at: i64| Fact::new(label, Shown::Time(time(at)));
    facts.push(Fact::text("Version", agent.version.clone()));
    facts.push(Fact::text("System", agent.os.clone()));
    let policy = Fact::text("Policy in force", versions(agent));
    facts.push(match agent.applied_at {
        Some(at) => policy.note(format!("since {}", time(at.0).text())),
        None => policy,
    });
    if is_behind(agent) {
        facts.push(Fact::text("Behind for", lag(agent)));
    }
    if agent.applied_version.is_some() {
        facts.push(match agent.lease_until {
            Some(end) => moment("Lease until", end.0).note(
                "Then it lets nobody in who is managed here, unless it has heard of the server.",
            ),
            None => Fact::text("Lease until", "no end"),
        });
        facts.push(Fact::text(
            "Revocations",
            match agent.krl_is_current {
                true => "the newest list",
                false => "an older list",
            },
        ));
    }
    if let Some(shown) = &agent.certificate {
        let link = Link::new(shown.serial.clone(), certificates::page(&shown.serial));
        let until = format!("until {}", time(shown.valid_before.0).text());
        facts.push(Fact::new("Certificate", Shown::Link(link)).note(until));
    }
    if let Some(ahead) = agent.clock_ahead_ms.filter(|ahead| ahead.abs() >= CLOCK) {
        let word = if ahead > 0 { "ahead of" } else { "behind" };
        let by = span(ahead.abs() / 1_000);
        facts.push(Fact::text("Clock", format!("{by} {word} the server's")));
    }
    facts.push(match agent.reported_at {
        Some(at) => moment("Last report", at.0),
        None => Fact::text("Last report", "never"),
    });
    facts.extend(agent.enrolled_at.map(|at| moment("Enrolled", at.0)));
    facts.extend(agent.left_at.map(|at| moment("Left", at.0)));
    Facts(facts)
}

/// What is in the way, and what to do about it, in words.
fn conflict(one: &ConflictView) -> Conflict {
    let known = REASONS.iter().find(|(code, ..)| *code == one.reason);
    let (why, remedy) = known.map_or(
        (
            "The host could not do it",
            "Look at the log of the agent on the host.",
        ),
        |(_, why, remedy)| (*why, *remedy),
    );
    Conflict {
        account: one.account.clone(),
        why: why.to_owned(),
        detail: one.detail.clone(),
        remedy,
    }
}

/// What its doctor did not find as it should be.
fn finding(one: &FindingView) -> Finding {
    Finding {
        check: one.check.clone(),
        verdict: match one.verdict.as_str() {
            "fail" => Badge::new(Tone::Bad, "Wrong"),
            _ => Badge::new(Tone::Warn, "Look at it"),
        },
        detail: one.detail.clone(),
    }
}

fn open(one: HostSessionView, may_see_certificates: bool) -> Open {
    Open {
        who: one.holder.as_ref().map(certificates::holder),
        certificate: one.serial.filter(|_| may_see_certificates).map(|serial| {
            let href = certificates::page(&serial);
            Link::new(serial, href)
        }),
        address: one.address.unwrap_or_default(),
        began: time(one.began_at.0),
        account: one.account,
    }
}
