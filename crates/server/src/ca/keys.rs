//! Private keys of authorities: made, kept sealed under the installation's master key or in a token, and made ready to sign.

use super::Error;
use super::token::{Point, Token};
use crate::keys::MasterKey;
use crate::vault::Vault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_directory::authorities::{Authority as Stored, Purpose};
use portreeve_ssh_cert::Authority;
use portreeve_ssh_cert::authority::KeyType;
use portreeve_x509::Key;
use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How private keys are kept.
pub(super) struct Keys {
    vault: Vault,
    token: Option<Arc<Token>>,
}

/// A key that was just made.
pub(super) struct Made {
    pub(super) key_type: KeyType,
    /// `None`: a token holds it.
    pub(super) sealed: Option<Vec<u8>>,
    /// What the token calls it.
    pub(super) token_key: Option<String>,
    pub(super) signs: Signs,
}

/// A key that is ready to sign.
pub(super) enum Signs {
    Ssh(Authority),
    X509(Key),
}

impl Keys {
    pub(super) fn new(master: &MasterKey, token: Option<Token>) -> io::Result<Self> {
        Ok(Self {
            vault: Vault::new(master, "ca: private keys")?,
            token: token.map(Arc::new),
        })
    }

    /// Makes a key; in a token where there is one. May take as long as the token takes.
    pub(super) fn make(
        &self,
        team_id: &str,
        id: &str,
        purpose: Purpose,
        key_type: KeyType,
    ) -> Result<Made, Error> {
        if let Some(token) = &self.token {
            let name = format!("portreeve {} {id}", purpose.name());
            let point = token.make(&name)?;
            return Ok(Made {
                key_type: KeyType::Ecdsa,
                sealed: None,
                signs: self.held(purpose, &name, &point)?,
                token_key: Some(name),
            });
        }
        let (key_type, document, signs) = match is_ssh(purpose) {
            true => {
                let document = Authority::generate(key_type)?;
                let signs = Signs::Ssh(Authority::from_pkcs8(key_type, &document)?);
                (key_type, document, signs)
            }
            false => {
                let document = Key::generate()?;
                let signs = Signs::X509(Key::from_pkcs8(&document)?);
                (KeyType::Ecdsa, document, signs)
            }
        };
        let encoded = SecretString::from(STANDARD.encode(&*document));
        let sealed = self.vault.seal(&owner(team_id, id), &encoded);
        Ok(Made {
            key_type,
            sealed: Some(sealed.map_err(Error::keys)?),
            token_key: None,
            signs,
        })
    }

    /// A key that is stored, ready to sign.
    pub(super) fn open(&self, team_id: &str, stored: &Stored) -> Result<Signs, Error> {
        if let Some(name) = &stored.token_key {
            let token = self.token.as_ref().ok_or_else(|| {
                Error::keys("this key of the certificate authority is in a PKCS#11 token, and this server has none; set ca-pkcs11-module and ca-pkcs11-token")
            })?;
            let point = token.point(name)?;
            return self.held(stored.purpose, name, &point);
        }
        let sealed = stored.sealed.as_deref().unwrap_or_default();
        let encoded = self
            .vault
            .open(&owner(team_id, &stored.id), sealed)
            .map_err(|_| {
                Error::keys(format!(
                    "the {} key of the certificate authority cannot be decrypted; it belongs to another master key: restore that one, or put a new key in its place with: portreeve ca rotate {} --now",
                    stored.purpose.name(),
                    stored.purpose.name()
                ))
            })?;
        let document = STANDARD.decode(encoded.expose_secret().as_bytes());
        let document = Zeroizing::new(document.map_err(Error::keys)?);
        Ok(match is_ssh(stored.purpose) {
            true => {
                let key_type = match stored.key_type.as_str() {
                    "ecdsa" => KeyType::Ecdsa,
                    _ => KeyType::Ed25519,
                };
                Signs::Ssh(Authority::from_pkcs8(key_type, &document)?)
            }
            false => Signs::X509(Key::from_pkcs8(&document)?),
        })
    }

    /// Lets a token forget a key that nobody needs any more.
    pub(super) fn forget(&self, stored: &Stored) -> Result<(), Error> {
        match (&self.token, &stored.token_key) {
            (Some(token), Some(name)) => token.forget(name),
            _ => Ok(()),
        }
    }

    fn held(&self, purpose: Purpose, name: &str, point: &Point) -> Result<Signs, Error> {
        let token = self
            .token
            .clone()
            .ok_or_else(|| Error::keys("there is no PKCS#11 token"))?;
        let name = name.to_owned();
        let sign = Arc::new(move |message: &[u8]| {
            let signed = token.sign(&name, message);
            signed.map_err(|error| error.to_string())
        });
        Ok(match is_ssh(purpose) {
            true => Signs::Ssh(Authority::elsewhere(point, sign)?),
            false => Signs::X509(Key::elsewhere(point.to_vec(), sign)),
        })
    }
}

/// The name of a type in the database and in the API.
pub(super) fn type_name(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Ed25519 => "ed25519",
        KeyType::Ecdsa => "ecdsa",
    }
}

fn is_ssh(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::User | Purpose::Host)
}

fn owner(team_id: &str, id: &str) -> String {
    format!("{team_id}/{id}")
}
