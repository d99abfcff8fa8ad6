//! What an agent and its server say to each other, over TLS below `/host/v1`. A member that one of them does not know is
//! passed over, so that either may be newer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the signature of a [`Proof`] is for (`ssh-keygen -Y sign -n`).
pub const PROOF_NAMESPACE: &str = "enroll@portreeve";

/// How far the time of a [`Proof`] may be from the server's, in seconds.
pub const PROOF_SECONDS: i64 = 300;

/// How enrolment tokens begin; the rest is a [`Token`] as JSON in base64url without padding.
pub const TOKEN_PREFIX: &str = "pe_";

/// How long the server holds a request for the policy at most, in seconds (`Prefer: wait=…`).
pub const LONGEST_WAIT: u64 = 300;

/// The header by which every answer to a request for the policy tells the entity tag of the current revocation list, and by
/// which the request tells that of the list that the host has: where they differ, there is no waiting.
pub const KRL_HEADER: &str = "portreeve-krl";

/// The most session events of one report; more of them come with the next.
pub const MAX_SESSIONS: usize = 500;

/// The most entries in each other list of a report.
pub const MAX_ENTRIES: usize = 1_000;

/// The longest text in a report, in bytes; of longer ones the server keeps the beginning.
pub const MAX_TEXT: usize = 1_024;

/// All that a machine needs to become a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Where the server is, without a slash at the end.
    pub url: String,
    /// The SHA-256 of its root certificate (DER), in lower-case hexadecimal digits: what comes from `/root/{root}` counts only
    /// if it has it.
    pub root: String,
    /// What the server knows the token by.
    pub secret: String,
}

/// `POST /enroll`, by whoever has a token or the key of a host that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Enroll {
    /// What the host is to be called.
    pub name: String,
    /// [`Token::secret`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// That this machine has the key of the host of that name; with it no token is needed. It is worth sending beside a
    /// token: should the answer be lost, the host enrols again by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Whether to take the place of a host that is enrolled under that name, where the token allows it.
    pub replace: bool,
    /// Tags of a new host. Those of the token, and those that a known host has, come before them.
    pub tags: BTreeMap<String, String>,
    /// Whether other hosts are reached through a new one.
    pub is_bastion: bool,
    /// Name of the host through which a new one is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bastion: Option<String>,
    /// A request for an identity certificate (PKCS #10, PEM). Only its key counts.
    pub csr: String,
    /// The public key that `sshd` shows, as the line of its `.pub` file.
    pub host_key: String,
    /// Such as `0.3.0`.
    pub agent_version: String,
    /// Such as `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    /// Other names by which people reach the host. Those that begin with its name and a dot get into its certificate.
    pub hostnames: Vec<String>,
}

/// That somebody has the key of a host, by a signature over [`Proof::text`] in the namespace [`PROOF_NAMESPACE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// When it was signed.
    pub at: Timestamp,
    /// The key that has signed, as the line of its `.pub` file: the one that the server knows the host by.
    pub key: String,
    /// As `ssh-keygen -Y sign` writes it.
    pub signature: String,
}

impl Proof {
    /// What is signed: for whom (the fingerprint of the server's root), the name, the moment, and the two keys that are to be
    /// certified, so that it is good for nothing else.
    pub fn text(root: &str, at: Timestamp, enroll: &Enroll) -> Vec<u8> {
        let Enroll {
            name,
            csr,
            host_key,
            ..
        } = enroll;
        format!("portreeve enroll\n{root}\n{at}\n{name}\n{host_key}\n{csr}").into_bytes()
    }
}

/// What a host gets that has enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The id of the team, as documents name it.
    pub team: String,
    /// The host, as documents name it.
    pub host: crate::Host,
    /// The identity certificate and what leads to the root (PEM, one each).
    pub identity: Vec<String>,
    /// The roots (PEM, one each), the current one first.
    pub roots: Vec<String>,
    /// The certificate for `sshd`, as the line of a `-cert.pub` file.
    pub certificate: String,
    /// Keys that may sign the first document and people's certificates, as lines of OpenSSH.
    pub user_keys: Vec<String>,
    /// Keys that certify hosts, as lines of OpenSSH.
    pub host_keys: Vec<String>,
    /// How long to have the server wait with each request for the policy.
    pub policy_wait_seconds: u64,
}

/// `GET /krl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Krl {
    /// The file, in base64.
    pub krl: String,
    /// Its signature in the namespace [`KRL_NAMESPACE`](crate::KRL_NAMESPACE).
    pub signature: String,
}

/// `POST /renew`: what is to be certified anew. What is left out is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Renew {
    /// A request for an identity certificate (PKCS #10, PEM), for the same key or another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// The public key of `sshd`, as it was enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
}

/// What was certified anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Renewed {
    /// As [`Enrolled::identity`]. The one before is good until this one is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Vec<String>>,
    /// As [`Enrolled::certificate`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// As [`Enrolled::roots`].
    pub roots: Vec<String>,
}

/// `POST /report`: how things stand on the host. What is left out is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Such as `0.3.0`.
    pub agent_version: String,
    /// Such as `Debian GNU/Linux 12 (bookworm)`.
    #[serde(default)]
    pub os: String,
    /// The time on the host.
    pub now: Timestamp,
    /// The document that is in force; `None`: none was applied yet.
    pub applied: Option<Applied>,
    /// When that closes by itself; `None`: never.
    pub lease_until: Option<Timestamp>,
    /// The entity tag of the revocation list that is in force, with quotation marks.
    pub krl: Option<String>,
    /// What of the document was not done; all of it, each time.
    #[serde(default)]
    pub conflicts: Vec<Conflict>,
    /// The certificate that `sshd` shows.
    pub certificate: Option<Shown>,
    /// People who were shut out, at least those of whom something is new.
    #[serde(default)]
    pub denied: Vec<Denied>,
    /// What happened in sessions, oldest first.
    #[serde(default)]
    pub sessions: Vec<Session>,
    /// What was removed, or would be.
    #[serde(default)]
    pub removed: Vec<Removed>,
    /// What the doctor found; `None`: nobody asked it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctor: Option<Vec<Finding>>,
    /// Changes with each start of the machine (`/proc/sys/kernel/random/boot_id`): sessions of another one have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
}

/// Which document is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its version.
    pub version: u64,
    /// Since when.
    pub at: Timestamp,
}

/// Something of a document that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The account or group.
    pub account: String,
    /// The code of a [`Reason`](crate::Reason).
    pub reason: String,
    /// For people.
    pub detail: String,
}

/// A certificate of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its serial number.
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
    #[serde(default)]
    pub sessions_ended: u32,
    /// How many processes of theirs run.
    #[serde(default)]
    pub processes: u32,
    /// Whether their home directory is there.
    #[serde(default)]
    pub home: bool,
    /// Whether they have a crontab.
    #[serde(default)]
    pub crontab: bool,
    /// Whether their home has SSH keys that are authorized.
    #[serde(default)]
    pub keys: bool,
    /// Whether they could use `sudo`, and so may have left anything anywhere.
    #[serde(default)]
    pub had_sudo: bool,
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Names the event; the same when it is sent again, so that it is told once.
    pub id: String,
    /// Names the session: the same at its login, for what was run in it, and at its logout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What.
    pub kind: Happened,
    /// When.
    pub at: Timestamp,
    /// The account on the host.
    pub account: String,
    /// Serial number of the certificate that opened the session.
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

impl Happened {
    /// The name in reports and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Sudo => "sudo",
            Self::Logout => "logout",
        }
    }
}

/// What was removed of somebody, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// [`Removal::id`].
    pub id: String,
    /// Whether nothing was removed.
    #[serde(default)]
    pub dry_run: bool,
    /// Folders and files, by path.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Something that the doctor has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What, in one word.
    pub check: String,
    /// `ok`, `warn` or `fail`.
    pub verdict: String,
    /// For people.
    #[serde(default)]
    pub detail: String,
}

/// The answer to a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The time on the server.
    pub now: Timestamp,
    /// Whose data is to be removed.
    #[serde(default)]
    pub removals: Vec<Removal>,
}

/// Whose data is to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The user or service account, by id.
    pub id: String,
    /// Their account on the host, to be sure.
    pub account: String,
    /// Whether only to tell what would be removed.
    pub dry_run: bool,
}
