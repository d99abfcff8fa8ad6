//! Who may log in to some hosts, for screens: counted and listed as long as they are not too many to be looked at one by one.

use super::Admin;
use super::hosts::{self, AllowedView, HostView};
use crate::app::App;
use portreeve_access::grant::{Phase, Subject};
use portreeve_access::{Estate, Expression, Grant, Host, Person, Reach};
use portreeve_directory::Refusal;
use portreeve_directory::access::{self, Who};
use portreeve_directory::holders::Holder;
use std::collections::{HashMap, HashSet};

/// The most people who are looked at for one screen.
pub(crate) const MOST: usize = 500;

/// How many people may log in to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// So many.
    Exactly(usize),
    /// More than were looked at.
    MoreThan(usize),
}

/// How many may log in to each of some hosts now, by the host's id.
pub(crate) async fn counts(
    app: &App,
    admin: &Admin,
    of: &[HostView],
) -> Result<HashMap<String, Allowed>, Refusal> {
    let asking = admin.clone();
    let team = app.store.lookup(move |tx| asking.team(tx, None)).await?;
    let access = app.access(&team.id).await?;
    let ids: Vec<&str> = of.iter().map(|host| host.id.as_str()).collect();
    let known = access.estate.hosts().iter();
    let hosts: Vec<Host> = known
        .filter(|host| ids.contains(&host.id.as_str()))
        .cloned()
        .collect();
    let now = admin.at;
    let read = app.store.read(move |tx| {
        let at = access::moment(now);
        let current = |grant: &&Grant| grant.phase(at) == Phase::Current;
        let about = access.grants.iter().filter(current);
        let about = about.filter(|grant| hosts.iter().any(|host| grant.hosts.contains(host)));
        let about: Vec<&Grant> = about.collect();
        // Groups are looked at one by one, so that one with everybody in it hides no other.
        let subjects: HashSet<&Subject> = about.iter().map(|grant| &grant.to).collect();
        let mut large = HashSet::new();
        for subject in &subjects {
            if access::is_larger(tx, &team.id, subject, now, MOST)? {
                large.insert(*subject);
            }
        }
        let small = subjects
            .into_iter()
            .filter(|subject| !large.contains(subject));
        let small: Vec<&Subject> = small.collect();
        let large = about.iter().filter(|grant| large.contains(&grant.to));
        let large: Vec<&Expression> = large.map(|grant| &grant.hosts).collect();
        let people = access::having(tx, &team.id, small.into_iter(), now)?;
        let estate = Estate::new(hosts.clone());
        let mut counts: HashMap<String, usize> = HashMap::new();
        for Who { person, .. } in &people {
            let Ok(reach) = Reach::of(person, &estate, &access.grants, at) else {
                continue;
            };
            for reached in reach.hosts() {
                *counts.entry(reached.host.id.clone()).or_default() += 1;
            }
        }
        let count = |host: &Host| match large.iter().any(|hosts| hosts.contains(host)) {
            true => Allowed::MoreThan(MOST),
            false => Allowed::Exactly(counts.get(&host.id).copied().unwrap_or(0)),
        };
        Ok::<_, Refusal>(
            hosts
                .iter()
                .map(|host| (host.id.clone(), count(host)))
                .collect(),
        )
    });
    read.await
}

/// Who may log in to a host now, by name; `None`: too many.
pub(crate) async fn people(
    app: &App,
    admin: &Admin,
    host: &HostView,
) -> Result<Option<Vec<AllowedView>>, Refusal> {
    match counts(app, admin, std::slice::from_ref(host))
        .await?
        .get(&host.id)
    {
        Some(Allowed::MoreThan(_)) => Ok(None),
        _ => Ok(Some(hosts::people(app, admin, None, &host.id).await?)),
    }
}

/// Why somebody may log in to no host, said to them; `None` where they may log in to some.
pub(crate) async fn nowhere(
    app: &App,
    team_id: &str,
    holder: &Holder,
    now: i64,
) -> Result<Option<String>, Refusal> {
    let access = app.access(team_id).await?;
    let (team, of) = (team_id.to_owned(), holder.clone());
    let read = app
        .store
        .lookup(move |tx| access::person(tx, &team, &of, now));
    let person: Person = read.await?;
    let at = access::moment(now);
    let reach = Reach::of(&person, &access.estate, &access.grants, at);
    Ok(reach.err().map(|why| why.to_string()))
}
