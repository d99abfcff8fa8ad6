//! Offboarding: on which hosts somebody has or had an account, since when each of them lets them in no longer, what they have
//! left there, and to have that removed.

use super::view::At;
use super::{Admin, Object};
use crate::app::App;
use known::{Known, Removable, known};
use portreeve_directory::Refusal;
use portreeve_directory::host_removals::{self, Removal};
use portreeve_directory::users::Status;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

mod known;

/// What became of the accounts of somebody on hosts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct OffboardingView {
    pub(crate) user: PersonView,
    /// How things stand, for people.
    pub(crate) summary: String,
    /// On how many hosts with an agent they have or had an account.
    pub(crate) total: usize,
    /// How many of those are to let them in no longer.
    pub(crate) denied: usize,
    /// How many of those have said that they do not.
    pub(crate) acknowledged: usize,
    /// How many certificates of theirs count: hosts without an agent go by nothing else.
    pub(crate) certificates: i64,
    /// Each of the hosts, by name.
    pub(crate) hosts: Vec<OffboardedHostView>,
}

/// Whom a report is about.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct PersonView {
    pub(crate) id: String,
    pub(crate) directory_id: String,
    /// Display name, else user name.
    pub(crate) name: String,
    /// Absent of a user who is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
    /// Absent of a user who is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
}

/// What became of an account on a host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct OffboardedHostView {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The name that they log in by, or did.
    pub(crate) account: String,
    /// Whether that account is the host's own, so that nothing of it is theirs.
    pub(crate) is_shared: bool,
    pub(crate) state: OffboardingState,
    /// Since when access says that they may not log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) denied_at: Option<At>,
    /// Since when the host says that it does not let them in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acknowledged_at: Option<At>,
    /// Whether they could use `sudo`, and so may have left anything anywhere.
    pub(crate) had_sudo: bool,
    /// What the host says that they have left; absent where it has not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<LeftView>,
    /// Whether the host has an agent, which carries things out.
    pub(crate) has_agent: bool,
    /// When the host reported last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reported_at: Option<At>,
    /// Whether the host could remove what they have left.
    pub(crate) is_removable: bool,
    /// What was asked for last about what they have left; absent where they were let in again before the host did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) removal: Option<RemovalView>,
}

/// How far it has come on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OffboardingState {
    /// They may log in.
    Allowed,
    /// They may not, and the host is not known to have heard of it.
    Denied,
    /// They may not, and the host has said that it does not let them in.
    Acknowledged,
    /// What they had there is removed.
    Removed,
}

/// What somebody has left on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct LeftView {
    /// How many sessions were ended when they were shut out.
    pub(crate) sessions_ended: i64,
    /// How many processes of theirs ran.
    pub(crate) processes: i64,
    /// Whether there is a home directory.
    pub(crate) home: bool,
    /// Whether there is a crontab.
    pub(crate) crontab: bool,
    /// Whether there are SSH keys in the home that are authorized. They open nothing while the account is shut.
    pub(crate) keys: bool,
    /// When the host said so.
    pub(crate) reported_at: At,
}

/// What was asked for about what somebody has left on a host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RemovalView {
    /// Whether the host only says what it would remove.
    pub(crate) dry_run: bool,
    /// Who asked for it.
    pub(crate) asked_by: String,
    pub(crate) asked_at: At,
    /// When the host said what came of it; absent while it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answered_at: Option<At>,
    /// What it removed, or would.
    pub(crate) paths: Vec<String>,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// That what somebody has left on hosts is to be removed: home, crontab, and what else is theirs alone. It cannot be undone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemovalRequest {
    /// Whether hosts are only to say what they would remove.
    pub(crate) dry_run: bool,
    /// Names or ids of hosts; without any, all that have an agent and let them in no longer.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
}

/// The report about a user, by id or `userName`; about one who is gone, by id.
pub(crate) async fn report(
    app: &App,
    admin: &Admin,
    (directory, user): (&str, &str),
) -> Result<OffboardingView, Refusal> {
    let (admin, which, wanted) = (admin.clone(), directory.to_owned(), user.to_owned());
    let read = app.store.read(move |tx| {
        let directory = admin.directory(tx, &which)?;
        known(tx, &directory, &wanted, admin.at).map(known::view)
    });
    read.await
}

/// Has hosts remove what somebody has left there, or say what that would be. They answer with their next report.
///
/// # Errors
/// One of the named hosts lets them in, has no agent, or has nothing of theirs.
pub(crate) async fn remove(
    app: &App,
    admin: &Admin,
    (directory, user): (&str, &str),
    wanted: RemovalRequest,
) -> Result<OffboardingView, Refusal> {
    let (admin, which, user) = (admin.clone(), directory.to_owned(), user.to_owned());
    let asked = super::change(app, move |tx| {
        let directory = admin.directory(tx, &which)?;
        let (person, all, _) = known(tx, &directory, &user, admin.at)?;
        let chosen = chosen(&all, &wanted.hosts)?;
        let mut names = Vec::new();
        for one in chosen {
            let removal = Removal {
                host_id: one.host.id.clone(),
                holder_id: person.id.clone(),
                account: one.account.to_owned(),
                denied_at: one.denied_at,
                is_dry_run: wanted.dry_run,
                asked_by: admin.name.clone(),
                asked_at: admin.at,
                answered_at: None,
                paths: Vec::new(),
                error: None,
            };
            host_removals::ask(tx, &directory.team_id, &removal)?;
            names.push(one.host.name.as_str());
        }
        let facts = json!([
            {"attribute": "hosts", "new": names},
            {"attribute": "dry_run", "new": wanted.dry_run},
        ]);
        let object = Object {
            kind: "User",
            id: &person.id,
            name: &person.name,
        };
        let facts = facts.to_string();
        admin.record(tx, &directory, "ask_removal", &object, Some(&facts))?;
        known(tx, &directory, &person.id, admin.at).map(known::view)
    });
    asked.await
}

/// The hosts that are named, or all that can.
fn chosen<'a>(all: &'a [Known], wanted: &[String]) -> Result<Vec<Removable<'a>>, Refusal> {
    let invalid = |reason: String| Refusal::Invalid {
        attribute: "hosts",
        reason,
    };
    if wanted.is_empty() {
        let chosen: Vec<_> = all.iter().filter_map(|one| one.removable().ok()).collect();
        return match chosen.is_empty() {
            true => Err(invalid(
                "on no host with an agent do they have an account that is shut".to_owned(),
            )),
            false => Ok(chosen),
        };
    }
    let one = |name: &String| {
        let is = |one: &&Known| one.host.id == *name || one.host.name.eq_ignore_ascii_case(name);
        let found = all.iter().find(is);
        let found =
            found.ok_or_else(|| invalid(format!("they never had an account on \"{name}\"")))?;
        let removable = found.removable();
        removable.map_err(|why| invalid(format!("{}: {why}", found.host.name)))
    };
    wanted.iter().map(one).collect()
}
