//! What clients ask to be certified (PKCS #10, RFC 2986).

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::names::Name;
use crate::{Error, chain};

/// The largest request that is looked at, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// The weakest RSA key that is certified, in bits.
pub const WEAKEST_RSA: usize = 2_048;

/// The largest RSA key, in bits: larger ones make every verification slow.
pub const LARGEST_RSA: usize = 16_384;

const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// A request whose sender has the key that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// SubjectPublicKeyInfo (DER).
    pub public_key: Vec<u8>,
    /// Empty where there is none.
    pub common_name: String,
    /// The names that it asks for; kinds that nobody uses here are left out.
    pub names: Vec<Name>,
}

impl Request {
    /// Reads a request (DER) and verifies that its own key has signed it.
    ///
    /// # Errors
    /// When it is none, is not signed, or is about a key that gets no certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        if der.len() > MAX_BYTES {
            return Err(Error::Request("it is too large".to_owned()));
        }
        let (rest, parsed) = X509CertificationRequest::from_der(der).map_err(unreadable)?;
        if !rest.is_empty() {
            return Err(Error::Request("something comes after it".to_owned()));
        }
        let about = &parsed.certification_request_info;
        check(&about.subject_pki.parsed().map_err(unreadable)?)?;
        parsed
            .verify_signature()
            .map_err(|_| Error::Request("its signature is not that of its key".to_owned()))?;
        let common_name = about.subject.iter_common_name().next();
        let mut names = Vec::new();
        for extension in parsed.requested_extensions().into_iter().flatten() {
            if let ParsedExtension::SubjectAlternativeName(asked) = extension {
                names.extend(asked.general_names.iter().filter_map(Name::from_parsed));
            }
        }
        Ok(Self {
            public_key: about.subject_pki.raw.to_vec(),
            common_name: common_name
                .and_then(|name| name.as_str().ok())
                .unwrap_or_default()
                .to_owned(),
            names,
        })
    }

    /// Reads a request as PEM has it.
    ///
    /// # Errors
    /// As [`from_der`](Self::from_der).
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_BYTES * 2 {
            return Err(Error::Request("it is too large".to_owned()));
        }
        let found = LABELS.iter().find_map(|label| {
            let found = chain::disarm(label, text)?;
            found.into_iter().next()
        });
        let none =
            || Error::Request("there is no -----BEGIN CERTIFICATE REQUEST----- in it".into());
        Self::from_der(&found.ok_or_else(none)?)
    }
}

/// Whether a key may have a certificate.
fn check(key: &PublicKey<'_>) -> Result<(), Error> {
    match key {
        PublicKey::RSA(rsa) => {
            let bits = rsa.key_size();
            match (WEAKEST_RSA..=LARGEST_RSA).contains(&bits) {
                true => Ok(()),
                false => Err(Error::Weak(format!("this RSA key has {bits} bits"))),
            }
        }
        PublicKey::EC(point) => match point.key_size() {
            256 | 384 => Ok(()),
            bits => Err(Error::Weak(format!("its curve has {bits} bits"))),
        },
        // Of those that the parser does not know by name Ed25519 alone has a signature that it verifies.
        PublicKey::Unknown(_) => Ok(()),
        _ => Err(Error::Weak("it is a DSA or GOST key".to_owned())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreadable(cause: impl ToString) -> Error {
    Error::Request(cause.to_string())
}
