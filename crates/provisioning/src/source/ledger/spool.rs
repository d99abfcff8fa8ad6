//! The changes that a survey found, one JSON text on each line, handed out in pages.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::source::{Change, Error};

/// How much a page holds: changes of objects, and members.
const PAGE: usize = 1_000;

/// A spool being written.
pub(super) struct Spool {
    file: BufWriter<File>,
    /// Objects told of, memberships apart.
    pub(super) objects: u64,
    /// Whether it tells anything that the next read should not have to tell again.
    pub(super) empty: bool,
}

impl Spool {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(super::private_file(path)?),
            objects: 0,
            empty: true,
        })
    }

    pub(super) fn push(&mut self, change: &Change) -> std::io::Result<()> {
        if !matches!(change, Change::Members { .. } | Change::Unusable { .. }) {
            self.objects += 1;
        }
        self.empty = false;
        serde_json::to_writer(&mut self.file, change)?;
        self.file.write_all(b"\n")
    }

    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()
    }
}

/// Changes from `offset` on, and the offset where they go on, if they do.
pub(super) fn page(path: &Path, offset: u64) -> Result<(Vec<Change>, Option<u64>), Error> {
    let lost = |why: String| Error::Expired(format!("the changes it had found are lost: {why}"));
    let mut file = File::open(path).map_err(|cause| lost(cause.to_string()))?;
    let length = file.metadata().map_err(|cause| lost(cause.to_string()))?;
    file.seek(SeekFrom::Start(offset))
        .map_err(|cause| lost(cause.to_string()))?;
    let mut lines = BufReader::with_capacity(64 * 1024, file);
    let (mut changes, mut weight, mut end) = (Vec::new(), 0, offset);
    let mut line = Vec::new();
    while weight < PAGE {
        line.clear();
        let read = lines
            .read_until(b'\n', &mut line)
            .map_err(|cause| lost(cause.to_string()))?;
        if read == 0 {
            return Ok((changes, None));
        }
        let change = serde_json::from_slice(&line).map_err(|cause| lost(cause.to_string()))?;
        weight += weigh(&change);
        end += read as u64;
        changes.push(change);
    }
    Ok((changes, (end < length.len()).then_some(end)))
}

fn weigh(change: &Change) -> usize {
    match change {
        Change::Members { added, removed, .. } => (added.len() + removed.len()).max(1),
        _ => 1,
    }
}
