//! A server with Ada, who may log in to `web-1`, and somebody who vouches for names.

use crate::sso;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use portreeve_ssh_cert::Signed;
use portreeve_testbed::openid::{CLIENT_ID, SigningKey, TENANT};
use portreeve_testbed::{Answer, Client};
use serde_json::{Value, json};
use std::time::SystemTime;

pub(super) struct World {
    pub(super) sso: sso::World,
    /// What Ada's provider signs with.
    pub(super) provider: SigningKey,
    /// What the provisioner `admin` signs with.
    pub(super) admin: SigningKey,
    /// Our root (PEM).
    pub(super) root: String,
    /// Somebody who knows our root.
    pub(super) ca: Client,
}

impl World {
    pub(super) async fn start() -> Self {
        let sso = sso::World::start().await;
        // Clients check certificates by the time of the machine.
        #[expect(
            clippy::disallowed_methods,
            reason = "clients of TLS have no other clock"
        )]
        let now = SystemTime::now();
        let now = Timestamp::try_from(now).unwrap();
        sso.server.clock().set(now.as_microsecond());
        let provider = SigningKey::p256("provider");
        sso.provider.publish(json!({"keys": [provider.jwk()]}));
        let admin = SigningKey::p256("admin-key");
        let declared = json!({"name": "admin", "kind": "jwk", "key": admin.jwk()});
        let hours = now + SignedDuration::from_hours(8);
        for (path, body) in [
            ("/hosts", json!({"name": "web-1", "tags": {"role": "web"}})),
            (
                "/hosts",
                json!({"name": "db-1", "tags": {"role": "db"}, "bastion": "jump"}),
            ),
            (
                "/grants",
                json!({"user": "ada@contoso.example", "hosts": "role=web", "until": hours.to_string()}),
            ),
            ("/ca/provisioners", declared),
        ] {
            if body["bastion"] == "jump" {
                let jump = json!({"name": "jump", "is_bastion": true});
                made(&sso.server.admin().post("/hosts", jump).await);
            }
            made(&sso.server.admin().post(path, body).await);
        }
        let roots = sso.server.step_trusting().get("/roots.pem").await;
        let root = roots
            .json
            .as_str()
            .unwrap_or_else(|| panic!("{roots}"))
            .to_owned();
        Self {
            ca: sso.server.step(&root, None),
            root,
            provider,
            admin,
            sso,
        }
    }

    /// The time, in seconds since 1970 UTC.
    pub(super) fn now(&self) -> i64 {
        let now = self.sso.server.clock().time();
        Timestamp::try_from(now).unwrap().as_second()
    }

    /// What the provider says of Ada, with these members on top; one that is null is left out.
    pub(super) fn said(&self, change: &Value) -> Value {
        let now = self.now();
        let claims = json!({
            "iss": self.sso.provider.issuer(), "aud": CLIENT_ID, "sub": "ada", "tid": TENANT, "oid": sso::ADA,
            "iat": now, "nbf": now, "exp": now + 3600, "nonce": fresh(),
            "email": "ada@contoso.example", "preferred_username": "ada@contoso.example",
        });
        with(claims, change)
    }

    /// An ID token of Ada.
    pub(super) fn id_token(&self, change: &Value) -> String {
        self.provider.token(&self.said(change))
    }

    /// A token of the provisioner `admin`, as `step ca token` makes them.
    pub(super) fn word(&self, change: &Value) -> String {
        self.admin
            .token(&self.claims("/1.0/ssh/sign", "admin", "joe@work", change))
    }

    /// The claims of a token for an endpoint.
    pub(super) fn claims(
        &self,
        endpoint: &str,
        issuer: &str,
        subject: &str,
        change: &Value,
    ) -> Value {
        let now = self.now();
        let claims = json!({
            "iss": issuer, "aud": format!("{}{endpoint}", self.ca.base()), "sub": subject, "jti": fresh(),
            "iat": now, "nbf": now, "exp": now + 300, "sha": "00",
            "step": {"ssh": {"certType": "user", "keyID": subject, "principals": ["joe", "joe@work"], "validAfter": "", "validBefore": ""}},
        });
        with(claims, change)
    }

    /// Asks for an SSH certificate.
    pub(super) async fn sign(&self, token: &str, change: &Value) -> Answer {
        let body = json!({"publicKey": new_key().1, "ott": token, "validAfter": "", "validBefore": "", "identityCSR": null});
        self.ca.post("/ssh/sign", with(body, change)).await
    }

    /// The newest event about certificates.
    pub(super) async fn last_event(&self) -> Value {
        self.sso.last_event("SSH_CERT").await
    }
}

fn made(answer: &Answer) {
    assert_eq!(answer.status, 201, "{answer}");
}

fn with(mut all: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
            value => all[name] = value.clone(),
        }
    }
    all
}

/// A text that was never used before.
pub(super) fn fresh() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("n-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A key, and what asks for a certificate for it.
pub(super) fn new_key() -> (SigningKey, String) {
    let key = SigningKey::ed25519("ssh");
    let blob = [part(b"ssh-ed25519"), part(&key.public_der())].concat();
    (key, STANDARD.encode(blob))
}

/// A part of a key in its form on the wire.
pub(super) fn part(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

/// The certificate in an answer.
pub(super) fn certificate(answer: &Answer) -> Signed {
    assert_eq!(answer.status, 201, "{answer}");
    Signed::from_blob(&STANDARD.decode(answer.text("crt")).unwrap()).unwrap()
}

/// The sentence of a refusal, whose two statuses are the same.
pub(super) fn refused(answer: &Answer) -> (u16, &str) {
    assert_eq!(answer.json["status"], answer.status, "{answer}");
    (answer.status, answer.text("message"))
}
