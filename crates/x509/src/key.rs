//! Keys of authorities: ECDSA P-256, which every client of TLS knows.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use crate::Error;

/// Signs a message elsewhere, such as in a token: ECDSA P-256 with SHA-256, as `r` and `s` of 32 bytes each.
pub type Elsewhere = Arc<dyn Fn(&[u8]) -> Result<[u8; 64], String> + Send + Sync>;

/// A key that signs certificates. It does not print its secret.
#[derive(Clone)]
pub struct Key {
    /// The point, uncompressed (SEC 1 section 2.3.3).
    public: Vec<u8>,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Here(Arc<EcdsaKeyPair>),
    Elsewhere(Elsewhere),
}

impl Key {
    /// A new key, in the form in which it is kept (PKCS #8). It is wiped when it is dropped.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn generate() -> Result<Zeroizing<Vec<u8>>, Error> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        let document = document.map_err(|cause| Error::Sign(cause.to_string()))?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// A key from the form in which it is kept.
    ///
    /// # Errors
    /// When it is no such key.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, Error> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document);
        let pair = pair.map_err(|cause| Error::Key(cause.to_string()))?;
        Ok(Self {
            public: pair.public_key().as_ref().to_vec(),
            secret: Secret::Here(Arc::new(pair)),
        })
    }

    /// A key that is held elsewhere; `public` is its point, uncompressed.
    pub fn elsewhere(public: Vec<u8>, sign: Elsewhere) -> Self {
        Self {
            public,
            secret: Secret::Elsewhere(sign),
        }
    }

    /// Its public half, as certificates have it (SubjectPublicKeyInfo, DER).
    pub fn public(&self) -> Vec<u8> {
        self.subject_public_key_info()
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match &self.secret {
            Secret::Here(pair) => {
                let signed = pair.sign(&SystemRandom::new(), message);
                let signed = signed.map_err(|_| rcgen::Error::RemoteKeyError)?;
                Ok(signed.as_ref().to_vec())
            }
            Secret::Elsewhere(sign) => {
                let signed = sign(message).map_err(|_| rcgen::Error::RemoteKeyError)?;
                Ok(sequence(&signed))
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// Both numbers of a signature as a sequence of two integers in DER (RFC 3279 section 2.2.3).
fn sequence(signature: &[u8; 64]) -> Vec<u8> {
    let (r, s) = signature.split_at(32);
    let mut body = Vec::with_capacity(72);
    for number in [r, s] {
        let start = number.iter().position(|byte| *byte != 0);
        let number = number.get(start.unwrap_or(31)..).unwrap_or_default();
        // The first bit says whether an integer is negative.
        let padded = number.first().is_some_and(|byte| byte & 0x80 != 0);
        body.push(2);
        body.push(length(number.len() + usize::from(padded)));
        if padded {
            body.push(0);
        }
        body.extend_from_slice(number);
    }
    let mut out = vec![0x30, length(body.len())];
    out.append(&mut body);
    out
}

/// A length below 128, which is its own form in DER: two numbers of 33 bytes have 70 with what goes before them.
fn length(bytes: usize) -> u8 {
    u8::try_from(bytes).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, UnparsedPublicKey,
    };
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A verifier of the other form accepts what was made of a signature in two halves.
        #[test]
        fn a_signature_from_elsewhere_is_as_good_as_one_from_here(message in any::<Vec<u8>>()) {
            let document = Key::generate().unwrap();
            let fixed = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document).unwrap();
            let public = fixed.public_key().as_ref().to_vec();
            let sign: Elsewhere = Arc::new(move |message| {
                let signed = fixed.sign(&SystemRandom::new(), message).map_err(|_| String::new())?;
                signed.as_ref().try_into().map_err(|_| String::new())
            });
            let key = Key::elsewhere(public.clone(), sign);
            let signed = SigningKey::sign(&key, &message).unwrap();
            let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public);
            prop_assert!(verifier.verify(&message, &signed).is_ok());
        }
    }

    #[test]
    fn small_numbers_and_large_ones_are_written_as_der_has_them() {
        let mut signature = [0; 64];
        signature[31] = 1;
        signature[32] = 0x80;
        let written = sequence(&signature);
        assert_eq!(written[..7], [0x30, 38, 2, 1, 1, 2, 33]);
        assert_eq!(written[7..9], [0, 0x80]);
        assert_eq!(sequence(&[0; 64]), [0x30, 6, 2, 1, 0, 2, 1, 0]);
    }
}
