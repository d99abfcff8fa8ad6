//! New keys of people and hosts, and how they are written.

use crate::failure::Failure;
use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::{Ed25519PublicKey, KeyData};
use ssh_key::{LineEnding, PrivateKey, PublicKey};
use zeroize::Zeroizing;

/// A new key.
pub(crate) fn generate() -> Result<Ed25519Keypair, Failure> {
    let failed = || Failure::plain("this machine gives no random numbers for a key");
    let made = Ed25519KeyPair::generate().map_err(|_| failed())?;
    let seed = made.seed().map_err(|_| failed())?;
    let seed = seed.as_be_bytes().map_err(|_| failed())?;
    Ok(Ed25519Keypair {
        public: Ed25519PublicKey::try_from(made.public_key().as_ref()).map_err(|_| failed())?,
        private: Ed25519PrivateKey::try_from(seed.as_ref()).map_err(|_| failed())?,
    })
}

/// The line of a public key, without an end of line.
pub(crate) fn public(key: Ed25519PublicKey, comment: &str) -> Result<String, Failure> {
    let key = PublicKey::new(KeyData::Ed25519(key), comment);
    key.to_openssh().map_err(|error| unwritable(&error))
}

/// The file of a private key, as OpenSSH reads it, wiped when it is dropped.
pub(crate) fn private(pair: &Ed25519Keypair, comment: &str) -> Result<Zeroizing<String>, Failure> {
    PrivateKey::new(KeypairData::Ed25519(pair.clone()), comment)
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(|error| unwritable(&error))
}

pub(super) fn unwritable(error: &ssh_key::Error) -> Failure {
    Failure::plain(format!("a key cannot be written: {error}"))
}
