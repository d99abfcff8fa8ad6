//! What the two halves say to each other: one line of JSON asks, one answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest line, in bytes: a document of 16 MiB as text in JSON, and a revocation list in base64.
pub const MAX_LINE: u64 = 160 * 1024 * 1024;

/// What the half on the network asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Apply a signed document.
    Apply(Envelope),
    /// Install a revocation list.
    Krl(SignedKrl),
    /// Install a certificate for the host's key: its line in OpenSSH's form.
    Certificate(String),
    /// Tell how things stand.
    State(Ask),
    /// Remove what somebody who has left has on this host, or only tell what there is.
    Remove(Removal),
}

/// A revocation list with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedKrl {
    /// The file, in base64.
    pub krl: String,
    /// Its signature, armored (OpenSSH's `PROTOCOL.sshsig`), in the namespace `krl@portreeve`.
    pub signature: String,
}

/// What is to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Session events up to this number have arrived at the server and may be forgotten.
    #[serde(default)]
    pub sessions_after: u64,
}

/// Whose data is to go. That this is so wished was decided by an admin; that the person is out, this half knows itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The user, by id.
    pub id: String,
    /// Their account on this host, to be sure.
    pub account: String,
    /// Only tell what would go.
    pub dry_run: bool,
}

/// What the other half answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// How things stand.
    State(Box<State>),
    /// What was removed, or would be.
    Removed(Removed),
    /// It is not done.
    Refused(Refusal),
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// For programs, in snake_case.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// How things stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The document that is in force; `None`: none was applied yet.
    pub applied: Option<Applied>,
    /// When that closes by itself; `None`: never.
    pub lease_until: Option<Timestamp>,
    /// SHA-256 (lowercase hex) of the revocation list as it is on disk; `None`: there is none that `sshd` could read.
    pub krl: Option<String>,
    /// What was not done of the document, and why.
    pub conflicts: Vec<Conflict>,
    /// The host's certificate on disk.
    pub certificate: Option<HostCertificate>,
    /// Who has been shut out, and what they have left.
    pub denied: Vec<Denied>,
    /// What happened in sessions, oldest first.
    pub sessions: Vec<Session>,
}

/// Which document is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its version.
    pub version: u64,
    /// Since when.
    pub at: Timestamp,
}

/// Something of the document that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The account or group.
    pub account: String,
    /// For programs, in snake_case.
    pub reason: String,
    /// For people.
    pub detail: String,
}

/// A certificate that the host shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCertificate {
    /// Its number at the authority.
    pub serial: u64,
    /// Until when it is good.
    pub valid_before: Timestamp,
}

/// Somebody who was shut out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// The user or service account, by id.
    pub id: String,
    /// Since when.
    pub since: Timestamp,
    /// How many sessions were ended then.
    pub sessions_ended: u32,
    /// How many processes of theirs run now.
    pub processes: u32,
    /// Whether their home directory is there.
    pub home: bool,
    /// Whether they have a crontab.
    pub crontab: bool,
    /// Whether their home has SSH keys that are authorized.
    pub keys: bool,
    /// Whether they could use `sudo`, and so may have left anything anywhere.
    pub had_sudo: bool,
}

/// What was removed of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The user, by id.
    pub id: String,
    /// Whether it was only told.
    pub dry_run: bool,
    /// Folders and files, by path.
    pub paths: Vec<String>,
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Rises with each event of this host; it does not travel to the server.
    pub number: u64,
    /// Stays the same when the event is sent again.
    pub id: String,
    /// What.
    pub kind: Happened,
    /// When.
    pub at: Timestamp,
    /// The account on the host.
    pub account: String,
    /// Number of the certificate that opened the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// Key id of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Where the client is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What was run with `sudo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What may happen in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It began.
    Login,
    /// Something was run as another user.
    Sudo,
    /// It ended.
    Logout,
}

/// A document as it travels: the exact text that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The document's text.
    pub document: String,
    /// Its signature, armored.
    pub signature: String,
}
