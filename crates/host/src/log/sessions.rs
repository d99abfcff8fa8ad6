//! From single lines to sessions: which login a logout ends, and with which certificate somebody used `sudo`.

use super::lines::{Line, Program};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use portreeve_host_policy::api::{Happened, Session};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The most sessions that are open at once; beyond them those that began first are taken for ended.
const MOST_OPEN: usize = 4_096;

/// Sessions that are open, by the process of `sshd` that keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open(BTreeMap<u32, Login>);

/// How a session began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Login {
    /// The event.
    id: String,
    at: Timestamp,
    account: String,
    serial: Option<u64>,
    key_id: Option<String>,
    address: Option<String>,
}

impl Open {
    /// What a line means, if anything. `place` is where in the log it stands; the same line at the same place is the same
    /// event.
    pub fn event(&mut self, line: &Line, at: Timestamp, place: &str) -> Option<Session> {
        let said = line.said()?;
        let id = id_of(place, &line.text);
        let mut event = Session {
            id: id.clone(),
            session: None,
            kind: said.kind,
            at,
            account: said.account,
            serial: said.serial,
            key_id: said.key_id,
            address: said.address,
            command: said.command,
        };
        match said.kind {
            Happened::Login => {
                event.session = Some(id.clone());
                self.begin(line.pid, id, &event);
            }
            Happened::Logout => {
                let login = self.0.remove(&line.pid);
                // Somebody else's process by now: the session that it had has ended without a word.
                let login = login.filter(|login| login.account == event.account);
                fill(&mut event, login.as_ref()?);
            }
            Happened::Sudo => {
                // Of somebody who is there twice it is not known from where they did it.
                let mut of_account = self
                    .0
                    .values()
                    .filter(|login| login.account == event.account);
                if let (Some(login), None) = (of_account.next(), of_account.next()) {
                    fill(&mut event, login);
                }
            }
        }
        Some(event)
    }

    /// The machine has started anew, and all sessions have ended with it.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    fn begin(&mut self, pid: u32, id: String, event: &Session) {
        if self.0.len() >= MOST_OPEN
            && let Some(oldest) = self.0.iter().min_by_key(|(_, login)| login.at)
        {
            let oldest = *oldest.0;
            self.0.remove(&oldest);
        }
        let login = Login {
            id,
            at: event.at,
            account: event.account.clone(),
            serial: event.serial,
            key_id: event.key_id.clone(),
            address: event.address.clone(),
        };
        self.0.insert(pid, login);
    }
}

impl Program {
    /// Whether the kernel, by way of the journal, says that a line is by this program: everybody may write lines that say so
    /// themselves.
    pub(super) fn is(self, executable: Option<&str>, uid: Option<&str>) -> bool {
        let Some(executable) = executable else {
            // It had ended before the journal looked. Root does not lie to itself.
            return uid == Some("0");
        };
        let name = executable.rsplit('/').next().and_then(Self::named);
        executable.starts_with("/usr/") && name == Some(self)
    }
}

fn fill(event: &mut Session, login: &Login) {
    event.session = Some(login.id.clone());
    event.serial = login.serial;
    event.key_id.clone_from(&login.key_id);
    event.address.clone_from(&login.address);
}

/// Half of a hash: enough to tell the events of one host apart.
fn id_of(place: &str, text: &str) -> String {
    let hash = digest(&SHA256, format!("{place}\n{text}").as_bytes());
    let mut id = String::new();
    for byte in hash.as_ref().iter().take(16) {
        // Writing to memory does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
