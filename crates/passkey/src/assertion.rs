//! Signing in with a passkey (WebAuthn section 7.2).

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::authenticator_data::AuthenticatorData;
use crate::bytes::{self, Bytes};
use crate::{Challenge, PublicKey, Refused, RelyingParty, TIMEOUT, client_data};

/// The browser's answer, an `AuthenticationResponseJSON`.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    #[serde(rename = "rawId")]
    id: Bytes,
    #[serde(rename = "type")]
    kind: String,
    response: Response,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: Bytes,
    authenticator_data: Bytes,
    signature: Bytes,
    user_handle: Option<Bytes>,
}

/// What is kept of the passkey that an answer names.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its id.
    pub id: &'a [u8],
    /// The handle of the person whom it was made for.
    pub user_handle: &'a [u8],
    /// Its COSE key.
    pub public_key: &'a [u8],
    /// What it counted last.
    pub counter: u32,
    /// What it said when it was made.
    pub backup_eligible: bool,
}

impl Answer {
    /// The credential that it claims to be made with, to look it up.
    pub fn credential_id(&self) -> &[u8] {
        &self.id.0
    }

    /// The handle of the person whom the authenticator says it was made for.
    pub fn user_handle(&self) -> Option<&[u8]> {
        let handle = self.response.user_handle.as_ref()?;
        Some(&handle.0)
    }
}

/// A `PublicKeyCredentialRequestOptionsJSON` that names nobody: the authenticator offers the passkeys it has for the site.
pub fn options(site: &RelyingParty, challenge: &Challenge) -> Value {
    json!({
        "rpId": site.id(),
        "challenge": bytes::text(challenge),
        "timeout": TIMEOUT.as_secs() * 1_000,
        "allowCredentials": [],
        "userVerification": "required",
    })
}

/// Checks an answer to [`options`] with this challenge. Returns the counter to keep.
///
/// # Errors
/// When it is none, or not by the known passkey, or that may have been copied.
pub fn verify(
    site: &RelyingParty,
    challenge: &Challenge,
    answer: &Answer,
    known: &Known<'_>,
) -> Result<u32, Refused> {
    if answer.kind != "public-key" {
        return Err(Refused::Malformed("type"));
    }
    if answer.id.0 != known.id {
        return Err(Refused::Credential);
    }
    let response = &answer.response;
    match &response.user_handle {
        Some(handle) if handle.0 == known.user_handle => {}
        _ => return Err(Refused::UserHandle),
    }
    client_data::check(&response.client_data.0, "webauthn.get", challenge, site)?;
    let data = AuthenticatorData::read(&response.authenticator_data.0)?;
    data.check(site)?;
    if data.backup_eligible() != known.backup_eligible {
        return Err(Refused::Backup);
    }
    let client_data = digest(&SHA256, &response.client_data.0);
    let message = [&response.authenticator_data.0, client_data.as_ref()].concat();
    PublicKey::from_cose(known.public_key)?.verify(&message, &response.signature.0)?;
    match (known.counter, data.counter) {
        // Most passkeys that are copied between devices do not count.
        (0, 0) => Ok(0),
        (known, sent) if sent > known => Ok(sent),
        (known, sent) => Err(Refused::Counter { known, sent }),
    }
}
