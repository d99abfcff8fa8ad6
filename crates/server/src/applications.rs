//! Applications of provisioning inside a server: what their definitions may be, and how their secrets are kept.

mod declared;
mod opened;
mod scratch;

pub(crate) use declared::{Before, Declared, Unusable};
pub(crate) use opened::{Opened, state_folders};
pub(crate) use scratch::Scratch;

use crate::keys::MasterKey;
use crate::vault::{Damaged, Vault};
use portreeve_directory::applications::secrets;
use portreeve_directory::streams::Sealed;
use portreeve_directory::{Refusal, applications::Application};
use portreeve_provisioning::application::secrets::Secrets;
use portreeve_store::Tx;
use serde_json::Value;
use std::io;
use tokio::sync::Semaphore;

/// What the server has for all applications together.
pub(crate) struct Applications {
    vault: Vault,
    /// One dry run at a time: each makes a copy of what a job knows.
    pub(crate) dry_runs: Semaphore,
}

/// Secrets as they are stored, by the settings that they are the values of.
pub(crate) type SealedSecrets = Vec<(String, Sealed)>;

impl Applications {
    /// With a key derived from the installation's own.
    pub(crate) fn new(master: &MasterKey) -> io::Result<Self> {
        Ok(Self {
            vault: Vault::new(master, "applications: secrets")?,
            dry_runs: Semaphore::new(1),
        })
    }

    /// An application's secrets as they are stored.
    pub(crate) fn seal(&self, id: &str, secrets: &Secrets) -> Result<SealedSecrets, Damaged> {
        let seal = |(setting, secret): (&String, _)| {
            let sealed = self.vault.seal(&owner(id, setting), secret)?;
            Ok((setting.clone(), Sealed(sealed)))
        };
        secrets.iter().map(seal).collect()
    }

    /// An application's secrets.
    pub(crate) fn open(&self, id: &str, sealed: &SealedSecrets) -> Result<Secrets, Damaged> {
        let open = |(setting, sealed): &(String, Sealed)| {
            let secret = self.vault.open(&owner(id, setting), &sealed.0)?;
            Ok((setting.clone(), secret))
        };
        sealed.iter().map(open).collect()
    }

    /// Those of an application's secrets that can be read: after the loss of a key, the others are to be given again.
    pub(crate) fn readable(&self, id: &str, sealed: &SealedSecrets) -> Secrets {
        let open = |(setting, sealed): &(String, Sealed)| {
            let secret = self.vault.open(&owner(id, setting), &sealed.0).ok()?;
            Some((setting.clone(), secret))
        };
        sealed.iter().filter_map(open).collect()
    }
}

/// Stores an application's secrets in place of those that it had.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    application: &Application,
    sealed: &SealedSecrets,
) -> Result<(), Refusal> {
    for (setting, _) in secrets::all(tx, &application.id)? {
        if !sealed.iter().any(|(kept, _)| *kept == setting) {
            secrets::remove(tx, &application.id, &setting)?;
        }
    }
    sealed
        .iter()
        .try_for_each(|(setting, secret)| secrets::put(tx, &application.id, setting, secret))
}

/// An application's definition as it is stored: without its secrets.
pub(crate) fn document(application: &Application) -> Value {
    serde_json::from_str(&application.definition).unwrap_or_default()
}

fn owner(id: &str, setting: &str) -> String {
    format!("{id}/{setting}")
}
