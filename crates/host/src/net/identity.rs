//! Who this host is to the server: a key of its own, a certificate for it, and the roots that the server is known by.

use super::Fault;
use crate::paths::Paths;
use crate::undo::replace;
use jiff::{SignedDuration, Timestamp};
use portreeve_host_policy::Host;
use portreeve_x509::chain;
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::PathBuf;

/// In the folder of this half.
const FILE: &str = "identity.json";

/// An identity, with everything that is needed to speak to the server.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identity {
    /// Where the server is, without a slash at the end.
    pub url: String,
    /// The team, by id.
    pub team: String,
    /// The host.
    pub host: Host,
    /// What the server's certificate has to lead to (PEM).
    pub roots: Vec<String>,
    /// The certificate, and what leads to the root (PEM).
    pub chain: Vec<String>,
    /// Its key (PKCS #8, PEM).
    pub key: String,
    /// How long to have the server wait with each request for the policy.
    pub policy_wait_seconds: u64,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("url", &self.url)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// A key, and the request for a certificate.
pub struct Request {
    /// The key (PKCS #8, PEM).
    pub key: String,
    /// The request (PKCS #10, PEM).
    pub csr: String,
}

impl Request {
    /// Makes a key and asks for a certificate; what that says is the server's to decide.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn new(name: &str) -> Result<Self, Fault> {
        let failed = |cause: rcgen::Error| Fault::Identity(cause.to_string());
        let key = KeyPair::generate().map_err(failed)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        let request = parameters.serialize_request(&key).map_err(failed)?;
        Ok(Self {
            key: key.serialize_pem(),
            csr: request.pem().map_err(failed)?,
        })
    }
}

impl Identity {
    /// The one on disk.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn load(paths: &Paths) -> Result<Self, Fault> {
        let path = path(paths);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)
                .map_err(|error| Fault::Identity(format!("{}: {error}", path.display())))?),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Fault::NotEnrolled),
            Err(error) => Err(Fault::Identity(format!("{}: {error}", path.display()))),
        }
    }

    /// Puts it on disk, for the owner of the folder alone: root enrols, and this half may be somebody else.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, paths: &Paths) -> Result<(), Fault> {
        let write = || -> io::Result<()> {
            let folder = paths.net_state();
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)?;
            let path = path(paths);
            replace(&path, &serde_json::to_vec_pretty(self)?, 0o600)?;
            let owner = fs::metadata(&folder)?;
            match geteuid().is_root() {
                true => chown(&path, Some(owner.uid()), Some(owner.gid())),
                false => Ok(()),
            }
        };
        write().map_err(|error| Fault::Identity(format!("it cannot be kept: {error}")))
    }

    /// Removes it.
    ///
    /// # Errors
    /// When it is there and stays.
    pub fn remove(paths: &Paths) -> io::Result<()> {
        match fs::remove_file(path(paths)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The same host with what the server has certified anew.
    #[must_use]
    pub fn renewed(&self, chain: Vec<String>, roots: Vec<String>, key: String) -> Self {
        Self {
            chain,
            roots: match roots.is_empty() {
                true => self.roots.clone(),
                false => roots,
            },
            key,
            ..self.clone()
        }
    }

    /// From when until when its certificate is good.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn life(&self) -> Result<(Timestamp, Timestamp), Fault> {
        let details = self.details()?;
        Ok((details.valid_after, details.valid_before))
    }

    /// Checks that key and certificate belong together: TLS takes nothing else.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self) -> Result<(), Fault> {
        let key =
            KeyPair::from_pem(&self.key).map_err(|cause| Fault::Identity(cause.to_string()))?;
        match self.details()?.public_key == key.subject_public_key_info() {
            true => Ok(()),
            false => Err(Fault::Identity(
                "its certificate is for another key".to_owned(),
            )),
        }
    }

    fn details(&self) -> Result<chain::Details, Fault> {
        let wrong = |cause: portreeve_x509::Error| Fault::Identity(cause.to_string());
        let leaf = self.chain.first().map_or("", String::as_str);
        let leaf = chain::from_pem(leaf).map_err(wrong)?;
        chain::Details::read(leaf.first().map_or(&[], Vec::as_slice)).map_err(wrong)
    }
}

/// When something that is good from one time to another is to be renewed: when a third of its life is left, or up to a
/// tenth of its life earlier by `chance` (0 to 1), so that hosts that were made together do not come together.
pub(super) fn renewal((after, before): (Timestamp, Timestamp), chance: f64) -> Timestamp {
    let life = before.duration_since(after).as_secs_f64();
    let ahead = life / 3.0 + life / 10.0 * chance;
    let ahead = SignedDuration::try_from_secs_f64(ahead).unwrap_or_default();
    before.checked_sub(ahead).unwrap_or(after)
}

fn path(paths: &Paths) -> PathBuf {
    paths.net_state().join(FILE)
}
