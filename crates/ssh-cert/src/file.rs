//! Signatures of files, as `ssh-keygen -Y sign` makes them (OpenSSH's `PROTOCOL.sshsig`).

use ssh_key::SshSig;

use crate::authority::verifies;
use crate::subject;

/// The largest signature, in bytes.
const MAX_BYTES: usize = 8_192;

/// Why a file is not taken for signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No signature at all.
    #[error("this is no SSH signature: {0}")]
    Unreadable(String),
    /// By a key that is not one of those that are trusted.
    #[error("{0} has signed it, which is none of the trusted keys")]
    Foreign(String),
    /// For something else.
    #[error("the signature is for {0:?}")]
    Purpose(String),
    /// Not of this file.
    #[error("the signature is wrong")]
    Wrong,
}

/// Whether one of the trusted keys, given by their wire forms, has signed a file for one purpose (`namespace`): the
/// counterpart of [`Authority::sign_file`](crate::Authority::sign_file).
///
/// # Errors
/// When none has, the signature is for another purpose, or it is wrong.
pub fn verify(
    trusted: &[Vec<u8>],
    namespace: &str,
    file: &[u8],
    signature: &str,
) -> Result<(), Error> {
    if signature.len() > MAX_BYTES {
        return Err(Error::Unreadable("it is too large".to_owned()));
    }
    let read = SshSig::from_pem(signature);
    let signature = read.map_err(|cause| Error::Unreadable(cause.to_string()))?;
    let signer = signature.public_key();
    if !trusted.contains(&subject::blob(signer)) {
        return Err(Error::Foreign(subject::fingerprint(signer)));
    }
    if signature.namespace() != namespace {
        return Err(Error::Purpose(signature.namespace().to_owned()));
    }
    let covered = SshSig::signed_data(namespace, signature.hash_alg(), file);
    let covered = covered.map_err(|_| Error::Wrong)?;
    verifies(signer, &covered, signature.signature()).ok_or(Error::Wrong)
}
