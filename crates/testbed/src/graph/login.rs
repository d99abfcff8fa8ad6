//! The address that gives out tokens, and everything it looks at.

use super::server::State;
use super::{CLIENT_ID, CLIENT_SECRET, GraphServer, TENANT};
use crate::graph::reply::Reply;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long a token is good for, in seconds.
const LIFE: u64 = 3_599;

/// The longest life of an assertion that Microsoft recommends, in seconds.
const ASSERTION_LIFE: u64 = 600;

/// The fields of a token request.
const FIELDS: &[&str] = &[
    "grant_type",
    "client_id",
    "scope",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

impl State {
    /// Answers a request for a token, or says why there is none.
    pub(super) fn token(&mut self, method: &str, content_type: &str, body: &[u8]) -> Reply {
        if method != "POST" || !content_type.starts_with("application/x-www-form-urlencoded") {
            self.object(format!(
                "a token is asked for by {method} of {content_type}"
            ));
        }
        let form: Vec<(String, String)> = form_urlencoded(body);
        let fields: BTreeMap<&str, &str> = form
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        if fields.len() != form.len() {
            self.object("a field of the token request is sent twice".to_owned());
        }
        for name in fields.keys().filter(|name| !FIELDS.contains(name)) {
            self.object(format!("the token request has the unknown field {name}"));
        }
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        if field("grant_type") != "client_credentials" {
            return refusal(
                "unsupported_grant_type",
                "AADSTS70003",
                "The app requested an unsupported grant type.",
            );
        }
        if field("client_id") != CLIENT_ID {
            return refusal(
                "unauthorized_client",
                "AADSTS700016",
                "Application was not found in the directory 'Contoso'.",
            );
        }
        if field("scope") != format!("{}/.default", self.base()) {
            return refusal(
                "invalid_scope",
                "AADSTS1002012",
                "The provided value for scope is not valid.",
            );
        }
        let refused = match (fields.get("client_secret"), fields.get("client_assertion")) {
            (Some(secret), None) => self.secret_refused(secret),
            (None, Some(assertion)) => {
                self.assertion_refused(field("client_assertion_type"), assertion)
            }
            _ => Some(refusal(
                "invalid_client",
                "AADSTS7000218",
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )),
        };
        refused.unwrap_or_else(|| {
            let token = self.issue_token(LIFE);
            Reply::json(200, &json!({"token_type": "Bearer", "expires_in": LIFE, "ext_expires_in": LIFE, "access_token": token}))
        })
    }

    fn secret_refused(&self, secret: &str) -> Option<Reply> {
        if self.certificate.is_none() && secret == CLIENT_SECRET {
            return None;
        }
        let said = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.";
        Some(refusal("invalid_client", "AADSTS7000215", said))
    }

    fn assertion_refused(&mut self, kind: &str, assertion: &str) -> Option<Reply> {
        if kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
            self.object(format!("the assertion has the type {kind}"));
        }
        let wrong = self.assertion_wrong(assertion)?;
        self.object(format!("the assertion: {wrong}"));
        Some(refusal(
            "invalid_client",
            "AADSTS700027",
            &format!(
                "The certificate with identifier used to sign the client assertion is not registered on application. {wrong}"
            ),
        ))
    }

    /// What is wrong with an assertion (RFC 7523 section 3, RFC 7515 section 5.2).
    fn assertion_wrong(&mut self, assertion: &str) -> Option<String> {
        let Some(certificate) = self.certificate.clone() else {
            return Some("no certificate is registered".to_owned());
        };
        let parts: Vec<&str> = assertion.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Some("it has not three parts".to_owned());
        };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap_or_default();
        let algorithm: &dyn VerificationAlgorithm = match json(header)["alg"].as_str() {
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            other => return Some(format!("it is signed with {other:?}")),
        };
        if json(header)["typ"] != "JWT" || json(header)["x5t#S256"] != certificate.thumbprint() {
            return Some(format!("its header is {}", json(header)));
        }
        let message = assertion
            .rsplit_once('.')
            .map_or("", |(message, _)| message);
        let key = UnparsedPublicKey::new(algorithm, certificate.public_key());
        if key.verify(message.as_bytes(), &decode(signature)).is_err() {
            return Some("its signature does not verify".to_owned());
        }
        self.claims_wrong(&json(claims))
    }

    fn claims_wrong(&mut self, claims: &Value) -> Option<String> {
        let audience = format!("{}/{TENANT}/oauth2/v2.0/token", self.base());
        let now = self.now();
        let number = |name: &str| claims[name].as_u64().unwrap_or_default();
        let id = claims["jti"].as_str().unwrap_or_default().to_owned();
        let checks = [
            ("aud", claims["aud"] == audience.as_str()),
            ("iss", claims["iss"] == CLIENT_ID),
            ("sub", claims["sub"] == CLIENT_ID),
            ("nbf", number("nbf") <= now),
            (
                "exp",
                number("exp") > now && number("exp") <= now + ASSERTION_LIFE,
            ),
            ("jti", id.len() >= 32 && self.is_first(id)),
        ];
        let wrong = checks.into_iter().find(|(_, is_right)| !is_right);
        wrong.map(|(name, _)| format!("its claim {name} is {}", claims[name]))
    }
}

impl GraphServer {
    /// Where tokens are given out: the setting `login_url`.
    #[must_use]
    pub fn login_url(&self) -> String {
        self.url()
    }
}

fn refusal(error: &str, code: &str, said: &str) -> Reply {
    let description = format!("{code}: {said} Trace ID: 1\r\nCorrelation ID: 2");
    Reply::json(
        401,
        &json!({"error": error, "error_description": description}),
    )
}

/// The fields of a form (WHATWG URL, application/x-www-form-urlencoded).
pub(super) fn form_urlencoded(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let url = reqwest::Url::parse(&format!("http://localhost/?{text}")).expect("a query");
    url.query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}
