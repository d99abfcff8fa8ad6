//! What hosts go by: what an admin decides for all hosts of a team or for one, and what a host is told.

use super::people::{self, Change};
use super::view::At;
use super::{Admin, Object, members_of, version};
use crate::app::App;
use portreeve_directory::events::{self, Category};
use portreeve_directory::host_policies::{self, Settings, State};
use portreeve_directory::hosts::{self, Host};
use portreeve_directory::{Refusal, What};
use portreeve_host_policy::prefix_problem;
use portreeve_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What all hosts of a team go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HostRules {
    /// Whether open sessions end when access does.
    pub(crate) end_sessions: bool,
    /// For how long a host lets people in without hearing of the server; 0: for ever.
    pub(crate) lease_seconds: i64,
    /// The folder that homes are in.
    pub(crate) home_prefix: String,
    /// The shell of accounts.
    pub(crate) shell: String,
    /// POSIX groups that are made on hosts where somebody is in them. All others that grants name must exist there.
    pub(crate) managed_groups: BTreeSet<String>,
}

/// What is to be different about it; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostRulesChange {
    pub(crate) end_sessions: Option<bool>,
    /// From 300 to a year, or 0 for ever.
    pub(crate) lease_seconds: Option<i64>,
    pub(crate) home_prefix: Option<String>,
    pub(crate) shell: Option<String>,
    /// All of them.
    pub(crate) managed_groups: Option<BTreeSet<String>>,
}

/// What a host is told, and how far that is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HostPolicy {
    /// Rises with everything that the host is to know; 0: it has not asked yet.
    pub(crate) version: i64,
    /// For how long the host lets people in without hearing of the server; 0: for ever.
    pub(crate) lease_seconds: i64,
    /// Whether that was decided for this host alone.
    pub(crate) has_own_lease: bool,
    /// The version of the document that was made last for it, at its last request; without one, none was yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issued_version: Option<i64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issued_at: Option<At>,
    /// When the host closes by itself unless it asks again; without one, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lease_until: Option<At>,
    /// That document, with its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) envelope: Option<serde_json::Value>,
}

/// What is to be different about one host's policy; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostPolicyChange {
    /// From 300 to a year, or 0 for ever; `null` for that of the team.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<i64>")]
    pub(crate) lease_seconds: Change<i64>,
}

/// What all hosts of a team go by.
pub(crate) async fn rules(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
) -> Result<HostRules, Refusal> {
    let read = admin.lookup(app, team, |tx, _, team| HostRules::read(tx, &team.id));
    read.await
}

/// Decides something else about all hosts of a team. They are told at once.
pub(crate) async fn change_rules(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    wanted: HostRulesChange,
) -> Result<HostRules, Refusal> {
    let changed = admin.change(app, team, move |tx, admin, team| {
        let before = HostRules::read(tx, &team.id)?;
        admin.expect(What::Policy, &version(&before))?;
        let after = wanted.clone().on(before.clone());
        if after == before {
            return Ok(before);
        }
        check_home(&after.home_prefix)?;
        let settings = after.settings();
        if settings != before.settings() {
            host_policies::set_settings(tx, &team.id, &settings)?;
        }
        if after.managed_groups != before.managed_groups {
            host_policies::set_managed_groups(tx, &team.id, &after.managed_groups)?;
        }
        let changes = events::diff(&members_of(&before), &members_of(&after));
        let object = Object {
            kind: "HostRules",
            id: &team.id,
            name: &team.name,
        };
        let what = (Category::Admin, "update");
        admin.record_in(tx, &team.id, what, &object, changes.as_deref())?;
        Ok(after)
    });
    changed.await
}

/// What a host is told.
pub(crate) async fn policy(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    host: &str,
) -> Result<HostPolicy, Refusal> {
    let host = host.to_owned();
    let read = admin.read(app, team, move |tx, _, team| {
        let host = hosts::find(tx, &team.id, &host)?;
        HostPolicy::read(tx, &team.id, &host)
    });
    read.await
}

/// Decides something else about one host. It is told at once.
pub(crate) async fn change_policy(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    host: &str,
    wanted: HostPolicyChange,
) -> Result<HostPolicy, Refusal> {
    let host = host.to_owned();
    let changed = admin.change(app, team, move |tx, admin, team| {
        let host = hosts::find(tx, &team.id, &host)?;
        let before = host_policies::lease_of(tx, &team.id, &host.id)?;
        let after = match wanted.lease_seconds {
            None => before,
            Some(None) => None,
            Some(Some(seconds)) => Some(or_never(seconds)),
        };
        if after != before {
            match after {
                None => host_policies::forget_lease(tx, &team.id, &host.id)?,
                Some(lease) => host_policies::set_lease(tx, &team.id, &host.id, lease)?,
            }
            let seconds = |lease: Option<Option<i64>>| lease.map(|lease| lease.unwrap_or(0));
            let changes = serde_json::json!([{
                "attribute": "lease_seconds", "old": seconds(before), "new": seconds(after),
            }]);
            let object = Object {
                kind: "Host",
                id: &host.id,
                name: &host.name,
            };
            let what = (Category::Admin, "update");
            let changes = changes.to_string();
            admin.record_in(tx, &team.id, what, &object, Some(&changes))?;
        }
        HostPolicy::read(tx, &team.id, &host)
    });
    changed.await
}

/// Hosts refuse whole documents in which homes are where the system has its own folders.
fn check_home(prefix: &str) -> Result<(), Refusal> {
    match prefix_problem(prefix) {
        None => Ok(()),
        Some(problem) => Err(Refusal::Invalid {
            attribute: "home_prefix",
            reason: format!(
                "homes cannot be in \"{prefix}\": {problem}; name a folder such as /home or /srv/home"
            ),
        }),
    }
}

/// 0 stands for a lease that never ends.
fn or_never(seconds: i64) -> Option<i64> {
    Some(seconds).filter(|seconds| *seconds != 0)
}

impl HostRules {
    fn read(tx: &mut Tx<'_>, team_id: &str) -> Result<Self, Refusal> {
        let settings = host_policies::rules(tx, team_id)?.settings;
        let managed = host_policies::managed_groups(tx, team_id)?;
        Ok(Self {
            end_sessions: settings.end_sessions,
            lease_seconds: settings.lease.unwrap_or(0),
            home_prefix: settings.home_prefix,
            shell: settings.shell,
            managed_groups: managed.into_iter().collect(),
        })
    }

    fn settings(&self) -> Settings {
        Settings {
            end_sessions: self.end_sessions,
            lease: or_never(self.lease_seconds),
            home_prefix: self.home_prefix.clone(),
            shell: self.shell.clone(),
        }
    }
}

impl HostRulesChange {
    /// The rules with this change.
    fn on(self, before: HostRules) -> HostRules {
        HostRules {
            end_sessions: self.end_sessions.unwrap_or(before.end_sessions),
            lease_seconds: self.lease_seconds.unwrap_or(before.lease_seconds),
            home_prefix: self.home_prefix.unwrap_or(before.home_prefix),
            shell: self.shell.unwrap_or(before.shell),
            managed_groups: self.managed_groups.unwrap_or(before.managed_groups),
        }
    }
}

impl HostPolicy {
    fn read(tx: &mut Tx<'_>, team_id: &str, host: &Host) -> Result<Self, Refusal> {
        let own = host_policies::lease_of(tx, team_id, &host.id)?;
        let lease = match own {
            Some(lease) => lease,
            None => host_policies::rules(tx, team_id)?.settings.lease,
        };
        let state: Option<State> = host_policies::state(tx, team_id, &host.id)?;
        let issued = state.as_ref().filter(|state| state.issued_version > 0);
        Ok(Self {
            version: state.as_ref().map_or(0, |state| state.version),
            lease_seconds: lease.unwrap_or(0),
            has_own_lease: own.is_some(),
            issued_version: issued.map(|state| state.issued_version),
            issued_at: issued.and_then(|state| state.issued_at).map(At),
            lease_until: issued.and_then(|state| state.lease_until).map(At),
            envelope: issued
                .and_then(|state| serde_json::from_str(state.envelope.as_deref()?).ok()),
        })
    }
}
