//! Every limit that accounts are held to, whoever has signed for them.
//!
//! A local account always wins: nothing in a document may take its name, number or home, because name services would then
//! give the one what is meant for the other. What is refused is refused alone and reported; the rest is followed.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_access::posix::{check_number, posix_problem};
use serde::{Deserialize, Serialize};

use crate::api;
use crate::document::{Account, Document, Group, MAX_FULL_NAME, Shared, principal_of};
use crate::envelope::Verified;
use crate::local::Local;
use crate::text::{id_fits, name_of_file, path_problem};
use crate::{MAX_GROUPS_OF_ACCOUNT, document::Ids};

/// The shell of accounts whose own is not on this machine.
pub const FALLBACK_SHELL: &str = "/bin/sh";

/// Shells that let nobody in. They need not be in shells(5).
const CLOSED_SHELLS: [&str; 4] = [
    "/usr/sbin/nologin",
    "/sbin/nologin",
    "/bin/false",
    "/usr/bin/false",
];

/// What a host follows of a document, and what it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<'a> {
    /// The accounts to make, sorted by name.
    pub accept: Vec<Accepted<'a>>,
    /// The groups to make, with those of the rules and without those of single accounts, sorted by name.
    pub groups: Vec<&'a Group>,
    /// The host's own accounts that people may log in to, sorted by name.
    pub shared: Vec<&'a Shared>,
    /// What is not followed, and why.
    pub conflicts: Vec<Conflict>,
}

/// An account that the host can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted<'a> {
    /// As the document has it.
    pub account: &'a Account,
    /// Its shell on this machine.
    pub shell: &'a str,
    /// The groups it is in beside its own, with those of the rules, sorted; none for one without access.
    pub groups: Vec<&'a str>,
}

/// Something that a host does not follow, or not entirely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The account or group that it is about.
    pub account: String,
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub detail: String,
}

/// Why something is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It would have the number of root.
    UidZero,
    /// Its number is not one of those that the rules allow, or one that systems use.
    IdOutOfRange,
    /// It has a name that no account or group can have.
    NameInvalid,
    /// Somebody else has that name.
    NameTaken,
    /// Somebody else has that number.
    UidTaken,
    /// Another group has that number.
    GidTaken,
    /// Its home is not where homes are, or is somebody else's.
    HomeInvalid,
    /// Its shell is not on this machine; it gets [`FALLBACK_SHELL`].
    ShellUnknown,
    /// A text in it has characters that would mean something else in a file.
    TextInvalid,
    /// It is to be in a group that there is not; it is there without that group.
    GroupMissing,
    /// People are to log in to an account that there is not.
    SharedMissing,
    /// People are to log in to an account with the number of root.
    SharedRoot,
    /// It is in too many groups.
    TooMany,
}

impl Reason {
    /// What programs know it by, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::UidZero => "uid_zero",
            Self::IdOutOfRange => "id_out_of_range",
            Self::NameInvalid => "name_invalid",
            Self::NameTaken => "name_taken",
            Self::UidTaken => "uid_taken",
            Self::GidTaken => "gid_taken",
            Self::HomeInvalid => "home_invalid",
            Self::ShellUnknown => "shell_unknown",
            Self::TextInvalid => "text_invalid",
            Self::GroupMissing => "group_missing",
            Self::SharedMissing => "shared_missing",
            Self::SharedRoot => "shared_root",
            Self::TooMany => "too_many",
        }
    }
}

impl From<Conflict> for api::Conflict {
    fn from(conflict: Conflict) -> Self {
        Self {
            account: conflict.account,
            reason: conflict.reason.code().to_owned(),
            detail: conflict.detail,
        }
    }
}

/// Holds everything that a document asks for against what the machine has of its own.
pub fn check<'a>(document: &'a Verified, local: &Local) -> Checked<'a> {
    let document = document.document();
    let mut check = Check {
        document,
        local,
        names: BTreeSet::new(),
        uids: BTreeSet::new(),
        gids: BTreeSet::new(),
        homes: BTreeSet::new(),
        conflicts: Vec::new(),
    };
    let rules = &document.rules;
    let mut groups: Vec<&Group> = [&rules.people, &rules.sudo]
        .into_iter()
        .filter(|group| check.group(group))
        .collect();
    let own = check.own_accounts();
    groups.extend(document.groups.iter().filter(|group| check.group(group)));
    groups.sort_by_key(|group| &group.name);
    let made: BTreeSet<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let mut accept: Vec<Accepted<'a>> = own
        .into_iter()
        .filter_map(|account| check.accept(account, &made))
        .collect();
    accept.sort_by_key(|accepted| &accepted.account.name);
    let mut shared: BTreeMap<&str, &Shared> = BTreeMap::new();
    for one in &document.shared {
        if check.shared(one) && shared.insert(&one.account, one).is_some() {
            check.conflict(
                &one.account,
                Reason::NameTaken,
                "the document has it twice".into(),
            );
        }
    }
    Checked {
        accept,
        groups,
        shared: shared.into_values().collect(),
        conflicts: check.conflicts,
    }
}

/// What is taken so far, by the machine or by the document itself.
struct Check<'a, 'l> {
    document: &'a Document,
    local: &'l Local,
    names: BTreeSet<&'a str>,
    uids: BTreeSet<u32>,
    gids: BTreeSet<u32>,
    homes: BTreeSet<&'a str>,
    conflicts: Vec<Conflict>,
}

impl<'a> Check<'a, '_> {
    fn conflict(&mut self, account: &str, reason: Reason, detail: String) {
        // Shown to people and sent in a report: a name can be anything until it is checked.
        let account = account.chars().filter(|c| !c.is_control()).take(64);
        self.conflicts.push(Conflict {
            account: account.collect(),
            reason,
            detail,
        });
    }

    /// Whether a group can be made, which takes its name and number.
    fn group(&mut self, group: &'a Group) -> bool {
        match self.group_problem(&group.name, group.gid) {
            Some((reason, detail)) => {
                self.conflict(&group.name, reason, detail);
                false
            }
            None => {
                self.names.insert(&group.name);
                self.gids.insert(group.gid);
                true
            }
        }
    }

    /// The accounts that can be made. Those with access come first, because a name may be given again once its first owner
    /// has left.
    fn own_accounts(&mut self) -> Vec<&'a Account> {
        let accounts = &self.document.accounts;
        let active = accounts.iter().filter(|account| account.access.is_some());
        let left = accounts.iter().filter(|account| account.access.is_none());
        let mut own = Vec::new();
        for account in active.chain(left) {
            match self.account_problem(account) {
                Some((reason, detail)) => self.conflict(&account.name, reason, detail),
                None => {
                    self.names.insert(&account.name);
                    self.uids.insert(account.uid);
                    self.gids.insert(account.gid);
                    self.homes.insert(&account.home);
                    own.push(account);
                }
            }
        }
        own
    }

    fn account_problem(&self, account: &Account) -> Option<(Reason, String)> {
        let Account { uid, home, .. } = account;
        if let Some(problem) = self.group_problem(&account.name, account.gid) {
            return Some(problem);
        }
        if let Some(problem) = number_problem(*uid, self.document.rules.ids) {
            return Some(problem);
        }
        if self.local.has_account(&account.name) {
            let detail = "the machine has a local account of that name; rename one of the two";
            return Some((Reason::NameTaken, detail.into()));
        }
        if self.local.has_uid(*uid) {
            let detail =
                format!("a local account has the number {uid}; give one of the two another");
            return Some((Reason::UidTaken, detail));
        }
        if self.local.is_subordinate(*uid) {
            let detail = format!("a local account may act as {uid} (subuid(5))");
            return Some((Reason::UidTaken, detail));
        }
        if self.uids.contains(uid) {
            return Some((
                Reason::UidTaken,
                format!("another account of the document has the number {uid}"),
            ));
        }
        if !id_fits(&account.id) {
            return Some((
                Reason::TextInvalid,
                "its id has characters that no id has".into(),
            ));
        }
        let text_fits = |text: &str| !text.chars().any(|c| c.is_control() || c == ':');
        if !text_fits(&account.full_name) || account.full_name.len() > MAX_FULL_NAME {
            let detail =
                "the person's name has a colon or a control character in it, or is too long";
            return Some((Reason::TextInvalid, detail.into()));
        }
        if let Some(problem) = path_problem(&account.shell) {
            return Some((Reason::TextInvalid, format!("its shell: {problem}")));
        }
        self.home_problem(home)
            .map(|detail| (Reason::HomeInvalid, detail))
    }

    fn group_problem(&self, name: &str, gid: u32) -> Option<(Reason, String)> {
        if let Some(problem) = posix_problem(name) {
            return Some((Reason::NameInvalid, problem.to_string()));
        }
        if let Some(problem) = number_problem(gid, self.document.rules.ids) {
            return Some(problem);
        }
        if self.local.has_group(name) {
            let detail = "the machine has a local group of that name; rename one of the two";
            return Some((Reason::NameTaken, detail.into()));
        }
        if self.names.contains(name) {
            let detail = "another account or group of the document has that name";
            return Some((Reason::NameTaken, detail.into()));
        }
        if self.local.has_gid(gid) {
            let detail = format!("a local group has the number {gid}; give one of the two another");
            return Some((Reason::GidTaken, detail));
        }
        if self.local.is_subordinate(gid) {
            let detail = format!("a local account may act as the group {gid} (subgid(5))");
            return Some((Reason::GidTaken, detail));
        }
        self.gids.contains(&gid).then(|| {
            (
                Reason::GidTaken,
                format!("another group of the document has the number {gid}"),
            )
        })
    }

    fn home_problem(&self, home: &str) -> Option<String> {
        let prefix = &self.document.rules.home_prefix;
        let below = home
            .strip_prefix(prefix.as_str())
            .is_some_and(|rest| rest.starts_with('/'));
        if !below {
            return Some(format!("it is not in {prefix}"));
        }
        if let Some(problem) = path_problem(home) {
            return Some(problem.to_owned());
        }
        if self.local.has_home(home) {
            return Some("it is the home of a local account".to_owned());
        }
        self.homes
            .contains(home)
            .then(|| "another account of the document has the same".to_owned())
    }

    /// The account with its shell and its groups as this machine can have them.
    fn accept(&mut self, account: &'a Account, made: &BTreeSet<&'a str>) -> Option<Accepted<'a>> {
        let mut groups = Vec::new();
        if let Some(access) = &account.access {
            let rules = &self.document.rules;
            // Without it, sshd would take the person for a local account.
            if !made.contains(rules.people.name.as_str()) {
                let detail = format!(
                    "the group {} cannot be made, which tells people from local accounts",
                    rules.people.name
                );
                self.conflict(&account.name, Reason::GroupMissing, detail);
                return None;
            }
            if access.groups.len() > MAX_GROUPS_OF_ACCOUNT {
                let detail = format!("it is to be in more than {MAX_GROUPS_OF_ACCOUNT} groups");
                self.conflict(&account.name, Reason::TooMany, detail);
                return None;
            }
            groups.push(rules.people.name.as_str());
            let sudo = access.sudo.then_some(&rules.sudo.name);
            let others = access.groups.iter();
            // Whoever may use sudo is in that group, and nobody else, whatever a list of groups says.
            let others = others.filter(|name| **name != rules.sudo.name);
            for name in sudo.into_iter().chain(others) {
                if self.can_join(account, name, made) {
                    groups.push(name);
                }
            }
            groups.sort_unstable();
            groups.dedup();
        }
        Some(Accepted {
            account,
            shell: self.shell(account),
            groups,
        })
    }

    fn can_join(&mut self, account: &Account, group: &str, made: &BTreeSet<&'a str>) -> bool {
        let (reason, detail) = match self.local.group(group) {
            _ if made.contains(group) => return true,
            Some(0) => (
                Reason::UidZero,
                format!("the group {group} is root's; nobody is put into it"),
            ),
            Some(_) if name_of_file(group) => return true,
            Some(_) => (
                Reason::NameInvalid,
                format!("nobody can be put into a group called {group:?}"),
            ),
            None => (
                Reason::GroupMissing,
                format!("there is no group {group:?} on this machine; make it, or let Portreeve"),
            ),
        };
        self.conflict(&account.name, reason, detail);
        false
    }

    fn shell(&mut self, account: &'a Account) -> &'a str {
        let shell = account.shell.as_str();
        if self.local.has_shell(shell) || CLOSED_SHELLS.contains(&shell) {
            return shell;
        }
        let detail = format!(
            "{shell} is not in /etc/shells on this machine; the account has {FALLBACK_SHELL}"
        );
        // One who has left has no shell at all.
        if account.access.is_some() {
            self.conflict(&account.name, Reason::ShellUnknown, detail);
        }
        FALLBACK_SHELL
    }

    /// Whether people may log in to an account of the host's own.
    fn shared(&mut self, shared: &Shared) -> bool {
        let name = &shared.account;
        let problem = match self.local.account(name) {
            None => Some((
                Reason::SharedMissing,
                "there is no such account on this machine; make it".to_owned(),
            )),
            Some((0, _)) => Some((
                Reason::SharedRoot,
                "people do not log in as root; give them sudo".to_owned(),
            )),
            Some(_) if !name_of_file(name) => Some((
                Reason::NameInvalid,
                "nobody can be let in to an account of this name".to_owned(),
            )),
            Some(_) => None,
        };
        let fits = |id: &str| id.strip_prefix(&principal_of("")).is_some_and(id_fits);
        let problem = problem.or_else(|| {
            let odd = shared
                .principals
                .iter()
                .any(|principal| !fits(&principal.id));
            odd.then(|| {
                (
                    Reason::TextInvalid,
                    "one of its people has an id that no id is like".to_owned(),
                )
            })
        });
        match problem {
            Some((reason, detail)) => {
                self.conflict(name, reason, detail);
                false
            }
            None => true,
        }
    }
}

fn number_problem(number: u32, ids: Ids) -> Option<(Reason, String)> {
    if number == 0 {
        return Some((
            Reason::UidZero,
            "0 is root; nobody else has that number".to_owned(),
        ));
    }
    if let Err(problem) = check_number(number, false) {
        return Some((Reason::IdOutOfRange, problem.to_string()));
    }
    let Ids { first, last } = ids;
    let detail = || format!("{number} is not between {first} and {last}");
    (!(first..=last).contains(&number)).then(|| (Reason::IdOutOfRange, detail()))
}
