//! What a machine says about people: a picture of its files, apart from how they are written.
//!
//! Between the old picture and the new one lies a third, the [`tightened`](Image::tightened) old one: it takes away all that
//! the new one does not have and gives nothing. Whoever writes it first, and then the new one, has at no moment let anybody
//! do what neither the old nor the new one would.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_host_policy::{Checked, Document};

/// Accounts, groups, memberships, and who may log in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Accounts by name.
    pub users: BTreeMap<String, User>,
    /// Groups by name, with their numbers; each account has one of its own among them.
    pub groups: BTreeMap<String, u32>,
    /// Accounts in groups, as (account, group).
    pub members: BTreeSet<(String, String)>,
    /// For each account, also of the host's own, the principals that open it, and until when.
    pub principals: BTreeMap<String, Principals>,
}

/// Principals of certificates, and until when each counts.
pub type Principals = BTreeMap<String, Option<Timestamp>>;

/// An account. Times are in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: u32,
    /// The number of its own group.
    pub gid: u32,
    /// What the person is called.
    pub full_name: String,
    /// The folder of its files.
    pub home: String,
    /// Its shell.
    pub shell: String,
    /// Whether nobody can use it.
    pub locked: bool,
    /// Until when it can be used.
    pub until: Option<Timestamp>,
}

/// The shell of accounts that nobody can use.
const NO_SHELL: &str = "/usr/sbin/nologin";

impl Image {
    /// What a document makes of this machine.
    pub fn of(document: &Document, checked: &Checked<'_>) -> Self {
        let lease = document.lease_until;
        let mut image = Self::default();
        for group in &checked.groups {
            image.groups.insert(group.name.clone(), group.gid);
        }
        for accepted in &checked.accept {
            let account = accepted.account;
            let until = account.access.as_ref().map(|access| access.until);
            let until = until.map(|until| earlier(until, lease));
            let user = User {
                uid: account.uid,
                gid: account.gid,
                full_name: account.full_name.clone(),
                home: account.home.clone(),
                shell: match until {
                    Some(_) => accepted.shell.to_owned(),
                    None => NO_SHELL.to_owned(),
                },
                locked: until.is_none(),
                until: until.flatten(),
            };
            image.users.insert(account.name.clone(), user);
            image.groups.insert(account.name.clone(), account.gid);
            for group in &accepted.groups {
                image
                    .members
                    .insert((account.name.clone(), (*group).to_owned()));
            }
            if let Some(until) = until {
                let own = image.principals.entry(account.name.clone()).or_default();
                own.insert(account.principal(), until);
            }
        }
        for shared in &checked.shared {
            let principals = shared.principals.iter();
            let principals: Principals = principals
                .map(|one| (one.id.clone(), earlier(one.until, lease)))
                .collect();
            // An empty file would let nobody in either, but says nothing.
            if !principals.is_empty() {
                image.principals.insert(shared.account.clone(), principals);
            }
        }
        image
    }

    /// What is left of this picture when everything is taken away that the new one does not have.
    #[must_use]
    pub fn tightened(&self, new: &Self) -> Self {
        let users = self.users.iter();
        let users = users.map(|(name, old)| {
            let user = match new.users.get(name) {
                Some(user) if user.uid == old.uid && !user.locked => User {
                    until: earlier(old.until, user.until),
                    ..old.clone()
                },
                _ => User {
                    locked: true,
                    shell: NO_SHELL.to_owned(),
                    until: None,
                    ..old.clone()
                },
            };
            (name.clone(), user)
        });
        let users: BTreeMap<String, User> = users.collect();
        let members = self.members.intersection(&new.members);
        let members = members.filter(|(user, _)| users.get(user).is_some_and(|user| !user.locked));
        let principals = self.principals.iter();
        let principals = principals.filter_map(|(account, old)| {
            let new = new.principals.get(account)?;
            let kept = new.iter().filter(|(id, _)| old.contains_key(*id));
            let kept: Principals = kept.map(|(id, until)| (id.clone(), *until)).collect();
            (!kept.is_empty()).then(|| (account.clone(), kept))
        });
        Self {
            members: members.cloned().collect(),
            principals: principals.collect(),
            groups: self.groups.clone(),
            users,
        }
    }

    /// The numbers of the accounts that somebody can use.
    pub fn open(&self) -> BTreeSet<u32> {
        let open = self.users.values().filter(|user| !user.locked);
        open.map(|user| user.uid).collect()
    }
}

/// The first day, counted from 1970 in UTC, on which an account that ends then is over: PAM knows days only (shadow(5)), and
/// on the day of its end an account can still be used. To the second ends what `sshd` looks at, the lines of principals.
pub(super) fn day_after(end: Timestamp) -> i64 {
    end.as_second().saturating_add(DAY - 1).div_euclid(DAY)
}

/// In seconds.
pub(super) const DAY: i64 = 86_400;

/// The earlier of two ends, in whole seconds.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    let end = match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    end.and_then(|end| Timestamp::from_second(end.as_second()).ok())
}
