//! Where somebody may log in, over all hosts at once.
//!
//! It says of each host what [`may`](crate::may) says of it, and is made for asking about all of them: what has to be
//! known about the person and their grants is worked out once, and hosts are chosen by the index of the [`Estate`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use crate::decision::{Account, Host, Person, Standing};
use crate::estate::{Estate, Set};
use crate::grant::{Grant, Level, Phase, Subject};

/// Where somebody may log in at a moment, and by which grants.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    estate: &'a Estate,
    /// Names with the hosts on which they are the person's account: the person's own first, then remote identities.
    accounts: Vec<(&'a str, Set)>,
    /// The grants that let the person in somewhere.
    held: Vec<Held<'a>>,
    sudo: Set,
    all: Set,
}

#[derive(Debug, Clone)]
struct Held<'a> {
    grant: &'a Grant,
    /// When the person loses it; `None`: never.
    until: Option<Timestamp>,
    hosts: Set,
}

/// A host that somebody may log in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached<'a> {
    /// Which.
    pub host: &'a Host,
    /// The name of the person's account there.
    pub account: &'a str,
    /// Whether `sudo` may be used there.
    pub sudo: bool,
    /// When the last of the grants that let the person in there ends; `None`: never.
    pub until: Option<Timestamp>,
}

/// What a certificate of a person says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// Names of accounts first, the person's own before remote identities, then what grants add, and last `u:` and the
    /// person's id, by which hosts know them whatever they are called.
    pub principals: Vec<String>,
    /// The grants that it rests on, by id.
    pub grants: Vec<String>,
    /// When the last of them ends; `None`: never.
    pub until: Option<Timestamp>,
}

/// Why somebody may log in nowhere, said to them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAccess {
    /// Deactivated.
    #[error("your account is suspended; ask whoever manages {0} to reactivate it")]
    Suspended(String),
    /// From a directory whose people do not reach hosts.
    #[error(
        "you are from the directory {0}, and people of another directory reach hosts now; sign in with your account there, or ask an admin to make {0} the active SSH directory"
    )]
    Directory(String),
    /// No grant that counts now.
    #[error(
        "no group of yours has access to any host now, and you have no temporary access; ask an admin of your team for a grant, or to be put into a group that has one"
    )]
    NoGrant,
    /// Grants, and no host that they are for.
    #[error(
        "you have access to the hosts {0}, and there is no such host yet; ask an admin of your team to tag the hosts"
    )]
    NoHost(String),
    /// No name for an account.
    #[error("you have no account name on hosts: {0}; ask an admin of your team")]
    NoAccount(String),
}

impl<'a> Reach<'a> {
    /// Works out where a person may log in. `grants` are those of the team.
    ///
    /// # Errors
    /// Why it is nowhere.
    pub fn of(
        person: &'a Person,
        estate: &'a Estate,
        grants: impl IntoIterator<Item = &'a Grant>,
        now: Timestamp,
    ) -> Result<Self, NoAccess> {
        barred(person)?;
        let mut held = held(person, estate, grants, now)?;
        let mut all = estate.none();
        held.iter().for_each(|held| all.unite(&held.hosts));
        let accounts = accounts(person, estate, &all);
        let mut named = estate.none();
        accounts.iter().for_each(|(_, hosts)| named.unite(hosts));
        all.intersect(&named);
        let mut sudo = estate.none();
        for held in &mut held {
            held.hosts.intersect(&named);
            if held.grant.level == Level::LoginSudo {
                sudo.unite(&held.hosts);
            }
        }
        held.retain(|held| !held.hosts.is_empty());
        match (&person.account, held.is_empty()) {
            (Account::None(reason), true) => Err(NoAccess::NoAccount(reason.clone())),
            _ => Ok(Self {
                estate,
                accounts,
                held,
                sudo,
                all,
            }),
        }
    }

    /// How many hosts it is.
    pub fn count(&self) -> usize {
        self.all.count()
    }

    /// The hosts, in their order in the estate.
    pub fn hosts(&self) -> impl Iterator<Item = Reached<'_>> {
        let ends = self.ends();
        self.all.places().filter_map(move |place| {
            let account = self
                .accounts
                .iter()
                .find(|(_, hosts)| hosts.contains(place))?;
            let until = ends.iter().find(|(_, hosts)| hosts.contains(place))?.0;
            Some(Reached {
                host: self.estate.hosts().get(place)?,
                account: account.0,
                sudo: self.sudo.contains(place),
                until,
            })
        })
    }

    /// The hosts that are not among those of another reach in the same estate.
    pub fn beyond(&self, other: Option<&Self>) -> impl Iterator<Item = &'a Host> + use<'a> {
        let mut beyond = self.all.clone();
        if let Some(other) = other {
            beyond.subtract(&other.all);
        }
        self.estate.pick(beyond)
    }

    /// The grants that let the person in somewhere: each with when the person loses it (`None`: never) and the hosts on which
    /// it counts.
    pub fn grants(
        &self,
    ) -> impl Iterator<
        Item = (
            &'a Grant,
            Option<Timestamp>,
            impl Iterator<Item = &'a Host> + use<'a>,
        ),
    > {
        self.held.iter().map(|held| {
            let hosts = self.estate.pick(held.hosts.clone());
            (held.grant, held.until, hosts)
        })
    }

    /// What a certificate of the person says.
    pub fn entitlement(&self, person: &Person) -> Entitlement {
        let names = self
            .accounts
            .iter()
            .filter(|(_, hosts)| hosts.meets(&self.all))
            .map(|(name, _)| (*name).to_owned());
        let added = self
            .held
            .iter()
            .flat_map(|held| held.grant.principals.iter().cloned());
        let own = std::iter::once(format!("u:{}", person.id));
        let mut principals: Vec<String> = names.chain(added).chain(own).collect();
        let mut seen = HashSet::new();
        principals.retain(|principal| seen.insert(principal.clone()));
        let last = self.held.iter().map(|held| held.until);
        Entitlement {
            principals,
            grants: self.held.iter().map(|held| held.grant.id.clone()).collect(),
            until: last
                .max_by_key(|until| until.unwrap_or(Timestamp::MAX))
                .flatten(),
        }
    }

    /// The moments at which access ends, the last one first, with the hosts on which that is so of some grant.
    fn ends(&self) -> Vec<(Option<Timestamp>, Set)> {
        let mut ends: BTreeMap<Reverse<Timestamp>, Set> = BTreeMap::new();
        for held in &self.held {
            let key = Reverse(held.until.unwrap_or(Timestamp::MAX));
            ends.entry(key)
                .or_insert_with(|| self.estate.none())
                .unite(&held.hosts);
        }
        let or_never = |end: Timestamp| (end != Timestamp::MAX).then_some(end);
        ends.into_iter()
            .map(|(end, hosts)| (or_never(end.0), hosts))
            .collect()
    }
}

/// What a certificate of a person says at a moment: the names of their accounts, what grants add, and by which grants.
///
/// It never says more than [`may`](crate::may) says of some host, besides `u:` and the person's id.
///
/// # Errors
/// Why the person may log in nowhere, so that there is nothing to say.
pub fn entitlement<'a>(
    person: &'a Person,
    estate: &'a Estate,
    grants: impl IntoIterator<Item = &'a Grant>,
    now: Timestamp,
) -> Result<Entitlement, NoAccess> {
    Ok(Reach::of(person, estate, grants, now)?.entitlement(person))
}

/// What bars a person altogether.
fn barred(person: &Person) -> Result<(), NoAccess> {
    let directory = person.directory.as_ref();
    if person.standing == Standing::Suspended {
        let whose = directory.map_or("it", |directory| &directory.name);
        return Err(NoAccess::Suspended(whose.to_owned()));
    }
    match directory.filter(|directory| !directory.is_active) {
        Some(directory) => Err(NoAccess::Directory(directory.name.clone())),
        None => Ok(()),
    }
}

/// The grants that the person has now, with the hosts that they are for.
fn held<'a>(
    person: &'a Person,
    estate: &Estate,
    grants: impl IntoIterator<Item = &'a Grant>,
    now: Timestamp,
) -> Result<Vec<Held<'a>>, NoAccess> {
    let current = grants
        .into_iter()
        .filter(|grant| grant.phase(now) == Phase::Current);
    let groups = groups(person, now);
    let had = current.filter_map(|grant| {
        let until = match &grant.to {
            Subject::User(id) => (*id == person.id).then_some(None)?,
            Subject::Group(id) => *groups.get(id.as_str())?,
        };
        Some((grant, until))
    });
    let had: Vec<_> = had.collect();
    let Some((first, _)) = had.first() else {
        return Err(NoAccess::NoGrant);
    };
    let hosts = first.hosts.to_string();
    let mut held: Vec<Held<'a>> = had
        .into_iter()
        .map(|(grant, until)| Held {
            grant,
            until: [grant.until, until].into_iter().flatten().min(),
            hosts: estate.set(&grant.hosts),
        })
        .collect();
    held.retain(|held| !held.hosts.is_empty());
    match held.is_empty() {
        true => Err(NoAccess::NoHost(hosts)),
        false => Ok(held),
    }
}

/// The groups that the person is in now, by id, with the end of the membership that lasts longest; `None`: never.
fn groups(person: &Person, now: Timestamp) -> HashMap<&str, Option<Timestamp>> {
    let never = |until: Option<Timestamp>| until.unwrap_or(Timestamp::MAX);
    let mut groups = HashMap::new();
    for membership in &person.memberships {
        let until = membership.until;
        if until.is_some_and(|until| until <= now) {
            continue;
        }
        let longest = groups.entry(membership.group_id.as_str()).or_insert(until);
        if never(until) > never(*longest) {
            *longest = until;
        }
    }
    groups
}

/// The names of the person's accounts with the hosts, among these, where each is the one.
fn accounts<'a>(person: &'a Person, estate: &Estate, among: &Set) -> Vec<(&'a str, Set)> {
    let mut left = among.clone();
    let mut remote = Vec::new();
    for identity in &person.remote_identities {
        let mut hosts = estate.set(&identity.hosts);
        hosts.intersect(&left);
        left.subtract(&hosts);
        remote.push((identity.name.as_str(), hosts));
    }
    let own = match &person.account {
        Account::Named(name) => Some((name.as_str(), left)),
        Account::None(_) => None,
    };
    own.into_iter().chain(remote).collect()
}

#[cfg(test)]
mod tests;
