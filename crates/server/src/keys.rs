//! The installation's master key: 32 random bytes in the data folder, in a variable or in a credential of systemd, from
//! which other keys are derived by purpose.

use aws_lc_rs::{hkdf, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Secret bytes that other keys come from. Never printed.
pub(crate) struct MasterKey([u8; 32]);

impl MasterKey {
    /// Reads the key file, if there is one.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read(path) {
            Ok(bytes) => {
                let mode = fs::metadata(path)?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(io::Error::other(format!(
                        "{} can be read by others (mode {:o}); run chmod 600 on it",
                        path.display(),
                        mode & 0o777
                    )));
                }
                bytes.try_into().map(|key| Some(Self(key))).map_err(|_| {
                    io::Error::other(format!(
                        "{} is not a key of 32 bytes; restore it from a backup",
                        path.display()
                    ))
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key in a text: base64 of 32 bytes. `from` says where the text comes from.
    pub(crate) fn parse(text: &str, from: &str) -> io::Result<Self> {
        let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
        bytes.try_into().map(Self).map_err(|_| {
            io::Error::other(format!(
                "{from} is not a key of 32 bytes in base64; make one with: openssl rand -base64 32"
            ))
        })
    }

    /// The key in a file that somebody else keeps from others' eyes, as its 32 bytes or as base64.
    pub(crate) fn credential(path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Self(key)),
            Err(_) => Self::parse(
                &String::from_utf8_lossy(&bytes),
                &path.display().to_string(),
            ),
        }
    }

    /// Makes a key, and the file for its owner alone.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes)
            .map_err(|_| io::Error::other("the machine gives no random numbers"))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        Ok(Self(bytes))
    }

    /// What tells this key from others and gives nothing of it away.
    pub(crate) fn fingerprint(&self) -> io::Result<String> {
        let mark = self.derive("fingerprint")?;
        Ok(mark
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }

    /// A key for one purpose (HKDF-SHA256, RFC 5869).
    pub(crate) fn derive(&self, purpose: &str) -> io::Result<[u8; 32]> {
        let mut out = [0; 32];
        let info = [purpose.as_bytes()];
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"portreeve")
            .extract(&self.0)
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut out))
            .map_err(|_| io::Error::other("no key could be derived from the master key"))?;
        Ok(out)
    }
}
