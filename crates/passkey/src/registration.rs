//! Adding a passkey (WebAuthn section 7.1).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::authenticator_data::AuthenticatorData;
use crate::bytes::{self, Bytes};
use crate::cbor::Map;
use crate::key::ALGORITHMS;
use crate::{Challenge, Refused, RelyingParty, TIMEOUT, client_data};

/// Who the passkey will be for.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// By which an assertion names the person: 1 to 64 bytes that tell nothing about them, such as a UUID.
    pub handle: &'a [u8],
    /// What tells accounts on this site apart, such as `owner@main`.
    pub name: &'a str,
    /// What the person is called.
    pub display_name: &'a str,
}

/// The browser's answer, a `RegistrationResponseJSON`.
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
    attestation_object: Bytes,
}

/// A passkey, to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// 1 to 1023 bytes. Nobody else may have a passkey with this id.
    pub id: Vec<u8>,
    /// A COSE key, as [`PublicKey::from_cose`](crate::PublicKey::from_cose) reads it.
    pub public_key: Vec<u8>,
    /// How often it has signed; stays 0 where the authenticator does not count.
    pub counter: u32,
    /// Whether it may be copied to other devices of its owner.
    pub backup_eligible: bool,
}

/// A `PublicKeyCredentialCreationOptionsJSON`. Authenticators that hold one of the known credentials refuse to make
/// another one.
pub fn options(
    site: &RelyingParty,
    challenge: &Challenge,
    person: &Person<'_>,
    known: &[Vec<u8>],
) -> Value {
    let credential = |id: &Vec<u8>| json!({ "type": "public-key", "id": bytes::text(id) });
    let parameters = ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg }));
    json!({
        "rp": { "id": site.id(), "name": site.name() },
        "user": {
            "id": bytes::text(person.handle),
            "name": person.name,
            "displayName": person.display_name,
        },
        "challenge": bytes::text(challenge),
        "pubKeyCredParams": parameters,
        "timeout": TIMEOUT.as_secs() * 1_000,
        "excludeCredentials": known.iter().map(credential).collect::<Vec<_>>(),
        "authenticatorSelection": {
            "residentKey": "required",
            // For browsers that know Level 1 only.
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
    })
}

/// Checks an answer to [`options`] with this challenge.
///
/// # Errors
/// When it is none, or the authenticator did not recognise its user.
pub fn verify(
    site: &RelyingParty,
    challenge: &Challenge,
    answer: &Answer,
) -> Result<Credential, Refused> {
    if answer.kind != "public-key" {
        return Err(Refused::Malformed("type"));
    }
    let response = &answer.response;
    client_data::check(&response.client_data.0, "webauthn.create", challenge, site)?;
    let data = authenticator_data(&response.attestation_object.0)?;
    let data = AuthenticatorData::read(&data)?;
    data.check(site)?;
    let made = data
        .attested
        .as_ref()
        .ok_or(Refused::Malformed("authenticator data"))?;
    if made.id != answer.id.0 {
        return Err(Refused::Malformed("credential id"));
    }
    Ok(Credential {
        id: made.id.to_vec(),
        public_key: made.key.to_vec(),
        counter: data.counter,
        backup_eligible: data.backup_eligible(),
    })
}

/// What the authenticator says, from the envelope that could hold a statement about the authenticator
/// (WebAuthn section 6.5.4).
fn authenticator_data(attestation_object: &[u8]) -> Result<Vec<u8>, Refused> {
    const WHAT: &str = "attestation object";
    let mut rest = attestation_object;
    let map = Map::read(&mut rest, WHAT)?;
    match map.bytes("authData") {
        Some(data) if rest.is_empty() => Ok(data.to_vec()),
        _ => Err(Refused::Malformed(WHAT)),
    }
}
