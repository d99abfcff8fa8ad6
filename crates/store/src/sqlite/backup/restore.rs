//! Putting a backup in the place of a database.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use super::partial::{Partial, at, flush_folder, free};
use super::{BackupError, CACHE_KIB, Contents, Progress, Watch, apart, check, with_suffix};
use crate::migrate::pending;
use crate::sqlite::{connection, lock};
use crate::{Error, Migration};

/// Bytes copied between two looks at the watch.
const STEP: usize = 4 * 1024 * 1024;

/// What a restoration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the database holds now.
    pub contents: Contents,
    /// Where the database is that was there before, if one was.
    pub kept: Option<PathBuf>,
}

/// Copies `file` beside `database`, checks the copy, and puts it in the place of `database` in one step. What was
/// there before goes to `keep_as`. A schema older than `known` is brought up to date when a server starts.
///
/// # Errors
/// Whatever the error, the database is as it was, at worst under the name `keep_as`: [`Error::Locked`] when a server uses it, [`BackupError::Exists`]
/// when there is one and `replace` does not allow to put it aside.
pub fn restore(
    file: &Path,
    database: &Path,
    keep_as: &Path,
    replace: bool,
    known: &[Migration],
    watch: &Watch,
) -> Result<Restored, BackupError> {
    apart(database, file)?;
    without_log(file)?;
    let lock = lock(database)?;
    free(keep_as, false)?;
    let mut partial = Partial::make(database, ".restoring", replace)?;
    hand_over(&[&lock, partial.file()], database).map_err(at(partial.path()))?;
    copy(file, &partial, watch)?;
    let contents = checked(file, &partial, known, watch)?;
    partial.flush()?;
    let kept = put_aside(database, keep_as)?;
    partial.rename()?;
    Ok(Restored { contents, kept })
}

/// A log beside the file has what the file lacks. Only a database in use has one, or a copy of a database in use.
fn without_log(file: &Path) -> Result<(), BackupError> {
    let log = with_suffix(file, "-wal");
    match fs::metadata(&log) {
        Ok(found) if found.len() > 0 => Err(BackupError::Unusable {
            path: file.to_owned(),
            why: format!(
                "{} stands beside it, so it is a database in use or the copy of one, not a backup",
                log.display()
            ),
        }),
        _ => Ok(()),
    }
}

/// What root makes goes to the user who serves: the owner of the database or, where there is none, of its folder.
fn hand_over(files: &[&File], database: &Path) -> std::io::Result<()> {
    let folder = database.parent().unwrap_or(Path::new("/"));
    let owner = fs::metadata(database).or_else(|_| fs::metadata(folder))?;
    for file in files {
        if file.metadata()?.uid() == 0 && owner.uid() != 0 {
            fchown(file, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    Ok(())
}

fn copy(file: &Path, partial: &Partial, watch: &Watch) -> Result<(), BackupError> {
    let mut source = File::open(file).map_err(at(file))?;
    let total = source.metadata().map_err(at(file))?.len();
    let mut target = partial.file();
    let mut buffer = vec![0; STEP];
    let mut done = 0;
    loop {
        let read = source.read(&mut buffer).map_err(at(file))?;
        if watch(Progress::Copying { done, total }).is_break() {
            return Err(BackupError::Cancelled);
        }
        if read == 0 {
            return Ok(());
        }
        target
            .write_all(&buffer[..read])
            .map_err(at(partial.path()))?;
        done += read as u64;
    }
}

fn checked(
    file: &Path,
    partial: &Partial,
    known: &[Migration],
    watch: &Watch,
) -> Result<Contents, BackupError> {
    let (contents, applied) = check::with_migrations(partial.path(), file, watch)?;
    match pending(known, &applied) {
        Ok(_) => Ok(contents),
        Err(Error::Newer { found, known }) => Err(BackupError::Newer {
            path: file.to_owned(),
            found,
            known,
        }),
        Err(other) => Err(other.into()),
    }
}

/// Gives the database a second name and takes its log away, so that the next rename replaces it in one step. At no
/// moment stands a log beside a database that it does not belong to.
fn put_aside(database: &Path, keep_as: &Path) -> Result<Option<PathBuf>, BackupError> {
    let Ok(found) = fs::metadata(database) else {
        return Ok(None);
    };
    // Who opens a database last carries its log over when closing. A damaged one may keep its log, and an empty one
    // would lose it; then the log goes along as it is, because people restore when something is damaged.
    let log = with_suffix(database, "-wal");
    let opened = log.exists() && found.len() > 0 && connection::open(database, CACHE_KIB).is_ok();
    if opened && log.exists() {
        return Err(BackupError::InUse(database.to_owned()));
    }
    // Not every file system has links; without one there is a moment without a database, which our lock guards.
    let linked = fs::hard_link(database, keep_as);
    if linked.is_err() {
        fs::rename(database, keep_as).map_err(at(database))?;
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let beside = with_suffix(database, suffix);
        if beside.exists() {
            fs::rename(&beside, with_suffix(keep_as, suffix)).map_err(at(&beside))?;
        }
    }
    flush_folder(database).map_err(at(database))?;
    Ok(Some(keep_as.to_owned()))
}
