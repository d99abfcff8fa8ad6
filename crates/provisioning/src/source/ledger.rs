//! What a source without a change log was last seen to hold, so that the next read can tell what has changed.
//!
//! A read is a [`Survey`]: everything the source holds passes by once and is compared with the ledger of the last read.
//! What is new, changed or gone goes to a spool, a file of changes, and only when the survey has come to its end without
//! an error is the spool handed out in pages. So nothing is told of a source that turned out to be half-written or cut
//! off, a read that was killed goes on at the page where it stood, whatever has happened to the source since, and the
//! changes need not fit into memory.
//!
//! Cost: in memory some 45 bytes for each user and group and 21 for each membership; on disk the keys (about 100 bytes
//! for each membership) and, while a read is under way, everything it tells. Two ledgers exist at a time: the one the
//! engine's watermark names and the one a read is making. All of it is people's data: files are for the owner only.

mod index;
mod last;
mod register;
mod spool;
mod survey;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Next, Page, Place};
pub(super) use survey::{Mark, Owner, Sighting, Survey};

/// The folder in which a source keeps its ledgers.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
}

/// The page of the ledger that is read first, and written last: a ledger without it does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Fingerprint of the settings it was made with: other settings read the same source as something else.
    pub(super) settings: String,
    /// How many users, groups and memberships it holds.
    pub(super) counts: Counts,
    /// How many objects its spool tells of.
    pub(super) told: u64,
    /// What the source itself wants to remember.
    pub(super) note: Value,
}

/// How much a source holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// People.
    pub(super) users: u64,
    /// Groups.
    pub(super) groups: u64,
    /// Pairs of a group and a member.
    pub(super) memberships: u64,
}

impl Shelf {
    pub(super) fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The first page of the ledger that a watermark names, or `None` where a survey would have to begin with nothing:
    /// it is [`Error::Expired`] when the ledger is missing or was made with other settings.
    pub(super) fn head(&self, place: &Place, settings: &str) -> Result<Option<Head>, Error> {
        let Place::Since(id) = place else {
            return Ok(None);
        };
        let head = self.read_head(id)?;
        if head.settings != settings {
            return Err(Error::Expired("its settings have changed since".to_owned()));
        }
        Ok(Some(head))
    }

    /// The page of a spool at `at`, which is a page place or the name of a ledger that was just made.
    pub(super) fn page(&self, at: &str) -> Result<Page, Error> {
        let (id, offset) = at.split_once(':').unwrap_or((at, "0"));
        let offset = offset
            .parse()
            .map_err(|_| Error::Expired(format!("\"{at}\" is no place in it")))?;
        let head = self.read_head(id)?;
        let (changes, end) = spool::page(&self.spool(id), offset)?;
        Ok(Page {
            changes,
            next: match end {
                Some(offset) => Next::Page(format!("{id}:{offset}")),
                None => Next::Watermark(id.to_owned()),
            },
            total: Some(head.told),
        })
    }

    /// Another note in the ledger `id`, where a survey found that nothing has changed: what its own read told has been
    /// taken in.
    fn renew(&self, id: &str, note: Value) -> Result<(), Error> {
        private_file(&self.spool(id)).map_err(|cause| self.broken(&cause))?;
        let head = Head {
            note,
            told: 0,
            ..self.read_head(id)?
        };
        self.write_head(id, &head)
    }

    fn read_head(&self, id: &str) -> Result<Head, Error> {
        let known = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let text = known
            .then(|| fs::read(self.folder.join(format!("{id}.head"))).ok())
            .flatten();
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| {
                Error::Expired(format!("its ledger \"{id}\" is not in the state folder"))
            })
    }

    /// Writes the first page so that it is there as a whole or not at all.
    fn write_head(&self, id: &str, head: &Head) -> Result<(), Error> {
        let partial = self.folder.join(format!("{id}.head.partial"));
        let write = || -> std::io::Result<()> {
            let mut file = private_file(&partial)?;
            file.write_all(serde_json::to_string(head)?.as_bytes())?;
            file.sync_data()?;
            fs::rename(&partial, self.folder.join(format!("{id}.head")))
        };
        write().map_err(|cause| self.broken(&cause))
    }

    /// Removes every ledger but the one that is still in use.
    fn sweep(&self, keep: Option<&str>) -> Result<(), Error> {
        let sweep = || -> std::io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            for entry in fs::read_dir(&self.folder)? {
                let path = entry?.path();
                let ours = path.extension().and_then(|end| end.to_str());
                let ours = matches!(ours, Some("head" | "index" | "changes" | "partial"));
                let kept = keep.is_some_and(|id| {
                    path == self.index(id) || path == self.folder.join(format!("{id}.head"))
                });
                if ours && !kept {
                    fs::remove_file(path)?;
                }
            }
            Ok(())
        };
        sweep().map_err(|cause| self.broken(&cause))
    }

    fn index(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.index"))
    }

    fn spool(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.changes"))
    }

    fn broken(&self, cause: &std::io::Error) -> Error {
        Error::Unusable(format!(
            "its state folder {} cannot be written: {cause}; make room and give this user the right to write there",
            self.folder.display()
        ))
    }
}

/// The first 16 bytes of a SHA-256 over parts: a name short enough to keep for everything, and that nobody can forge.
pub(super) type Fingerprint = [u8; 16];

/// The fingerprint of parts; where one ends and the next begins is part of it.
pub(super) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut short = Fingerprint::default();
    for (to, from) in short.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    short
}

/// Half a fingerprint, for telling whether something is still what it was.
pub(super) fn mark<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = fingerprint(parts);
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Creates a file that only its owner can read.
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Runs what reads and writes files where it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::Unavailable {
            reason: "reading was interrupted".to_owned(),
            retry_after: None,
        })
    })
}
