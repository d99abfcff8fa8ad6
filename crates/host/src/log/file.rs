//! A log file, where no journal is kept (`rsyslog` and others).

use super::lines::{Line, Program};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How much is read at once, in bytes.
const PIECE: u64 = 1024 * 1024;

/// How far a file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which file: after a rotation another one has its name.
    inode: u64,
    /// Up to where, in bytes.
    offset: u64,
}

/// One line that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The line.
    pub line: Line,
    /// When it was written.
    pub at: Timestamp,
    /// Where it stands.
    pub place: String,
}

impl Place {
    /// The end of a file: what stands before it happened before this host was one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn end_of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        Ok(Self {
            inode: about.ino(),
            offset: about.len(),
        })
    }

    /// Reads on, at most one piece. After a rotation what is left of the old file comes first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&mut self, path: &Path, now: Timestamp, zone: &TimeZone) -> io::Result<Vec<Found>> {
        let about = fs::metadata(path)?;
        let mut file = File::open(path)?;
        if about.ino() != self.inode {
            if let Some(mut old) = rotated(path, self.inode)? {
                let found = self.piece(&mut old, now, zone)?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            *self = Self {
                inode: about.ino(),
                offset: 0,
            };
        } else if about.len() < self.offset {
            // It was emptied in place.
            self.offset = 0;
        }
        self.piece(&mut file, now, zone)
    }

    fn piece(
        &mut self,
        file: &mut File,
        now: Timestamp,
        zone: &TimeZone,
    ) -> io::Result<Vec<Found>> {
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(PIECE).read_to_end(&mut bytes)?;
        // The last line may not be whole yet, unless it is longer than any.
        let end = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if bytes.len() as u64 == PIECE => bytes.len(),
            None => 0,
        };
        bytes.truncate(end);
        let mut found = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let place = format!("{}:{}", self.inode, self.offset);
            self.offset += line.len() as u64;
            let text = String::from_utf8_lossy(line);
            if let Some((at, line)) = parse(text.trim_end(), now, zone) {
                found.push(Found { line, at, place });
            }
        }
        Ok(found)
    }
}

/// The file beside this one that has this number: the one that had its name before.
fn rotated(path: &Path, inode: u64) -> io::Result<Option<File>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    let before = PathBuf::from(name);
    match fs::metadata(&before) {
        Ok(about) if about.ino() == inode => Ok(Some(File::open(before)?)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A line as `rsyslog` writes it: a time, the machine, the program with its number, and the text.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Line)> {
    let (at, rest) = time(text, now, zone)?;
    let (_machine, rest) = rest.trim_start().split_once(' ')?;
    let (tag, text) = rest.split_once(": ")?;
    let (name, pid) = match tag.split_once('[') {
        Some((name, pid)) => (name, pid.strip_suffix(']')?.parse().ok()?),
        None => (tag, 0),
    };
    let program = Program::named(name)?;
    let line = Line {
        program,
        pid,
        text: text.to_owned(),
    };
    Some((at, line))
}

/// The time at the beginning of a line, as RFC 3339 has it or as syslog had it before (RFC 3164), with the rest.
fn time<'a>(text: &'a str, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, &'a str)> {
    let (first, rest) = text.split_once(' ')?;
    if let Ok(at) = first.parse() {
        return Some((at, rest));
    }
    let (at, rest) = text.split_at_checked("Nov 22 11:40:49".len())?;
    // It names no year: the last one in which that was not in the future.
    let year = now.to_zoned(zone.clone()).year();
    let in_year = |year: i16| -> Option<Timestamp> {
        let at = DateTime::strptime("%Y %b %d %H:%M:%S", format!("{year} {at}")).ok()?;
        Some(at.to_zoned(zone.clone()).ok()?.timestamp())
    };
    let at = in_year(year)
        .filter(|at| *at <= now + SignedDuration::from_hours(24))
        .or_else(|| in_year(year - 1))?;
    Some((at, rest))
}
