//! Events that the server has not got yet, on disk.

use crate::paths::Paths;
use crate::undo::replace;
use crate::wire::Sessions;
use portreeve_host_policy::api::{MAX_SESSIONS, Session};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most events that are kept: a day of a busy host, in a few megabytes. The oldest go first.
pub const MOST: usize = 10_000;

/// The file of events, one line of JSON each.
const EVENTS: &str = "events.jsonl";

/// Events by number. Whoever holds it has the files alone; another program waits.
#[derive(Debug)]
pub struct Buffer {
    folder: PathBuf,
    kept: Vec<Numbered>,
    counts: Counts,
    _lock: File,
}

/// One event with its number on this host.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Numbered {
    number: u64,
    event: Session,
}

/// What has to outlast the events themselves.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Counts {
    /// Of the last event that there ever was.
    last: u64,
    /// How many were given up.
    lost: u64,
}

impl Buffer {
    /// Opens it.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn open(paths: &Paths) -> io::Result<Self> {
        let folder = paths.sessions();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(folder.join("lock"))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let (kept, is_whole) = events(&folder.join(EVENTS))?;
        let mut counts: Counts = match fs::read(folder.join("counts.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::NotFound => Counts::default(),
            Err(error) => return Err(error),
        };
        // Whoever was killed after writing events has not written the counts.
        counts.last = counts.last.max(kept.last().map_or(0, |last| last.number));
        let buffer = Self {
            folder,
            kept,
            counts,
            _lock: lock,
        };
        if !is_whole {
            buffer.rewrite()?;
        }
        Ok(buffer)
    }

    /// Adds events, which are on disk afterwards.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add(&mut self, events: Vec<Session>) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for event in events {
            self.counts.last += 1;
            let number = self.counts.last;
            let numbered = Numbered { number, event };
            serde_json::to_writer(&mut text, &numbered)?;
            text.push(b'\n');
            self.kept.push(numbered);
        }
        if self.kept.len() > MOST {
            let surplus = self.kept.len() - MOST;
            self.kept.drain(..surplus);
            self.counts.lost += surplus as u64;
            return self.rewrite();
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.folder.join(EVENTS))?;
        file.write_all(&text)?;
        file.sync_data()
    }

    /// Forgets what has arrived, and gives the next events.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn after(&mut self, number: u64) -> io::Result<Sessions> {
        let before = self.kept.len();
        self.kept.retain(|kept| kept.number > number);
        if self.kept.len() != before {
            self.rewrite()?;
        }
        let next = self.kept.iter().take(MAX_SESSIONS);
        let upto = next.clone().next_back().map_or(number, |last| last.number);
        Ok(Sessions {
            events: next.map(|kept| kept.event.clone()).collect(),
            upto,
            lost: self.counts.lost,
        })
    }

    fn rewrite(&self) -> io::Result<()> {
        let mut text = Vec::new();
        for kept in &self.kept {
            serde_json::to_writer(&mut text, kept)?;
            text.push(b'\n');
        }
        // The counts first: a number that was given is not given again.
        let counts = serde_json::to_vec(&self.counts)?;
        replace(&self.folder.join("counts.json"), &counts, 0o600)?;
        replace(&self.folder.join(EVENTS), &text, 0o600)
    }
}

/// The events in a file, and whether that is all there is in it. A line that is cut short is the last one of somebody who
/// was killed; it is read again from the log.
fn events(path: &Path) -> io::Result<(Vec<Numbered>, bool)> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), true)),
        Err(error) => return Err(error),
    };
    let mut kept = Vec::new();
    let mut is_whole = true;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(numbered) if line.ends_with(b"\n") => kept.push(numbered),
            _ => is_whole = false,
        }
    }
    Ok((kept, is_whole))
}
