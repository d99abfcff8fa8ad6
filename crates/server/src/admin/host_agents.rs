//! The agents of hosts as they are shown: what is in force there, how far it is behind, and what does not fit.

use super::Admin;
use super::holders::{HolderView, Names};
use super::view::At;
use crate::app::App;
use portreeve_directory::host_agents::{Agent, Status};
use portreeve_directory::host_sessions::{self, Open};
use portreeve_directory::{Refusal, hosts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SECOND: i64 = 1_000_000;

/// How far a host has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HostStatus {
    /// It has no agent, as far as is known.
    Registered,
    /// Its agent has proven itself.
    Enrolled,
    /// Its agent has taken leave.
    Left,
}

impl HostStatus {
    pub(super) fn of(agent: Option<&Agent>) -> Self {
        match agent.map(|agent| agent.status) {
            Some(Status::Enrolled) => Self::Enrolled,
            Some(Status::Left) => Self::Left,
            Some(Status::Registered) | None => Self::Registered,
        }
    }
}

/// The agent of a host, as it was last heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AgentView {
    /// The version of the program; empty before it has reported.
    pub(crate) version: String,
    /// The operating system.
    pub(crate) os: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enrolled_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) left_at: Option<At>,
    /// When it reported last; absent: it has not since it enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reported_at: Option<At>,
    /// The newest version of the policy that there is for the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_version: Option<i64>,
    /// The version that is in force there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) applied_version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) applied_at: Option<At>,
    /// For about how many seconds the host has not had the newest policy; 0: it has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lag_seconds: Option<i64>,
    /// When the host closes by itself unless it hears anew; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lease_until: Option<At>,
    /// Whether the host has the newest list of what is revoked.
    pub(crate) krl_is_current: bool,
    /// The certificate that `sshd` shows there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<AgentCertificate>,
    /// By how many milliseconds its clock is ahead of the server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clock_ahead_ms: Option<i64>,
    /// What of the policy was not done there, and why.
    pub(crate) conflicts: Vec<ConflictView>,
    /// What the doctor found when it was last asked.
    pub(crate) doctor: Vec<FindingView>,
}

/// The certificate that a host shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct AgentCertificate {
    /// Its serial number, as text because it has up to 63 bits.
    pub(crate) serial: String,
    pub(crate) valid_before: At,
}

/// Something of the policy that a host did not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ConflictView {
    /// The account or group.
    pub(crate) account: String,
    /// A code that does not change with the wording, such as `name_taken`.
    pub(crate) reason: String,
    /// For people.
    pub(crate) detail: String,
}

/// Something that the doctor of a host has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FindingView {
    pub(crate) check: String,
    /// `ok`, `warn` or `fail`.
    pub(crate) verdict: String,
    pub(crate) detail: String,
}

/// What the view of an agent depends on besides what it said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Against {
    /// Microseconds since 1970 UTC.
    pub(crate) now: i64,
    /// The entity tag of the newest list of what is revoked.
    pub(crate) krl: Option<String>,
}

impl Against {
    /// How things are now in a team.
    pub(crate) async fn of(app: &App, team_id: &str, now: i64) -> Self {
        let list = app.krl(team_id).await;
        if let Err(error) = &list {
            tracing::debug!(%error, "whether hosts have the newest list of what is revoked is not known");
        }
        Self {
            now,
            krl: list.ok().map(|list| list.tag.clone()),
        }
    }
}

impl AgentView {
    /// `None` for one that is only waited for.
    pub(super) fn of(agent: &Agent, against: &Against) -> Option<Self> {
        let said = &agent.said;
        let applied = said.applied;
        (agent.status != Status::Registered).then(|| Self {
            version: said.version.clone(),
            os: said.os.clone(),
            enrolled_at: agent.enrolled_at.map(At),
            left_at: agent.left_at.map(At),
            reported_at: agent.reported_at.map(At),
            policy_version: agent.policy.map(|policy| policy.version),
            applied_version: applied.map(|(version, _)| version),
            applied_at: applied.map(|(_, at)| At(at)),
            lag_seconds: lag(agent, against.now),
            lease_until: said.lease_until.map(At),
            krl_is_current: said.krl.is_some() && said.krl == against.krl,
            certificate: said.certificate.map(|(serial, until)| AgentCertificate {
                serial: serial.to_string(),
                valid_before: At(until),
            }),
            clock_ahead_ms: said.clock_ahead,
            // Only we write them.
            conflicts: serde_json::from_str(&said.conflicts).unwrap_or_default(),
            doctor: said
                .doctor
                .as_deref()
                .and_then(|found| serde_json::from_str(found).ok())
                .unwrap_or_default(),
        })
    }
}

/// For about how many seconds a host has been without the newest policy: since that was given out, or, where it has not been
/// fetched, since the host was last heard. `None`: it has left, or there is no policy yet.
fn lag(agent: &Agent, now: i64) -> Option<i64> {
    let policy = agent.policy.filter(|_| agent.status == Status::Enrolled)?;
    let applied = agent.said.applied.map_or(0, |(version, _)| version);
    let since = if applied >= policy.version {
        now
    } else if policy.issued_version == policy.version {
        policy.issued_at?
    } else {
        agent.reported_at.or(agent.enrolled_at)?
    };
    Some((now - since).max(0) / SECOND)
}

/// A session on a host that has not ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HostSessionView {
    /// What the host calls it.
    pub(crate) id: String,
    /// The account on the host.
    pub(crate) account: String,
    /// Whose certificate opened it, or whose account it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<HolderView>,
    /// The serial number of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<String>,
    /// Where the client is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    pub(crate) began_at: At,
}

/// The sessions on a host that have not ended, as its agent tells of them, the oldest first.
pub(crate) async fn sessions(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
) -> Result<Vec<HostSessionView>, Refusal> {
    let which = which.to_owned();
    let read = admin.read(app, team, move |tx, _, team| {
        let host = hosts::find(tx, &team.id, &which)?;
        let open = host_sessions::of_host(tx, &team.id, &host.id)?;
        let mut names = Names::default();
        let view = |one: Open| {
            let holder = one.holder.as_ref();
            let holder = holder.map(|holder| names.view(tx, &team.id, holder));
            Ok(HostSessionView {
                holder: holder.transpose()?,
                serial: one.serial.map(|serial| serial.to_string()),
                began_at: At(one.began_at),
                id: one.id,
                account: one.account,
                address: one.address,
            })
        };
        open.into_iter().map(view).collect()
    });
    read.await
}

#[cfg(test)]
mod tests {
    use super::*;
    use portreeve_directory::host_agents::{Policy, Said};

    #[test]
    fn a_host_lags_from_when_it_could_have_known_better() {
        for (name, status, applied, policy, expected) in [
            (
                "it has it",
                Status::Enrolled,
                Some(7),
                Some((7, 7)),
                Some(0),
            ),
            (
                "fetched, not applied",
                Status::Enrolled,
                Some(6),
                Some((7, 7)),
                Some(40),
            ),
            (
                "not fetched",
                Status::Enrolled,
                Some(6),
                Some((8, 7)),
                Some(10),
            ),
            (
                "nothing applied",
                Status::Enrolled,
                None,
                Some((1, 1)),
                Some(40),
            ),
            ("no policy yet", Status::Enrolled, None, None, None),
            ("left", Status::Left, Some(6), Some((7, 7)), None),
        ] {
            let agent = Agent {
                host_id: "h".to_owned(),
                status,
                host_key: None,
                identity: None,
                identity_before: None,
                hostnames: Vec::new(),
                enrolled_at: Some(0),
                left_at: None,
                reported_at: Some(90 * SECOND),
                said: Said {
                    applied: applied.map(|version| (version, 50 * SECOND)),
                    ..Said::default()
                },
                policy: policy.map(|(version, issued_version)| Policy {
                    version,
                    issued_version,
                    issued_at: Some(60 * SECOND),
                }),
            };
            assert_eq!(lag(&agent, 100 * SECOND), expected, "{name}");
        }
    }
}
