//! Roots, intermediates, and what they certify.

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, SubjectPublicKeyInfo,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use crate::key::Key;
use crate::names::Name;
use crate::{Error, chain};

/// The longest common name (RFC 5280 appendix A.1).
pub const MAX_COMMON_NAME: usize = 64;

/// How large serial numbers are, in bytes; the first bit of a serial number is cleared, as RFC 5280 wants it.
pub const SERIAL_BYTES: usize = 16;

/// What an authority's own certificate says.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The common name.
    pub name: &'a str,
    /// Random.
    pub serial: [u8; SERIAL_BYTES],
    /// From when.
    pub valid_after: Timestamp,
    /// Until when.
    pub valid_before: Timestamp,
}

/// A certificate to be made below an authority.
#[derive(Debug, Clone)]
pub struct Leaf<'a> {
    /// Whose key (SubjectPublicKeyInfo, DER).
    pub public_key: &'a [u8],
    /// The common name.
    pub common_name: &'a str,
    /// Whom it is for.
    pub names: &'a [Name],
    /// What for.
    pub usage: Usage,
    /// Random.
    pub serial: [u8; SERIAL_BYTES],
    /// From when.
    pub valid_after: Timestamp,
    /// Until when.
    pub valid_before: Timestamp,
}

/// What a certificate is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Servers of TLS.
    Server,
    /// Clients of TLS.
    Client,
    /// Both, as `step-ca` gives them.
    Both,
}

/// An authority that certifies others: a root, or an intermediate.
#[derive(Debug)]
pub struct Issuer {
    certificate: Vec<u8>,
    ends: Timestamp,
    inner: rcgen::Issuer<'static, Key>,
}

/// A root: certified by itself.
///
/// # Errors
/// When it cannot be made.
pub fn root(key: &Key, about: &About<'_>) -> Result<Vec<u8>, Error> {
    let params = params(about, 1)?;
    let made = params.self_signed(key).map_err(unsigned)?;
    Ok(made.der().to_vec())
}

impl Issuer {
    /// The authority with this certificate (DER) and key.
    ///
    /// # Errors
    /// When the certificate is none, or that of another key.
    pub fn new(certificate: Vec<u8>, key: Key) -> Result<Self, Error> {
        let details = chain::Details::read(&certificate)?;
        if details.public_key != key.public() {
            return Err(Error::Key(
                "its certificate is that of another key".to_owned(),
            ));
        }
        let der = CertificateDer::from(certificate.as_slice());
        let inner = rcgen::Issuer::from_ca_cert_der(&der, key)
            .map_err(|cause| Error::Certificate(cause.to_string()))?;
        Ok(Self {
            ends: details.valid_before,
            certificate,
            inner,
        })
    }

    /// Its own certificate (DER).
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Until when it is valid itself. What it certifies does not last longer.
    pub fn valid_before(&self) -> Timestamp {
        self.ends
    }

    /// Certifies an intermediate by its public key (SubjectPublicKeyInfo, DER). It certifies no further authorities.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn intermediate(&self, public_key: &[u8], about: &About<'_>) -> Result<Vec<u8>, Error> {
        self.certify(public_key, about, 0)
    }

    /// Certifies another root, so that those who know only this one trust that one too.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn cross_sign(&self, root: &[u8], serial: [u8; SERIAL_BYTES]) -> Result<Vec<u8>, Error> {
        let details = chain::Details::read(root)?;
        let about = About {
            name: &details.common_name,
            serial,
            valid_after: details.valid_after,
            valid_before: details.valid_before,
        };
        self.certify(&details.public_key, &about, 1)
    }

    /// Certifies a server, a person or a host.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn leaf(&self, leaf: &Leaf<'_>) -> Result<Vec<u8>, Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = called(leaf.common_name)?;
        params.serial_number = Some(serial(leaf.serial));
        params.not_before = moment(leaf.valid_after)?;
        params.not_after = moment(leaf.valid_before.min(self.ends))?;
        let names = leaf.names.iter().map(Name::to_rcgen);
        params.subject_alt_names = names.collect::<Result<_, _>>()?;
        params.is_ca = IsCa::NoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        params.extended_key_usages = match leaf.usage {
            Usage::Server => vec![ServerAuth],
            Usage::Client => vec![ClientAuth],
            Usage::Both => vec![ServerAuth, ClientAuth],
        };
        self.finish(params, leaf.public_key)
    }

    /// Lists what is revoked: serial numbers (hexadecimal) with since when (RFC 5280 section 5). `number` rises with each list
    /// that differs; it is good from `valid.0` until `valid.1`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn crl(
        &self,
        revoked: &[(String, Timestamp)],
        number: u64,
        valid: (Timestamp, Timestamp),
    ) -> Result<Vec<u8>, Error> {
        let revoked = revoked.iter().map(|(serial, at)| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&bytes(serial)?),
                revocation_time: moment(*at)?,
                reason_code: None,
                invalidity_date: None,
            })
        });
        let params = CertificateRevocationListParams {
            this_update: moment(valid.0)?,
            next_update: moment(valid.1)?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect::<Result<_, Error>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let made = params.signed_by(&self.inner).map_err(unsigned)?;
        Ok(made.der().to_vec())
    }

    fn certify(&self, public_key: &[u8], about: &About<'_>, below: u8) -> Result<Vec<u8>, Error> {
        let mut params = params(about, below)?;
        params.not_after = moment(about.valid_before.min(self.ends))?;
        self.finish(params, public_key)
    }

    fn finish(&self, mut params: CertificateParams, public_key: &[u8]) -> Result<Vec<u8>, Error> {
        params.use_authority_key_identifier_extension = true;
        let key = SubjectPublicKeyInfo::from_der(public_key)
            .map_err(|cause| Error::Contents(cause.to_string()))?;
        let made = params.signed_by(&key, &self.inner).map_err(unsigned)?;
        Ok(made.der().to_vec())
    }
}

/// `below`: how many authorities may stand between this one and what is certified in the end.
fn params(about: &About<'_>, below: u8) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = called(about.name)?;
    params.serial_number = Some(serial(about.serial));
    params.not_before = moment(about.valid_after)?;
    params.not_after = moment(about.valid_before)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn called(name: &str) -> Result<DistinguishedName, Error> {
    if name.is_empty() || name.chars().count() > MAX_COMMON_NAME || name.contains(char::is_control)
    {
        return Err(Error::Contents(format!(
            "{name:?} cannot be a common name: it has 1 to {MAX_COMMON_NAME} characters, and no line breaks"
        )));
    }
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    Ok(called)
}

fn serial(mut random: [u8; SERIAL_BYTES]) -> SerialNumber {
    // Positive, and of the same length always.
    random[0] = random[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&random)
}

fn bytes(hexadecimal: &str) -> Result<Vec<u8>, Error> {
    let wrong = || Error::Contents(format!("{hexadecimal:?} is no serial number"));
    let digits = hexadecimal.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.map(|pair| byte(pair).ok_or_else(wrong)).collect()
}

fn moment(at: Timestamp) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp(at.as_second())
        .map_err(|_| Error::Contents(format!("{at} is no time for a certificate")))
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn unsigned(cause: rcgen::Error) -> Error {
    Error::Sign(cause.to_string())
}
