//! Events that the server has not got yet, on disk.

use crate::facts;
use crate::paths::Paths;
use crate::undo::replace;
use crate::wire::Sessions;
use portreeve_host_policy::api::{MAX_SESSIONS, Session};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most events that are kept: a day of a busy host, in a few megabytes. The oldest go first.
pub const MOST: usize = 10_000;

/// The file of events, one line of JSON each.
const EVENTS: &str = "events.jsonl";

/// What events are kept besides them.
const COUNTS: &str = "counts.json";

/// Events by number. Whoever holds it has the files alone; another program waits.
#[derive(Debug)]
pub struct Buffer {
    folder: PathBuf,
    counts: Counts,
    _lock: File,
}

/// One event with its number on this host.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Numbered {
    number: u64,
    event: Session,
}

/// What is known of the events without reading them.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Counts {
    /// Number of the last event that there ever was.
    last: u64,
    /// How many are there.
    kept: usize,
    /// How many were given up.
    lost: u64,
}

/// The folder of everything about session events.
///
/// # Errors
/// When it cannot be made.
pub(super) fn folder(paths: &Paths) -> io::Result<PathBuf> {
    let folder = paths.sessions();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    Ok(folder)
}

impl Buffer {
    /// Opens it.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn open(paths: &Paths) -> io::Result<Self> {
        let folder = folder(paths)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(folder.join("lock"))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let counts = match fs::read(folder.join(COUNTS)) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => Counts::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            folder,
            counts,
            _lock: lock,
        })
    }

    /// Adds events, which are on disk afterwards.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add(&mut self, events: Vec<Session>) -> io::Result<()> {
        let mut text = Vec::new();
        for event in events {
            self.counts.last += 1;
            self.counts.kept += 1;
            let number = self.counts.last;
            serde_json::to_writer(&mut text, &Numbered { number, event })?;
            text.push(b'\n');
        }
        if text.is_empty() {
            return Ok(());
        }
        // The counts first: a number that was given is not given again.
        self.save_counts()?;
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(self.folder.join(EVENTS))?;
        if !ends_whole(&mut file)? {
            // What somebody who was killed has begun to write stays a line of its own, and is none.
            file.write_all(b"\n")?;
        }
        file.write_all(&text)?;
        file.sync_data()?;
        match self.counts.kept > MOST + MOST / 10 {
            true => self.keep_from(0).map(drop),
            false => Ok(()),
        }
    }

    /// Forgets what has arrived, and gives the next events.
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub fn after(&mut self, number: u64) -> io::Result<Sessions> {
        let kept = self.keep_from(number.saturating_add(1))?;
        let next = kept.iter().take(MAX_SESSIONS);
        let upto = next.clone().next_back().map_or(number, |last| last.number);
        Ok(Sessions {
            events: next.map(|kept| kept.event.clone()).collect(),
            upto,
            lost: self.counts.lost,
            boot_id: facts::boot_id(),
        })
    }

    /// Forgets events with smaller numbers, and of the others the oldest if they are too many.
    fn keep_from(&mut self, first: u64) -> io::Result<Vec<Numbered>> {
        let mut kept = events(&self.folder.join(EVENTS))?;
        let before = kept.len();
        kept.retain(|kept| kept.number >= first);
        let surplus = kept.len().saturating_sub(MOST);
        kept.drain(..surplus);
        if kept.len() != before {
            self.counts.lost += surplus as u64;
            self.counts.kept = kept.len();
            let mut text = Vec::new();
            for kept in &kept {
                serde_json::to_writer(&mut text, kept)?;
                text.push(b'\n');
            }
            self.save_counts()?;
            replace(&self.folder.join(EVENTS), &text, 0o600)?;
        }
        Ok(kept)
    }

    fn save_counts(&self) -> io::Result<()> {
        let counts = serde_json::to_vec(&self.counts)?;
        replace(&self.folder.join(COUNTS), &counts, 0o600)
    }
}

/// The events in a file. A line that is cut short is the last one of somebody who was killed; it is read again from the log.
fn events(path: &Path) -> io::Result<Vec<Numbered>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let lines = text.split(|byte| *byte == b'\n');
    Ok(lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect())
}

/// Whether the last line has its end.
fn ends_whole(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
