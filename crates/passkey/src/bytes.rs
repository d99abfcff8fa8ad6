//! Binary values in JSON.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, de};

/// `Base64URLString` of WebAuthn section 5.1: without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) => Ok(Self(bytes)),
            Err(cause) => Err(de::Error::custom(format_args!(
                "expected base64url: {cause}"
            ))),
        }
    }
}

/// Bytes as they stand in JSON.
pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
