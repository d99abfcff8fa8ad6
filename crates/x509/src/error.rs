//! What goes wrong.

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key cannot be read.
    #[error("this cannot be the key of a certificate authority: {0}")]
    Key(String),
    /// The key, or the token that holds it, cannot sign.
    #[error("the certificate could not be signed: {0}")]
    Sign(String),
    /// It cannot say what it is to say.
    #[error("the certificate cannot be made: {0}")]
    Contents(String),
    /// No certificate, or none that can be used.
    #[error("this is no X.509 certificate: {0}")]
    Certificate(String),
    /// No request, or one that nobody has signed.
    #[error("this is no certificate request (PKCS #10): {0}")]
    Request(String),
    /// A key that gets no certificate.
    #[error(
        "keys of this kind get no certificate: {0}; use ECDSA P-256 or P-384, Ed25519, or RSA with at least 2048 bits"
    )]
    Weak(String),
    /// The chain does not lead to a root that is trusted.
    #[error("the certificate is not trusted here: {0}")]
    Untrusted(String),
}
