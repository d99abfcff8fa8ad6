//! What applications may have of the server.

use super::load::number;
use super::{ConfigError, Values, read, yes_or_no};
use std::path::PathBuf;

/// What applications may have of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applications {
    /// The folder whose files they may read as a source. Without it they may read none: whoever declares an application
    /// need not be somebody who may read the files of the server's machine.
    pub files: Option<PathBuf>,
    /// Whether they may reach targets on this machine and in private networks, for the same reason.
    pub private_addresses: bool,
    /// How many are provisioned at the same time.
    pub at_once: usize,
}

impl Default for Applications {
    fn default() -> Self {
        Self {
            files: None,
            private_addresses: false,
            at_once: 4,
        }
    }
}

impl Applications {
    pub(super) fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let files = read(values, "applications-files", folder)?;
        let private_addresses = read(values, "applications-private-addresses", yes_or_no)?;
        let at_once = read(values, "applications-at-once", |value| number(value, 1, 64))?;
        Ok(Self {
            files,
            private_addresses: private_addresses.unwrap_or_default(),
            at_once: at_once.unwrap_or(Self::default().at_once),
        })
    }
}

/// A folder by its whole path, so that it does not depend on where the server was started.
fn folder(value: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(value);
    match path.is_absolute() {
        true => Ok(path),
        false => Err("give the whole path of a folder, such as /srv/portreeve/sources".to_owned()),
    }
}
