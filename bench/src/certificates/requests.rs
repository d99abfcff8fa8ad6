//! What the `step` client sends: tokens, and requests with them.

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use portreeve_ssh_cert::Signed;
use serde_json::{Value, json};

use crate::client::{Connection, Exchange, Target};

/// How long tokens are good, in seconds: longer than a run takes.
const LIFE: i64 = 3_600;

/// A key that signs tokens (ES256, RFC 7518 section 3.4).
pub(super) struct Signer {
    id: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(super) fn new(id: &str) -> Result<Self> {
        Ok(Self {
            id: id.to_owned(),
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
        })
    }

    /// The public key (RFC 7517, RFC 7518 section 6.2).
    pub(super) fn jwk(&self) -> Result<Value> {
        let (_, point) = self
            .pair
            .public_key()
            .as_ref()
            .split_first()
            .context("a key without a point")?;
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Ok(
            json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": x, "y": y}),
        )
    }

    /// A token (RFC 7515 section 3.1).
    pub(super) fn token(&self, claims: &Value) -> Result<String> {
        let header = json!({"alg": "ES256", "kid": self.id, "typ": "JWT"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A provisioner that vouches for names.
pub(super) struct Provisioner {
    signer: Signer,
    audience: String,
}

impl Provisioner {
    /// The name of it, and of its key.
    pub(super) const NAME: &str = "word";

    /// At an authority.
    pub(super) fn new(signer: Signer, authority: &Target) -> Self {
        Self {
            signer,
            audience: format!("https://{}/1.0/ssh/sign", authority.address),
        }
    }

    /// The public key (RFC 7517).
    pub(super) fn jwk(&self) -> Result<Value> {
        self.signer.jwk()
    }

    /// Requests for certificates, and one more.
    pub(super) fn requests(&self, count: u64) -> Result<Vec<Bytes>> {
        let now = now()?;
        let one = |number| {
            let subject = format!("person{number}");
            let token = self.signer.token(&json!({
                "iss": Self::NAME, "aud": self.audience, "sub": subject, "jti": format!("token {number}"),
                "iat": now, "nbf": now, "exp": now + LIFE,
                "step": {"ssh": {"certType": "user", "keyID": subject, "principals": [subject], "validAfter": "", "validBefore": ""}},
            }))?;
            body(&token)
        };
        (0..=count).map(one).collect()
    }
}

/// Where people sign in.
pub(super) struct Provider {
    pub(super) signer: Signer,
    pub(super) issuer: String,
}

impl Provider {
    /// The client that tokens are for.
    pub(super) const CLIENT: &str = "9d7e3e36-1f0d-4a4e-8f2e-0f3f0f6d8f11";
    /// The tenant of everybody.
    pub(super) const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    /// Requests for certificates by people in turn, and one more.
    pub(super) fn requests(&self, count: u64, people: u64) -> Result<Vec<Bytes>> {
        let now = now()?;
        let one = |number| {
            let person = number % people;
            let name = crate::requests::user_name(person);
            let object = crate::requests::external_id(person);
            let token = self.signer.token(&json!({
                "iss": self.issuer, "aud": Self::CLIENT, "sub": object, "tid": Self::TENANT, "oid": object,
                "iat": now, "nbf": now, "exp": now + LIFE, "nonce": format!("nonce {number}"),
                "email": name, "preferred_username": name,
            }))?;
            body(&token)
        };
        (0..=count).map(one).collect()
    }
}

/// The time, in seconds since 1970 UTC, that tokens name.
#[expect(
    clippy::disallowed_methods,
    reason = "who makes tokens has no other clock"
)]
fn now() -> Result<i64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_secs())?)
}

/// Asks for a certificate with a token, for a new key.
fn body(token: &str) -> Result<Bytes> {
    let key = STANDARD.encode(new_key()?);
    let body = json!({"publicKey": key, "ott": token, "certType": "user", "validAfter": "", "validBefore": ""});
    Ok(body.to_string().into())
}

/// A new Ed25519 key, in its form on the wire (RFC 8709 section 4).
pub(super) fn new_key() -> Result<Vec<u8>> {
    const KIND: &[u8] = b"ssh-ed25519";
    let pair = Ed25519KeyPair::generate()?;
    let mut blob = Vec::new();
    for part in [KIND, pair.public_key().as_ref()] {
        blob.extend(u32::try_from(part.len())?.to_be_bytes());
        blob.extend(part);
    }
    Ok(blob)
}

/// POST of a request for a certificate.
pub(super) fn sign(body: Bytes) -> Exchange {
    Exchange {
        method: Method::POST,
        path: "/1.0/ssh/sign".to_owned(),
        body,
        status: StatusCode::CREATED,
        contains: "\"crt\":\"".to_owned(),
    }
}

/// Gets a first certificate, and looks at it.
pub(super) async fn first(authority: &Target, body: Bytes) -> Result<()> {
    let mut connection = Connection::open(authority).await?;
    let answer = connection.exchange(&sign(body)).await?;
    let answer: Value = serde_json::from_slice(&answer.body)?;
    let blob = STANDARD.decode(answer["crt"].as_str().unwrap_or_default())?;
    let signed = Signed::from_blob(&blob)?;
    let is_for = signed
        .principals()
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    ensure!(
        is_for.starts_with("person"),
        "the first certificate is for {:?}",
        signed.principals()
    );
    Ok(())
}

/// Whether a host is known.
pub(super) fn check_host(name: &str) -> Exchange {
    Exchange {
        method: Method::POST,
        path: "/1.0/ssh/check-host".to_owned(),
        body: json!({"type": "host", "principal": name})
            .to_string()
            .into(),
        status: StatusCode::OK,
        contains: "true".to_owned(),
    }
}
