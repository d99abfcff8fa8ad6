//! A host leaves its team: nobody of it gets in any more, and the machine is as it was before.

use crate::apply::Half;
use crate::config::Config;
use crate::net::Identity;
use crate::paths::Paths;
use crate::setup::{self, PutBack};
use crate::sshd::Sshd;
use crate::wire::Refusal;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Why a host has not left, or not entirely. It can be tried again.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Accounts cannot be taken away.
    #[error("the accounts of the team cannot be taken away: {0}")]
    Accounts(Refusal),
    /// Files cannot be put back.
    #[error("{0}")]
    Files(#[from] setup::Fault),
    /// Our own files cannot be removed.
    #[error("{0}: {1}")]
    Own(String, io::Error),
}

/// Leaves, without a word to the server. First the accounts go, so that nobody is there whom the configuration of `sshd`
/// would let in by keys of their own once ours is out of it; what people have in their homes stays.
///
/// # Errors
/// When something cannot be removed or put back. What was done stays done.
pub fn leave(paths: &Paths, half: &mut Half, sshd: &dyn Sshd) -> Result<Vec<PutBack>, Fault> {
    if let Ok(config) = Config::load(paths) {
        half.withdraw(&config).map_err(Fault::Accounts)?;
    }
    let put_back = setup::remove(paths, sshd)?;
    Identity::remove(paths).map_err(|error| own(&paths.net_state(), error))?;
    // The configuration goes last: as long as it is there, leaving can be tried again.
    // systemd keeps the folder of an account that comes and goes elsewhere, with a link to it (systemd.exec(5), `DynamicUser`).
    let net_state = fs::canonicalize(paths.net_state()).ok();
    let folders = [paths.run(), paths.ssh(), paths.net_state(), paths.state()];
    for folder in net_state.into_iter().chain(folders) {
        gone(fs::remove_dir_all(&folder)).map_err(|error| own(&folder, error))?;
    }
    let config = paths.config();
    gone(fs::remove_file(&config)).map_err(|error| own(&config, error))?;
    if let Some(folder) = config.parent() {
        // Whatever else is in it is not ours.
        let _ = fs::remove_dir(folder);
    }
    Ok(put_back)
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn own(path: &Path, error: io::Error) -> Fault {
    Fault::Own(path.display().to_string(), error)
}
