//! What clients send.

use crate::Moment;
use crate::token::SshOptions;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

/// `POST /ssh/sign`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SshSign {
    /// The key in its form on the wire.
    #[serde(deserialize_with = "bytes")]
    pub public_key: Vec<u8>,
    /// The token.
    pub ott: String,
    /// What the certificate is to say.
    #[serde(flatten)]
    pub options: SshOptions,
    /// A request for an X.509 certificate beside it (PEM).
    #[serde(rename = "identityCSR")]
    pub identity_csr: Option<String>,
}

/// `POST /ssh/renew`, `/ssh/rekey`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SshRenew {
    /// The token.
    pub ott: String,
    /// The new key in its form on the wire; for rekey.
    #[serde(deserialize_with = "bytes")]
    pub public_key: Vec<u8>,
}

/// `POST /ssh/revoke`, `/revoke`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Revoke {
    /// Decimal; for X.509 also hexadecimal with `0x`.
    #[serde(deserialize_with = "text")]
    pub serial: String,
    /// The token; without it the certificate of the connection says who asks.
    pub ott: String,
    /// RFC 5280 section 5.3.1.
    pub reason_code: i64,
    /// For people.
    pub reason: String,
    /// Whether the certificate is only not renewed. Ours is refused by hosts, too, by the revocation list.
    pub passive: bool,
}

/// `POST /ssh/check-host`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CheckHost {
    /// `host`, or nothing.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name of the host.
    pub principal: String,
    /// Who asks, in managed mode.
    pub token: String,
}

/// `POST /ssh/bastion`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Bastion {
    /// Who wants to log in.
    pub user: String,
    /// Where.
    pub hostname: String,
}

/// `POST /ssh/config`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Config {
    /// `user` or `host`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the client knows of its machine, and what its user has set.
    pub data: Map<String, Value>,
}

/// `POST /sign`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sign {
    /// The request (PEM).
    pub csr: String,
    /// The token.
    pub ott: String,
    /// From when.
    pub not_before: Moment,
    /// Until when.
    pub not_after: Moment,
}

/// `POST /rekey`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Rekey {
    /// The request with the new key (PEM).
    pub csr: String,
}

/// Bytes as Go writes them; `null` for none.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    STANDARD.decode(text).map_err(de::Error::custom)
}

/// A text, or a number in its place.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}
