//! Certificates of app registrations.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// A self-signed certificate with its RSA key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate in PEM.
    pub certificate: String,
    /// The private key in PEM (PKCS#8).
    pub key: String,
    thumbprint: String,
    public_key: Vec<u8>,
}

impl Certificate {
    /// A certificate that nobody else has.
    #[must_use]
    pub fn generate() -> Self {
        let key =
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("an RSA key");
        let parameters = CertificateParams::new(["app.contoso.example".to_owned()]);
        let certificate = parameters
            .and_then(|parameters| parameters.self_signed(&key))
            .expect("a certificate");
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.der())),
            public_key: key.public_key_raw().to_vec(),
        }
    }

    /// The SHA-256 digest of the certificate, in the form of `x5t#S256`.
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    pub(super) fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}
