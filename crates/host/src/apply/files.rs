//! The few things that are done to files. Each is whole or not done, also when the power fails in the middle.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, DirEntry, File, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

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

/// A folder of small files, read once and written through.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    /// With its mode.
    File(Vec<u8>, u32),
    /// With what it leads to.
    Link(String),
    Other,
}

impl Folder {
    /// Reads what is in a folder, without what a write that was interrupted has left; nothing where there is no such folder.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut folder = Self {
            path: path.to_owned(),
            entries: BTreeMap::new(),
        };
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(folder),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && !name.starts_with('.')
            {
                folder.entries.insert(name, Entry::read(&entry)?);
            }
        }
        Ok(folder)
    }

    /// What there is, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// What is in a file; `None`: it is none.
    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        match self.entries.get(name)? {
            Entry::File(contents, _) => Some(contents),
            _ => None,
        }
    }

    /// What a link leads to; `None`: it is none.
    pub(super) fn link(&self, name: &str) -> Option<&str> {
        match self.entries.get(name)? {
            Entry::Link(target) => Some(target),
            _ => None,
        }
    }

    /// Writes a file, readable by everybody, unless it is so already.
    pub(super) fn put(
        &mut self,
        files: &mut dyn Files,
        name: &str,
        contents: &[u8],
    ) -> io::Result<()> {
        const MODE: u32 = 0o644;
        if let Some(Entry::File(now, MODE)) = self.entries.get(name)
            && now == contents
        {
            return Ok(());
        }
        files.replace(&self.path.join(name), contents, MODE)?;
        let entry = Entry::File(contents.to_owned(), MODE);
        self.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Makes a link unless it is so already.
    pub(super) fn put_link(
        &mut self,
        files: &mut dyn Files,
        name: &str,
        target: &str,
    ) -> io::Result<()> {
        if self.link(name) == Some(target) {
            return Ok(());
        }
        files.link(&self.path.join(name), target)?;
        let entry = Entry::Link(target.to_owned());
        self.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Removes what has this name, if there is anything.
    pub(super) fn remove(&mut self, files: &mut dyn Files, name: &str) -> io::Result<()> {
        if self.entries.contains_key(name) {
            files.remove(&self.path.join(name))?;
            self.entries.remove(name);
        }
        Ok(())
    }

    /// Makes the folder itself.
    pub(super) fn make(&self) -> io::Result<()> {
        folder(&self.path, 0o755)
    }
}

impl Entry {
    fn read(entry: &DirEntry) -> io::Result<Self> {
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            return Ok(Self::Link(target.to_string_lossy().into_owned()));
        }
        if !kind.is_file() {
            return Ok(Self::Other);
        }
        let mut contents = Vec::new();
        let mut file = File::open(entry.path())?;
        file.read_to_end(&mut contents)?;
        let mode = file.metadata()?.permissions().mode() & 0o7777;
        Ok(Self::File(contents, mode))
    }
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
