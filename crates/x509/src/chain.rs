//! Reading certificates, and verifying chains of them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, anchor_from_trusted_cert};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::names::Name;
use crate::{Error, Usage};

/// The largest certificate that is looked at, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

const CERTIFICATE: &str = "CERTIFICATE";

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Lower-case hexadecimal digits.
    pub serial: String,
    /// Empty where there is none.
    pub common_name: String,
    /// Whom it is for; kinds that nobody uses here are left out.
    pub names: Vec<Name>,
    /// The key that it is about (SubjectPublicKeyInfo, DER).
    pub public_key: Vec<u8>,
    /// From when.
    pub valid_after: Timestamp,
    /// Until when.
    pub valid_before: Timestamp,
    /// Whether it is an authority's.
    pub is_authority: bool,
}

impl Details {
    /// Reads a certificate (DER). Whether to trust it is [`verify`]'s to say.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(certificate: &[u8]) -> Result<Self, Error> {
        if certificate.len() > MAX_BYTES {
            return Err(Error::Certificate("it is too large".to_owned()));
        }
        let (rest, parsed) = X509Certificate::from_der(certificate).map_err(unreadable)?;
        if !rest.is_empty() {
            return Err(Error::Certificate("something comes after it".to_owned()));
        }
        let moment = |seconds| Timestamp::from_second(seconds).map_err(unreadable);
        let names = parsed.subject_alternative_name().map_err(unreadable)?;
        let common_name = parsed.subject().iter_common_name().next();
        Ok(Self {
            serial: hex(parsed.raw_serial()),
            common_name: common_name
                .and_then(|name| name.as_str().ok())
                .unwrap_or_default()
                .to_owned(),
            names: names.map_or_else(Vec::new, |names| {
                let names = names.value.general_names.iter();
                names.filter_map(Name::from_parsed).collect()
            }),
            public_key: parsed.public_key().raw.to_vec(),
            valid_after: moment(parsed.validity().not_before.timestamp())?,
            valid_before: moment(parsed.validity().not_after.timestamp())?,
            is_authority: parsed.is_ca(),
        })
    }
}

/// Whether a chain (DER, the certificate itself first) leads to one of these roots (DER) and is good for `usage` then.
///
/// # Errors
/// Why it does not.
pub fn verify(
    chain: &[Vec<u8>],
    roots: &[Vec<u8>],
    usage: Usage,
    now: Timestamp,
) -> Result<(), Error> {
    let ders: Vec<CertificateDer<'_>> = chain.iter().map(|der| der.as_slice().into()).collect();
    let Some((leaf, between)) = ders.split_first() else {
        return Err(Error::Untrusted("there is no certificate".to_owned()));
    };
    let roots: Vec<CertificateDer<'_>> = roots.iter().map(|der| der.as_slice().into()).collect();
    let anchors: Vec<_> = roots
        .iter()
        .filter_map(|root| anchor_from_trusted_cert(root).ok())
        .collect();
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let leaf = EndEntityCert::try_from(leaf).map_err(untrusted)?;
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let usages = match usage {
        Usage::Server => vec![webpki::KeyUsage::server_auth()],
        Usage::Client => vec![webpki::KeyUsage::client_auth()],
        Usage::Both => vec![
            webpki::KeyUsage::server_auth(),
            webpki::KeyUsage::client_auth(),
        ],
    };
    for usage in usages {
        leaf.verify_for_usage(algorithms, &anchors, between, time, usage, None, None)
            .map_err(untrusted)?;
    }
    Ok(())
}

/// SHA-256 of a certificate (DER), in lower-case hexadecimal digits: what `step` calls its fingerprint.
pub fn fingerprint(certificate: &[u8]) -> String {
    hex(digest(&SHA256, certificate).as_ref())
}

/// A certificate as PEM (RFC 7468), with a line break at the end.
pub fn to_pem(certificate: &[u8]) -> String {
    armour(CERTIFICATE, certificate)
}

/// The certificates in a PEM text, in their order; what stands between them is passed over.
///
/// # Errors
/// When there is none, or one cannot be read.
pub fn from_pem(text: &str) -> Result<Vec<Vec<u8>>, Error> {
    let found = disarm(CERTIFICATE, text)
        .ok_or_else(|| Error::Certificate("its PEM form is broken".to_owned()))?;
    match found.is_empty() {
        true => Err(Error::Certificate(
            "there is no -----BEGIN CERTIFICATE----- in it".to_owned(),
        )),
        false => Ok(found),
    }
}

pub(crate) fn armour(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// All blocks with that label; `None` where one has no end or is no base64.
pub(crate) fn disarm(label: &str, text: &str) -> Option<Vec<Vec<u8>>> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&begin) {
        let (body, more) = after.split_once(&end)?;
        let body: String = body.split_ascii_whitespace().collect();
        found.push(STANDARD.decode(body).ok()?);
        rest = more;
    }
    Some(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unreadable(cause: impl ToString) -> Error {
    Error::Certificate(cause.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn untrusted(cause: webpki::Error) -> Error {
    Error::Untrusted(cause.to_string())
}
