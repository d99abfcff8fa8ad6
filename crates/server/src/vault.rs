//! Encryption of secrets that must be read back to be used, with keys derived from the installation's own.

use crate::keys::MasterKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret, SecretString};
use std::io;

/// Encrypts the secrets of one purpose.
pub(crate) struct Vault(RandomizedNonceKey);

/// Why a sealed secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the stored secret cannot be decrypted; it belongs to another master.key: restore that file, or give the secret again"
)]
pub(crate) struct Damaged;

impl Vault {
    /// `purpose` tells the keys of one kind of secrets from those of another.
    pub(crate) fn new(master: &MasterKey, purpose: &str) -> io::Result<Self> {
        Self::with_key(&master.derive(purpose)?)
    }

    fn with_key(key: &[u8; 32]) -> io::Result<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, key)
            .map(Self)
            .map_err(|_| io::Error::other("the key for secrets is not usable"))
    }

    /// The secret encrypted for one owner, so that it is of no use in the row of another.
    pub(crate) fn seal(&self, owner: &str, secret: &SecretString) -> Result<Vec<u8>, Damaged> {
        let mut sealed = secret.expose_secret().as_bytes().to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(owner), &mut sealed)
            .map_err(|_| Damaged)?;
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        Ok(out)
    }

    /// The secret again.
    pub(crate) fn open(&self, owner: &str, sealed: &[u8]) -> Result<SecretString, Damaged> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Damaged)?;
        let mut rest = rest.to_vec();
        let secret = self
            .0
            .open_in_place(nonce, Aad::from(owner), &mut rest)
            .map_err(|_| Damaged)?;
        let text = std::str::from_utf8(secret).map_err(|_| Damaged)?;
        Ok(SecretString::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_for_its_owner_and_key() {
        let vault = Vault::with_key(&[7; 32]).unwrap();
        let sealed = vault.seal("a", &SecretString::from("Bearer x")).unwrap();
        let opened = vault.open("a", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "Bearer x");
        let mut altered = sealed.clone();
        altered[NONCE_LEN] ^= 1;
        let other = Vault::with_key(&[8; 32]).unwrap();
        for (name, result) in [
            ("another owner", vault.open("b", &sealed)),
            ("another key", other.open("a", &sealed)),
            ("altered", vault.open("a", &altered)),
            ("too short", vault.open("a", &[1, 2, 3])),
        ] {
            assert_eq!(result.err(), Some(Damaged), "{name}");
        }
    }

    #[test]
    fn equal_secrets_are_sealed_differently() {
        let vault = Vault::with_key(&[7; 32]).unwrap();
        let secret = SecretString::from("Bearer x");
        assert_ne!(vault.seal("a", &secret), vault.seal("a", &secret));
    }
}
