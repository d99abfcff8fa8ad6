//! Whether somebody local gets in when everything else fails.

use super::{Facts, Finding, ok, text, warn};
use crate::paths::Paths;
use std::collections::BTreeSet;
use std::fs;

/// Groups whose members are administrators on distributions.
const ADMINS: [&str; 3] = ["sudo", "wheel", "admin"];

pub(super) fn examine(paths: &Paths, facts: &Facts) -> Vec<Finding> {
    let effective = facts.sshd.as_deref().unwrap_or_default().to_lowercase();
    let says = |line: &str| effective.lines().any(|said| said.trim() == line);
    let ways = Ways {
        passwords: says("passwordauthentication yes") || says("kbdinteractiveauthentication yes"),
        root_keys: !says("permitrootlogin no"),
        root_password: says("permitrootlogin yes"),
    };
    let admins = admins(paths);
    let accounts = text(paths, "/etc/passwd");
    let accounts = accounts.lines().filter_map(Account::parse);
    let ready: Vec<String> = accounts
        .filter(|account| account.uid == 0 || admins.contains(account.name))
        .filter(|account| account.can_log_in() && gets_in(paths, account, &ways))
        .map(|account| account.name.to_owned())
        .collect();
    let finding = match ready.is_empty() {
        false => ok(
            "break_glass",
            format!("{} can log in without the team's server", ready.join(", ")),
        ),
        true => warn(
            "break_glass",
            "no local administrator can log in over ssh: when the lease is over or the server is gone, only a console is left",
            "give a local account of the group sudo or wheel a key of its own in ~/.ssh/authorized_keys, and try it",
        ),
    };
    vec![finding]
}

/// Ways in that `sshd` leaves open.
struct Ways {
    passwords: bool,
    root_keys: bool,
    root_password: bool,
}

/// A line of passwd(5).
struct Account<'a> {
    name: &'a str,
    uid: u32,
    home: &'a str,
    shell: &'a str,
}

impl<'a> Account<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        Some(Self {
            name: fields.next()?,
            uid: fields.nth(1)?.parse().ok()?,
            home: fields.nth(2)?,
            shell: fields.next()?,
        })
    }

    fn can_log_in(&self) -> bool {
        !self.shell.ends_with("/nologin") && !self.shell.ends_with("/false")
    }
}

fn admins(paths: &Paths) -> BTreeSet<String> {
    let groups = text(paths, "/etc/group");
    let mut members = BTreeSet::new();
    for group in groups.lines() {
        let fields: Vec<&str> = group.split(':').collect();
        if let [name, _, _, list] = fields.as_slice()
            && ADMINS.contains(name)
        {
            members.extend(list.split(',').map(str::to_owned));
        }
    }
    members
}

fn gets_in(paths: &Paths, account: &Account<'_>, ways: &Ways) -> bool {
    let is_root = account.uid == 0;
    let (keys, passwords) = match is_root {
        true => (ways.root_keys, ways.passwords && ways.root_password),
        false => (true, ways.passwords),
    };
    (keys && has_keys(paths, account)) || (passwords && has_password(paths, account.name))
}

fn has_keys(paths: &Paths, account: &Account<'_>) -> bool {
    let path = paths.at(account.home).join(".ssh/authorized_keys");
    let keys = fs::read_to_string(path).unwrap_or_default();
    keys.lines()
        .map(str::trim)
        .any(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether shadow(5) has something that a password can fit to. Only root can see that.
fn has_password(paths: &Paths, name: &str) -> bool {
    let shadow = text(paths, "/etc/shadow");
    let mut lines = shadow.lines().map(|line| line.split(':'));
    lines.any(|mut fields| {
        fields.next() == Some(name) && fields.next().is_some_and(|hash| hash.starts_with('$'))
    })
}
