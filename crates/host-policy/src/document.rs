//! The document: what it says, field by field.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The one format there is. What an older host must not pass over gets another number; a field that it may pass over does
/// not.
pub const FORMAT: u32 = 1;

/// Everything that a host is to know. Lists are sorted by name, so that documents that say the same have the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Always [`FORMAT`].
    pub format: u32,
    /// The id of the team whose host it is.
    pub team: String,
    /// The host that it is for, and for no other.
    pub host: Host,
    /// Rises with every document of a host, from 1.
    pub version: u64,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When the host closes to people by itself unless it hears anew; `None`: never.
    pub lease_until: Option<Timestamp>,
    /// What holds for all accounts.
    pub rules: Rules,
    /// People and service accounts that have an account on the host, or had one.
    pub accounts: Vec<Account>,
    /// Groups that Portreeve makes on the host.
    pub groups: Vec<Group>,
    /// Accounts that are the host's own and to which people may log in.
    pub shared: Vec<Shared>,
    /// Keys whose certificates of people the host trusts, and that may sign its next document, as lines of OpenSSH.
    pub user_keys: Vec<String>,
    /// Keys that certify hosts, as lines of OpenSSH.
    pub host_keys: Vec<String>,
}

/// Which host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Stays, whatever the host is called.
    pub id: String,
    /// What it is called.
    pub name: String,
}

/// What holds for all accounts of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The numbers that accounts and groups may have.
    pub ids: Ids,
    /// The folder that all homes are below, such as `/home`.
    pub home_prefix: String,
    /// The shell of accounts for which nothing else is said.
    pub shell: String,
    /// Whether open sessions end when access does.
    pub end_sessions: bool,
    /// The group of everybody who may log in; sshd's configuration tells people from local accounts by it.
    pub people: Group,
    /// The group of those who may use sudo.
    pub sudo: Group,
}

/// Numbers from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// A group that Portreeve makes on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number.
    pub gid: u32,
}

/// Somebody's account. It has a group of its own, with its name and the number `gid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The id of the user or service account.
    pub id: String,
    /// What the account is called.
    pub name: String,
    /// What the person is called, for `getent passwd` and `finger`.
    pub full_name: String,
    /// The number of the account.
    pub uid: u32,
    /// The number of its own group.
    pub gid: u32,
    /// The folder of its files.
    pub home: String,
    /// The shell.
    pub shell: String,
    /// What the person may do here; `None`: nothing any more. The account stays, locked, so that files keep their owner.
    pub access: Option<Access>,
}

/// What a person may do on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Until when; `None`: until another document says otherwise.
    pub until: Option<Timestamp>,
    /// Whether by sudo everything.
    pub sudo: bool,
    /// The groups that the account is in, beside its own and those of [`Rules`]. Those that are not in
    /// [`Document::groups`] are the host's own and must exist there.
    pub groups: Vec<String>,
}

/// An account that is the host's own, to which people may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// What it is called.
    pub account: String,
    /// Who may.
    pub principals: Vec<Principal>,
}

/// Somebody who may log in to an account that is the host's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The principal of the person's certificates, `u:` and the id.
    pub id: String,
    /// Until when; `None`: until another document says otherwise.
    pub until: Option<Timestamp>,
}

impl Document {
    /// The bytes that are signed and sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Texts, numbers and times only: nothing in it can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Account {
    /// The principal by which certificates of this person open the account: it stays when the person is renamed, and a later
    /// account of the same name does not get it.
    pub fn principal(&self) -> String {
        principal_of(&self.id)
    }
}

/// The principal of a user or service account.
pub fn principal_of(id: &str) -> String {
    format!("u:{id}")
}

/// A person's name as an account can have it: without control characters and colons (passwd(5)), at most 256 bytes.
pub fn full_name(name: &str) -> String {
    let fit = |c: char| match c {
        ':' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    };
    let mut out = String::new();
    for c in name.chars().filter_map(fit) {
        if out.len() + c.len_utf8() > MAX_FULL_NAME {
            break;
        }
        out.push(c);
    }
    out
}

/// The longest name of a person, in bytes.
pub(crate) const MAX_FULL_NAME: usize = 256;
