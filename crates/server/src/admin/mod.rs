//! What admins do, for the admin API and the console alike: each of the two reads a request in its own form and shows the
//! result in its own form, and what happens between is here once.

pub(crate) mod accounts;
pub(crate) mod api_tokens;
pub(crate) mod ca;
pub(crate) mod certificates;
pub(crate) mod connections;
pub(crate) mod directories;
pub(crate) mod entry;
pub(crate) mod explain;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod holders;
pub(crate) mod host_agents;
pub(crate) mod host_policies;
pub(crate) mod host_tokens;
pub(crate) mod hosts;
pub(crate) mod members;
pub(crate) mod offboarding;
mod once;
mod owners;
pub(crate) mod page;
pub(crate) mod passkeys;
mod people;
pub(crate) mod probe;
pub(crate) mod provisioners;
mod rules;
pub(crate) mod service_accounts;
pub(crate) mod sessions;
pub(crate) mod teams;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod view;
pub(crate) mod views;
pub(crate) mod visit_devices;
pub(crate) mod visit_locations;
pub(crate) mod visitor_hosts;
pub(crate) mod visits;
mod within;

pub(crate) use once::{confirm, once};
pub(crate) use owners::{create_owner, first_owner, link, of_link, owners, remove_owner};

use crate::app::App;
use crate::ca::By;
use crate::who::Who;
use crate::{http::RequestId, neighbours};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use jiff::Timestamp;
use portreeve_directory::directories::Directory;
use portreeve_directory::events::{self, Category, Cause, Outcome};
use portreeve_directory::holders::Holder;
use portreeve_directory::teams::Team;
use portreeve_directory::{
    Actor, Call, Clock, Ids, Permission, Permissions, Refusal, What, levels,
};
use portreeve_provisioning::engine::steps::{Initiator, InitiatorType};
use portreeve_store::{Scope, Tx};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Who asks, for which team, and when; a transaction takes a clone of it along.
#[derive(Clone)]
pub(crate) struct Admin {
    actor: Actor,
    name: String,
    /// The team that all they ask for is in; `None`: all teams.
    team_id: Option<String>,
    request_id: String,
    /// Who asks; `None`: the machine's administrator, or Portreeve itself.
    pub(crate) holder: Option<Holder>,
    /// The session that they ask in.
    session_id: Option<String>,
    /// What they may do.
    pub(crate) permissions: Permissions,
    /// When the request arrived (microseconds since 1970 UTC).
    pub(crate) at: i64,
    /// The versions one of which the object must be at that is to be changed (`If-Match`); `None`: any.
    expected: Option<Arc<[String]>>,
    clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<Ids>,
}

impl Admin {
    /// Whoever sends the request.
    pub(crate) fn new(app: &App, who: &Who, parts: &Parts) -> Self {
        let request_id = parts.extensions.get::<RequestId>();
        Self {
            actor: who.actor.clone(),
            name: who.name.clone(),
            team_id: who.team_id.clone(),
            request_id: request_id.map(|id| id.0.clone()).unwrap_or_default(),
            holder: who.holder.clone(),
            session_id: who.session.as_ref().map(|session| session.id.clone()),
            permissions: who.permissions,
            at: app.clock.now(),
            expected: None,
            clock: app.clock.clone(),
            ids: app.ids.clone(),
        }
    }

    /// Portreeve itself.
    pub(crate) fn system(app: &App) -> Self {
        Self {
            actor: Actor::System,
            name: "Portreeve".to_owned(),
            team_id: None,
            request_id: String::new(),
            holder: None,
            session_id: None,
            permissions: Permissions::ALL,
            at: app.clock.now(),
            expected: None,
            clock: app.clock.clone(),
            ids: app.ids.clone(),
        }
    }

    /// What the answer carries as `X-Request-Id`.
    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Changes an object only while it is at one of these versions.
    pub(crate) fn expecting(&mut self, versions: Vec<String>) {
        self.expected = Some(versions.into());
    }

    /// Refuses to change an object that is at another version than whoever asks has read. Called by every change and removal
    /// of an object, in its transaction, with what [`version`] or the object's own row says.
    pub(crate) fn expect(&self, what: What, version: &str) -> Result<(), Refusal> {
        match &self.expected {
            Some(known) if !known.iter().any(|one| one == version) => Err(Refusal::Stale(what)),
            _ => Ok(()),
        }
    }

    /// The team that all they ask for is in; `None`: all teams.
    pub(crate) fn team_id(&self) -> Option<&str> {
        self.team_id.as_deref()
    }

    /// The directory with that id or name, among those that they may see.
    pub(crate) fn directory(
        &self,
        tx: &mut Tx<'_>,
        id_or_name: &str,
    ) -> Result<Directory, Refusal> {
        match &self.team_id {
            None => portreeve_directory::directories::find(tx, id_or_name),
            Some(team_id) => portreeve_directory::directories::find_in(tx, team_id, id_or_name),
        }
    }

    /// The teams that they may see.
    pub(crate) fn teams(&self, tx: &mut Tx<'_>) -> Result<Vec<Team>, Refusal> {
        let mut teams = portreeve_directory::teams::list(tx)?;
        if let Some(team_id) = &self.team_id {
            teams.retain(|team| team.id == *team_id);
        }
        Ok(teams)
    }

    /// The team with that name or id, among those that they may see; without a name their own, or the first one.
    pub(crate) fn team(&self, tx: &mut Tx<'_>, wanted: Option<&str>) -> Result<Team, Refusal> {
        let Some(wanted) = wanted else {
            return match &self.team_id {
                Some(own) => portreeve_directory::teams::by_id(tx, own),
                None => portreeve_directory::teams::first(tx),
            };
        };
        let same = |team: &Team| team.id == wanted || team.name.eq_ignore_ascii_case(wanted);
        let found = self.teams(tx)?.into_iter().find(same);
        found.ok_or_else(|| Refusal::NotFound(What::Team, wanted.to_owned()))
    }

    /// As [`Admin::team`]; the machine's administrator makes a team by naming it.
    pub(crate) fn ensure_team(
        &self,
        tx: &mut Tx<'_>,
        wanted: Option<&str>,
    ) -> Result<Team, Refusal> {
        match (&self.team_id, wanted) {
            (None, Some(name)) => {
                portreeve_directory::teams::ensure(tx, name, &self.new_id(), self.at)
            }
            _ => self.team(tx, wanted),
        }
    }

    /// Leaves an event of an admin's change to a directory, or to what belongs to one, in its transaction.
    pub(crate) fn record(
        &self,
        tx: &mut Tx<'_>,
        directory: &Directory,
        action: &str,
        object: &Object<'_>,
        changes: Option<&str>,
    ) -> Result<(), Refusal> {
        let cause = self.cause(&directory.team_id, Some(&directory.id));
        let event = object.event(Category::Admin, action, changes);
        events::record_of(tx, &cause, &event)
    }

    /// Leaves an event of any category about something of a team in its transaction.
    pub(crate) fn record_in(
        &self,
        tx: &mut Tx<'_>,
        team_id: &str,
        (category, action): (Category, &str),
        object: &Object<'_>,
        changes: Option<&str>,
    ) -> Result<(), Refusal> {
        let cause = self.cause(team_id, None);
        events::record_of(tx, &cause, &object.event(category, action, changes))
    }

    /// Leaves an event of what an admin did to an application of a team in its transaction.
    pub(crate) fn record_provisioning(
        &self,
        tx: &mut Tx<'_>,
        team_id: &str,
        action: &str,
        object: &Object<'_>,
        changes: Option<&str>,
    ) -> Result<(), Refusal> {
        let what = (Category::Provisioning, action);
        self.record_in(tx, team_id, what, object, changes)
    }

    /// The request as the rules of a directory take it.
    pub(crate) fn call(&self, directory: &Arc<Directory>) -> Call {
        Call {
            directory: directory.clone(),
            actor: self.actor.clone(),
            request_id: self.request_id.clone(),
            at: self.at,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }

    /// Refuses what depends on the object, beside what the route asks for.
    pub(crate) fn must_have(&self, needed: Permission) -> Result<(), Refusal> {
        match self.permissions.has(needed) {
            true => Ok(()),
            false => Err(Refusal::Forbidden(needed)),
        }
    }

    /// Refuses to decide where the people of a directory come from (who may tell of them, where they sign in, whether they
    /// are there at all) to whoever may not make admins and owners, where some of them are: a provider's token gives an
    /// owner's address to somebody else as well as another place to sign in does.
    pub(crate) fn may_decide(&self, tx: &mut Tx<'_>, directory: &Directory) -> Result<(), Refusal> {
        let is_guarded = levels::highest(tx, &directory.id)?.is_guarded();
        match is_guarded && !self.permissions.has(Permission::LevelWrite) {
            true => Err(Refusal::Guarded {
                directory: directory.name.clone(),
            }),
            false => Ok(()),
        }
    }

    /// Who causes an event.
    pub(crate) fn cause<'a>(
        &'a self,
        team_id: &'a str,
        directory_id: Option<&'a str>,
    ) -> Cause<'a> {
        Cause {
            team_id,
            directory_id,
            actor: &self.actor,
            request_id: Some(&self.request_id),
            at: self.at,
            clock: &*self.clock,
            ids: &self.ids,
        }
    }

    /// Who has a certificate authority do something.
    pub(crate) fn by(&self) -> By {
        let actor = self.actor.clone();
        By::with(actor, &self.request_id, self.at, &self.clock, &self.ids)
    }

    /// Who starts provisioning on demand.
    pub(crate) fn initiator(&self) -> Initiator {
        Initiator {
            id: self.actor.id().unwrap_or_default(),
            display_name: self.name.clone(),
            initiator_type: InitiatorType::User,
        }
    }

    /// When the request arrived.
    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_microsecond(self.at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A new id, as text.
    pub(crate) fn new_id(&self) -> String {
        self.ids.next(self.clock.now()).to_string()
    }
}

/// Changes what servers remember (directories, tokens, who may do what) in one transaction; it is forgotten everywhere.
pub(crate) async fn change<R: Send + 'static>(
    app: &App,
    work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
) -> Result<R, Refusal> {
    let claim = once::claim();
    let work = move |tx: &mut Tx<'_>| {
        let done = work(tx)?;
        confirm(tx, claim.as_ref())?;
        Ok(done)
    };
    let done = app.write(Scope::ALL, work).await;
    neighbours::tell_rules(app);
    done
}

/// The version of an object whose row has none: a hash of what an admin decides about it.
pub(crate) fn version(decided: &impl Serialize) -> String {
    let text = serde_json::to_vec(decided).unwrap_or_default();
    let hash = digest(&SHA256, &text);
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..12])
}

/// What an event compares: the members of a view.
pub(crate) fn members_of(view: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(view) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// What an admin event is about.
pub(crate) struct Object<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}

impl Object<'_> {
    /// The event of a change to it. `changes` as [`events::New::changes`].
    pub(crate) fn event<'a>(
        &'a self,
        category: Category,
        action: &'a str,
        changes: Option<&'a str>,
    ) -> events::New<'a> {
        events::New {
            category,
            action,
            outcome: Outcome::Ok,
            object_kind: Some(self.kind),
            object_id: Some(self.id),
            object_name: Some(self.name),
            version: None,
            changes,
        }
    }
}
