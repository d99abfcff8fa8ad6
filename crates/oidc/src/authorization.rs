//! Sending a person to the provider (OpenID Connect Core 1.0 section 3.1.2.1).

use crate::Metadata;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

/// What a sign-in begins with.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// Who asks.
    pub client_id: &'a str,
    /// Where the person comes back to.
    pub redirect_uri: &'a str,
    /// What is asked for, such as `openid profile email`.
    pub scope: &'a str,
    /// What comes back with the code, to know the sign-in by.
    pub state: &'a str,
    /// What comes back in the ID token.
    pub nonce: &'a str,
    /// The secret that the code is worth nothing without; only its hash is sent.
    pub verifier: &'a str,
    /// Who it probably is.
    pub login_hint: Option<&'a str>,
    /// What the provider is to ask the person, such as `login`.
    pub prompt: Option<&'a str>,
}

impl AuthorizationRequest<'_> {
    /// Where to send the person.
    #[must_use]
    pub fn url(&self, metadata: &Metadata) -> Url {
        let mut url = metadata.authorization_endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", self.scope)
            .append_pair("state", self.state)
            .append_pair("nonce", self.nonce)
            .append_pair("code_challenge", &challenge(self.verifier))
            .append_pair("code_challenge_method", "S256");
        let optional = [("login_hint", self.login_hint), ("prompt", self.prompt)];
        for (name, value) in optional {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        drop(query);
        url
    }
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
#[must_use]
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}
