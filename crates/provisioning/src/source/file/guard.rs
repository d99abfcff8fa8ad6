//! What keeps a file from being believed at the wrong moment.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::source::Error;

/// A file without a line break at its end is taken as complete when it has been left alone for so long.
const QUIET: Duration = Duration::from_secs(10);

/// File systems tell the time of a change in steps; a change within one step of a read leaves no trace.
const STEP: Duration = Duration::from_secs(2);

/// Size, time and identity of files, by which a change is noticed without reading them. A file renamed over another
/// has another identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamps {
    paths: Vec<PathBuf>,
    stamps: Vec<Stamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    /// Nanoseconds since 1970.
    changed: u128,
    file: u64,
}

impl Stamps {
    /// How the files are now.
    pub(super) fn take(paths: &[PathBuf]) -> Result<Self, Error> {
        let stamps = paths.iter().map(|path| {
            let metadata = std::fs::metadata(path).map_err(|cause| missing(path, &cause))?;
            Ok(Stamp {
                bytes: metadata.len(),
                changed: metadata
                    .modified()
                    .ok()
                    .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                    .unwrap_or_default()
                    .as_nanos(),
                file: identity(&metadata),
            })
        });
        Ok(Self {
            stamps: stamps.collect::<Result<_, Error>>()?,
            paths: paths.to_vec(),
        })
    }

    /// What a ledger remembers of them.
    pub(super) fn note(&self, now: SystemTime) -> Value {
        json!({"stamps": self.stamps, "settled": self.left_alone(now, STEP)})
    }

    /// Whether a ledger was made of exactly these files.
    pub(super) fn settled_in(&self, note: &Value) -> bool {
        let stamps = note.get("stamps").cloned().unwrap_or_default();
        note.get("settled") == Some(&Value::Bool(true))
            && serde_json::from_value::<Vec<Stamp>>(stamps)
                .is_ok_and(|stamps| stamps == self.stamps)
    }

    /// Whether no file was changed within `time`. A file from the future counts as left alone: clocks differ.
    fn left_alone(&self, now: SystemTime, time: Duration) -> bool {
        let now = now
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        self.stamps
            .iter()
            .all(|stamp| stamp.changed > now || now - stamp.changed >= time.as_nanos())
    }

    /// Refuses files that are empty, in an encoding other than UTF-8, or still being written.
    pub(super) fn refuse_half_written(&self, now: SystemTime) -> Result<(), Error> {
        for (path, stamp) in self.paths.iter().zip(&self.stamps) {
            if stamp.bytes == 0 {
                return Err(Error::Unusable(format!(
                    "{} is empty; nobody is removed because of that. Restore it, or leave it out of the settings",
                    name(path)
                )));
            }
            let mut file = open(path)?;
            let (mut first, mut last) = ([0; 2], [0]);
            let ends = file
                .read(&mut first)
                .and_then(|_| file.seek(SeekFrom::End(-1)))
                .and_then(|_| file.read_exact(&mut last));
            ends.map_err(|cause| missing(path, &cause))?;
            if matches!(first, [0xff, 0xfe] | [0xfe, 0xff]) {
                return Err(Error::Unusable(format!(
                    "{} is UTF-16; save it as UTF-8",
                    name(path)
                )));
            }
            if last != *b"\n" && !self.left_alone(now, QUIET) {
                return Err(Error::Unavailable {
                    reason: format!(
                        "{} does not end with a line break and was changed a moment ago: it seems to be still in the making",
                        name(path)
                    ),
                    retry_after: Some(QUIET.as_secs()),
                });
            }
        }
        Ok(())
    }

    /// Refuses what was read while the files changed.
    pub(super) fn refuse_changed(&self, paths: &[PathBuf]) -> Result<(), Error> {
        let now = Self::take(paths)?;
        let changed = self
            .stamps
            .iter()
            .zip(&now.stamps)
            .position(|(a, b)| a != b);
        let Some(path) = changed.and_then(|at| self.paths.get(at)) else {
            return Ok(());
        };
        Err(Error::Unavailable {
            reason: format!("{} was changed while it was being read", name(path)),
            retry_after: Some(QUIET.as_secs()),
        })
    }
}

/// Refuses a file that holds less than the settings allow of what it held.
pub(super) fn refuse_shrunk(
    path: &Path,
    before: u64,
    now: u64,
    keep_at_least: u8,
) -> Result<(), Error> {
    if u128::from(now) * 100 >= u128::from(before) * u128::from(keep_at_least) {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "{} holds {now} usable rows where it held {before}; nobody is removed because of that. Restore it, or set \
         keep_at_least = 0 for one run if it is right",
        name(path)
    )))
}

pub(super) fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|cause| missing(path, &cause))
}

/// A path as it is told to people.
pub(super) fn name(path: &Path) -> std::path::Display<'_> {
    path.display()
}

fn missing(path: &Path, cause: &std::io::Error) -> Error {
    Error::Unavailable {
        reason: format!("{} cannot be read: {cause}", name(path)),
        retry_after: None,
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> u64 {
    0
}
