//! The key that signs the tokens of security events.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::io;

/// Signs security event tokens with Ed25519 (RFC 8037). The same key for as long as the installation lives.
pub(crate) struct Signer {
    key: Ed25519KeyPair,
    /// The public half, as a JWK has it.
    x: String,
    /// The JWK thumbprint (RFC 7638).
    kid: String,
}

impl Signer {
    pub(super) fn new(seed: &[u8; 32]) -> io::Result<Self> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|error| io::Error::other(format!("the signing key is not usable: {error}")))?;
        let x = URL_SAFE_NO_PAD.encode(key.public_key());
        // RFC 7638 wants exactly these members in this order.
        let members = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
        Ok(Self { key, x, kid })
    }

    /// The token in compact form (RFC 7515 section 3.1), typed as RFC 8417 section 2.3 says.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "secevent+jwt", "kid": self.kid });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(&header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(token.as_bytes()));
        token.push('.');
        token.push_str(&signature);
        token
    }

    /// The public key as a set of one (RFC 7517 section 5).
    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "x": self.x, "kid": self.kid, "alg": "EdDSA", "use": "sig",
        }] })
    }
}
