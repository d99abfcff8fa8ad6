//! What the machine has of its own: the accounts, groups and shells of its files.

use std::collections::{BTreeMap, BTreeSet};

/// The accounts and groups of a machine, read from its files and never asked of the name service, which would answer with
/// what we have put there ourselves. Lines that are not in the form of the file are passed over, as the C library does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Local {
    /// Accounts by name, with number and home.
    accounts: BTreeMap<String, (u32, String)>,
    uids: BTreeSet<u32>,
    /// Numbers of groups, also of those that only an account has as its first.
    gids: BTreeSet<u32>,
    groups: BTreeMap<String, u32>,
    shells: BTreeSet<String>,
    homes: BTreeSet<String>,
    subordinate: Vec<(u32, u32)>,
    /// Names of accounts and groups that others have made known to the system.
    other_accounts: BTreeSet<String>,
    other_groups: BTreeSet<String>,
}

impl Local {
    /// From the texts of `/etc/passwd`, `/etc/group` and `/etc/shells`.
    pub fn parse(passwd: &str, group: &str, shells: &str) -> Self {
        let mut local = Self::default();
        for line in passwd.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, _, home, ..] = fields.as_slice() else {
                continue;
            };
            let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse()) else {
                continue;
            };
            local
                .accounts
                .entry((*name).to_owned())
                .or_insert((uid, (*home).to_owned()));
            local.uids.insert(uid);
            local.gids.insert(gid);
            local.homes.insert(home.trim_end_matches('/').to_owned());
        }
        for line in group.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, gid, ..] = fields.as_slice() else {
                continue;
            };
            if let Ok(gid) = gid.parse() {
                local.groups.entry((*name).to_owned()).or_insert(gid);
                local.gids.insert(gid);
            }
        }
        let shells = shells.lines().map(str::trim);
        local.shells = shells
            .filter(|line| line.starts_with('/'))
            .map(str::to_owned)
            .collect();
        local
    }

    /// With the texts of `/etc/subuid` and `/etc/subgid`: who has such a range can act as every account in it
    /// (newuidmap(1)).
    #[must_use]
    pub fn with_subordinate(mut self, subuid: &str, subgid: &str) -> Self {
        for line in subuid.lines().chain(subgid.lines()) {
            let fields: Vec<&str> = line.split(':').collect();
            let [_, first, count] = fields.as_slice() else {
                continue;
            };
            if let (Ok(first), Ok(count @ 1..)) = (first.parse::<u32>(), count.parse::<u32>()) {
                self.subordinate
                    .push((first, first.saturating_add(count - 1)));
            }
        }
        self
    }

    /// With what records of other programs (systemd.user-record(7)) are called by: names and numbers of accounts and of groups.
    #[must_use]
    pub fn with_records(mut self, users: &BTreeSet<String>, groups: &BTreeSet<String>) -> Self {
        for user in users {
            match user.parse() {
                Ok(uid) => self.uids.insert(uid),
                Err(_) => self.other_accounts.insert(user.clone()),
            };
        }
        for group in groups {
            match group.parse() {
                Ok(gid) => self.gids.insert(gid),
                Err(_) => self.other_groups.insert(group.clone()),
            };
        }
        self
    }

    /// The number and the home of an account in `/etc/passwd`.
    pub fn account(&self, name: &str) -> Option<(u32, &str)> {
        let (uid, home) = self.accounts.get(name)?;
        Some((*uid, home))
    }

    /// The number of a group in `/etc/group`.
    pub fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }

    pub(crate) fn has_account(&self, name: &str) -> bool {
        self.accounts.contains_key(name) || self.other_accounts.contains(name)
    }

    pub(crate) fn has_group(&self, name: &str) -> bool {
        self.groups.contains_key(name) || self.other_groups.contains(name)
    }

    /// Whether a local account has a number.
    pub fn has_uid(&self, uid: u32) -> bool {
        self.uids.contains(&uid)
    }

    pub(crate) fn has_gid(&self, gid: u32) -> bool {
        self.gids.contains(&gid)
    }

    pub(crate) fn has_home(&self, home: &str) -> bool {
        self.homes.contains(home)
    }

    pub(crate) fn has_shell(&self, shell: &str) -> bool {
        self.shells.contains(shell)
    }

    pub(crate) fn is_subordinate(&self, id: u32) -> bool {
        let mut ranges = self.subordinate.iter();
        ranges.any(|(first, last)| (*first..=*last).contains(&id))
    }
}
