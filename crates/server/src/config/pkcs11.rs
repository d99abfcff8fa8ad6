//! A token that holds the keys of the certificate authorities.

use super::{ConfigError, Values, read};
use secrecy::SecretString;
use std::path::PathBuf;

/// The variable that has the PIN where no file does.
pub(super) const PIN: &str = "PORTREEVE_CA_PKCS11_PIN";

/// Which token, and how it is opened.
#[derive(Debug, Clone)]
pub struct Pkcs11 {
    /// The library through which it is reached.
    pub module: PathBuf,
    /// Its label.
    pub token: String,
    /// What it is opened with.
    pub pin: SecretString,
}

impl Pkcs11 {
    pub(super) fn from_values(
        values: &Values,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let text = |value: &str| Ok(value.to_owned());
        let token = read(values, "ca-pkcs11-token", text)?;
        let file = read(values, "ca-pkcs11-pin-file", |path| {
            std::fs::read_to_string(path)
                .map(|pin| SecretString::from(pin.trim_end_matches(['\r', '\n'])))
                .map_err(|cause| format!("the file cannot be read: {cause}"))
        })?;
        let Some(module) = read(values, "ca-pkcs11-module", text)? else {
            return Ok(None);
        };
        let missing = |name, reason: &str| ConfigError::Value {
            name,
            origin: "default".to_owned(),
            value: String::new(),
            reason: reason.to_owned(),
        };
        let pin = file.or_else(|| environment(PIN).map(SecretString::from));
        Ok(Some(Self {
            module: module.into(),
            token: token.ok_or_else(|| {
                missing(
                    "ca-pkcs11-token",
                    "ca-pkcs11-module needs the label of a token as well",
                )
            })?,
            pin: pin.ok_or_else(|| {
                missing(
                    "ca-pkcs11-pin-file",
                    "a token needs its PIN, in this file or in PORTREEVE_CA_PKCS11_PIN",
                )
            })?,
        }))
    }
}
