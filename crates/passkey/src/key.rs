//! Public keys of credentials, in COSE (RFC 9052, RFC 9053, RFC 8812).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};

use crate::Refused;
use crate::cbor::Map;

const WHAT: &str = "public key";

/// COSE's numbers of the algorithms that are offered, the best first.
pub(crate) const ALGORITHMS: [i64; 3] = [EDDSA, ES256, RS256];

const EDDSA: i64 = -8;
const ES256: i64 = -7;
const RS256: i64 = -257;

// Names in the map of a key (RFC 9052 section 7.1, RFC 9053 section 7, RFC 8230 section 4).
const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const N: i64 = -1;
const E: i64 = -2;

const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const KTY_RSA: i64 = 3;
const CRV_P256: i64 = 1;
const CRV_ED25519: i64 = 6;

/// The only exponent that authenticators use; small ones invite forgery, large ones make every verification slow.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A key that signatures of a passkey are checked with: Ed25519, ECDSA on P-256 with SHA-256, or RSA of 2048 to 8192 bits
/// (PKCS #1 v1.5 with SHA-256).
#[derive(Debug)]
pub struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// A key in the form in which an authenticator made it and a [`Credential`](crate::Credential) keeps it.
    ///
    /// # Errors
    /// When it is none, or one of an algorithm that is not offered.
    pub fn from_cose(bytes: &[u8]) -> Result<Self, Refused> {
        match Self::read(bytes)? {
            (key, length) if length == bytes.len() => Ok(key),
            _ => Err(Refused::Malformed(WHAT)),
        }
    }

    /// A key at the front of the bytes, and how many it takes.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, usize), Refused> {
        let mut rest = bytes;
        let map = Map::read(&mut rest, WHAT)?;
        let number = |name| map.number(name).ok_or(Refused::Malformed(WHAT));
        let key = match (number(ALG)?, number(KTY)?) {
            (EDDSA, KTY_OKP) => ed25519(&map),
            (ES256, KTY_EC2) => p256(&map),
            (RS256, KTY_RSA) => rsa(&map),
            (EDDSA | ES256 | RS256, _) => None,
            (other, _) => return Err(Refused::Algorithm(other)),
        };
        let key = key.ok_or(Refused::Malformed(WHAT))?;
        Ok((Self(key), bytes.len() - rest.len()))
    }

    /// Whether this key has signed the message.
    ///
    /// # Errors
    /// When it has not.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refused> {
        self.0
            .verify_sig(message, signature)
            .map_err(|_| Refused::Signature)
    }
}

fn ed25519(map: &Map) -> Option<ParsedPublicKey> {
    let x: &[u8; 32] = map.bytes(X)?.try_into().ok()?;
    match map.number(CRV)? {
        CRV_ED25519 => ParsedPublicKey::new(&ED25519, x).ok(),
        _ => None,
    }
}

fn p256(map: &Map) -> Option<ParsedPublicKey> {
    let x: &[u8; 32] = map.bytes(X)?.try_into().ok()?;
    // The compressed form, with a sign for `y`, is not allowed here (WebAuthn section 5.8.5).
    let y: &[u8; 32] = map.bytes(Y)?.try_into().ok()?;
    // SEC 1 section 2.3.3: 4 means that both coordinates follow.
    let point = [&[4][..], x, y].concat();
    match map.number(CRV)? {
        CRV_P256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok(),
        _ => None,
    }
}

fn rsa(map: &Map) -> Option<ParsedPublicKey> {
    let (n, e) = (map.bytes(N)?, map.bytes(E)?);
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    if !(2_048..=8_192).contains(&bits) || e != EXPONENT {
        return None;
    }
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .ok()
}
