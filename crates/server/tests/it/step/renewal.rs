//! Hosts: their certificates, new ones in the place of old ones, and none any more.

use super::world::{World, certificate, new_key, refused};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_ssh_cert::Signed;
use portreeve_ssh_cert::policy::Kind;
use portreeve_testbed::Answer;
use portreeve_testbed::openid::SigningKey;
use serde_json::{Value, json};
use std::time::Duration;

/// A host with its key and certificate.
struct Host {
    key: SigningKey,
    certificate: Signed,
}

async fn host(world: &World) -> Host {
    let (key, blob) = new_key();
    let token = json!({"sub": "h1.example.com", "step": {"ssh": {"certType": "host", "keyID": "h1.example.com", "principals": ["h1.example.com", "10.0.0.1"]}}});
    let asked = json!({"publicKey": blob, "certType": "host", "principals": ["h1.example.com"]});
    let answer = world.sign(&world.word(&token), &asked).await;
    Host {
        key,
        certificate: certificate(&answer),
    }
}

impl Host {
    /// A token that is signed with the key of the certificate.
    fn token(&self, world: &World, endpoint: &str, change: &Value) -> String {
        self.token_of(&self.certificate, world, endpoint, change)
    }

    fn token_of(&self, shown: &Signed, world: &World, endpoint: &str, change: &Value) -> String {
        let header = json!({"alg": "EdDSA", "typ": "JWT", "sshpop": STANDARD.encode(shown.blob())});
        let path = format!("{endpoint}#sshpop/sshpop");
        let subject = self.certificate.serial().to_string();
        let mut claims = world.claims(&path, "sshpop", &subject, change);
        claims.as_object_mut().unwrap().remove("step");
        self.key.token_with(&header, &claims)
    }

    async fn renew(&self, world: &World) -> Answer {
        let token = self.token(world, "/1.0/ssh/renew", &json!({}));
        world.ca.post("/ssh/renew", json!({"ott": token})).await
    }
}

#[tokio::test]
async fn a_host_that_is_vouched_for_is_known_from_then_on() {
    let world = World::start().await;
    let now = u64::try_from(world.now()).unwrap();
    let host = host(&world).await;
    assert_eq!(host.certificate.kind(), Kind::Host);
    assert_eq!(
        host.certificate.principals(),
        ["h1.example.com", "10.0.0.1"]
    );
    assert_eq!(host.certificate.valid(), (now - 60, now + 30 * 86_400));
    let asked = json!({"type": "host", "principal": "h1.example.com"});
    assert_eq!(
        world.ca.post("/ssh/check-host", asked).await.json,
        json!({"exists": true})
    );
    let known = world.sso.server.admin().get("/hosts/h1.example.com").await;
    assert_eq!(known.status, 200, "{known}");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_for_as_long_as_it_was() {
    let world = World::start().await;
    let host = host(&world).await;
    world
        .sso
        .server
        .clock()
        .advance(Duration::from_secs(86_400));
    let now = u64::try_from(world.now()).unwrap();
    let renewed = certificate(&host.renew(&world).await);
    assert_ne!(renewed.serial(), host.certificate.serial());
    assert_eq!(renewed.key(), host.certificate.key());
    assert_eq!(renewed.principals(), host.certificate.principals());
    assert_eq!(renewed.valid(), (now - 60, now + 30 * 86_400));
    assert_eq!(world.last_event().await["action"], "renew");
    let known = world.sso.server.admin().get("/hosts/h1.example.com").await;
    assert!(known.json["last_contact_at"].is_string(), "{known}");

    let (other, blob) = new_key();
    let token = host.token(&world, "/1.0/ssh/rekey", &json!({}));
    let body = json!({"ott": token, "publicKey": blob});
    let rekeyed = certificate(&world.ca.post("/ssh/rekey", body.clone()).await);
    assert_eq!(STANDARD.encode(rekeyed.key().unwrap().blob()), blob);
    drop(other);
    let again = world.ca.post("/ssh/rekey", body).await;
    assert_eq!(refused(&again).0, 401, "{again}");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_renewed() {
    let world = World::start().await;
    let host = host(&world).await;
    let (key, blob) = new_key();
    let answer = world
        .sign(&world.word(&json!({})), &json!({"publicKey": blob}))
        .await;
    let person = Host {
        key,
        certificate: certificate(&answer),
    };
    let answer = person.renew(&world).await;
    let message =
        "The request could not be completed: sshpop certificate must be a host ssh certificate.";
    assert_eq!(refused(&answer), (400, message));
    let renew = "/1.0/ssh/renew";
    for (name, token) in [
        (
            "with another's certificate",
            host.token_of(&person.certificate, &world, renew, &json!({})),
        ),
        (
            "for something else",
            host.token(&world, "/1.0/ssh/rekey", &json!({})),
        ),
        (
            "by another name",
            host.token(&world, renew, &json!({"iss": "other"})),
        ),
        (
            "of a provisioner",
            world.word(&json!({"aud": format!("{}{renew}", world.ca.base())})),
        ),
    ] {
        let answer = world.ca.post("/ssh/renew", json!({"ott": token})).await;
        assert_eq!(refused(&answer).0, 401, "{name}: {answer}");
    }
    world
        .sso
        .server
        .clock()
        .advance(Duration::from_secs(31 * 86_400));
    let answer = host.renew(&world).await;
    assert_eq!(refused(&answer).0, 401, "{answer}");
    assert_eq!(world.last_event().await["reason"], "certificate_expired");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn a_revoked_certificate_is_renewed_no_more() {
    let world = World::start().await;
    let host = host(&world).await;
    let serial = host.certificate.serial().to_string();
    let body = |token: String| json!({"serial": serial, "ott": token, "reasonCode": 1, "reason": "test", "passive": true});
    let token = || host.token(&world, "/1.0/ssh/revoke", &json!({}));
    let other = host.token(&world, "/1.0/ssh/revoke", &json!({"sub": "1"}));
    let answer = world.ca.post("/ssh/revoke", body(other)).await;
    assert_eq!(refused(&answer).0, 401, "another's serial number: {answer}");
    let answer = world.ca.post("/ssh/revoke", body(token())).await;
    assert_eq!((answer.status, answer.json), (200, json!({"status": "ok"})));
    let answer = host.renew(&world).await;
    assert_eq!(refused(&answer).0, 401, "{answer}");
    assert_eq!(world.last_event().await["reason"], "certificate_revoked");
    // The provisioner may say it again, and is told that it is done.
    let aud = format!("{}/1.0/ssh/revoke", world.ca.base());
    let again = world.word(&json!({"sub": serial, "aud": aud}));
    let answer = world.ca.post("/ssh/revoke", body(again)).await;
    let message = format!(
        "The request could not be completed: certificate with serial number '{serial}' is already revoked."
    );
    assert_eq!(refused(&answer), (400, message.as_str()));
    world.sso.server.stop().await;
}

#[tokio::test]
async fn people_revoke_their_own_and_admins_all() {
    let world = World::start().await;
    let host = host(&world).await;
    let own = certificate(&world.sign(&world.id_token(&json!({})), &json!({})).await);
    let revoke = async |serial: u64| {
        let body = json!({"serial": serial.to_string(), "ott": world.id_token(&json!({})), "reasonCode": 0, "passive": true});
        world.ca.post("/ssh/revoke", body).await.status
    };
    assert_eq!(revoke(own.serial()).await, 200);
    assert_eq!(revoke(host.certificate.serial()).await, 401);
    let path = format!(
        "/directories/{}/users/ada@contoso.example",
        world.sso.directory_id
    );
    let raised = world
        .sso
        .server
        .admin()
        .patch(&path, json!({"level": "admin"}))
        .await;
    assert_eq!(raised.status, 200, "{raised}");
    assert_eq!(revoke(host.certificate.serial()).await, 200);
    world.sso.server.stop().await;
}
