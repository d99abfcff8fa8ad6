//! Changing files of the machine so that they can be put back as they were, byte for byte.
//!
//! The first change of a file keeps a copy, and the list of copies is on disk before the file changes: whoever is killed in
//! between leaves a copy too many, never one too few. What somebody else has changed since is not overwritten when things
//! are put back: there only our own lines are taken out.

use crate::paths::Paths;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The list of copies.
const LIST: &str = "list.json";

/// Files that were changed, with what they were before.
#[derive(Debug)]
pub struct Undo {
    paths: Paths,
    list: List,
}

/// By path on the machine.
#[derive(Debug, Default, Serialize, Deserialize)]
struct List {
    files: BTreeMap<String, Entry>,
    /// Folders that were made, outermost first.
    folders: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Name of the copy; `None`: there was no such file.
    copy: Option<String>,
    /// What was written instead.
    written: String,
    /// How lines were changed, in order.
    edits: Vec<Edit>,
}

/// One line that is put in, or takes another's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The line that was there.
    pub before: Option<String>,
    /// The line that is there now.
    pub after: String,
}

/// What became of a file when it was put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restored {
    /// It is as it was.
    Same,
    /// It was not there before, and is not there now.
    Removed,
    /// Somebody else has changed it since; our lines are out of it, the rest is theirs.
    LinesTaken,
}

impl Undo {
    /// Reads the list of copies.
    ///
    /// # Errors
    /// When there is one and it cannot be read.
    pub fn open(paths: &Paths) -> io::Result<Self> {
        let list = match fs::read(paths.undo().join(LIST)) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => List::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            paths: paths.clone(),
            list,
        })
    }

    /// Writes a file of the machine, after keeping a copy if this is the first time. `path` is its path on the machine.
    /// A file that is there keeps owner and mode; a new one gets `mode`. Whether anything changed.
    ///
    /// # Errors
    /// When something cannot be written. The file is then as it was.
    pub fn write(&mut self, path: &str, contents: &[u8], mode: u32) -> io::Result<bool> {
        self.change(path, contents, mode, Vec::new())
    }

    /// Changes lines of a file of the machine; with those `edits` the text becomes `contents`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn edit(&mut self, path: &str, contents: &str, edits: Vec<Edit>) -> io::Result<bool> {
        self.change(path, contents.as_bytes(), 0o644, edits)
    }

    /// Puts one file back, as if it had never been changed. `None`: it never was.
    ///
    /// # Errors
    /// When something cannot be written. What was put back before stays so.
    pub fn restore(&mut self, path: &str) -> io::Result<Option<Restored>> {
        let Some(entry) = self.list.files.get(path) else {
            return Ok(None);
        };
        let at = resolve(&self.paths.at(path));
        let now = read(&at)?;
        let is_ours = now.as_deref() == Some(entry.written.as_bytes());
        let restored = match (&entry.copy, now) {
            (copy, Some(now)) if !is_ours && !entry.edits.is_empty() => {
                let back = take_back(&now, &entry.edits);
                match copy.is_none() && back.is_empty() {
                    true => {
                        remove(&at)?;
                        Restored::Removed
                    }
                    false => {
                        replace_as(&at, back.as_bytes(), &fs::metadata(&at)?)?;
                        Restored::LinesTaken
                    }
                }
            }
            (None, _) => {
                remove(&at)?;
                Restored::Removed
            }
            (Some(copy), _) => {
                let copy = self.paths.undo().join(copy);
                let was = fs::metadata(&copy)?;
                replace_as(&at, &fs::read(&copy)?, &was)?;
                Restored::Same
            }
        };
        let entry = self.list.files.remove(path);
        self.save()?;
        if let Some(copy) = entry.and_then(|entry| entry.copy) {
            remove(&self.paths.undo().join(copy))?;
        }
        Ok(Some(restored))
    }

    /// Puts every file back, and removes folders that were made and are empty. Tells what became of each file.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn restore_all(&mut self) -> io::Result<Vec<(String, Restored)>> {
        let paths: Vec<String> = self.list.files.keys().cloned().collect();
        let mut all = Vec::new();
        for path in paths {
            if let Some(restored) = self.restore(&path)? {
                all.push((path, restored));
            }
        }
        while let Some(folder) = self.list.folders.last() {
            match fs::remove_dir(self.paths.at(folder)) {
                Err(error)
                    if !matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty
                    ) =>
                {
                    return Err(error);
                }
                _ => self.list.folders.pop(),
            };
        }
        self.save()?;
        Ok(all)
    }

    /// The files that were changed, by their paths on the machine.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        self.list.files.keys().map(String::as_str)
    }

    fn change(
        &mut self,
        path: &str,
        contents: &[u8],
        mode: u32,
        mut edits: Vec<Edit>,
    ) -> io::Result<bool> {
        let at = resolve(&self.paths.at(path));
        let now = read(&at)?;
        if now.as_deref() == Some(contents) && self.list.files.contains_key(path) {
            return Ok(false);
        }
        let written = String::from_utf8(contents.to_vec())
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        self.make_folders(path)?;
        match self.list.files.get_mut(path) {
            Some(entry) => {
                if let (Some(copy), Some(now)) = (&entry.copy, &now)
                    && now.as_slice() != entry.written.as_bytes()
                    && !entry.edits.is_empty()
                {
                    // Somebody else has changed it since: that is how it was before, now, but for our lines.
                    let base = take_back(now, &entry.edits);
                    let like = fs::metadata(&at)?;
                    replace_as(&self.paths.undo().join(copy), base.as_bytes(), &like)?;
                }
                entry.written = written;
                entry.edits.append(&mut edits);
            }
            None => {
                let copy = now.is_some().then(|| name_of_copy(path));
                if let Some(copy) = &copy {
                    self.make_own_folder()?;
                    let was = fs::metadata(&at)?;
                    replace_as(&self.paths.undo().join(copy), &fs::read(&at)?, &was)?;
                }
                let entry = Entry {
                    copy,
                    written,
                    edits,
                };
                self.list.files.insert(path.to_owned(), entry);
            }
        }
        self.save()?;
        if now.as_deref() == Some(contents) {
            return Ok(false);
        }
        match now {
            Some(_) => replace_as(&at, contents, &fs::metadata(&at)?)?,
            None => replace(&at, contents, mode)?,
        }
        Ok(true)
    }

    /// Makes the folders that a file needs, and remembers which were not there.
    fn make_folders(&mut self, path: &str) -> io::Result<()> {
        let missing: Vec<&Path> = Path::new(path)
            .ancestors()
            .skip(1)
            .take_while(|folder| !self.paths.at(folder).exists())
            .collect();
        for folder in missing.into_iter().rev() {
            let name = folder.to_string_lossy().into_owned();
            if !self.list.folders.contains(&name) {
                self.list.folders.push(name);
                self.save()?;
            }
            DirBuilder::new()
                .mode(0o755)
                .create(self.paths.at(folder))?;
        }
        Ok(())
    }

    fn make_own_folder(&self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.paths.undo())
    }

    fn save(&self) -> io::Result<()> {
        self.make_own_folder()?;
        let text = serde_json::to_vec_pretty(&self.list)?;
        replace(&self.paths.undo().join(LIST), &text, 0o600)
    }
}

/// Writes a file so that others see the old one or the whole new one, also after a loss of power.
///
/// # Errors
/// When something cannot be written. The file is then as it was.
pub fn replace(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    put(path, contents, |file| {
        file.set_permissions(Permissions::from_mode(mode))
    })
}

/// As [`replace`], with owner and mode of another file. Who is not root keeps their own files.
fn replace_as(path: &Path, contents: &[u8], like: &fs::Metadata) -> io::Result<()> {
    put(path, contents, |file| {
        if rustix::process::geteuid().is_root() {
            rustix::fs::fchown(
                file,
                Some(rustix::fs::Uid::from_raw(like.uid())),
                Some(rustix::fs::Gid::from_raw(like.gid())),
            )?;
        }
        file.set_permissions(Permissions::from_mode(like.mode() & 0o7777))
    })
}

fn put(
    path: &Path,
    contents: &[u8],
    dress: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A dot in front and a tilde behind: neither run-parts nor an include of `*.conf` takes it.
    let temporary = folder.join(format!(".{name}.new~"));
    remove(&temporary)?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(contents)?;
            dress(&file)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(folder)?.sync_all()
}

/// Takes lines out again that were put in, and puts those back that were replaced, wherever they are now.
fn take_back(text: &[u8], edits: &[Edit]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for edit in edits.iter().rev() {
        let Some(at) = lines
            .iter()
            .rposition(|line| line.trim_end_matches('\n') == edit.after)
        else {
            continue;
        };
        match &edit.before {
            Some(before) => {
                if let Some(line) = lines.get_mut(at) {
                    *line = format!("{before}\n");
                }
            }
            None => {
                lines.remove(at);
            }
        }
    }
    lines.concat()
}

/// The file itself, where the path is a link to it.
fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file name for a path: slashes become dots, so that people find their way.
fn name_of_copy(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".")
}
