//! A file that is being made. It gets its name when it is finished, and goes away when it is not.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::super::private;
use super::{BackupError, with_suffix};

/// What SQLite may put beside a database while it checks it.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// A file under a name of its own, for its owner alone, until [`publish`](Self::publish) gives it the right one.
/// Dropping it removes it.
pub struct Partial {
    name: PathBuf,
    replace: bool,
    path: PathBuf,
    /// Locked until the end, so that nobody else writes the same file; what a crash left behind is not locked.
    file: File,
    published: bool,
}

impl Partial {
    /// Makes an empty file called `name` and `suffix`, in place of one that a crash left behind.
    ///
    /// # Errors
    /// [`BackupError::Exists`] when `name` is taken and not to be replaced, [`BackupError::UnderWay`] when somebody
    /// else is making the same file.
    pub fn make(name: &Path, suffix: &str, replace: bool) -> Result<Self, BackupError> {
        free(name, replace)?;
        let path = with_suffix(name, suffix);
        let file = private().open(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::UnderWay(path)),
            Err(TryLockError::Error(cause)) => return Err(BackupError::File { path, cause }),
        }
        let partial = Self {
            name: name.to_owned(),
            replace,
            path,
            file,
            published: false,
        };
        partial.file.set_len(0).map_err(at(&partial.path))?;
        Ok(partial)
    }

    /// Where it is until it is published.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Flushes the file and gives it its name; both are on disk when this returns.
    pub fn publish(mut self) -> Result<(), BackupError> {
        self.flush()?;
        free(&self.name, self.replace)?;
        self.rename()
    }

    /// Has what was written on disk.
    pub(super) fn flush(&self) -> Result<(), BackupError> {
        self.file.sync_all().map_err(at(&self.path))
    }

    /// The last step of [`publish`](Self::publish), for who has done the others.
    pub(super) fn rename(&mut self) -> Result<(), BackupError> {
        fs::rename(&self.path, &self.name).map_err(at(&self.name))?;
        self.published = true;
        flush_folder(&self.name).map_err(at(&self.name))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        // One that cannot be removed is overwritten by the next attempt.
        let _ = fs::remove_file(&self.path);
        for suffix in BESIDE {
            let _ = fs::remove_file(with_suffix(&self.path, suffix));
        }
    }
}

/// Refuses a name that is taken.
pub(super) fn free(name: &Path, replace: bool) -> Result<(), BackupError> {
    match fs::symlink_metadata(name) {
        Ok(found) if found.is_dir() => Err(BackupError::File {
            path: name.to_owned(),
            cause: ErrorKind::IsADirectory.into(),
        }),
        Ok(_) if !replace => Err(BackupError::Exists(name.to_owned())),
        _ => Ok(()),
    }
}

/// A name is on disk when its folder is.
pub(super) fn flush_folder(file: &Path) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The system's error about a file; a full disk is told in the same words wherever it shows.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |cause| match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => BackupError::Full(path.clone()),
        _ => BackupError::File {
            path: path.clone(),
            cause,
        },
    }
}
