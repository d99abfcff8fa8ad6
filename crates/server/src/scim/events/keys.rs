//! The keys of security events: one signs the tokens, the other hides what receivers want to be shown.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_directory::streams::Sealed;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::io;

/// Signs security event tokens with Ed25519 (RFC 8037). The same key for as long as the installation lives.
pub(crate) struct Signer {
    key: Ed25519KeyPair,
    /// The public half, as a JWK has it.
    x: String,
    /// The JWK thumbprint (RFC 7638).
    kid: String,
}

impl Signer {
    pub(super) fn new(seed: &[u8; 32]) -> io::Result<Self> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|error| io::Error::other(format!("the signing key is not usable: {error}")))?;
        let x = URL_SAFE_NO_PAD.encode(key.public_key());
        // RFC 7638 wants exactly these members in this order.
        let members = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
        Ok(Self { key, x, kid })
    }

    /// The token in compact form (RFC 7515 section 3.1), typed as RFC 8417 section 2.3 says.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "secevent+jwt", "kid": self.kid });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(&header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(token.as_bytes()));
        token.push('.');
        token.push_str(&signature);
        token
    }

    /// The public key as a set of one (RFC 7517 section 5).
    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "x": self.x, "kid": self.kid, "alg": "EdDSA", "use": "sig",
        }] })
    }
}

/// Encrypts the `Authorization` values that must be read back to be sent.
pub(crate) struct Vault(RandomizedNonceKey);

/// Why a sealed value cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the stored Authorization value cannot be decrypted; it belongs to another master.key: restore that file, or delete the stream and create it again"
)]
pub(crate) struct Damaged;

impl Vault {
    pub(super) fn new(key: &[u8; 32]) -> io::Result<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, key)
            .map(Self)
            .map_err(|_| io::Error::other("the key for secrets is not usable"))
    }

    /// The value encrypted for one stream, so that it is of no use in the row of another.
    pub(crate) fn seal(&self, stream_id: &str, value: &SecretString) -> Result<Sealed, Damaged> {
        let mut sealed = value.expose_secret().as_bytes().to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(stream_id), &mut sealed)
            .map_err(|_| Damaged)?;
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        Ok(Sealed(out))
    }

    /// The value again.
    pub(super) fn open(&self, stream_id: &str, sealed: &Sealed) -> Result<SecretString, Damaged> {
        let (nonce, rest) = sealed.0.split_at_checked(NONCE_LEN).ok_or(Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Damaged)?;
        let mut rest = rest.to_vec();
        let value = self
            .0
            .open_in_place(nonce, Aad::from(stream_id), &mut rest)
            .map_err(|_| Damaged)?;
        let text = std::str::from_utf8(value).map_err(|_| Damaged)?;
        Ok(SecretString::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_for_its_stream_and_key() {
        let vault = Vault::new(&[7; 32]).unwrap();
        let sealed = vault.seal("a", &SecretString::from("Bearer x")).unwrap();
        let opened = vault.open("a", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "Bearer x");
        let mut altered = sealed.clone();
        altered.0[NONCE_LEN] ^= 1;
        let other = Vault::new(&[8; 32]).unwrap();
        for (name, result) in [
            ("another stream", vault.open("b", &sealed)),
            ("another key", other.open("a", &sealed)),
            ("altered", vault.open("a", &altered)),
            ("too short", vault.open("a", &Sealed(vec![1, 2, 3]))),
        ] {
            assert_eq!(result.err(), Some(Damaged), "{name}");
        }
    }

    #[test]
    fn equal_values_are_sealed_differently() {
        let vault = Vault::new(&[7; 32]).unwrap();
        let value = SecretString::from("Bearer x");
        assert_ne!(vault.seal("a", &value), vault.seal("a", &value));
    }
}
