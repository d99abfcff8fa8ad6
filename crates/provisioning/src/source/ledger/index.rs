//! The records of a ledger: each user, group and membership with its key, on disk; their fingerprints in memory.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::{Fingerprint, Mark, fingerprint};
use crate::source::{Kind, Member};

/// The longest key that is believed when a ledger is read.
const LONGEST_KEY: u32 = 1 << 20;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    Object { kind: Kind, key: String, mark: Mark },
    Membership { group: String, member: Member },
}

impl Record {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Object { kind, key, .. } => object(*kind, key),
            Self::Membership { group, member } => membership(group, &member.key),
        }
    }
}

/// The name of a user or group in memory.
pub(super) fn object(kind: Kind, key: &str) -> Fingerprint {
    let kind: &[u8] = match kind {
        Kind::User => b"user",
        Kind::Group => b"group",
    };
    fingerprint([kind, key.as_bytes()])
}

/// The name of a membership in memory.
pub(super) fn membership(group: &str, member: &str) -> Fingerprint {
    fingerprint([b"member".as_slice(), group.as_bytes(), member.as_bytes()])
}

/// Writes records.
pub(super) struct Writer {
    file: BufWriter<File>,
}

impl Writer {
    pub(super) fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(super::private_file(path)?),
        })
    }

    pub(super) fn object(&mut self, kind: Kind, key: &str, mark: Mark) -> std::io::Result<()> {
        let tag = match kind {
            Kind::User => b'U',
            Kind::Group => b'G',
        };
        self.file.write_all(&[tag])?;
        self.text(key)?;
        self.file.write_all(&mark.stamp.to_le_bytes())?;
        self.file.write_all(&mark.content.to_le_bytes())
    }

    pub(super) fn membership(&mut self, group: &str, member: &Member) -> std::io::Result<()> {
        let tag = match member.kind {
            Some(Kind::User) => b'u',
            Some(Kind::Group) => b'g',
            None => b'x',
        };
        self.file.write_all(&[tag])?;
        self.text(group)?;
        self.text(&member.key)
    }

    fn text(&mut self, text: &str) -> std::io::Result<()> {
        self.file.write_all(&(text.len() as u32).to_le_bytes())?;
        self.file.write_all(text.as_bytes())
    }

    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()
    }
}

/// Reads records in the order in which they were written.
pub(super) struct Reader {
    file: BufReader<File>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            file: BufReader::with_capacity(256 * 1024, File::open(path)?),
        })
    }

    /// The next record; `None` at the end. A record that is cut off is an error.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Record>> {
        let mut tag = [0];
        if self.file.read(&mut tag)? == 0 {
            return Ok(None);
        }
        let key = self.text()?;
        let [tag] = tag;
        let member = |kind, member| Record::Membership {
            group: key.clone(),
            member: Member { kind, key: member },
        };
        Ok(Some(match tag {
            b'U' => self.object(Kind::User, key)?,
            b'G' => self.object(Kind::Group, key)?,
            b'u' => member(Some(Kind::User), self.text()?),
            b'g' => member(Some(Kind::Group), self.text()?),
            b'x' => member(None, self.text()?),
            _ => return Err(damaged("an unknown record")),
        }))
    }

    fn object(&mut self, kind: Kind, key: String) -> std::io::Result<Record> {
        let mark = Mark {
            stamp: self.number()?,
            content: self.number()?,
        };
        Ok(Record::Object { kind, key, mark })
    }

    fn number(&mut self) -> std::io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn text(&mut self) -> std::io::Result<String> {
        let mut length = [0; 4];
        self.file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > LONGEST_KEY {
            return Err(damaged("a key without end"));
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| damaged("a key that is no text"))
    }
}

fn damaged(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, format!("it holds {what}"))
}
