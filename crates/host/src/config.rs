//! What enrolment has settled for the half with root's rights: the one thing that it believes without a signature.

use crate::paths::Paths;
use crate::undo::replace;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;

/// Who may log in by their group: the accounts that the team manages. `Match Group` in our part of sshd's configuration
/// goes by it.
pub const PEOPLE: &str = "portreeve";

/// Who may use `sudo` by their group.
pub const SUDO: &str = "portreeve-sudo";

/// What enrolment has settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The team, by id.
    pub team: String,
    /// This host.
    pub host: Host,
    /// The keys that sign the first document, as lines in OpenSSH's form. Afterwards those count that the last verified
    /// document names.
    pub user_keys: Vec<String>,
    /// How accounts are made known to the system.
    pub backend: Backend,
    /// The private key of `sshd` that has a certificate, by its path on the machine.
    pub host_key: String,
}

/// This host, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// How accounts are made known to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Records in `/run/userdb`, which `nss-systemd` reads since systemd 249.
    Userdb,
    /// Snapshots for our own module of the name service switch.
    Nss,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This host is not enrolled.
    #[error("this host is not enrolled; enroll it: portreeve-host enroll --token …")]
    NotEnrolled,
    /// It cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(String, io::Error),
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn load(paths: &Paths) -> Result<Self, Error> {
        let path = paths.config();
        let unreadable = |error| Error::Unreadable(path.display().to_string(), error);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NotEnrolled),
            Err(error) => Err(unreadable(error)),
        }
    }

    /// Writes it, for root alone to change.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, paths: &Paths) -> io::Result<()> {
        let path = paths.config();
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(folder)?;
        }
        replace(&path, &serde_json::to_vec_pretty(self)?, 0o644)
    }
}
