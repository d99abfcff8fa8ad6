//! A provider's keys (RFC 7517 section 5).

use crate::shown;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// More keys than this no provider has in use.
const MOST: usize = 100;

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The keys with which a provider's ID tokens can be verified.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Key>);

#[derive(Debug, Clone)]
pub(crate) struct Key {
    id: Option<String>,
    key: DecodingKey,
    /// What it may have signed with: what its type allows, or the one that it names.
    algorithms: Vec<Algorithm>,
    /// Entra's `issuer` of a key: the only issuer whose tokens it signs, perhaps with `{tenantid}` in it.
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl Keys {
    /// Reads a key set. Keys that are not for signatures, or of a kind unknown here, are left out (RFC 7517 section 5).
    ///
    /// # Errors
    /// When it is no key set, or one without a key that could be used.
    pub fn parse(body: &[u8]) -> Result<Self, KeysError> {
        let document: Document = serde_json::from_slice(body)
            .map_err(|cause| KeysError::Unreadable(shown(&cause.to_string())))?;
        if document.keys.len() > MOST {
            return Err(KeysError::TooMany);
        }
        let keys: Vec<Key> = document.keys.iter().filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(KeysError::None);
        }
        Ok(Self(keys))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that a token with this header may be signed with. Without an id it must be clear which one is meant
    /// (OpenID Connect Core 1.0 section 10.1).
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&Key> {
        let fitting = self.0.iter().filter(|key| key.signs_with(algorithm));
        match id {
            Some(id) => fitting
                .filter(|key| key.id.as_deref() == Some(id))
                .collect(),
            None => {
                let found: Vec<_> = fitting.collect();
                if found.len() == 1 { found } else { Vec::new() }
            }
        }
    }

    /// Whether there is a key of that name at all, of whatever type.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let jwk = Jwk::deserialize(value).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let operations = value.get("key_ops").and_then(Value::as_array);
        if operations.is_some_and(|list| !list.iter().any(|item| item == "verify")) {
            return None;
        }
        let by_type: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                &[Algorithm::EdDSA]
            }
            // A shared secret among them: whoever can read a key set could sign with it.
            _ => return None,
        };
        let algorithms = match text("alg") {
            None => by_type.to_vec(),
            Some(name) => {
                let named: Algorithm = name.parse().ok()?;
                vec![*by_type.iter().find(|algorithm| **algorithm == named)?]
            }
        };
        Some(Self {
            id: jwk.common.key_id.clone(),
            key: DecodingKey::from_jwk(&jwk).ok()?,
            algorithms,
            issuer: text("issuer").map(str::to_owned),
        })
    }

    fn signs_with(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether this key has made the signature, which is base64url of three parts' last.
    pub(crate) fn has_signed(&self, message: &str, signature: &str, algorithm: Algorithm) -> bool {
        self.signs_with(algorithm)
            && jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, algorithm)
                .unwrap_or(false)
    }

    /// Whether this key signs for that issuer, whose tokens are from that tenant (Entra's "Validate the signing key
    /// issuer").
    pub(crate) fn signs_for(&self, issuer: &str, tenant_id: Option<&str>) -> bool {
        self.issuer.as_deref().is_none_or(|own| {
            own == issuer || tenant_id.is_some_and(|id| own.replace("{tenantid}", id) == issuer)
        })
    }
}

/// Why a key set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// It is no key set.
    #[error("the key set cannot be read ({0}); the provider's jwks_uri leads to something else")]
    Unreadable(String),
    /// Far more keys than anybody has.
    #[error("the key set has more than {MOST} keys")]
    TooMany,
    /// Nothing to verify with.
    #[error(
        "the key set has no key for signatures that can be used here (RSA from 2048 bits, P-256, P-384, Ed25519)"
    )]
    None,
}
