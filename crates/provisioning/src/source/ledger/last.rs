//! The ledger of the last read in memory: what it held, and what has become of each of it so far.

use std::path::Path;

use super::index::{Reader, Record};
use super::register::Register;
use super::{Fingerprint, Head, Mark};

/// What the last ledger holds, without the keys.
#[derive(Default)]
pub(super) struct Last {
    objects: Register,
    /// By number of record.
    known: Vec<Known>,
    memberships: Register,
    /// Whether each has passed by, by number of record.
    met: Vec<bool>,
}

/// A user or group of the last ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) mark: Mark,
    pub(super) fate: Fate,
}

/// What is known of an object's presence now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has not passed by.
    Unseen,
    /// Its key passed by.
    Met,
    /// Its content passed by.
    Seen,
    /// It is there, and its memberships are what they were.
    Held,
    /// It was said to be gone.
    Gone,
}

impl Last {
    /// Reads a ledger; one that does not hold what its head says is an error.
    pub(super) fn load(path: &Path, head: &Head) -> std::io::Result<Self> {
        let mut records = Reader::open(path)?;
        let (mut objects, mut memberships) = (Vec::new(), Vec::new());
        let mut known = Vec::new();
        while let Some(record) = records.next()? {
            let fingerprint = record.fingerprint();
            match record {
                Record::Object { mark, .. } => {
                    objects.push(fingerprint);
                    known.push(Known {
                        mark,
                        fate: Fate::Unseen,
                    });
                }
                Record::Membership { .. } => memberships.push(fingerprint),
            }
        }
        let counts = head.counts;
        if objects.len() as u64 != counts.users + counts.groups
            || memberships.len() as u64 != counts.memberships
        {
            let what = "it does not hold as much as it should";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, what));
        }
        Ok(Self {
            met: vec![false; memberships.len()],
            objects: Register::new(objects),
            known,
            memberships: Register::new(memberships),
        })
    }

    pub(super) fn object(&self, fingerprint: &Fingerprint) -> Option<&Known> {
        self.known.get(self.objects.find(fingerprint)?)
    }

    pub(super) fn object_mut(&mut self, fingerprint: &Fingerprint) -> Option<&mut Known> {
        self.known.get_mut(self.objects.find(fingerprint)?)
    }

    /// The object whose record has this number among those of objects.
    pub(super) fn numbered(&self, number: usize) -> Option<Known> {
        self.known.get(number).copied()
    }

    /// A membership passes by. Says whether it had passed by before, if it is known at all.
    pub(super) fn meet(&mut self, fingerprint: &Fingerprint) -> Option<bool> {
        let met = self.met.get_mut(self.memberships.find(fingerprint)?)?;
        Some(std::mem::replace(met, true))
    }

    /// Whether the membership whose record has this number among those of memberships has passed by.
    pub(super) fn met(&self, number: usize) -> bool {
        self.met.get(number).copied().unwrap_or_default()
    }
}
