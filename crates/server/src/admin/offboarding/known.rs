//! What is known of the accounts of somebody on hosts, and what that comes to.

use super::{
    LeftView, OffboardedHostView, OffboardingState as State, OffboardingView, PersonView,
    RemovalView,
};
use crate::admin::users;
use crate::admin::view::At;
use portreeve_directory::directories::Directory;
use portreeve_directory::host_accounts::{self, HostAccount};
use portreeve_directory::host_agents::{self, Agent, Status};
use portreeve_directory::host_denials::{self, Denial};
use portreeve_directory::host_removals::{self, Removal};
use portreeve_directory::{Refusal, What, certificates};
use portreeve_scim::time;
use portreeve_store::Tx;
use std::collections::HashMap;

/// How many hosts a summary names.
const NAMED: usize = 3;

/// As [`known`] finds it.
type Found = (PersonView, Vec<Known>, i64);

/// All that is known of an account on a host.
pub(super) struct Known {
    pub(super) host: Named,
    /// `None`: what they had is removed.
    account: Option<HostAccount>,
    agent: Option<Agent>,
    denial: Option<Denial>,
    removal: Option<Removal>,
}

/// A host.
pub(super) struct Named {
    pub(super) id: String,
    pub(super) name: String,
}

/// An account that is shut, and whose data a host can remove.
pub(super) struct Removable<'a> {
    pub(super) host: &'a Named,
    pub(super) account: &'a str,
    /// Since when it is shut.
    pub(super) denied_at: i64,
}

/// Whom it is about, what is known of the hosts where they have or had an account, by name, and how many certificates of theirs
/// count.
pub(super) fn known(
    tx: &mut Tx<'_>,
    directory: &Directory,
    wanted: &str,
    now: i64,
) -> Result<Found, Refusal> {
    let user = match users::find(tx, directory, wanted, now) {
        Ok(user) => Some(user),
        Err(Refusal::NotFound(..)) => None,
        Err(error) => return Err(error),
    };
    let team = &directory.team_id;
    let id = user.as_ref().map_or(wanted, |user| user.id.as_str());
    let mut accounts = host_accounts::of_holder(tx, team, id)?;
    accounts.retain(|one| one.holder.directory_id() == Some(directory.id.as_str()));
    let mut person = PersonView {
        id: id.to_owned(),
        directory_id: directory.id.clone(),
        name: String::new(),
        user_name: None,
        status: None,
    };
    let removals = host_removals::of_holder(tx, team, id)?;
    match (&user, accounts.last(), removals.last()) {
        (Some(user), ..) => {
            person.name = user.name()?;
            person.user_name = user.parsed()?.user_name().map(str::to_owned);
            person.status = Some(user.status);
        }
        (None, Some(account), _) => person.name.clone_from(&account.full_name),
        (None, None, Some(removal)) => person.name.clone_from(&removal.account),
        (None, None, None) => return Err(Refusal::NotFound(What::User, wanted.to_owned())),
    }
    let mut accounts = by_host(accounts, |one| &one.host_id);
    let mut agents = host_agents::of_holder(tx, team, id)?;
    let mut denials = by_host(host_denials::of_holder(tx, team, id)?, |one| &one.host_id);
    let mut removals = by_host(removals, |one| &one.host_id);
    let all = host_removals::hosts(tx, team, id)?.into_iter();
    let all = all.map(|(id, name)| Known {
        account: accounts.remove(&id),
        agent: agents.remove(&id),
        denial: denials.remove(&id),
        removal: removals.remove(&id),
        host: Named { id, name },
    });
    let certificates = certificates::count_of(tx, team, id, now)?;
    Ok((person, all.collect(), certificates))
}

fn by_host<T>(all: Vec<T>, host_id: impl Fn(&T) -> &String) -> HashMap<String, T> {
    let all = all.into_iter();
    all.map(|one| (host_id(&one).clone(), one)).collect()
}

/// The report.
pub(super) fn view((user, all, certificates): Found) -> OffboardingView {
    let count = |states: &[State]| {
        let is_one = |one: &&Known| states.contains(&one.state());
        all.iter().filter(is_one).count()
    };
    OffboardingView {
        user,
        summary: summary(&all, certificates),
        certificates,
        total: all.len(),
        denied: count(&[State::Denied, State::Acknowledged, State::Removed]),
        acknowledged: count(&[State::Acknowledged, State::Removed]),
        hosts: all.iter().map(Known::view).collect(),
    }
}

/// How things stand: on how many hosts it is done, and which have not said that it is.
fn summary(all: &[Known], certificates: i64) -> String {
    if all.is_empty() {
        return format!(
            "They never had an account on a host with an agent; {}.",
            counting(certificates)
        );
    }
    let of = |state: State| all.iter().filter(move |one| one.state() == state);
    let [allowed, acknowledged, removed] =
        [State::Allowed, State::Acknowledged, State::Removed].map(|state| of(state).count());
    let (total, denied) = (all.len(), all.len() - allowed);
    let hosts = plural(total);
    let mut said = Vec::new();
    if allowed > 0 {
        said.push(format!("May log in on {allowed} of {total} {hosts}."));
    }
    if denied > 0 {
        let known = acknowledged + removed;
        said.push(format!(
            "Denied on {denied} of {total} {hosts}, acknowledged by {known}."
        ));
    }
    if removed > 0 {
        let hosts = plural(removed);
        said.push(format!("What they had is removed on {removed} {hosts}."));
    }
    let (silent, without): (Vec<&Known>, Vec<&Known>) =
        of(State::Denied).partition(|one| one.has_agent());
    said.extend(
        silent
            .iter()
            .take(NAMED)
            .map(|one| match one.reported_at() {
                Some(at) => format!(
                    "{} has not reported since {}.",
                    one.host.name,
                    time::format(at)
                ),
                None => format!("{} has never reported.", one.host.name),
            }),
    );
    if let Some(more) = silent.len().checked_sub(NAMED).filter(|more| *more > 0) {
        said.push(format!("{more} more have not acknowledged it either."));
    }
    match without.as_slice() {
        [] => {}
        [one] => said.push(format!("{} has no agent any more.", one.host.name)),
        all => said.push(format!("{} hosts have no agent any more.", all.len())),
    }
    said.push(format!(
        "Hosts without an agent go by certificates; {}.",
        counting(certificates)
    ));
    said.join(" ")
}

fn counting(certificates: i64) -> String {
    match certificates {
        0 => "no certificate of theirs counts".to_owned(),
        1 => "one certificate of theirs counts".to_owned(),
        many => format!("{many} certificates of theirs count"),
    }
}

fn plural(count: usize) -> &'static str {
    match count {
        1 => "host",
        _ => "hosts",
    }
}

impl Known {
    /// The account whose data can be removed.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn removable(&self) -> Result<Removable<'_>, &'static str> {
        let account = self.account.as_ref();
        let account = account.ok_or("what they had there is removed already")?;
        let own = account.own.as_ref();
        let own = own.ok_or("they had no account of their own there")?;
        let denied_at = account.denied_at;
        let denied_at = denied_at.ok_or("they may log in there; end their access first")?;
        match self.has_agent() {
            true => Ok(Removable {
                host: &self.host,
                account: &own.name,
                denied_at,
            }),
            false => Err("it has no agent that could do it"),
        }
    }

    fn has_agent(&self) -> bool {
        let status = self.agent.as_ref().map(|agent| agent.status);
        status == Some(Status::Enrolled)
    }

    /// Since when the host says that it lets them in no longer: by its own word, else by having the policy that says so.
    fn acknowledged_at(&self) -> Option<i64> {
        let Some(account) = &self.account else {
            return self.removal.as_ref()?.answered_at;
        };
        account.denied_at?;
        if let Some(denial) = self.denial() {
            return Some(denial.since_at);
        }
        let (version, at) = self.agent.as_ref()?.said.applied?;
        (version >= account.version).then_some(at)
    }

    /// What the host has said since they were shut out last.
    fn denial(&self) -> Option<&Denial> {
        let denied_at = self.account.as_ref()?.denied_at?;
        let denial = self.denial.as_ref();
        denial.filter(|denial| denial.reported_at >= denied_at)
    }

    fn reported_at(&self) -> Option<i64> {
        self.agent.as_ref().and_then(|agent| agent.reported_at)
    }

    fn state(&self) -> State {
        match &self.account {
            None => State::Removed,
            Some(account) if account.denied_at.is_none() => State::Allowed,
            Some(_) if self.acknowledged_at().is_some() => State::Acknowledged,
            Some(_) => State::Denied,
        }
    }

    /// What was asked for and can still come about, or has.
    fn removal(&self) -> Option<&Removal> {
        let removal = self.removal.as_ref();
        removal.filter(|removal| {
            let denied_at = |account: &HostAccount| account.denied_at == Some(removal.denied_at);
            removal.answered_at.is_some() || self.account.as_ref().is_none_or(denied_at)
        })
    }

    fn view(&self) -> OffboardedHostView {
        let account = self.account.as_ref();
        let removal = self.removal();
        let name = account.map(|account| account.account.clone());
        let name = name.or_else(|| removal.map(|removal| removal.account.clone()));
        let denied_at = account.map_or_else(
            || removal.map(|removal| removal.denied_at),
            |account| account.denied_at,
        );
        OffboardedHostView {
            id: self.host.id.clone(),
            name: self.host.name.clone(),
            account: name.unwrap_or_default(),
            is_shared: account.is_some_and(|account| account.is_shared),
            state: self.state(),
            denied_at: denied_at.map(At),
            acknowledged_at: self.acknowledged_at().map(At),
            had_sudo: account.is_some_and(|account| account.sudo)
                || self.denial.as_ref().is_some_and(|denial| denial.had_sudo),
            left: self.denial().map(|denial| LeftView {
                sessions_ended: denial.sessions_ended,
                processes: denial.processes,
                home: denial.has_home,
                crontab: denial.has_crontab,
                keys: denial.has_keys,
                reported_at: At(denial.reported_at),
            }),
            has_agent: self.has_agent(),
            is_removable: self.removable().is_ok(),
            reported_at: self.reported_at().map(At),
            removal: removal.map(|removal| RemovalView {
                dry_run: removal.is_dry_run,
                asked_by: removal.asked_by.clone(),
                asked_at: At(removal.asked_at),
                answered_at: removal.answered_at.map(At),
                paths: removal.paths.clone(),
                error: removal.error.clone(),
            }),
        }
    }
}
