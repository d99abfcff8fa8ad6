#![no_main]
//! Registrations of passkeys: what an authenticator may have sent is refused, or gives a credential whose key can be read
//! again, whole. The bytes are the attestation object; what the browser adds to it is right.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use portreeve_passkey::{Challenge, PublicKey, RelyingParty, registration};
use serde_json::json;

const ORIGIN: &str = "http://localhost:8460";
const CHALLENGE: Challenge = [7; 32];

/// The credential's id that the seeds of the corpus have.
const ID: &[u8] = b"a credential";

fuzz_target!(|object: &[u8]| {
    let site = RelyingParty::at(ORIGIN, "Portreeve").expect("a constant");
    let client_data = json!({
        "type": "webauthn.create",
        "challenge": URL_SAFE_NO_PAD.encode(CHALLENGE),
        "origin": ORIGIN,
    });
    let answer = json!({
        "rawId": URL_SAFE_NO_PAD.encode(ID),
        "type": "public-key",
        "response": {
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data.to_string()),
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
        },
    });
    let answer = serde_json::from_value(answer).expect("it has the form of an answer");
    if let Ok(credential) = registration::verify(&site, &CHALLENGE, &answer) {
        assert_eq!(credential.id, ID);
        assert!(PublicKey::from_cose(&credential.public_key).is_ok());
    }
});
