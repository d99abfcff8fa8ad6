//! The keys that certificates are asked for.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, Fingerprint, HashAlg};

/// The weakest RSA key that is certified, in bits.
pub const WEAKEST_RSA: usize = 2_048;

/// The largest RSA key: larger ones make every verification slow, and are asked for by nobody in earnest.
pub const LARGEST_RSA: usize = 16_384;

/// The largest key that is looked at, in bytes.
pub const MAX_BYTES: usize = 8_192;

/// How the names of certificates' formats end.
const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// A public key that may have a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKey(KeyData);

/// Why a key cannot have a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key at all.
    #[error("this is no SSH public key: {0}")]
    Unreadable(String),
    /// A certificate.
    #[error("this is a certificate, not a key; send the public key itself")]
    Certificate,
    /// Too large to look at.
    #[error("this key has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// RSA of the wrong size.
    #[error(
        "this RSA key has {bits} bits; use one with {WEAKEST_RSA} to {LARGEST_RSA}, or better an Ed25519 key (ssh-keygen -t ed25519)"
    )]
    RsaSize {
        /// How many it has.
        bits: usize,
    },
    /// A public exponent that makes signatures forgeable or verification slow.
    #[error("this RSA key has an unusual public exponent; make a new key (ssh-keygen -t ed25519)")]
    RsaExponent,
    /// DSA, or one that nobody knows.
    #[error("keys of type {0} get no certificates; make a new key (ssh-keygen -t ed25519)")]
    Type(String),
}

impl SubjectKey {
    /// A key in the form of the wire (RFC 4253 section 6.6).
    ///
    /// # Errors
    /// When it is none, or may have no certificate.
    pub fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        if blob.len() > MAX_BYTES {
            return Err(KeyError::TooLarge);
        }
        if type_of(blob).is_some_and(|name| name.ends_with(CERTIFICATE.as_bytes())) {
            return Err(KeyError::Certificate);
        }
        let key: KeyData = ssh_encoding::Decode::decode(&mut &*blob).map_err(unreadable)?;
        let mut again = Vec::with_capacity(blob.len());
        ssh_encoding::Encode::encode(&key, &mut again).map_err(unreadable)?;
        if again != blob {
            return Err(KeyError::Unreadable(
                "it is not in canonical form".to_owned(),
            ));
        }
        check(&key)?;
        Ok(Self(key))
    }

    /// A key as a line of a `.pub` file has it: its type, the key, and perhaps a comment.
    ///
    /// # Errors
    /// As [`from_blob`](Self::from_blob).
    pub fn from_openssh(line: &str) -> Result<Self, KeyError> {
        let mut parts = line.split_ascii_whitespace();
        let (Some(name), Some(encoded)) = (parts.next(), parts.next()) else {
            return Err(KeyError::Unreadable(
                "it has no type in front of it".to_owned(),
            ));
        };
        if name.ends_with(CERTIFICATE) {
            return Err(KeyError::Certificate);
        }
        let key = Self::from_base64(encoded)?;
        match key.0.algorithm().as_str() == name {
            true => Ok(key),
            false => Err(KeyError::Unreadable(
                "the type in front of it is another one".to_owned(),
            )),
        }
    }

    /// A key in base64, with padding or without.
    ///
    /// # Errors
    /// As [`from_blob`](Self::from_blob).
    pub fn from_base64(encoded: &str) -> Result<Self, KeyError> {
        if encoded.len() > MAX_BYTES * 2 {
            return Err(KeyError::TooLarge);
        }
        let blob = STANDARD
            .decode(encoded)
            .or_else(|_| STANDARD_NO_PAD.decode(encoded));
        Self::from_blob(&blob.map_err(unreadable)?)
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }

    /// Its form on the wire.
    pub fn blob(&self) -> Vec<u8> {
        blob(&self.0)
    }

    /// Its type, such as `ssh-ed25519`.
    pub fn algorithm(&self) -> String {
        self.0.algorithm().as_str().to_owned()
    }

    pub(crate) fn data(&self) -> &KeyData {
        &self.0
    }
}

/// `SHA256:…` of a key in its form on the wire.
pub fn fingerprint_of(blob: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, blob);
    format!("SHA256:{}", STANDARD_NO_PAD.encode(hash))
}

/// `SHA256:…` of any key.
pub(crate) fn fingerprint(key: &KeyData) -> String {
    Fingerprint::new(HashAlg::Sha256, key).to_string()
}

/// The form of a key on the wire. Writing to memory does not fail.
pub(crate) fn blob(key: &KeyData) -> Vec<u8> {
    let mut blob = Vec::new();
    match ssh_encoding::Encode::encode(key, &mut blob) {
        Ok(()) => blob,
        Err(_) => Vec::new(),
    }
}

fn check(key: &KeyData) -> Result<(), KeyError> {
    match key {
        KeyData::Ed25519(_)
        | KeyData::Ecdsa(_)
        | KeyData::SkEcdsaSha2NistP256(_)
        | KeyData::SkEd25519(_) => Ok(()),
        KeyData::Rsa(rsa) => {
            let unreadable = || KeyError::Unreadable("its numbers are not positive".to_owned());
            let modulus = rsa.n.as_positive_bytes().ok_or_else(unreadable)?;
            let bits = modulus.len() * 8
                - modulus
                    .first()
                    .map_or(0, |byte| byte.leading_zeros() as usize);
            if !(WEAKEST_RSA..=LARGEST_RSA).contains(&bits) {
                return Err(KeyError::RsaSize { bits });
            }
            match rsa.e.as_positive_bytes().ok_or_else(unreadable)? {
                // 65537 is what everybody uses, 17 and 257 are odd habits; 3 and even numbers are mistakes.
                [17] | [1, 1] | [1, 0, 1] => Ok(()),
                _ => Err(KeyError::RsaExponent),
            }
        }
        other => Err(KeyError::Type(match other.algorithm() {
            Algorithm::Dsa => "ssh-dss".to_owned(),
            algorithm => algorithm.as_str().to_owned(),
        })),
    }
}

/// The name at the beginning of a key.
fn type_of(blob: &[u8]) -> Option<&[u8]> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreadable(cause: impl ToString) -> KeyError {
    KeyError::Unreadable(cause.to_string())
}
