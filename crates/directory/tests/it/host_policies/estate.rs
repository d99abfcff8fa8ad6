//! A team with three hosts that have asked for their policies, and short words for what tests do with it. Grants, hosts and
//! remote identities have the events that the admin API gives them.

use crate::engine::Engine;
use crate::world::World;
use portreeve_access::grant::Level;
use portreeve_access::{Grant, RemoteIdentity, Tags};
use portreeve_directory::access::{self, Access};
use portreeve_directory::certificates::{self, Certificate, Kind, Whose};
use portreeve_directory::events::{self, Category, Cause, Outcome};
use portreeve_directory::grants::{self, Record, To};
use portreeve_directory::holders::Holder;
use portreeve_directory::host_accounts::{self, HostAccount};
use portreeve_directory::host_policies::{self, Asking, Behind, Chunk, Look, Plan, Who};
use portreeve_directory::hosts::{self, Decided};
use portreeve_directory::{Call, Refusal, remote_identities, revocations, teams};
use portreeve_store::Tx;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const TEAM: &str = "t1";
pub(super) const NOW: i64 = 1_800_000_000_000_000;
pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) struct Estate {
    pub(super) world: World,
}

pub(super) fn at(now: i64) -> jiff::Timestamp {
    access::moment(now)
}

impl Estate {
    /// With the hosts `web-1`, `web-2` and `db-1`.
    pub(super) fn new(on: Engine) -> Self {
        let estate = Self {
            world: World::new(on),
        };
        estate.activate(true);
        for (name, tag) in [
            ("web-1", "role=web"),
            ("web-2", "role=web"),
            ("db-1", "role=db"),
        ] {
            estate.create_host(name, &[tag]);
        }
        estate
    }

    /// Ada, and a group with her in it.
    pub(super) fn ada_in_ops(&self) -> (String, String) {
        let ada = self.world.named("ada").id;
        let ops = self.world.group("ops", &[&ada]).id;
        (ada, ops)
    }

    /// A host that asks for its policy.
    pub(super) fn create_host(&self, name: &str, tags: &[&str]) {
        self.add_host(name, tags);
        self.ask(name);
    }

    /// A host without an agent.
    pub(super) fn add_host(&self, name: &str, tags: &[&str]) {
        let new = decided(name, tags);
        let made = self.world.write(move |tx, call| {
            let host = hosts::create(tx, TEAM, &call.new_id(), &new, NOW)?;
            told(tx, call, ("Host", &host.id), "create", None)
        });
        made.unwrap();
    }

    pub(super) fn ask(&self, host: &str) {
        let id = self.host_id(host);
        let begun = self
            .world
            .write(move |tx, _| host_policies::begin_host(tx, TEAM, &id));
        begun.unwrap();
    }

    pub(super) fn tag(&self, host: &str, tags: &[&str]) {
        let new = decided(host, tags);
        self.change_host(host, new, json!([{"attribute": "tags"}]));
    }

    pub(super) fn rename_host(&self, host: &str, name: &str) {
        let (host, name) = (host.to_owned(), name.to_owned());
        let renamed = self.world.write(move |tx, call| {
            let before = hosts::by_name(tx, TEAM, &host)?;
            let new = Decided {
                name: name.clone(),
                ..before.decided()
            };
            hosts::update(tx, TEAM, &before, &new, NOW)?;
            let changes = json!([{"attribute": "name", "old": host, "new": name}]);
            told(tx, call, ("Host", &before.id), "change", Some(changes))
        });
        renamed.unwrap();
    }

    fn change_host(&self, host: &str, new: Decided, changes: Value) {
        let host = host.to_owned();
        let changed = self.world.write(move |tx, call| {
            let before = hosts::by_name(tx, TEAM, &host)?;
            hosts::update(tx, TEAM, &before, &new, NOW)?;
            told(
                tx,
                call,
                ("Host", &before.id),
                "change",
                Some(changes.clone()),
            )
        });
        changed.unwrap();
    }

    pub(super) fn delete_host(&self, host: &str) {
        let host = host.to_owned();
        let gone = self.world.write(move |tx, call| {
            let host = hosts::by_name(tx, TEAM, &host)?;
            hosts::delete(tx, TEAM, &host)?;
            told(tx, call, ("Host", &host.id), "delete", None)
        });
        gone.unwrap();
    }

    pub(super) fn host_id(&self, name: &str) -> String {
        let name = name.to_owned();
        let found = self.world.read(move |tx| hosts::by_name(tx, TEAM, &name));
        found.unwrap().id
    }

    /// A grant to a group; its id.
    pub(super) fn grant_to(&self, group: &str, on: &str, change: impl Fn(&mut Grant)) -> String {
        let to = To::Group {
            directory_id: self.world.directory.id.clone(),
            id: group.to_owned(),
        };
        self.grant(to, on, change)
    }

    pub(super) fn grant(&self, to: To, on: &str, change: impl Fn(&mut Grant)) -> String {
        let mut grant = Grant {
            id: self.world.call().new_id(),
            to: to.subject(),
            hosts: on.parse().unwrap(),
            level: Level::Login,
            posix_groups: Vec::new(),
            principals: Vec::new(),
            from: None,
            until: None,
        };
        change(&mut grant);
        let id = grant.id.clone();
        let record = Record {
            grant,
            subject: to,
            note: String::new(),
            made_by: "Olga".into(),
            ended: None,
            version: 1,
            created_at: NOW,
            updated_at: NOW,
        };
        let made = self.world.write(move |tx, call| {
            grants::create(tx, TEAM, &record, NOW)?;
            told(tx, call, ("Grant", &record.grant.id), "granted", None)
        });
        made.unwrap();
        id
    }

    pub(super) fn revoke(&self, grant: &str) {
        let id = grant.to_owned();
        let revoked = self.world.write(move |tx, call| {
            let record = grants::by_id(tx, TEAM, &id)?;
            grants::revoke(tx, TEAM, &record, NOW)?;
            told(tx, call, ("Grant", &id), "revoked", None)
        });
        revoked.unwrap();
    }

    /// Whether people of the directory reach hosts.
    pub(super) fn activate(&self, is_active: bool) {
        let id = self.world.directory.id.clone();
        let done = self.world.write(move |tx, call| {
            let team = teams::by_id(tx, TEAM)?;
            teams::activate(tx, &team, Some(id.as_str()).filter(|_| is_active))?;
            told(tx, call, ("Team", TEAM), "change", None)
        });
        done.unwrap();
    }

    pub(super) fn remote(&self, user: &str, wanted: &[(&str, &str)]) {
        let one = |(hosts, name): &(&str, &str)| RemoteIdentity {
            hosts: hosts.parse().unwrap(),
            name: (*name).to_owned(),
        };
        let wanted: Vec<RemoteIdentity> = wanted.iter().map(one).collect();
        let id = user.to_owned();
        let set = self.world.write(move |tx, call| {
            let holder = (Some(call.directory.id.as_str()), id.as_str());
            remote_identities::set(tx, TEAM, holder, &wanted)?;
            told(tx, call, ("User", &id), "changed", None)
        });
        set.unwrap();
    }

    pub(super) fn set(&self, user: &str, attribute: &str, value: &str) {
        self.replace(user, attribute, &json!(value));
    }

    pub(super) fn set_active(&self, user: &str, is_active: bool) {
        self.replace(user, "active", &json!(is_active));
    }

    fn replace(&self, user: &str, path: &str, value: &Value) {
        let operations = json!([{"op": "replace", "path": path, "value": value}]);
        self.world.patch_user(user, operations).unwrap();
    }

    pub(super) fn join(&self, group: &str, user: &str) {
        let add = json!([{"op": "add", "path": "members", "value": [{"value": user}]}]);
        self.world.patch_group(group, add).unwrap();
    }

    pub(super) fn nest(&self, outer: &str, inner: &str) {
        let member = json!([{"value": inner, "type": "Group"}]);
        let add = json!([{"op": "add", "path": "members", "value": member}]);
        self.world.patch_group(outer, add).unwrap();
    }

    pub(super) fn leave(&self, group: &str, member: &str) {
        let path = format!("members[value eq \"{member}\"]");
        let remove = json!([{"op": "remove", "path": path}]);
        self.world.patch_group(group, remove).unwrap();
    }

    /// A certificate that somebody has.
    pub(super) fn certify(&self, serial: i64, user: &str, principals: &[&str], grants: &[&str]) {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let row = Certificate {
            serial,
            kind: Kind::User,
            authority_id: "a1".into(),
            whose: Whose::Holder(Holder::User {
                directory_id: self.world.directory.id.clone(),
                id: user.to_owned(),
            }),
            key_id: "ada".into(),
            principals: texts(principals),
            key_type: "ssh-ed25519".into(),
            fingerprint: format!("SHA256:{serial}"),
            grants: texts(grants),
            provisioner: None,
            address: String::new(),
            valid_after: NOW - HOUR,
            valid_before: NOW + DAY,
            issued_at: NOW,
            replaces: None,
            revoked_at: None,
            revoked_why: None,
        };
        let written = self
            .world
            .write(move |tx, call| certificates::record(tx, &Cause::of(call), &row, &[]));
        written.unwrap();
    }

    /// The serial numbers that are revoked.
    pub(super) fn revoked(&self) -> Vec<i64> {
        let all = self.world.read(move |tx| {
            let mut revoked = Vec::new();
            for serial in 1..=3 {
                match certificates::by_serial(tx, TEAM, serial) {
                    Ok(one) if one.revoked_at.is_some() => revoked.push(serial),
                    Ok(_) | Err(Refusal::NotFound(..)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(revoked)
        });
        let all = all.unwrap();
        let listed = self.world.read(|tx| revocations::after(tx, TEAM, 0));
        assert_eq!(listed.unwrap().len(), all.len());
        all
    }

    /// Forgets what has happened so far, as retention does.
    pub(super) fn forget_events(&self) {
        let forgotten = self
            .world
            .write(|tx, call| events::prune(tx, TEAM, events::Log::Audit, i64::MAX, call.at, 1000));
        forgotten.unwrap();
    }

    /// Those who have or had an account on a host, by name.
    pub(super) fn on(&self, host: &str) -> Vec<HostAccount> {
        let id = self.host_id(host);
        let rows = self
            .world
            .read(move |tx| host_accounts::of_host(tx, TEAM, &id));
        rows.unwrap()
    }

    /// Somebody on a host.
    pub(super) fn of(&self, user: &str, host: &str) -> HostAccount {
        let mut rows = self.on(host).into_iter();
        rows.find(|row| row.holder.id() == user).unwrap()
    }

    pub(super) fn version(&self, host: &str) -> i64 {
        self.versions()[host]
    }

    /// The versions of the policies, by the names of hosts.
    pub(super) fn versions(&self) -> BTreeMap<String, i64> {
        let versions = self.world.read(|tx| {
            let mut versions = BTreeMap::new();
            for host in hosts::list(tx, TEAM, (&"*".parse()?, ""), "", 100)? {
                let (version, _) = host_policies::version(tx, TEAM, &host.id)?;
                versions.insert(host.name, version);
            }
            Ok(versions)
        });
        versions.unwrap()
    }

    /// Follows all that has changed, as a server does; twice, so that whoever waits for others comes too.
    pub(super) fn follow(&self, now: i64) {
        for _ in 0..100 {
            let look = self.look(now).unwrap();
            let (has_more, is_over) = (look.has_more, look.later.is_empty());
            self.settle(look, now);
            if !has_more && is_over {
                return;
            }
        }
        panic!("it does not come to an end");
    }

    /// Writes what comes of a look.
    pub(super) fn settle(&self, look: Look, now: i64) {
        self.write(&self.chunks(look, now), now);
    }

    pub(super) fn write(&self, chunks: &[Chunk], now: i64) {
        for chunk in chunks {
            let chunk = chunk.clone();
            let settled = self.world.write(move |tx, call| {
                let cause = Cause {
                    directory_id: None,
                    at: now,
                    ..Cause::of(call)
                };
                host_policies::settle(tx, &cause, &chunk)
            });
            settled.unwrap();
        }
    }

    /// What has changed since the last look.
    pub(super) fn look(&self, now: i64) -> Option<Look> {
        let look = self.world.read(move |tx| {
            let behind = behind(tx)?;
            let access = access::of_team(tx, TEAM)?;
            host_policies::look(tx, &behind, &access, now)
        });
        look.unwrap()
    }

    /// What is to be written after a look.
    pub(super) fn chunks(&self, look: Look, now: i64) -> Vec<Chunk> {
        let people: Vec<Who> = look.people.keys().cloned().collect();
        let access = Arc::new(self.world.read(|tx| access::of_team(tx, TEAM)).unwrap());
        let (hosts, known) = (look.hosts.clone(), access.clone());
        let on_hosts = self
            .world
            .read(move |tx| host_policies::plan_hosts(tx, TEAM, &hosts, &known, now));
        let mut all = self.plans(people, &access, now);
        all.extend(on_hosts.unwrap());
        let (first, rest): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, plan)| plan.needs_account);
        let needing: BTreeSet<Who> = first.into_iter().map(|(who, _)| who).collect();
        let needing: Vec<Who> = needing.into_iter().collect();
        let given = needing.clone();
        let give = self
            .world
            .write(move |tx, _| host_policies::give_accounts(tx, TEAM, &given, now));
        give.unwrap();
        let mut plans = self.plans(needing, &access, now);
        plans.extend(rest);
        host_policies::chunks(look, plans, now)
    }

    fn plans(&self, people: Vec<Who>, access: &Arc<Access>, now: i64) -> Vec<(Who, Plan)> {
        let access = access.clone();
        let plans = self.world.read(move |tx| {
            let mut asking = Asking::default();
            let plan = |who: &Who| {
                let plan = host_policies::plan(tx, TEAM, who, (&access, &mut asking), now)?;
                Ok((who.clone(), plan))
            };
            people.iter().map(plan).collect::<Result<Vec<_>, Refusal>>()
        });
        plans.unwrap()
    }
}

fn behind(tx: &mut Tx<'_>) -> Result<Behind, Refusal> {
    let mut all = host_policies::behind(tx)?;
    Ok(all.remove(0))
}

fn decided(name: &str, tags: &[&str]) -> Decided {
    Decided {
        name: name.to_owned(),
        tags: Tags::parse(tags).unwrap(),
        ..Decided::default()
    }
}

/// The event of an admin's change.
fn told(
    tx: &mut Tx<'_>,
    call: &Call,
    (kind, id): (&str, &str),
    action: &str,
    changes: Option<Value>,
) -> Result<(), Refusal> {
    let changes = changes.map(|changes| changes.to_string());
    let event = events::New {
        category: match kind {
            "Host" => Category::Admin,
            _ => Category::Access,
        },
        action,
        outcome: Outcome::Ok,
        object_kind: Some(kind),
        object_id: Some(id),
        object_name: None,
        version: None,
        changes: changes.as_deref(),
    };
    events::record(tx, call, &event)
}
