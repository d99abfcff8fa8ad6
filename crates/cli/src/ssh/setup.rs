//! `portreeve ssh setup`: lets plain `ssh` use the certificate, by one line at the top of `~/.ssh/config`.

use super::certify::{self, Ask};
use super::hosts::{self, Hosts};
use super::place::{self, CONFIG, Place};
use super::{files, key};
use crate::failure::Failure;
use crate::login::Way;
use crate::output::{self, Column, Shape};
use crate::{Global, time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What has to be undone, beside the folders of the contexts.
const MADE: &str = "setup.json";

const SHAPE: Shape = Shape {
    columns: &[
        Column::text("Server", "url"),
        Column::text("Hosts", "hosts"),
        Column::text("Included by", "file"),
        Column::text("Set up", "set_up"),
    ],
    name: "file",
};

/// What was not there before.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Made {
    file: bool,
    folder: bool,
}

/// OpenSSH's configuration of this person, and the line in it.
struct Included {
    file: PathBuf,
    line: String,
}

pub(super) fn run(global: &Global, undo: bool) -> Result<(), Failure> {
    let mut place = Place::of(global)?;
    let included = Included {
        file: files::ssh_folder()?.join("config"),
        line: files::include()?,
    };
    let failed = |error: io::Error| {
        Failure::plain(format!(
            "{} cannot be changed: {error}",
            included.file.display()
        ))
    };
    let hosts = match undo {
        true => {
            place.remove(CONFIG)?;
            if !is_used(&place::all()?) {
                included.take_out().map_err(failed)?;
            }
            None
        }
        false => {
            let (certificate, _) = certify::ready(&mut place, Ask::Person(Way::best()))?;
            let count = hosts::ask(&place)?.len();
            if let Some(hosts) = Hosts::kept(&place, time::now()) {
                files::write_config(&place, &hosts, certify::account(&certificate))?;
            }
            included.put_in().map_err(failed)?;
            Some(count)
        }
    };
    let told = json!({
        "url": place.url,
        "hosts": hosts,
        "file": included.file,
        "set_up": !undo,
    });
    output::one(global.output, &SHAPE, &told)?;
    output::say(
        global.output,
        said(undo, key::certificate(&place).is_some()),
    );
    Ok(())
}

/// Whether the files of a context are there to be included.
fn is_used(places: &Path) -> bool {
    let places = fs::read_dir(places).into_iter().flatten().flatten();
    places
        .into_iter()
        .any(|place| place.path().join(CONFIG).exists())
}

/// Whether `portreeve ssh setup` has run for this place.
pub(super) fn is_done(place: &Place) -> bool {
    place.path(CONFIG).exists()
}

fn said(undo: bool, has_certificate: bool) -> &'static str {
    match (undo, has_certificate) {
        (false, _) => {
            "\nNow ssh HOST works for the hosts of portreeve ssh hosts; others are reached as before.\nUndo: portreeve ssh setup --undo"
        }
        (true, true) => "\nThe certificate is still there; portreeve ssh logout forgets it.",
        (true, false) => "",
    }
}

impl Included {
    /// Puts the line at the top, before anything that could set what it sets.
    fn put_in(&self) -> io::Result<()> {
        let before = match fs::read(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            read => Some(read?),
        };
        let text = before.as_deref().unwrap_or_default();
        if self.find(text).is_some() {
            return Ok(());
        }
        let made = Made {
            file: before.is_none(),
            folder: self.make_folder()?,
        };
        // First what is needed to undo it.
        self.remember(&made)?;
        let line = format!("{}\n", self.line);
        replace(&self.file, &[line.as_bytes(), text].concat())
    }

    /// Takes the line out again; whatever else was written there since stays.
    fn take_out(&self) -> io::Result<()> {
        let made = self.remembered();
        let text = match fs::read(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        if let Some(at) = self.find(&text) {
            let end = (at + self.line.len() + 1).min(text.len());
            let left = [&text[..at], &text[end..]].concat();
            match left.is_empty() && made.file {
                true => fs::remove_file(&self.file)?,
                false => replace(&self.file, &left)?,
            }
        }
        if made.folder
            && let Some(folder) = self.file.parent()
        {
            // It stays where something has come into it.
            let _ = fs::remove_dir(folder);
        }
        match self.memory().map(fs::remove_file) {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Where the line is in a text.
    fn find(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if line.strip_suffix(b"\n").unwrap_or(line) == self.line.as_bytes() {
                return Some(at);
            }
            at += line.len();
        }
        None
    }

    /// Whether the folder had to be made.
    fn make_folder(&self) -> io::Result<bool> {
        let Some(folder) = self.file.parent().filter(|folder| !folder.exists()) else {
            return Ok(false);
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        Ok(true)
    }

    fn memory(&self) -> Option<PathBuf> {
        place::all().ok().map(|all| all.join(MADE))
    }

    fn remember(&self, made: &Made) -> io::Result<()> {
        match self.memory() {
            Some(memory) => fs::write(memory, serde_json::to_vec(made)?),
            None => Ok(()),
        }
    }

    fn remembered(&self) -> Made {
        let text = self.memory().and_then(|memory| fs::read(memory).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }
}

/// Replaces a file whole, with the permissions that it has; where it is a link, what it leads to.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let file = match fs::canonicalize(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => file.to_owned(),
        found => found?,
    };
    let permissions = match fs::metadata(&file) {
        Ok(metadata) => metadata.permissions(),
        Err(_) => Permissions::from_mode(0o600),
    };
    let mut new = NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
    new.write_all(text)?;
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    Ok(())
}
