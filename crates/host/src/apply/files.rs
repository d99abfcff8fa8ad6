//! The few things that are done to files. Each is whole or not done, also when the power fails in the middle.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::Path;

use crate::undo;

/// What is done to files, one step at a time, so that tests can stop after any of them.
pub trait Files {
    /// Writes a file, in place of the one that is there.
    ///
    /// # Errors
    /// When it cannot be written. What was there is still there then.
    fn replace(&mut self, path: &Path, contents: &[u8], mode: u32) -> io::Result<()>;

    /// Makes a symbolic link, in place of what is there.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    fn link(&mut self, path: &Path, target: &str) -> io::Result<()>;

    /// Removes a file or a link, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// The files themselves.
#[derive(Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn replace(&mut self, path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
        undo::replace(path, contents, mode)
    }

    fn link(&mut self, path: &Path, target: &str) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.new~"));
        self.remove(&temporary)?;
        symlink(target, &temporary)?;
        fs::rename(&temporary, path)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Writes a file unless it is so already.
pub(super) fn put(
    files: &mut dyn Files,
    path: &Path,
    contents: &[u8],
    mode: u32,
) -> io::Result<()> {
    let is_same = fs::read(path).is_ok_and(|now| now == contents)
        && fs::symlink_metadata(path)
            .is_ok_and(|now| now.is_file() && now.permissions().mode() & 0o7777 == mode);
    match is_same {
        true => Ok(()),
        false => files.replace(path, contents, mode),
    }
}

/// Makes a link unless it is so already.
pub(super) fn put_link(files: &mut dyn Files, path: &Path, target: &str) -> io::Result<()> {
    match fs::read_link(path) {
        Ok(now) if now == Path::new(target) => Ok(()),
        _ => files.link(path, target),
    }
}

/// Makes a folder that others may read, with those above it. Its mode matters: `sshd` reads no file of principals from a
/// folder that others could write to.
pub(super) fn folder(path: &Path, mode: u32) -> io::Result<()> {
    if !path.is_dir() {
        DirBuilder::new().recursive(true).mode(0o755).create(path)?;
    }
    if fs::metadata(path)?.permissions().mode() & 0o7777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// The names of what is in a folder, sorted, without what a write that was interrupted has left; nothing where there is no
/// such folder.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Removes what writes that were interrupted have left.
pub(super) fn tidy(files: &mut dyn Files, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && name.ends_with(".new~") {
            files.remove(&path)?;
        }
    }
    Ok(())
}

/// A text, or none where there is no such file.
pub(super) fn text(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
