//! Keys of certificate authorities: signing, and recognising what they have signed.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, UnparsedPublicKey,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use signature::Signer;
use ssh_key::certificate::{Builder, CertType, Certificate};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, LineEnding, Mpint, Signature, SshSig};
use zeroize::Zeroizing;

use crate::policy::{Kind, Unsigned};
use crate::subject::{self, SubjectKey};

/// Bytes of random data that make every certificate another one (OpenSSH's `PROTOCOL.certkeys`).
pub const NONCE_BYTES: usize = 32;

/// What an authority signs with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// `ssh-ed25519`.
    #[default]
    Ed25519,
    /// `ecdsa-sha2-nistp256`.
    Ecdsa,
}

/// The key of an authority. It does not print its secret.
pub struct Authority {
    pair: Pair,
    public: KeyData,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Elsewhere(Elsewhere),
}

/// Signs a message elsewhere, such as in a token: ECDSA P-256 with SHA-256, as `r` and `s` of 32 bytes each.
pub type Elsewhere = Arc<dyn Fn(&[u8]) -> Result<[u8; 64], String> + Send + Sync>;

/// A certificate with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed(Certificate);

/// What is wrong with a key or a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key cannot be read.
    #[error("this cannot be the key of a certificate authority: {0}")]
    Key(String),
    /// The machine gives no random numbers, or the key cannot sign.
    #[error("the certificate could not be signed: {0}")]
    Sign(String),
    /// No certificate.
    #[error("this is no SSH certificate: {0}")]
    Unreadable(String),
    /// By a key that is not one of those that are trusted.
    #[error("this certificate was signed by {0}, which is none of our keys")]
    Foreign(String),
    /// The signature does not belong to the certificate.
    #[error("the signature of this certificate is wrong")]
    Forged,
}

impl Authority {
    /// A new key, in the form in which it is kept (PKCS #8). It is wiped when it is dropped.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn generate(kind: KeyType) -> Result<Zeroizing<Vec<u8>>, Error> {
        let random = SystemRandom::new();
        let document = match kind {
            KeyType::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random),
            KeyType::Ecdsa => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            }
        };
        let document = document.map_err(|cause| Error::Sign(cause.to_string()))?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// A key from the form in which it is kept.
    ///
    /// # Errors
    /// When it is no key of this type.
    pub fn from_pkcs8(kind: KeyType, document: &[u8]) -> Result<Self, Error> {
        let rejected = |cause: aws_lc_rs::error::KeyRejected| Error::Key(cause.to_string());
        let unfit = |cause: ssh_key::Error| Error::Key(cause.to_string());
        match kind {
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(document).map_err(rejected)?;
                let public =
                    Ed25519PublicKey::try_from(pair.public_key().as_ref()).map_err(unfit)?;
                Ok(Self {
                    pair: Pair::Ed25519(pair),
                    public: KeyData::Ed25519(public),
                })
            }
            KeyType::Ecdsa => {
                let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_pkcs8(signing, document).map_err(rejected)?;
                let public =
                    EcdsaPublicKey::from_sec1_bytes(pair.public_key().as_ref()).map_err(unfit)?;
                Ok(Self {
                    pair: Pair::Ecdsa(pair),
                    public: KeyData::Ecdsa(public),
                })
            }
        }
    }

    /// A key that is held elsewhere: ECDSA P-256, with its point in uncompressed form (SEC 1 section 2.3.3).
    ///
    /// # Errors
    /// When that is no point of the curve.
    pub fn elsewhere(point: &[u8], sign: Elsewhere) -> Result<Self, Error> {
        let public = EcdsaPublicKey::from_sec1_bytes(point);
        let public = public.map_err(|cause| Error::Key(cause.to_string()))?;
        Ok(Self {
            pair: Pair::Elsewhere(sign),
            public: KeyData::Ecdsa(public),
        })
    }

    /// Whether signing takes as long as asking somebody else.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self.pair, Pair::Elsewhere(_))
    }

    /// The signature of a file for one purpose (`namespace`), in the form that `ssh-keygen -Y verify` takes.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign_file(&self, namespace: &str, file: &[u8]) -> Result<String, Error> {
        let signed = SshSig::sign(self, namespace, HashAlg::Sha512, file)
            .and_then(|signature| signature.to_pem(LineEnding::LF));
        signed.map_err(|cause| Error::Sign(cause.to_string()))
    }

    /// The public key as `TrustedUserCAKeys` and `@cert-authority` want it, with a comment.
    pub fn public_openssh(&self, comment: &str) -> String {
        let key = ssh_key::PublicKey::new(self.public.clone(), comment);
        key.to_openssh().unwrap_or_default()
    }

    /// The form of the public key on the wire.
    pub fn public_blob(&self) -> Vec<u8> {
        subject::blob(&self.public)
    }

    /// `SHA256:…` of the public key.
    pub fn fingerprint(&self) -> String {
        subject::fingerprint(&self.public)
    }

    /// Signs what was decided. The serial number is what the certificate is recorded under; 0 stands for none in revocation
    /// lists, so it is refused.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign(
        &self,
        unsigned: &Unsigned,
        serial: u64,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Signed, Error> {
        let failed = |cause: ssh_key::Error| Error::Sign(cause.to_string());
        if serial == 0 {
            return Err(Error::Sign("serial number 0 stands for none".to_owned()));
        }
        let seconds = |moment: Timestamp| {
            u64::try_from(moment.as_second())
                .map_err(|_| Error::Sign("its time is before 1970".to_owned()))
        };
        let (after, before) = (
            seconds(unsigned.valid_after)?,
            seconds(unsigned.valid_before)?,
        );
        let key = unsigned.key.data().clone();
        let mut builder = Builder::new(nonce, key, after, before).map_err(failed)?;
        let kind = match unsigned.kind {
            Kind::User => CertType::User,
            Kind::Host => CertType::Host,
        };
        builder.serial(serial).map_err(failed)?;
        builder.cert_type(kind).map_err(failed)?;
        builder.key_id(&unsigned.named.key_id).map_err(failed)?;
        for principal in &unsigned.named.principals {
            builder.valid_principal(principal).map_err(failed)?;
        }
        for (name, value) in &unsigned.extensions {
            builder.extension(name, value).map_err(failed)?;
        }
        for (name, value) in &unsigned.critical_options {
            builder.critical_option(name, value).map_err(failed)?;
        }
        builder.sign(self).map(Signed).map_err(failed)
    }
}

impl ssh_key::SigningKey for Authority {
    fn public_key(&self) -> KeyData {
        self.public.clone()
    }
}

impl Signer<Signature> for Authority {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, signature::Error> {
        match &self.pair {
            Pair::Ed25519(pair) => Signature::new(Algorithm::Ed25519, pair.sign(message).as_ref())
                .map_err(signature::Error::from_source),
            Pair::Ecdsa(pair) => {
                let signed = pair
                    .sign(&SystemRandom::new(), message)
                    .map_err(signature::Error::from_source)?;
                ecdsa(signed.as_ref())
            }
            Pair::Elsewhere(sign) => {
                let signed = sign(message).map_err(signature::Error::from_source)?;
                ecdsa(&signed)
            }
        }
    }
}

/// A signature of P-256 from its two numbers.
fn ecdsa(fixed: &[u8]) -> Result<Signature, signature::Error> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let mut blob = Vec::new();
    for half in [r, s] {
        let number = Mpint::from_positive_bytes(half).map_err(signature::Error::from_source)?;
        ssh_encoding::Encode::encode(&number, &mut blob).map_err(signature::Error::from_source)?;
    }
    let algorithm = Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    };
    Signature::new(algorithm, blob).map_err(signature::Error::from_source)
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

impl Signed {
    /// A certificate as it comes over the wire. Its signature is not looked at: [`check`](Self::check) does.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_blob(blob: &[u8]) -> Result<Self, Error> {
        if blob.len() > 4 * subject::MAX_BYTES {
            return Err(Error::Unreadable("it is too large".to_owned()));
        }
        let certificate =
            Certificate::from_bytes(blob).map_err(|cause| Error::Unreadable(cause.to_string()))?;
        // What is checked later is this form, so nothing else may have come.
        match certificate.to_bytes() {
            Ok(again) if again == blob => Ok(Self(certificate)),
            _ => Err(Error::Unreadable("it is not in canonical form".to_owned())),
        }
    }

    /// Whether one of our keys has signed it, by their wire forms.
    ///
    /// # Errors
    /// When none has, or the signature is wrong.
    pub fn check(&self, trusted: &[Vec<u8>]) -> Result<(), Error> {
        let signer = self.0.signature_key();
        let signer_blob = subject::blob(signer);
        if signer_blob.is_empty() || !trusted.contains(&signer_blob) {
            return Err(Error::Foreign(subject::fingerprint(signer)));
        }
        let blob = self.blob();
        let mut signature = Vec::new();
        ssh_encoding::Encode::encode(self.0.signature(), &mut signature)
            .map_err(|_| Error::Forged)?;
        // The signature stands at the end, as a string: with its length in front.
        let covered = blob
            .len()
            .checked_sub(signature.len() + 4)
            .and_then(|length| blob.get(..length));
        match verifies(signer, covered.ok_or(Error::Forged)?, self.0.signature()) {
            Some(()) => Ok(()),
            None => Err(Error::Forged),
        }
    }

    /// As a line of a `-cert.pub` file.
    pub fn openssh(&self) -> String {
        self.0.to_openssh().unwrap_or_default()
    }

    /// Its form on the wire.
    pub fn blob(&self) -> Vec<u8> {
        self.0.to_bytes().unwrap_or_default()
    }

    /// Under which it is recorded.
    pub fn serial(&self) -> u64 {
        self.0.serial()
    }

    /// Whom it is for; `None` where it says something that OpenSSH does not know.
    pub fn kind(&self) -> Kind {
        match self.0.cert_type() {
            CertType::User => Kind::User,
            CertType::Host => Kind::Host,
        }
    }

    /// What logs show.
    pub fn key_id(&self) -> &str {
        self.0.key_id()
    }

    /// Accounts, or names of the machine.
    pub fn principals(&self) -> &[String] {
        self.0.valid_principals()
    }

    /// From when until when, in seconds since 1970 UTC; the end is not included.
    pub fn valid(&self) -> (u64, u64) {
        (self.0.valid_after(), self.0.valid_before())
    }

    /// Whether it is valid at a moment, whoever signed it.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        let (after, before) = self.valid();
        u64::try_from(now.as_second()).is_ok_and(|now| (after..before).contains(&now))
    }

    /// The key that it is about.
    ///
    /// # Errors
    /// When that may have no certificate any more.
    pub fn key(&self) -> Result<SubjectKey, subject::KeyError> {
        SubjectKey::from_blob(&subject::blob(self.0.public_key()))
    }

    /// `SHA256:…` of the key that signed it.
    pub fn signer(&self) -> String {
        subject::fingerprint(self.0.signature_key())
    }
}

/// Whether a signature is that of a key that an [`Authority`] can have.
pub(crate) fn verifies(key: &KeyData, message: &[u8], signature: &Signature) -> Option<()> {
    match (key, signature.algorithm()) {
        (KeyData::Ed25519(key), Algorithm::Ed25519) => UnparsedPublicKey::new(&ED25519, key.0)
            .verify(message, signature.as_bytes())
            .ok(),
        (
            KeyData::Ecdsa(key),
            Algorithm::Ecdsa {
                curve: EcdsaCurve::NistP256,
            },
        ) if key.curve() == EcdsaCurve::NistP256 => {
            let mut reader = signature.as_bytes();
            let mut fixed = [0; 64];
            for half in fixed.chunks_exact_mut(32) {
                let number: Mpint = ssh_encoding::Decode::decode(&mut reader).ok()?;
                let bytes = number.as_positive_bytes()?;
                let start = half.len().checked_sub(bytes.len())?;
                half.get_mut(start..)?.copy_from_slice(bytes);
            }
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_sec1_bytes())
                .verify(message, &fixed)
                .ok()
        }
        _ => None,
    }
}
