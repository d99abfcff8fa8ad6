//! What the two halves say to each other: one line of JSON asks, one answers.

use jiff::Timestamp;
use portreeve_host_policy::Envelope;
use portreeve_host_policy::api::{
    Applied, Conflict, Denied, Finding, Krl, Removal, Removed, Session, Shown,
};
use serde::{Deserialize, Serialize};

/// The longest line, in bytes: a document of 16 MiB as text in JSON, and a revocation list in base64.
pub const MAX_LINE: u64 = 160 * 1024 * 1024;

/// What the half on the network asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Apply a signed document.
    Apply(Envelope),
    /// Install a revocation list.
    Krl(Krl),
    /// Install a certificate for the host's key: its line in OpenSSH's form.
    Certificate(String),
    /// Tell how things stand.
    State {},
    /// Tell what happened in sessions.
    Sessions {
        /// The number of the last event that has arrived at the server: it and those before may be forgotten.
        after: u64,
    },
    /// Look for everything that goes wrong on hosts, as far as that takes no network.
    Doctor {},
    /// Remove what somebody who has left has on this host, or only tell what there is.
    Remove(Removal),
}

/// What the other half answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// How things stand.
    State(Box<State>),
    /// What happened in sessions.
    Sessions(Sessions),
    /// What was found.
    Doctor(Vec<Finding>),
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
#[serde(default)]
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
    pub certificate: Option<Shown>,
    /// Who has been shut out, and what they have left.
    pub denied: Vec<Denied>,
}

/// What happened in sessions and is not known to have arrived at the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// Oldest first, and at most as many as fit into one report.
    pub events: Vec<Session>,
    /// The number of the last of them, or the one that was asked after.
    pub upto: u64,
    /// How many were given up because the server was away for too long.
    #[serde(default)]
    pub lost: u64,
    /// Changes with each start of the machine, which ends all sessions.
    #[serde(default)]
    pub boot_id: Option<String>,
}
