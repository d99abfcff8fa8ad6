//! Public keys that tokens are verified with, from the three forms in which they come.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as Spki;

/// A key that has signed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
    /// The uncompressed point.
    Ec(Curve, Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A private one: whoever reads our configuration could sign with it.
    #[error("this key is private; give its public part")]
    Private,
    /// The key of a certificate that is not for signatures.
    #[error("the certificate is not for digital signatures")]
    Usage,
    /// A form that is not known, or a shared secret.
    #[error(
        "this is no public key that is known here: use EC (P-256, P-384, P-521), Ed25519 or RSA from 2048 bits"
    )]
    Unknown,
}

impl Curve {
    /// By what JWK, and SSH, call it.
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"P-256" | b"nistp256" => Self::P256,
            b"P-384" | b"nistp384" => Self::P384,
            b"P-521" | b"nistp521" => Self::P521,
            _ => return None,
        })
    }

    /// Bytes of a coordinate.
    fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl PublicKey {
    /// A JSON Web Key (RFC 7517).
    ///
    /// # Errors
    /// When it is private, or of a kind that is not known.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        if ["d", "p", "q", "k"]
            .iter()
            .any(|name| jwk.get(name).is_some())
        {
            return Err(KeyError::Private);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)).unwrap_or_default();
        match text("kty") {
            "RSA" => Self::rsa(&bytes("n"), &bytes("e")),
            "EC" => {
                let curve = Curve::named(text("crv").as_bytes()).ok_or(KeyError::Unknown)?;
                let (x, y) = (bytes("x"), bytes("y"));
                let fits = |part: &[u8]| part.len() == curve.size();
                if !fits(&x) || !fits(&y) {
                    return Err(KeyError::Unknown);
                }
                Self::ec(curve, [vec![4], x, y].concat())
            }
            "OKP" if text("crv") == "Ed25519" => Self::ed25519(bytes("x")),
            _ => Err(KeyError::Unknown),
        }
    }

    /// The key of an SSH certificate, or of anything else of SSH, in its form on the wire (RFC 4253 section 6.6, RFC 5656
    /// section 3.1, RFC 8709 section 4).
    ///
    /// # Errors
    /// When it is of a kind that signs no tokens, such as a security key's.
    pub fn from_ssh(blob: &[u8]) -> Result<Self, KeyError> {
        let mut rest = blob;
        let mut next = || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (part, after) = after.split_at_checked(length)?;
            rest = after;
            Some(part)
        };
        let (Some(name), Some(first)) = (next(), next()) else {
            return Err(KeyError::Unknown);
        };
        match name {
            b"ssh-ed25519" => Self::ed25519(first.to_vec()),
            b"ssh-rsa" => Self::rsa(next().unwrap_or_default(), first),
            _ if name.strip_prefix(b"ecdsa-sha2-") == Some(first) => {
                let curve = Curve::named(first).ok_or(KeyError::Unknown)?;
                Self::ec(curve, next().unwrap_or_default().to_vec())
            }
            _ => Err(KeyError::Unknown),
        }
    }

    /// The key of an X.509 certificate (DER) that may sign more than certificates. Whether to trust it is not asked here.
    ///
    /// # Errors
    /// When it is none, or its key signs no tokens.
    pub fn from_certificate(der: &[u8]) -> Result<Self, KeyError> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| KeyError::Unknown)?;
        let usage = certificate.key_usage().ok().flatten();
        if !usage.is_some_and(|usage| usage.value.digital_signature()) {
            return Err(KeyError::Usage);
        }
        let spki = certificate.public_key();
        match spki.parsed() {
            Ok(Spki::RSA(key)) => Self::rsa(key.modulus, key.exponent),
            Ok(Spki::EC(point)) => {
                let point = point.data().to_vec();
                let curve = match point.len() {
                    65 => Curve::P256,
                    97 => Curve::P384,
                    133 => Curve::P521,
                    _ => return Err(KeyError::Unknown),
                };
                Self::ec(curve, point)
            }
            // RFC 8410 section 3.
            _ if spki.algorithm.algorithm.to_id_string() == "1.3.101.112" => {
                Self::ed25519(spki.subject_public_key.data.to_vec())
            }
            _ => Err(KeyError::Unknown),
        }
    }

    fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let stripped = |number: &[u8]| {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            number.get(zeros..).unwrap_or_default().to_vec()
        };
        let (n, e) = (stripped(n), stripped(e));
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        match (2_048..=8_192).contains(&bits) && !e.is_empty() {
            true => Ok(Self(Form::Rsa(n, e))),
            false => Err(KeyError::Unknown),
        }
    }

    fn ec(curve: Curve, point: Vec<u8>) -> Result<Self, KeyError> {
        match point.len() == 1 + 2 * curve.size() && point.first() == Some(&4) {
            true => Ok(Self(Form::Ec(curve, point))),
            false => Err(KeyError::Unknown),
        }
    }

    fn ed25519(key: Vec<u8>) -> Result<Self, KeyError> {
        match key.len() {
            32 => Ok(Self(Form::Ed25519(key))),
            _ => Err(KeyError::Unknown),
        }
    }

    /// Whether this key has made a signature over a message with an algorithm of RFC 7518 section 3.1 or RFC 8037. An
    /// algorithm that is not the key's own has signed nothing.
    #[must_use]
    pub fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let with = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            let key = UnparsedPublicKey::new(algorithm, key);
            key.verify(message, signature).is_ok()
        };
        match (&self.0, algorithm) {
            (Form::Ec(Curve::P256, point), "ES256") => with(&ECDSA_P256_SHA256_FIXED, point),
            (Form::Ec(Curve::P384, point), "ES384") => with(&ECDSA_P384_SHA384_FIXED, point),
            (Form::Ec(Curve::P521, point), "ES512") => with(&ECDSA_P521_SHA512_FIXED, point),
            (Form::Ed25519(key), "EdDSA") => with(&ED25519, key),
            (Form::Rsa(n, e), algorithm) => {
                let key = RsaPublicKeyComponents { n, e };
                rsa_parameters(algorithm)
                    .is_some_and(|with| key.verify(with, message, signature).is_ok())
            }
            _ => false,
        }
    }
}

fn rsa_parameters(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}
