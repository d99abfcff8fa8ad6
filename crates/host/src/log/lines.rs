//! What `sshd` and `sudo` write into the log about sessions.

use portreeve_host_policy::api::Happened;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The program that wrote it.
    pub program: Program,
    /// The number of its process.
    pub pid: u32,
    /// What it wrote.
    pub text: String,
}

/// Whose lines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `sshd`, and its process for one session, which has a name of its own since OpenSSH 9.8.
    Sshd,
    /// `sudo`.
    Sudo,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What happened.
    pub kind: Happened,
    /// The account.
    pub account: String,
    /// Serial number of the certificate.
    pub serial: Option<u64>,
    /// Its key id.
    pub key_id: Option<String>,
    /// Where the client is.
    pub address: Option<String>,
    /// What was run.
    pub command: Option<String>,
}

impl Program {
    /// The program that writes under this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sshd" | "sshd-session" => Some(Self::Sshd),
            "sudo" => Some(Self::Sudo),
            _ => None,
        }
    }
}

impl Line {
    /// What it says about sessions; `None`: nothing.
    pub fn said(&self) -> Option<Said> {
        match self.program {
            Program::Sshd => login(&self.text).or_else(|| logout(&self.text)),
            Program::Sudo => sudo(&self.text),
        }
    }
}

/// `Accepted publickey for ada from 10.0.0.1 port 51234 ssh2: ED25519-CERT SHA256:… ID ada@example.com (serial 42) CA …`
fn login(text: &str) -> Option<Said> {
    let rest = text.strip_prefix("Accepted ")?;
    let (_method, rest) = rest.split_once(" for ")?;
    let (account, rest) = rest.split_once(" from ")?;
    let (address, rest) = rest.split_once(" port ")?;
    // The key id is whatever the authority wrote there: it may have spaces, and words that look like the rest.
    let certificate = rest.split_once(" ID ").map(|(_, rest)| rest);
    let certificate = certificate.and_then(|rest| {
        let (before, authority) = rest.rsplit_once(" CA ")?;
        let (key_id, serial) = before.rsplit_once(" (serial ")?;
        let serial = serial.strip_suffix(')')?.parse().ok()?;
        (!authority.is_empty()).then(|| (key_id.to_owned(), serial))
    });
    let (key_id, serial) = certificate.unzip();
    Some(Said {
        kind: Happened::Login,
        account: account.to_owned(),
        serial,
        key_id,
        address: Some(address.to_owned()),
        command: None,
    })
}

/// `pam_unix(sshd:session): session closed for user ada`
fn logout(text: &str) -> Option<Said> {
    let (module, account) = text.split_once(": session closed for user ")?;
    let is_ours = module.starts_with("pam_") && module.ends_with("(sshd:session)");
    is_ours.then(|| Said {
        kind: Happened::Logout,
        account: account.trim_end().to_owned(),
        serial: None,
        key_id: None,
        address: None,
        command: None,
    })
}

/// `     ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/usr/bin/id`; with a reason in front of `TTY` it was refused.
fn sudo(text: &str) -> Option<Said> {
    let (account, rest) = text.trim_start().split_once(" : ")?;
    let (_, command) = rest.split_once("COMMAND=")?;
    let first = rest.split(" ; ").next()?;
    let is_allowed = ["TTY=", "PWD=", "CWD=", "HOST=", "USER="]
        .iter()
        .any(|name| first.starts_with(name));
    (is_allowed && !account.contains(' ')).then(|| Said {
        kind: Happened::Sudo,
        account: account.to_owned(),
        serial: None,
        key_id: None,
        address: None,
        command: Some(command.to_owned()),
    })
}
