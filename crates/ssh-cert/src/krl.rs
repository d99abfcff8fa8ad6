//! Lists of what is revoked, in the format that `sshd` reads (OpenSSH's `PROTOCOL.krl`).
//!
//! A list that is empty or cut short is a danger of its own: `sshd` takes a file of no bytes for a list that revokes
//! nothing. Therefore a list always has its header, and whoever installs one reads it first.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

mod read;
mod write;

const MAGIC: &[u8; 8] = b"SSHKRL\n\0";
const FORMAT: u32 = 1;

const CERTIFICATES: u8 = 1;
const EXPLICIT_KEYS: u8 = 2;
const SHA1: u8 = 3;
const SIGNATURE: u8 = 4;
const SHA256: u8 = 5;
const EXTENSION: u8 = 255;

const SERIAL_LIST: u8 = 0x20;
const SERIAL_RANGE: u8 = 0x21;
const SERIAL_BITMAP: u8 = 0x22;
const KEY_IDS: u8 = 0x23;
const CERTIFICATE_EXTENSION: u8 = 0x39;

/// The largest list that is read, in bytes: ten million serial numbers without order.
pub const MAX_BYTES: usize = 96 * 1024 * 1024;

/// What is revoked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Krl {
    /// Rises with each list, so that an older one does not replace a newer one.
    pub version: u64,
    /// When it was made, in seconds since 1970 UTC.
    pub generated: u64,
    /// For people.
    pub comment: String,
    certificates: BTreeMap<Vec<u8>, Revoked>,
    keys: BTreeSet<[u8; 32]>,
}

/// Certificates of one authority that are revoked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Revoked {
    /// Ranges of serial numbers, both ends included, that neither overlap nor touch.
    serials: Ranges,
    key_ids: BTreeSet<String>,
}

/// Ranges of numbers by their first, with their last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ranges(BTreeMap<u64, u64>);

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no list.
    #[error("this is no revocation list")]
    Foreign,
    /// It ends in the middle.
    #[error("the revocation list is cut short at byte {0}")]
    Short(usize),
    /// Too large.
    #[error("the revocation list has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// Something in it that is not known, or wrong. To pass over it could mean to let somebody in.
    #[error("the revocation list cannot be understood: {0}")]
    Unknown(String),
}

impl Krl {
    /// A list that revokes nothing yet.
    pub fn new(version: u64, generated: u64) -> Self {
        Self {
            version,
            generated,
            ..Self::default()
        }
    }

    /// Revokes one certificate of an authority, which is given by the wire form of its key. 0 stands for no serial number
    /// and revokes nothing.
    pub fn revoke_serial(&mut self, authority: &[u8], serial: u64) {
        self.revoke_serials(authority, serial, serial);
    }

    /// Revokes all certificates of an authority with serial numbers from `first` to `last`, both included.
    pub fn revoke_serials(&mut self, authority: &[u8], first: u64, last: u64) {
        let first = first.max(1);
        if first <= last {
            self.certificates
                .entry(authority.to_vec())
                .or_default()
                .serials
                .add(first, last);
        }
    }

    /// Revokes all certificates of an authority with this key id.
    pub fn revoke_key_id(&mut self, authority: &[u8], key_id: &str) {
        self.certificates
            .entry(authority.to_vec())
            .or_default()
            .key_ids
            .insert(key_id.to_owned());
    }

    /// Revokes a key, given by its wire form, with every certificate for it.
    pub fn revoke_key(&mut self, key: &[u8]) {
        self.keys.insert(sha256(key));
    }

    /// Revokes a key, given by its `SHA256:…`, with every certificate for it. `false`: that is none.
    pub fn revoke_fingerprint(&mut self, fingerprint: &str) -> bool {
        let encoded = fingerprint.strip_prefix("SHA256:").unwrap_or_default();
        let hash = STANDARD_NO_PAD.decode(encoded).unwrap_or_default();
        match <[u8; 32]>::try_from(hash) {
            Ok(hash) => {
                self.keys.insert(hash);
                true
            }
            Err(_) => false,
        }
    }

    /// Whether a certificate is revoked: by its serial number, its key id, its key, or the key that signed it.
    pub fn revokes(&self, authority: &[u8], serial: u64, key_id: &str, key: &[u8]) -> bool {
        let by_certificate = self.certificates.get(authority).is_some_and(|revoked| {
            revoked.serials.contains(serial) || revoked.key_ids.contains(key_id)
        });
        by_certificate || self.revokes_key(key) || self.revokes_key(authority)
    }

    /// Whether a key is revoked.
    pub fn revokes_key(&self, key: &[u8]) -> bool {
        self.keys.contains(&sha256(key))
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.keys.is_empty()
    }

    /// The file that `RevokedKeys` names. Equal lists have equal files.
    pub fn to_bytes(&self) -> Vec<u8> {
        write::write(self)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// When it is none, is cut short, or has something in it that is not understood.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        read::read(bytes)
    }
}

impl Ranges {
    fn add(&mut self, first: u64, last: u64) {
        let (mut first, mut last) = (first, last);
        // What begins at or before the end of the new one, or right after it, and does not end before it begins.
        let touched: Vec<(u64, u64)> = self
            .0
            .range(..=last.saturating_add(1))
            .rev()
            .take_while(|(_, end)| end.saturating_add(1) >= first)
            .map(|(begin, end)| (*begin, *end))
            .collect();
        for (begin, end) in touched {
            self.0.remove(&begin);
            first = first.min(begin);
            last = last.max(end);
        }
        self.0.insert(first, last);
    }

    fn contains(&self, number: u64) -> bool {
        self.0
            .range(..=number)
            .next_back()
            .is_some_and(|(_, last)| number <= *last)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    hash
}

#[cfg(test)]
mod tests;
