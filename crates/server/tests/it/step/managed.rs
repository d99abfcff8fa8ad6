//! Managed mode: who has signed in has an identity certificate, without which nobody is told of hosts and keys; and X.509
//! certificates of programs.

use super::world::{World, certificate, refused};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_testbed::{Answer, Client};
use serde_json::{Value, json};

/// A key (PEM) with a request for a certificate (PEM).
fn request(names: &[&str], subject: &str) -> (rcgen::KeyPair, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, subject);
    let csr = params.serialize_request(&key).unwrap().pem().unwrap();
    (key, csr)
}

/// Ada, known by her certificate; and that with its key.
async fn ada(world: &World) -> (Client, rcgen::KeyPair, Vec<String>) {
    let (key, csr) = request(&["root@contoso.example"], "root");
    let answer = world
        .sign(&world.id_token(&json!({})), &json!({"identityCSR": csr}))
        .await;
    certificate(&answer);
    let chain = chain(&answer.json["identityCrt"]);
    let pem = format!("{}{}", chain.concat(), key.serialize_pem());
    (world.sso.server.step(&world.root, Some(&pem)), key, chain)
}

fn chain(value: &Value) -> Vec<String> {
    let all = value.as_array().unwrap_or_else(|| panic!("{value}"));
    all.iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

async fn managed(world: &World) {
    let changed = world
        .sso
        .server
        .admin()
        .patch("/ca/step", json!({"mode": "managed"}))
        .await;
    assert_eq!(
        (changed.status, changed.text("mode")),
        (200, "managed"),
        "{changed}"
    );
}

#[tokio::test]
async fn who_has_signed_in_is_told_what_is_theirs() {
    let world = World::start().await;
    managed(&world).await;
    let version = world.ca.get("/version").await;
    assert_eq!(version.json["requireClientAuthentication"], true);
    let host = json!({"type": "host", "principal": "web-1"});
    let bastion = json!({"user": "ada", "hostname": "db-1"});
    let config = json!({"type": "user", "data": {}});
    for answer in [
        world.ca.get("/ssh/roots").await,
        world.ca.get("/ssh/hosts").await,
        world.ca.post("/ssh/bastion", bastion.clone()).await,
        world.ca.post("/ssh/config", config.clone()).await,
        world.ca.post("/ssh/check-host", host.clone()).await,
    ] {
        assert_eq!(
            refused(&answer).0,
            401,
            "that makes clients sign in: {answer}"
        );
    }
    let (known, _, chain) = ada(&world).await;
    assert_eq!(known.get("/ssh/roots").await.status, 200);
    assert_eq!(known.post("/ssh/config", config).await.status, 200);
    let listed = known.get("/ssh/hosts").await;
    let names: Vec<&Value> = listed.json["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["hostname"])
        .collect();
    assert_eq!(names, ["web-1"], "the others are not hers");
    for (name, exists) in [("web-1", true), ("db-1", false), ("nope", false)] {
        let answer = known
            .post("/ssh/check-host", json!({"principal": name}))
            .await;
        assert_eq!(answer.json, json!({"exists": exists}), "{name}");
    }
    let serial = portreeve_x509::Details::read(&pem_body(&chain[0]))
        .unwrap()
        .serial;
    world.sso.suspend_ada().await;
    assert_eq!(refused(&known.get("/ssh/hosts").await).0, 401, "she is out");
    let event = world.last_event().await;
    assert_eq!(event["action"], "revoke", "{event}");
    assert!(event["object"].to_string().contains(&serial), "{event}");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn hosts_are_asked_for_with_a_token_of_the_identity() {
    let world = World::start().await;
    managed(&world).await;
    let (_, key, chain) = ada(&world).await;
    let chain: Vec<String> = chain
        .iter()
        .map(|pem| STANDARD.encode(pem_body(pem)))
        .collect();
    let token = |subject: &str, issuer: &str, audience: &str| {
        let now = world.now();
        let claims = json!({"iss": issuer, "aud": audience, "sub": subject, "iat": now, "nbf": now, "exp": now + 300});
        let header = json!({"alg": "ES256", "x5cInsecure": chain});
        signed(&key, &header, &claims)
    };
    let ask = async |principal: &str, token: String| {
        let body = json!({"type": "host", "principal": principal, "token": token});
        world.ca.post("/ssh/check-host", body).await
    };
    let good = ask("web-1", token("web-1", "x5c-identity", "/ssh/check-host")).await;
    assert_eq!(good.json, json!({"exists": true}));
    let other = ask("db-1", token("db-1", "x5c-identity", "/ssh/check-host")).await;
    assert_eq!(other.json, json!({"exists": false}));
    for (name, answer) in [
        (
            "for another host",
            ask("web-1", token("db-1", "x5c-identity", "/ssh/check-host")).await,
        ),
        (
            "by another name",
            ask("web-1", token("web-1", "admin", "/ssh/check-host")).await,
        ),
        (
            "for something else",
            ask("web-1", token("web-1", "x5c-identity", "/ssh/sign")).await,
        ),
        ("nonsense", ask("web-1", "x.y.z".to_owned()).await),
    ] {
        assert_eq!(refused(&answer).0, 401, "{name}: {answer}");
    }
    world.sso.server.stop().await;
}

#[tokio::test]
async fn an_identity_says_who_the_directory_knows_and_not_what_was_asked_for() {
    let world = World::start().await;
    let (known, key, chain) = ada(&world).await;
    let leaf = portreeve_x509::Details::read(&pem_body(&chain[0])).unwrap();
    assert_eq!(leaf.common_name, "Ada");
    let names: Vec<String> = leaf.names.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "ada@contoso.example".to_owned(),
            format!("{}#ada", world.sso.provider.issuer())
        ]
    );
    assert_eq!(
        leaf.valid_before.as_second(),
        world.now() + 8 * 3600,
        "as long as the SSH certificate"
    );
    let renewed = known.post("/renew", json!({})).await;
    let fresh = portreeve_x509::Details::read(&pem_body(renewed.text("crt"))).unwrap();
    assert_eq!((renewed.status, &fresh.names), (201, &leaf.names));
    assert_eq!(fresh.public_key, leaf.public_key);
    let none = world.ca.post("/renew", json!({})).await;
    assert_eq!(refused(&none).0, 401, "{none}");
    let serial = format!("0x{}", leaf.serial);
    let body = json!({"serial": serial, "reasonCode": 0, "passive": true});
    let revoked = known.post("/revoke", body).await;
    assert_eq!(
        (revoked.status, revoked.json),
        (200, json!({"status": "ok"}))
    );
    assert_eq!(refused(&known.post("/renew", json!({})).await).0, 401);
    drop(key);
    world.sso.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn programs_get_the_names_that_their_tokens_say() {
    let world = World::start().await;
    let token = |change: Value| {
        let claims = world.claims(
            "/1.0/sign",
            "admin",
            "app.example.com",
            &json!({"sans": ["app.example.com", "10.0.0.7"], "step": null}),
        );
        let mut claims = claims;
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        world.admin.token(&claims)
    };
    let (_, csr) = request(&["app.example.com", "10.0.0.7"], "app.example.com");
    let ask = async |csr: &str, token: String, more: Value| -> Answer {
        let mut body = json!({"csr": csr, "ott": token, "notAfter": "", "notBefore": ""});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        world.ca.post("/sign", body).await
    };
    let answer = ask(&csr, token(json!({})), json!({})).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(
        chain(&answer.json["certChain"]),
        [answer.text("crt"), answer.text("ca")]
    );
    assert_eq!(answer.json["tlsOptions"]["minVersion"], 1.2);
    let leaf = portreeve_x509::Details::read(&pem_body(answer.text("crt"))).unwrap();
    assert_eq!(leaf.common_name, "app.example.com");
    let (_, other) = request(&["evil.example.com"], "app.example.com");
    let (_, more) = request(
        &["app.example.com", "10.0.0.7", "evil.example.com"],
        "app.example.com",
    );
    let wrong = json!({"cnf": {"x5rt#S256": "AAAA"}});
    for (name, answer) in [
        (
            "another name",
            ask(&other, token(json!({})), json!({})).await,
        ),
        (
            "one more name",
            ask(&more, token(json!({})), json!({})).await,
        ),
        (
            "another subject",
            ask(&csr, token(json!({"sub": "x"})), json!({})).await,
        ),
        ("another request", ask(&csr, token(wrong), json!({})).await),
        (
            "too long",
            ask(&csr, token(json!({})), json!({"notAfter": "48h"})).await,
        ),
        (
            "too short",
            ask(&csr, token(json!({})), json!({"notAfter": "1m"})).await,
        ),
    ] {
        assert_eq!(refused(&answer).0, 403, "{name}: {answer}");
    }
    world.sso.server.stop().await;
}

/// The bytes in a PEM text with one certificate.
fn pem_body(pem: &str) -> Vec<u8> {
    portreeve_x509::chain::from_pem(pem).unwrap().remove(0)
}

fn signed(key: &rcgen::KeyPair, header: &Value, claims: &Value) -> String {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let message = portreeve_testbed::openid::unsigned(header, claims);
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, &key.serialize_der()).unwrap();
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
