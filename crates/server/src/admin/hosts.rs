//! Hosts: make, see, change and remove them, and see who may log in there.

use super::host_agents::{Against, AgentView, HostStatus};
use super::people::{self, Change};
use super::view::At;
use super::{Admin, Object};
use crate::app::App;
use portreeve_access::tags::Tags;
use portreeve_access::{Expression, Reach};
use portreeve_directory::access::{self, Who};
use portreeve_directory::events::Category;
use portreeve_directory::host_agents::Agent;
use portreeve_directory::hosts::{self, Decided, Host};
use portreeve_directory::revocations::{self, Revoke};
use portreeve_directory::{
    Refusal, What, host_agents, host_denials, host_removals, host_sessions, identities,
};
use portreeve_scim::text::fold;
use portreeve_ssh_cert::SubjectKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A host as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HostView {
    pub(crate) id: String,
    /// What `ssh` calls it.
    pub(crate) name: String,
    /// What grants choose it by.
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether other hosts are reached through it.
    pub(crate) is_bastion: bool,
    /// The name of the host through which it is reached; without one, directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bastion: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_at: At,
    pub(crate) updated_at: At,
    /// When it was last heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_contact_at: Option<At>,
    pub(crate) status: HostStatus,
    /// The fingerprint of the SSH key by which it proves to be this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host_key: Option<String>,
    /// Its agent, if it has or had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<AgentView>,
}

/// A host with its agent, as they are in the database.
type Known = (Host, Option<Agent>);

impl HostView {
    fn with((host, agent): &Known, against: &Against) -> Self {
        let agent = agent.as_ref();
        Self {
            status: HostStatus::of(agent),
            host_key: agent.and_then(|agent| agent.host_key.clone()),
            agent: agent.and_then(|agent| AgentView::of(agent, against)),
            ..Self::of(host)
        }
    }

    /// What is decided about it.
    fn of(host: &Host) -> Self {
        Self {
            status: HostStatus::Registered,
            host_key: None,
            agent: None,
            id: host.id.clone(),
            name: host.name.clone(),
            tags: host.tags.clone().into(),
            is_bastion: host.is_bastion,
            bastion: host.bastion.clone(),
            version: host.version,
            created_at: At(host.created_at),
            updated_at: At(host.updated_at),
            last_contact_at: host.last_contact_at.map(At),
        }
    }
}

/// A host to be made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHost {
    /// What `ssh` calls it; unique in the team.
    pub(crate) name: String,
    /// What grants choose it by.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether other hosts are reached through it.
    #[serde(default)]
    pub(crate) is_bastion: bool,
    /// Name or id of the host through which it is reached.
    pub(crate) bastion: Option<String>,
    /// The public key of its `sshd`, as the line of a `.pub` file: the machine that has it enrols without a token.
    pub(crate) host_key: Option<String>,
    /// The team; without it that of whoever asks.
    pub(crate) team: Option<String>,
}

/// What is to be different about a host; what it leaves out stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostChange {
    pub(crate) name: Option<String>,
    /// All tags that it is to have.
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) is_bastion: Option<bool>,
    /// Name or id of the host through which it is reached; `null` for none.
    #[serde(default, deserialize_with = "people::change")]
    #[schemars(with = "Option<String>")]
    pub(crate) bastion: Change<String>,
}

/// Which hosts to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen {
    /// A tag expression.
    pub(crate) hosts: Option<String>,
    /// Only those with this text in their names.
    pub(crate) search: Option<String>,
}

/// Somebody who may log in to a host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct AllowedView {
    /// `user` or `service`.
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    /// The directory of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) directory_id: Option<String>,
    /// `userName`, or the name of a service account.
    pub(crate) name: String,
    /// The name of their account there.
    pub(crate) account: String,
    /// Whether they may use `sudo` there.
    pub(crate) sudo: bool,
    /// The grants that it rests on, by id.
    pub(crate) grants: Vec<String>,
    /// When it ends; without one, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<At>,
}

/// The next hosts of a team after a name (empty for the first), by name.
pub(crate) async fn list(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    chosen: Chosen,
    (after, limit): (&str, u64),
) -> Result<Vec<HostView>, Refusal> {
    let by: Expression = match chosen.hosts.as_deref().map(str::trim) {
        None | Some("") => Expression::all(),
        Some(text) => text.parse()?,
    };
    let (after, now) = (after.to_owned(), admin.at);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let read = admin.read(app, team, move |tx, _, team| {
        let named = chosen.search.as_deref().unwrap_or_default();
        let found = hosts::list(tx, &team.id, (&by, named), &after, limit)?;
        let key = |host: Option<&Host>| host.map(|host| fold(&host.name).into_owned());
        let mut agents = match (key(found.first()), key(found.last())) {
            (Some(first), Some(last)) => host_agents::between(tx, &team.id, (&first, &last))?,
            _ => HashMap::new(),
        };
        let known = found.into_iter().map(|host| {
            let agent = agents.remove(&host.id);
            (host, agent)
        });
        Ok((team.id.clone(), known.collect::<Vec<Known>>()))
    });
    let (team_id, known) = read.await?;
    let against = Against::of(app, &team_id, now).await;
    let view = |one| HostView::with(one, &against);
    Ok(known.iter().map(view).collect())
}

/// One host, by id or name.
pub(crate) async fn get(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    wanted: &str,
) -> Result<HostView, Refusal> {
    let wanted = wanted.to_owned();
    let read = admin.read(app, team, move |tx, _, team| {
        let found = hosts::find(tx, &team.id, &wanted)?;
        let agent = host_agents::by_host(tx, &team.id, &found.id)?;
        Ok((team.id.clone(), (found, agent)))
    });
    let (team_id, known) = read.await?;
    let against = Against::of(app, &team_id, admin.at).await;
    Ok(HostView::with(&known, &against))
}

/// Makes a host.
pub(crate) async fn create(app: &App, admin: &Admin, wanted: NewHost) -> Result<HostView, Refusal> {
    let new = Decided {
        name: wanted.name,
        tags: Tags::try_from(wanted.tags)?,
        is_bastion: wanted.is_bastion,
        bastion: wanted.bastion,
    };
    let host_key = wanted.host_key.as_deref().map(fingerprint).transpose()?;
    let made = admin.change(app, wanted.team.as_deref(), move |tx, admin, team| {
        let made = hosts::create(tx, &team.id, &admin.new_id(), &new, admin.at)?;
        if let Some(host_key) = &host_key {
            host_agents::register(tx, &team.id, &made.id, host_key)?;
        }
        let view = HostView {
            host_key: host_key.clone(),
            ..HostView::of(&made)
        };
        admin.record_made(tx, &team.id, &object(&made), &view)?;
        Ok(view)
    });
    made.await
}

/// Changes a host.
pub(crate) async fn update(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
    wanted: HostChange,
) -> Result<HostView, Refusal> {
    let (which, now) = (which.to_owned(), admin.at);
    let tags = wanted.tags.clone().map(Tags::try_from).transpose()?;
    let changed = admin.change(app, team, move |tx, admin, team| {
        let before = hosts::find(tx, &team.id, &which)?;
        admin.expect(What::Host, &before.version.to_string())?;
        let new = wanted.decided(&before, tags.as_ref());
        let agent = host_agents::by_host(tx, &team.id, &before.id)?;
        if new == before.decided() {
            return Ok((team.id.clone(), (before, agent)));
        }
        let after = hosts::update(tx, &team.id, &before, &new, admin.at)?;
        let (old, view) = (HostView::of(&before), HostView::of(&after));
        let what = ("update", &object(&after));
        admin.record_changed(tx, &team.id, what, (&old, &view))?;
        Ok((team.id.clone(), (after, agent)))
    });
    let (team_id, known) = changed.await?;
    let against = Against::of(app, &team_id, now).await;
    Ok(HostView::with(&known, &against))
}

impl HostChange {
    /// What is decided about the host with this change.
    fn decided(&self, before: &Host, tags: Option<&Tags>) -> Decided {
        let mut new = before.decided();
        if let Some(name) = &self.name {
            name.trim().clone_into(&mut new.name);
        }
        if let Some(tags) = tags {
            new.tags.clone_from(tags);
        }
        if let Some(is_bastion) = self.is_bastion {
            new.is_bastion = is_bastion;
        }
        if let Some(bastion) = &self.bastion {
            new.bastion.clone_from(bastion);
        }
        new
    }
}

/// Removes a host. Its certificates are revoked, and its agent is heard no more.
pub(crate) async fn delete(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
) -> Result<(), Refusal> {
    let which = which.to_owned();
    let gone = admin.change(app, team, move |tx, admin, team| {
        let before = hosts::find(tx, &team.id, &which)?;
        admin.expect(What::Host, &before.version.to_string())?;
        hosts::delete(tx, &team.id, &before)?;
        host_agents::forget(tx, &team.id, &before.id)?;
        host_sessions::forget(tx, &team.id, &before.id)?;
        host_denials::forget(tx, &team.id, &before.id)?;
        host_removals::forget(tx, &team.id, &before.id)?;
        let cause = admin.cause(&team.id, None);
        revocations::revoke(tx, &cause, Revoke::Holder(&before.id), "removed")?;
        identities::revoke_of_holder(tx, &cause, &before.id, "removed")?;
        let what = (Category::Admin, "delete");
        admin.record_in(tx, &team.id, what, &object(&before), None)
    });
    gone.await
}

/// The fingerprint of a public key.
fn fingerprint(line: &str) -> Result<String, Refusal> {
    let key = SubjectKey::from_openssh(line).map_err(|error| Refusal::Invalid {
        attribute: "host_key",
        reason: error.to_string(),
    })?;
    Ok(key.fingerprint())
}

/// Who may log in to a host now, by name.
pub(crate) async fn people(
    app: &App,
    admin: &Admin,
    team: Option<&str>,
    which: &str,
) -> Result<Vec<AllowedView>, Refusal> {
    let (asking, team, which) = (admin.clone(), team.map(str::to_owned), which.to_owned());
    let found = app.store.lookup(move |tx| {
        let team = asking.team(tx, team.as_deref())?;
        let host = hosts::find(tx, &team.id, &which)?;
        Ok::<_, Refusal>((team.id, host.known()))
    });
    let (team_id, host) = found.await?;
    let access = app.access(&team_id).await?;
    let now = admin.at;
    let read = app.store.read(move |tx| {
        let at = access::moment(now);
        let about = access
            .grants
            .iter()
            .filter(|grant| grant.phase(at) == portreeve_access::grant::Phase::Current)
            .filter(|grant| grant.hosts.contains(&host));
        let people = access::having(tx, &team_id, about.map(|grant| &grant.to), now)?;
        let only = portreeve_access::Estate::new(vec![host.clone()]);
        let mut allowed = Vec::new();
        for Who {
            directory_id,
            person,
        } in &people
        {
            let Ok(reach) = Reach::of(person, &only, &access.grants, at) else {
                continue;
            };
            allowed.extend(reach.hosts().map(|reached| AllowedView {
                kind: if directory_id.is_some() {
                    "user"
                } else {
                    "service"
                },
                id: person.id.clone(),
                directory_id: directory_id.clone(),
                name: person.name.clone(),
                account: reached.account.to_owned(),
                sudo: reached.sudo,
                grants: reach.entitlement(person).grants,
                until: reached.until.map(|until| At(until.as_microsecond())),
            }));
        }
        allowed.sort_by(|one, other| one.name.cmp(&other.name));
        Ok::<_, Refusal>(allowed)
    });
    read.await
}

fn object(host: &Host) -> Object<'_> {
    Object {
        kind: "Host",
        id: &host.id,
        name: &host.name,
    }
}
