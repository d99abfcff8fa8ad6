//! A folder for work that leaves nothing behind.

use crate::app::App;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A folder that is gone with this.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder, for the server's own user.
    pub(crate) fn new(app: &App) -> io::Result<Self> {
        let name = app.ids.next(app.clock.now()).to_string();
        let path = folder(&app.config.data).join(name);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes what a server that was killed has left.
    pub(crate) fn sweep(data: &Path) -> io::Result<()> {
        match fs::remove_dir_all(folder(data)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "what a dry run has left is not removed");
        }
    }
}

fn folder(data: &Path) -> PathBuf {
    data.join("scratch")
}
