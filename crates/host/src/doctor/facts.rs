//! Asking the machine.

use super::{Facts, Heard};
use crate::net::{Half, Identity, Server};
use crate::paths::Paths;
use crate::sshd::Sshd;
use crate::wire::{Answer, Request, State};
use jiff::Timestamp;
use portreeve_host_policy::{Document, Envelope};
use std::fs;
use std::time::Duration;

impl Facts {
    /// Asks `sshd`, the other half, and the server.
    pub fn collect(paths: &Paths, sshd: &dyn Sshd, half: &dyn Half, now: Timestamp) -> Self {
        let state = state(half);
        let identity = Identity::load(paths);
        Self {
            identity: identity.as_ref().ok().and_then(|it| it.life().ok()),
            server: identity
                .map_err(|fault| fault.to_string())
                .and_then(|identity| heard(identity, state.as_ref().ok(), now)),
            state,
            ..Self::of_machine(paths, sshd, now)
        }
    }

    /// Asks `sshd` alone, as somebody does who has no network.
    pub(super) fn of_machine(paths: &Paths, sshd: &dyn Sshd, now: Timestamp) -> Self {
        let said = |connection: Option<&str>| {
            sshd.effective(connection)
                .map_err(|fault| fault.to_string())
        };
        let managed = managed(paths).map(|account| {
            let connection = format!("user={account},host=localhost,addr=127.0.0.1");
            said(Some(&connection))
        });
        let not_asked = "it was not asked";
        Self {
            now,
            sshd: said(None),
            sshd_managed: managed,
            running: running(),
            state: Err(not_asked.to_owned()),
            server: Err(not_asked.to_owned()),
            identity: None,
        }
    }
}

fn state(half: &dyn Half) -> Result<State, String> {
    match half.ask(&Request::State {}) {
        Ok(Answer::State(state)) => Ok(*state),
        Ok(Answer::Refused(refusal)) => Err(refusal.to_string()),
        Ok(_) => Err("it answers another question".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn heard(identity: Identity, state: Option<&State>, now: Timestamp) -> Result<Heard, String> {
    let version = state.and_then(|state| state.applied);
    let server = Server::with_identity(identity).map_err(|fault| fault.to_string())?;
    let policy = server
        .policy(version.map(|applied| applied.version), None, Duration::ZERO)
        .map_err(|fault| fault.to_string())?;
    Ok(Heard {
        ahead: policy.date.map(|theirs| theirs.duration_since(now)),
        has_other: policy.envelope.is_some(),
    })
}

/// Somebody who is managed and may log in, by the last document.
fn managed(paths: &Paths) -> Option<String> {
    let envelope: Envelope = serde_json::from_slice(&fs::read(paths.policy()).ok()?).ok()?;
    let document: Document = serde_json::from_str(&envelope.document).ok()?;
    let mut accounts = document.accounts.into_iter();
    let account = accounts.find(|account| account.access.is_some())?;
    Some(account.name)
}

fn running() -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| fs::read_to_string(process.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}
