//! Whatever happens: once it was followed, the rows say of everybody and every host what the decision does.

use super::estate::{self, Estate, HOUR, NOW, TEAM};
use crate::engine::{Engine, on_each_engine};
use portreeve_access::grant::Level;
use portreeve_access::{Decision, may};
use portreeve_directory::grants::To;
use portreeve_directory::holders::Holder;
use portreeve_directory::host_accounts::{self, HostAccount};
use portreeve_directory::{Refusal, access};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

on_each_engine! {
    rows_say_what_the_decision_says
}

const EXPRESSIONS: [&str; 5] = ["*", "role=web", "role=db", "not role=web", "name=web-1"];
const HOSTS: [&str; 3] = ["web-1", "web-2", "db-1"];

/// Something that happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Create(usize),
    Active(usize, bool),
    Rename(usize, usize),
    Delete(usize),
    Join(usize, usize),
    Leave(usize, usize),
    Nest(usize, usize),
    DeleteGroup(usize),
    Grant(usize, usize, bool, Option<i64>, Option<i64>),
    Temporary(usize, usize, i64),
    Revoke(usize),
    Tag(usize, bool),
    Activate(bool),
    Remote(usize, Option<usize>),
    Pass(i64),
    Follow,
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0..4usize;
    let hours = || prop::option::of(1..6_i64);
    prop_oneof![
        1 => n().prop_map(Step::Create),
        3 => (n(), any::<bool>()).prop_map(|(user, active)| Step::Active(user, active)),
        2 => (n(), n()).prop_map(|(user, name)| Step::Rename(user, name)),
        1 => n().prop_map(Step::Delete),
        4 => (n(), n()).prop_map(|(group, user)| Step::Join(group, user)),
        2 => (n(), n()).prop_map(|(group, user)| Step::Leave(group, user)),
        2 => (n(), n()).prop_map(|(outer, inner)| Step::Nest(outer, inner)),
        1 => n().prop_map(Step::DeleteGroup),
        4 => (n(), 0..EXPRESSIONS.len(), any::<bool>(), hours(), hours())
            .prop_map(|(group, on, sudo, from, until)| Step::Grant(group, on, sudo, from, until)),
        1 => (n(), 0..EXPRESSIONS.len(), 1..6_i64)
            .prop_map(|(user, on, until)| Step::Temporary(user, on, until)),
        1 => n().prop_map(Step::Revoke),
        2 => (n(), any::<bool>()).prop_map(|(host, web)| Step::Tag(host, web)),
        1 => prop::bool::weighted(0.7).prop_map(Step::Activate),
        2 => (n(), prop::option::of(0..EXPRESSIONS.len()))
            .prop_map(|(user, on)| Step::Remote(user, on)),
        2 => (1..3_i64).prop_map(Step::Pass),
        3 => Just(Step::Follow),
    ]
}

/// What there is in the course of things.
struct Course {
    estate: Estate,
    users: Vec<String>,
    gone: Vec<String>,
    groups: Vec<String>,
    grants: Vec<String>,
    now: i64,
}

fn pick(all: &[String], n: usize) -> Option<&String> {
    all.get(n % all.len().max(1))
}

impl Course {
    fn new(on: Engine) -> Self {
        let estate = Estate::new(on);
        let users: Vec<String> = ["ada", "bea", "carl"]
            .map(|name| estate.world.named(name).id)
            .to_vec();
        let groups: Vec<String> = ["one", "two", "three"]
            .map(|name| estate.world.group(name, &[]).id)
            .to_vec();
        Self {
            estate,
            users,
            gone: Vec::new(),
            groups,
            grants: Vec::new(),
            now: NOW,
        }
    }

    /// Does it, as far as that is possible.
    fn take(&mut self, step: &Step) -> Option<()> {
        let estate = &self.estate;
        match *step {
            Step::Create(n) => {
                let body = json!({"userName": format!("new{n}")});
                let made = estate.world.try_user(body).ok()?;
                self.users.push(made.id);
            }
            Step::Active(user, active) => estate.set_active(pick(&self.users, user)?, active),
            Step::Rename(user, name) => {
                // Some of them want the same name on hosts.
                let name =
                    format!("name@{user}.example").replace("name", ["a", "b", "ada", "c"][name]);
                let operations = json!([{"op": "replace", "path": "userName", "value": name}]);
                estate
                    .world
                    .patch_user(pick(&self.users, user)?, operations)
                    .ok()?;
            }
            Step::Delete(user) => {
                let id = pick(&self.users, user)?.clone();
                estate.world.delete_user(&id).ok()?;
                self.users.retain(|one| *one != id);
                self.gone.push(id);
            }
            Step::Join(group, user) => {
                estate.join(pick(&self.groups, group)?, pick(&self.users, user)?);
            }
            Step::Leave(group, user) => {
                estate.leave(pick(&self.groups, group)?, pick(&self.users, user)?);
            }
            Step::Nest(outer, inner) => {
                let (outer, inner) = (pick(&self.groups, outer)?, pick(&self.groups, inner)?);
                if outer != inner {
                    estate.nest(outer, inner);
                }
            }
            Step::DeleteGroup(group) => {
                let id = pick(&self.groups, group)?.clone();
                estate.world.delete_group(&id).ok()?;
                self.groups.retain(|one| *one != id);
            }
            Step::Grant(..) | Step::Temporary(..) => self.grant(step)?,
            Step::Revoke(grant) => estate.revoke(pick(&self.grants, grant)?),
            Step::Tag(host, web) => {
                let tag = if web { "role=web" } else { "role=db" };
                estate.tag(HOSTS.get(host)?, &[tag]);
            }
            Step::Activate(active) => estate.activate(active),
            Step::Remote(user, on) => {
                let on = on.map(|on| (EXPRESSIONS[on], "ec2-user"));
                estate.remote(pick(&self.users, user)?, on.as_slice());
            }
            Step::Pass(hours) => self.now += hours * HOUR,
            Step::Follow => estate.follow(self.now),
        }
        Some(())
    }

    fn grant(&mut self, step: &Step) -> Option<()> {
        let (now, estate) = (self.now, &self.estate);
        let id = match *step {
            Step::Grant(group, on, sudo, from, until) => {
                let group = pick(&self.groups, group)?;
                estate.grant_to(group, EXPRESSIONS[on], |grant| {
                    if sudo {
                        grant.level = Level::LoginSudo;
                        grant.posix_groups = vec!["video".into()];
                        grant.principals = vec!["deploy".into()];
                    }
                    grant.from = from.map(|hours| estate::at(now + hours * HOUR));
                    grant.until = until.map(|hours| estate::at(now + (hours + 6) * HOUR));
                })
            }
            Step::Temporary(user, on, until) => {
                let to = To::User {
                    directory_id: estate.world.directory.id.clone(),
                    id: pick(&self.users, user)?.clone(),
                };
                estate.grant(to, EXPRESSIONS[on], |grant| {
                    grant.until = Some(estate::at(now + until * HOUR));
                })
            }
            _ => return None,
        };
        self.grants.push(id);
        Some(())
    }

    /// What is decided about somebody and all hosts, by the hosts' ids.
    fn decided(&self, user: &str) -> BTreeMap<String, Decision> {
        let holder = Holder::User {
            directory_id: self.estate.world.directory.id.clone(),
            id: user.to_owned(),
        };
        let now = self.now;
        let decided = self.estate.world.read(move |tx| {
            let all = access::of_team(tx, TEAM)?;
            let person = match access::person(tx, TEAM, &holder, now) {
                Ok(person) => person,
                Err(Refusal::NotFound(..)) => return Ok(BTreeMap::new()),
                Err(error) => return Err(error),
            };
            let decide = |host: &portreeve_access::Host| {
                let decision = may(&person, host, &all.grants, access::moment(now));
                (host.id.clone(), decision)
            };
            let decided = all.estate.hosts().iter().map(decide);
            Ok(decided.filter(|(_, decision)| decision.allowed).collect())
        });
        decided.unwrap()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for user in self.users.iter().chain(&self.gone) {
            let of = user.clone();
            let rows = self
                .estate
                .world
                .read(move |tx| host_accounts::of_holder(tx, TEAM, &of));
            let rows = rows.unwrap().into_iter().filter(|row| row.is_active);
            let said: BTreeMap<String, _> = rows
                .map(|row| (row.host_id.clone(), of_row(&row)))
                .collect();
            let decided = self.decided(user);
            let decided: BTreeMap<String, _> = decided
                .into_iter()
                .map(|(host, decision)| (host, of_decision(&decision)))
                .collect();
            prop_assert_eq!(said, decided, "{}", user);
        }
        Ok(())
    }
}

type Said = (String, bool, Vec<String>, Vec<String>);

fn of_row(row: &HostAccount) -> Said {
    let principals = row.principals.iter().map(|extra| extra.name.clone());
    (
        row.account.clone(),
        row.sudo,
        row.posix_groups.clone(),
        principals.collect(),
    )
}

fn of_decision(decision: &Decision) -> Said {
    let mut principals = decision.principals[1..].to_vec();
    principals.sort();
    (
        decision.account.clone().unwrap_or_default(),
        decision.sudo,
        decision.posix_groups.clone(),
        principals,
    )
}

fn rows_say_what_the_decision_says(on: Engine) {
    proptest!(on.cases(32), |(steps in vec(step(), 1..40))| {
        let mut course = Course::new(on);
        for step in &steps {
            course.take(step);
            if matches!(step, Step::Follow) {
                course.check()?;
            }
        }
        course.estate.follow(course.now);
        course.check()?;
    });
}
