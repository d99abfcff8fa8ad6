//! Private keys encrypted with a password, as provisioners show them: JWE (RFC 7516) with `PBES2-HS256+A128KW` (RFC 7518
//! section 4.8) and `A256GCM` (section 5.3).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::key_wrap::{AES_128, AesKek, KeyWrap};
use aws_lc_rs::pbkdf2;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

const ALGORITHM: &str = "PBES2-HS256+A128KW";
const ENCRYPTION: &str = "A256GCM";
/// Rounds of the password's hash: what `step` itself takes, after OWASP's advice of 2023 for PBKDF2 with SHA-256.
const ROUNDS: u32 = 600_000;
/// What is read at most, so that nobody makes us hash for hours.
const MOST_ROUNDS: u32 = 10_000_000;
const TAG: usize = 16;

/// The random numbers of one encryption.
#[derive(Clone)]
pub struct Randomness {
    /// For the password's hash.
    pub salt: [u8; 16],
    /// What the content is encrypted with.
    pub key: [u8; 32],
    /// With which start.
    pub nonce: [u8; NONCE_LEN],
}

/// Why something was not encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is none of ours, or of another kind.
    #[error("this is no JWE with {ALGORITHM} and {ENCRYPTION}")]
    Unreadable,
    /// The password is another, or it was changed.
    #[error("the password is wrong, or the encrypted key was changed")]
    Password,
    /// The library refuses.
    #[error("the key could not be encrypted")]
    Failed,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    cty: String,
    enc: String,
    p2c: u32,
    p2s: String,
}

/// Encrypts a private key (a JWK) with a password.
///
/// # Errors
/// When the library refuses, which it does not.
pub fn encrypt(jwk: &[u8], password: &str, random: &Randomness) -> Result<String, Error> {
    let header = Header {
        alg: ALGORITHM.to_owned(),
        cty: "jwk+json".to_owned(),
        enc: ENCRYPTION.to_owned(),
        p2c: ROUNDS,
        p2s: URL_SAFE_NO_PAD.encode(random.salt),
    };
    let header = serde_json::to_vec(&header).map_err(|_| Error::Failed)?;
    let header = URL_SAFE_NO_PAD.encode(header);
    let mut wrapped = [0; 40];
    let wrapped = kek(password, &random.salt, ROUNDS)?
        .wrap(&random.key, &mut wrapped)
        .map_err(|_| Error::Failed)?;
    let mut content = jwk.to_vec();
    let nonce = Nonce::assume_unique_for_key(random.nonce);
    let tag = cipher(&random.key)?
        .seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut content)
        .map_err(|_| Error::Failed)?;
    let parts: [&[u8]; 4] = [wrapped, &random.nonce, &content, tag.as_ref()];
    let parts = parts.map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}

/// Decrypts what [`encrypt`] has made.
///
/// # Errors
/// When the password is another one, or it is no such thing.
pub fn decrypt(jwe: &str, password: &str) -> Result<Vec<u8>, Error> {
    let mut parts = jwe.split('.');
    let mut next = || parts.next().ok_or(Error::Unreadable);
    let encoded = next()?;
    let read = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Error::Unreadable);
    let (wrapped, nonce, mut content, tag) = (
        read(next()?)?,
        read(next()?)?,
        read(next()?)?,
        read(next()?)?,
    );
    let header: Header = serde_json::from_slice(&read(encoded)?).map_err(|_| Error::Unreadable)?;
    if header.alg != ALGORITHM || header.enc != ENCRYPTION || header.p2c > MOST_ROUNDS {
        return Err(Error::Unreadable);
    }
    let mut key = [0; 32];
    let key = kek(password, &read(&header.p2s)?, header.p2c)?
        .unwrap(&wrapped, &mut key)
        .map_err(|_| Error::Password)?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| Error::Unreadable)?;
    if tag.len() != TAG {
        return Err(Error::Unreadable);
    }
    content.extend(tag);
    let opened = cipher(key)?
        .open_in_place(nonce, Aad::from(encoded.as_bytes()), &mut content)
        .map_err(|_| Error::Password)?;
    Ok(opened.to_vec())
}

/// The key that wraps the content's key. Its salt has the algorithm's name in front (RFC 7518 section 4.8.1.1).
fn kek(password: &str, salt: &[u8], rounds: u32) -> Result<AesKek, Error> {
    let salt = [ALGORITHM.as_bytes(), &[0], salt].concat();
    let rounds = NonZeroU32::new(rounds).ok_or(Error::Unreadable)?;
    let mut key = [0; 16];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, rounds, &salt, password.as_bytes(), &mut key);
    AesKek::new(&AES_128, &key).map_err(|_| Error::Failed)
}

fn cipher(key: &[u8]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_| Error::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: Randomness = Randomness {
        salt: [1; 16],
        key: [2; 32],
        nonce: [3; 12],
    };

    #[test]
    fn what_is_encrypted_opens_with_the_password_alone() {
        let jwe = encrypt(br#"{"kty":"EC"}"#, "correct horse", &RANDOM).unwrap();
        assert_eq!(decrypt(&jwe, "correct horse").unwrap(), br#"{"kty":"EC"}"#);
        assert_eq!(decrypt(&jwe, "battery staple"), Err(Error::Password));
        let mut parts: Vec<&str> = jwe.split('.').collect();
        parts[3] = "AAAA";
        assert_eq!(
            decrypt(&parts.join("."), "correct horse"),
            Err(Error::Password)
        );
        for broken in ["", "a.b.c.d.e", "....", "e30.e30.e30.e30.e30"] {
            assert_eq!(
                decrypt(broken, "correct horse"),
                Err(Error::Unreadable),
                "{broken}"
            );
        }
    }
}
