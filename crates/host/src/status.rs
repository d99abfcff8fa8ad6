//! How a host stands, for people and programs on it.

use crate::config::{Backend, Config, Error, Host};
use crate::net::{Half, Identity};
use crate::paths::Paths;
use crate::wire::{Answer, Request, State};
use jiff::Timestamp;
use portreeve_host_policy::api::{Applied, Conflict, Shown};
use serde::Serialize;

/// How a host stands.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The host.
    pub host: Host,
    /// Its team, by id.
    pub team: String,
    /// Where the server is; `None`: only root and the half on the network may know.
    pub url: Option<String>,
    /// How accounts are made known to the system.
    pub backend: Backend,
    /// Whether the half with root's rights answers.
    pub is_running: bool,
    /// The document that is in force.
    pub applied: Option<Applied>,
    /// When that closes by itself.
    pub lease_until: Option<Timestamp>,
    /// Whether there is a revocation list that `sshd` can read.
    pub has_krl: bool,
    /// The certificate that `sshd` shows.
    pub certificate: Option<Shown>,
    /// Until when the identity is good.
    pub identity_until: Option<Timestamp>,
    /// What was not done of the document.
    pub conflicts: Vec<Conflict>,
    /// How many people were shut out and have left something.
    pub denied: usize,
}

/// Looks how this host stands.
///
/// # Errors
/// When it is not enrolled.
pub fn status(paths: &Paths, half: &dyn Half) -> Result<Status, Error> {
    let config = Config::load(paths)?;
    let identity = Identity::load(paths).ok();
    let answer = half.ask(&Request::State {});
    let (state, is_running) = match answer {
        Ok(Answer::State(state)) => (*state, true),
        Ok(_) => (State::default(), true),
        Err(_) => (State::default(), false),
    };
    let until = identity.as_ref().and_then(|it| it.life().ok());
    Ok(Status {
        host: config.host,
        team: config.team,
        url: identity.map(|identity| identity.url),
        backend: config.backend,
        is_running,
        applied: state.applied,
        lease_until: state.lease_until,
        has_krl: state.krl.is_some(),
        certificate: state.certificate,
        identity_until: until.map(|(_, until)| until),
        conflicts: state.conflicts,
        denied: state.denied.len(),
    })
}
