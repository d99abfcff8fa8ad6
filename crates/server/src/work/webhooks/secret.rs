//! The secrets that messages to programs are signed with: one for each location, worked out from the installation's own key,
//! so that none is stored.

use crate::keys::MasterKey;
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_directory::webhooks::Webhook;
use secrecy::SecretString;
use std::io;

/// What the secrets of all locations come from.
pub(crate) struct WebhookKey(Key);

/// What goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Headers {
    /// Seconds since 1970 UTC.
    pub(super) timestamp: i64,
    pub(super) signature: String,
}

impl WebhookKey {
    /// With a key derived from the installation's own.
    pub(crate) fn new(master: &MasterKey) -> io::Result<Self> {
        let key = master.derive("webhooks: secrets")?;
        Ok(Self(Key::new(HMAC_SHA256, &key)))
    }

    /// The secret of a location as programs take it: `whsec_` and base64 (Standard Webhooks).
    pub(crate) fn secret(&self, location_id: &str) -> SecretString {
        let secret = self.bytes(location_id);
        SecretString::from(format!("whsec_{}", STANDARD.encode(secret)))
    }

    /// What goes with a message that is sent at a time (seconds since 1970 UTC).
    pub(super) fn headers(&self, webhook: &Webhook, timestamp: i64) -> Headers {
        let key = Key::new(HMAC_SHA256, self.bytes(&webhook.location_id).as_ref());
        let signed = format!("{}.{timestamp}.{}", webhook.id, webhook.body);
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        Headers {
            timestamp,
            signature: format!("v1,{signature}"),
        }
    }

    fn bytes(&self, location_id: &str) -> hmac::Tag {
        hmac::sign(&self.0, location_id.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn webhook(location_id: &str) -> Webhook {
        Webhook {
            id: "msg_1".to_owned(),
            location_id: location_id.to_owned(),
            url: "https://program.example".to_owned(),
            body: "{}".to_owned(),
            attempts: 0,
            next_attempt_at: 0,
            last_error: None,
            created_at: 0,
        }
    }

    #[test]
    fn a_program_verifies_with_the_secret_that_it_was_shown() {
        let key = WebhookKey(Key::new(HMAC_SHA256, &[7; 32]));
        let headers = key.headers(&webhook("door"), 1_700_000_000);
        let shown = key.secret("door");
        let shown = shown.expose_secret().strip_prefix("whsec_").unwrap();
        let theirs = Key::new(HMAC_SHA256, &STANDARD.decode(shown).unwrap());
        let tag = STANDARD
            .decode(headers.signature.strip_prefix("v1,").unwrap())
            .unwrap();
        hmac::verify(&theirs, b"msg_1.1700000000.{}", &tag).unwrap();
        assert_ne!(
            headers,
            key.headers(&webhook("gate"), 1_700_000_000),
            "each location has its own"
        );
    }
}
