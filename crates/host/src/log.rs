//! What happens in sessions, from the log lines of `sshd` and `sudo` themselves: there is no code of ours in the way of who
//! logs in. Events wait on disk until the server has them.
//!
//! Where there is a journal, it says whose line is whose. A plain log file cannot: there, whoever may write to the log can
//! invent logins.

use crate::paths::Paths;
use crate::undo::replace;
use crate::wire::{Answer, Refusal};
use crate::world::{Level, World};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use portreeve_host_policy::api::Session;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

mod buffer;
pub mod file;
pub mod journal;
pub mod lines;
mod sessions;

pub use buffer::{Buffer, MOST};
pub use sessions::Open;

/// How often a log file is looked at, and how long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Log files of distributions that keep them.
const FILES: [&str; 2] = ["/var/log/auth.log", "/var/log/secure"];

/// How far the log was read, and which sessions were open there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    cursor: Option<String>,
    file: Option<file::Place>,
    open: Open,
    boot_id: Option<String>,
}

/// Answers [`Request::Sessions`](crate::wire::Request::Sessions).
pub fn answer(paths: &Paths, after: u64) -> Answer {
    match Buffer::open(paths).and_then(|mut buffer| buffer.after(after)) {
        Ok(sessions) => Answer::Sessions(sessions),
        Err(error) => Answer::Refused(Refusal {
            code: "sessions_unreadable".to_owned(),
            detail: format!("what happened in sessions cannot be told: {error}"),
        }),
    }
}

/// Reads the log for as long as the program runs.
pub fn follow(paths: &Paths, world: &dyn World) {
    let mut said = String::new();
    loop {
        let ended = match paths.at("/run/systemd/journal").is_dir() && paths.is_live() {
            true => follow_journal(paths),
            false => follow_file(paths, world),
        };
        if let Err(error) = ended {
            let text = format!("what happens in sessions cannot be read from the log: {error}");
            if text != said {
                world.say(Level::Warning, &text);
                said = text;
            }
        }
        world.sleep(PAUSE);
    }
}

/// Reads what a log file has that was not read yet. What it has when it is first seen is not told. How many events came.
///
/// # Errors
/// When there is no log file, or it cannot be read, or events cannot be kept.
pub fn read_file(paths: &Paths, now: Timestamp) -> io::Result<usize> {
    let path = log_file(paths)?;
    let mut place = Place::load(paths);
    let Some(at) = &mut place.file else {
        place.file = Some(file::Place::end_of(&path)?);
        place.save(paths)?;
        return Ok(0);
    };
    let before = at.clone();
    let found = at.read(&path, now, &TimeZone::system())?;
    if *at == before {
        return Ok(0);
    }
    let events = found
        .iter()
        .filter_map(|found| place.open.event(&found.line, found.at, &found.place));
    let events: Vec<Session> = events.collect();
    let count = events.len();
    place.keep(paths, events)?;
    Ok(count)
}

fn follow_file(paths: &Paths, world: &dyn World) -> io::Result<()> {
    loop {
        read_file(paths, world.now())?;
        world.sleep(PAUSE);
    }
}

fn follow_journal(paths: &Paths) -> io::Result<()> {
    let mut place = Place::load(paths);
    let mut journal = journal::Journal::follow(place.cursor.as_deref())?;
    while let Some(found) = journal.wait()? {
        let event = found
            .line
            .and_then(|line| place.open.event(&line, found.at, &found.cursor));
        place.cursor = Some(found.cursor);
        // Lines without an event are read again after a start: that costs less than a write for each.
        if let Some(event) = event {
            place.keep(paths, vec![event])?;
        }
    }
    Err(io::Error::other("journalctl has ended"))
}

fn log_file(paths: &Paths) -> io::Result<PathBuf> {
    let mut files = FILES.iter().map(|file| paths.at(file));
    files
        .find(|file| file.is_file())
        .ok_or_else(|| io::Error::other(format!("there is no journal, and none of {FILES:?}")))
}

impl Place {
    /// Where one has got to. After a start of the machine no session is open that was before.
    fn load(paths: &Paths) -> Self {
        let bytes = fs::read(Self::path(paths)).unwrap_or_default();
        let mut place: Self = serde_json::from_slice(&bytes).unwrap_or_default();
        let boot_id = crate::facts::boot_id();
        if place.boot_id != boot_id {
            place.open.forget();
            place.boot_id = boot_id;
        }
        place
    }

    /// Keeps events, and then how far one has got: whoever is killed in between reads them again, and they are the same.
    fn keep(&self, paths: &Paths, events: Vec<Session>) -> io::Result<()> {
        Buffer::open(paths)?.add(events)?;
        self.save(paths)
    }

    fn save(&self, paths: &Paths) -> io::Result<()> {
        buffer::folder(paths)?;
        replace(&Self::path(paths), &serde_json::to_vec(self)?, 0o600)
    }

    fn path(paths: &Paths) -> PathBuf {
        paths.sessions().join("place.json")
    }
}
