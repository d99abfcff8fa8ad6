//! The decision about one person and one host, with its reasons.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expression::Expression;
use crate::grant::{Grant, Level, Phase, Subject};
use crate::tags::Tags;

mod nearest;
mod reasons;

use reasons::Reasons;

/// A managed machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// UUID.
    pub id: String,
    /// What `ssh` calls it.
    pub name: String,
    /// What expressions choose it by.
    #[serde(default)]
    pub tags: Tags,
}

/// What is known of a person or a service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// UUID.
    pub id: String,
    /// `userName`.
    pub name: String,
    /// Where they are from; `None` for service accounts, which the team makes itself.
    pub directory: Option<Directory>,
    /// Whether they may do anything at all.
    pub standing: Standing,
    /// Their account on hosts.
    pub account: Account,
    /// Other names on some hosts, the first that fits counting.
    pub remote_identities: Vec<RemoteIdentity>,
    /// The groups they are in, also through other groups.
    pub memberships: Vec<Membership>,
}

/// The directory that a person is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is the one from which people of this team reach hosts.
    pub is_active: bool,
}

/// Whether a person may do anything at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// They may.
    Active,
    /// Deactivated. Memberships are kept and do not count.
    Suspended,
}

/// The account of a person on hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// It has a name.
    Named(String),
    /// It has none, and this is why.
    None(String),
}

/// The account name of a person on hosts that do not take the POSIX name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteIdentity {
    /// Where.
    pub hosts: Expression,
    /// The name.
    pub name: String,
}

/// That a person is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// UUID of the group.
    pub group_id: String,
    /// Its name.
    pub group: String,
    /// The names of groups between the person and this one, the nearest first; none where they are in it directly.
    pub through: Vec<String>,
    /// Until when, not included; `None`: without end.
    pub until: Option<Timestamp>,
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether the person may log in to the host.
    pub allowed: bool,
    /// Whether `sudo` may be used there.
    pub sudo: bool,
    /// The name of the account there, where there is access.
    pub account: Option<String>,
    /// What a certificate for this host is for: the account, then what grants add. Empty without access.
    pub principals: Vec<String>,
    /// POSIX groups of the host that the person is in. Empty without access.
    pub posix_groups: Vec<String>,
    /// The grants that it rests on, by id. Empty without access.
    pub grants: Vec<String>,
    /// When the decision may come out otherwise because time has passed.
    pub changes_at: Option<Timestamp>,
    /// How it came about, in order; the last one is the verdict.
    pub reasons: Vec<Reason>,
}

/// One step on the way to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Which.
    pub step: Step,
    /// How it came out.
    pub verdict: Verdict,
    /// In a sentence.
    pub why: String,
    /// What it is about.
    pub link: Option<Link>,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are the product's own")]
pub enum Step {
    Directory,
    User,
    Group,
    Grant,
    Tags,
    Principals,
    Verdict,
}

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words speak for themselves")]
pub enum Verdict {
    Yes,
    No,
}

/// What a reason is about, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "id", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are the product's own")]
pub enum Link {
    Directory(String),
    User(String),
    Group(String),
    Grant(String),
    Host(String),
}

/// Decides whether a person may log in to a host. `grants` are those of the team; which of them are about the person is
/// found here.
pub fn may<'g>(
    person: &Person,
    host: &Host,
    grants: impl IntoIterator<Item = &'g Grant>,
    now: Timestamp,
) -> Decision {
    let mut reasons = Reasons::default();
    let barred = !reasons.directory(person) | !reasons.user(person);
    let mut considered = Considered::default();
    for grant in grants {
        considered.consider(person, host, grant, now);
    }
    reasons.grants(person, host, &considered);
    let account = reasons.account(person, host);
    let holding = match (barred, &account) {
        (false, Some(_)) => considered.holding,
        _ => Vec::new(),
    };
    let changes_at = considered.changes_at;
    match (account, holding.is_empty()) {
        (Some(account), false) => allowed(person, host, account, &holding, changes_at, reasons),
        _ => refused(person, host, changes_at, reasons, &considered.nearly),
    }
}

fn allowed(
    person: &Person,
    host: &Host,
    account: String,
    holding: &[Held<'_>],
    changes_at: Option<Timestamp>,
    mut reasons: Reasons,
) -> Decision {
    let sudo = holding
        .iter()
        .any(|held| held.grant.level == Level::LoginSudo);
    let mut principals = vec![account.clone()];
    principals.extend(
        holding
            .iter()
            .flat_map(|held| held.grant.principals.clone()),
    );
    let mut posix_groups: Vec<String> = holding
        .iter()
        .flat_map(|held| held.grant.posix_groups.clone())
        .collect();
    posix_groups.sort_unstable();
    posix_groups.dedup();
    let mut seen = std::collections::HashSet::new();
    principals.retain(|principal| seen.insert(principal.clone()));
    let with = if sudo { "with sudo" } else { "without sudo" };
    reasons.say(
        Step::Verdict,
        Verdict::Yes,
        format!(
            "{} may log in to {} as {account}, {with}.",
            person.name, host.name
        ),
        Some(Link::Host(host.id.clone())),
    );
    Decision {
        allowed: true,
        sudo,
        account: Some(account),
        principals,
        posix_groups,
        grants: holding.iter().map(|held| held.grant.id.clone()).collect(),
        changes_at,
        reasons: reasons.0,
    }
}

fn refused(
    person: &Person,
    host: &Host,
    changes_at: Option<Timestamp>,
    mut reasons: Reasons,
    nearly: &[Nearly<'_>],
) -> Decision {
    let change = nearest::change(person, host, nearly);
    reasons.say(
        Step::Verdict,
        Verdict::No,
        format!("{} may not log in to {}. {change}", person.name, host.name),
        Some(Link::Host(host.id.clone())),
    );
    Decision {
        allowed: false,
        sudo: false,
        account: None,
        principals: Vec::new(),
        posix_groups: Vec::new(),
        grants: Vec::new(),
        changes_at,
        reasons: reasons.0,
    }
}

/// A grant that is about the person and the host, and counts now.
struct Held<'g> {
    grant: &'g Grant,
    /// What the person has it by; `None`: by themselves.
    by: Option<&'g Membership>,
}

/// A grant that lacks one thing.
struct Nearly<'g> {
    grant: &'g Grant,
    by: Option<&'g Membership>,
    lacks: Lacks,
}

/// What a grant lacks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lacks {
    /// It begins later.
    Beginning,
    /// It has ended.
    End,
    /// The host is another.
    Tags,
    /// The person is in none of its groups; the host would be right.
    Group,
}

#[derive(Default)]
struct Considered<'g> {
    holding: Vec<Held<'g>>,
    nearly: Vec<Nearly<'g>>,
    changes_at: Option<Timestamp>,
}

impl<'g> Considered<'g> {
    fn consider(&mut self, person: &'g Person, host: &Host, grant: &'g Grant, now: Timestamp) {
        let chosen = grant.hosts.contains(host);
        let Some(by) = having(person, grant, now) else {
            if chosen && grant.phase(now) == Phase::Current && matches!(grant.to, Subject::Group(_))
            {
                self.nearly.push(Nearly {
                    grant,
                    by: None,
                    lacks: Lacks::Group,
                });
            }
            return;
        };
        let lacks = match (grant.phase(now), chosen) {
            (Phase::Current, true) => None,
            (Phase::Current, false) => Some(Lacks::Tags),
            (_, false) => return,
            (Phase::Ahead, true) => Some(Lacks::Beginning),
            (Phase::Over, true) => Some(Lacks::End),
        };
        if chosen {
            let moments = [
                grant.from,
                grant.until,
                by.and_then(|membership| membership.until),
            ];
            let ahead = moments
                .into_iter()
                .flatten()
                .filter(|moment| *moment > now)
                .min();
            self.changes_at = [self.changes_at, ahead].into_iter().flatten().min();
        }
        match lacks {
            None => self.holding.push(Held { grant, by }),
            Some(lacks) => self.nearly.push(Nearly { grant, by, lacks }),
        }
    }
}

/// By what a person has a grant: `Some(None)` by themselves, and `None` not at all.
fn having<'p>(person: &'p Person, grant: &Grant, now: Timestamp) -> Option<Option<&'p Membership>> {
    match &grant.to {
        Subject::User(id) => (*id == person.id).then_some(None),
        Subject::Group(id) => {
            let current = person
                .memberships
                .iter()
                .filter(|membership| membership.group_id == *id)
                .filter(|membership| membership.until.is_none_or(|until| now < until));
            // The one that lasts longest says when things change.
            current
                .max_by_key(|membership| membership.until.unwrap_or(Timestamp::MAX))
                .map(Some)
        }
    }
}

#[cfg(test)]
mod tests;
