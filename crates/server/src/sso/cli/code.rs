//! What a code for the command line stands for, and the proof key (PKCE, RFC 7636) that only its asker has.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_directory::devices::Approval;
use serde::{Deserialize, Serialize};

/// What is kept of a code.
#[derive(Serialize, Deserialize)]
pub(super) struct Code {
    /// Who let the command line in.
    pub(super) approval: Approval,
    /// Where the code was sent to.
    pub(super) redirect_uri: String,
    /// What its asker must prove.
    pub(super) challenge: String,
}

impl Code {
    pub(super) fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn of_payload(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    /// Whether this is what the challenge was made of (RFC 7636 section 4.6).
    pub(super) fn is_proved_by(&self, verifier: &str) -> bool {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_verifier =
            (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved);
        is_verifier && challenge(verifier) == self.challenge
    }
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Whether it can be the challenge of anything.
pub(super) fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portreeve_directory::holders::Holder;

    #[test]
    fn only_the_verifier_proves_a_code() {
        // The example of RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let code = Code {
            approval: Approval {
                team_id: String::new(),
                holder: Holder::Owner(String::new()),
                name: String::new(),
                passkey_id: None,
            },
            redirect_uri: String::new(),
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        };
        assert!(is_challenge(&code.challenge));
        assert!(code.is_proved_by(verifier));
        let too_long = "a".repeat(129);
        for wrong in ["", &verifier[1..], &code.challenge, &too_long] {
            assert!(!code.is_proved_by(wrong), "{wrong}");
        }
    }
}
