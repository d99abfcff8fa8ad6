//! How a decision came about, told step by step.

use super::{
    Account, Considered, Host, Lacks, Link, Membership, Nearly, Person, Reason, Standing, Step,
    Verdict,
};
use crate::grant::{Grant, Level, Subject};

#[derive(Default)]
pub(super) struct Reasons(pub(super) Vec<Reason>);

impl Reasons {
    pub(super) fn say(&mut self, step: Step, verdict: Verdict, why: String, link: Option<Link>) {
        self.0.push(Reason {
            step,
            verdict,
            why,
            link,
        });
    }

    pub(super) fn directory(&mut self, person: &Person) -> bool {
        let Some(directory) = &person.directory else {
            let why = format!("{} is a service account of the team.", person.name);
            self.say(Step::Directory, Verdict::Yes, why, None);
            return true;
        };
        let link = Some(Link::Directory(directory.id.clone()));
        let (verdict, why) = match directory.is_active {
            true => (
                Verdict::Yes,
                format!(
                    "{} is from the directory {}, from which people reach hosts.",
                    person.name, directory.name
                ),
            ),
            false => (
                Verdict::No,
                format!(
                    "{} is from the directory {}, and people of another directory reach hosts now.",
                    person.name, directory.name
                ),
            ),
        };
        self.say(Step::Directory, verdict, why, link);
        directory.is_active
    }

    pub(super) fn user(&mut self, person: &Person) -> bool {
        let active = person.standing == Standing::Active;
        let (verdict, why) = match person.standing {
            Standing::Active => (Verdict::Yes, format!("{} is active.", person.name)),
            Standing::Suspended => (
                Verdict::No,
                format!(
                    "{} is suspended: memberships are kept and do not count.",
                    person.name
                ),
            ),
        };
        self.say(
            Step::User,
            verdict,
            why,
            Some(Link::User(person.id.clone())),
        );
        active
    }

    /// The groups, grants and tags that hold; without any, those that nearly do.
    pub(super) fn grants(&mut self, person: &Person, host: &Host, considered: &Considered<'_>) {
        for held in &considered.holding {
            self.had_by(person, held.by);
            self.granted(held.grant, Verdict::Yes, None);
            let why = format!("{} is one of the hosts {}.", host.name, held.grant.hosts);
            self.say(
                Step::Tags,
                Verdict::Yes,
                why,
                Some(Link::Host(host.id.clone())),
            );
        }
        if considered.holding.is_empty() {
            self.nearly(person, host, &considered.nearly);
        }
    }

    /// The grants that the person has and that lack something.
    fn nearly(&mut self, person: &Person, host: &Host, nearly: &[Nearly<'_>]) {
        let had = nearly.iter().filter(|nearly| nearly.lacks != Lacks::Group);
        let mut any = false;
        for nearly in had {
            any = true;
            self.had_by(person, nearly.by);
            self.granted(
                nearly.grant,
                if nearly.lacks == Lacks::Tags {
                    Verdict::Yes
                } else {
                    Verdict::No
                },
                Some(nearly.lacks),
            );
            if nearly.lacks == Lacks::Tags {
                let unmet = nearly.grant.hosts.unmet(host).join(" and ");
                let why = format!(
                    "{} is none of the hosts {}: {unmet} is not so.",
                    host.name, nearly.grant.hosts
                );
                self.say(
                    Step::Tags,
                    Verdict::No,
                    why,
                    Some(Link::Host(host.id.clone())),
                );
            }
        }
        if !any {
            let why = match person.memberships.len() {
                0 => format!(
                    "{} is in no group, and has no temporary access.",
                    person.name
                ),
                _ => format!(
                    "No group of {} has a grant, nor is there temporary access.",
                    person.name
                ),
            };
            self.say(
                Step::Grant,
                Verdict::No,
                why,
                Some(Link::User(person.id.clone())),
            );
        }
    }

    fn had_by(&mut self, person: &Person, by: Option<&Membership>) {
        let Some(membership) = by else {
            return;
        };
        let through = match membership.through.as_slice() {
            [] => String::new(),
            groups => format!(" through {}", groups.join(", ")),
        };
        let until = membership
            .until
            .map(|until| format!(", until {until:.0}"))
            .unwrap_or_default();
        let why = format!(
            "{} is in the group {}{through}{until}.",
            person.name, membership.group
        );
        let link = Some(Link::Group(membership.group_id.clone()));
        let said = self
            .0
            .iter()
            .any(|reason| reason.step == Step::Group && reason.link == link);
        if !said {
            self.say(Step::Group, Verdict::Yes, why, link);
        }
    }

    fn granted(&mut self, grant: &Grant, verdict: Verdict, lacks: Option<Lacks>) {
        let level = match grant.level {
            Level::Login => "login",
            Level::LoginSudo => "login and sudo",
        };
        let kind = match grant.to {
            Subject::Group(_) => "A grant",
            Subject::User(_) => "Temporary access",
        };
        let time = match (lacks, grant.from, grant.until) {
            (Some(Lacks::Beginning), Some(from), _) => format!(", which begins at {from:.0}"),
            (Some(Lacks::End), _, Some(until)) => format!(", which has ended at {until:.0}"),
            (_, _, Some(until)) => format!(", until {until:.0}"),
            _ => String::new(),
        };
        let why = format!("{kind} gives {level} on {}{time}.", grant.hosts);
        self.say(
            Step::Grant,
            verdict,
            why,
            Some(Link::Grant(grant.id.clone())),
        );
    }

    /// The account that the person has on the host.
    pub(super) fn account(&mut self, person: &Person, host: &Host) -> Option<String> {
        let link = Some(Link::User(person.id.clone()));
        let remote = person
            .remote_identities
            .iter()
            .find(|remote| remote.hosts.contains(host));
        if let Some(remote) = remote {
            let why = format!(
                "On the hosts {} the account of {} is {}.",
                remote.hosts, person.name, remote.name
            );
            self.say(Step::Principals, Verdict::Yes, why, link);
            return Some(remote.name.clone());
        }
        match &person.account {
            Account::Named(name) => {
                let why = format!("The account of {} is {name}.", person.name);
                self.say(Step::Principals, Verdict::Yes, why, link);
                Some(name.clone())
            }
            Account::None(reason) => {
                let why = format!("{} has no account on hosts: {reason}.", person.name);
                self.say(Step::Principals, Verdict::No, why, link);
                None
            }
        }
    }
}
