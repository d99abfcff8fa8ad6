//! Whose tokens are taken: declared, listed, and used.

use super::world::{World, certificate, refused};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_step::jwe;
use portreeve_testbed::openid::SigningKey;
use serde_json::{Value, json};

#[tokio::test]
async fn everybody_sees_whose_tokens_are_taken_and_no_secret() {
    let world = World::start().await;
    let listed = world.ca.get("/provisioners").await;
    let all = listed.json["provisioners"].as_array().unwrap();
    let names: Vec<(&Value, &Value)> = all.iter().map(|one| (&one["type"], &one["name"])).collect();
    assert_eq!(
        names,
        [
            (&json!("JWK"), &json!("admin")),
            (&json!("OIDC"), &json!("entra 1")),
            (&json!("SSHPOP"), &json!("sshpop"))
        ]
    );
    assert_eq!(listed.json["nextCursor"], "");
    let oidc = &all[1];
    assert_eq!(
        oidc["configurationEndpoint"],
        world.sso.provider.metadata_url()
    );
    assert_eq!(
        oidc["clientSecret"], "",
        "that of the connection is a secret"
    );
    assert_eq!(oidc["claims"], json!({"enableSSHCA": true}));
    for n in 0..25 {
        let key = SigningKey::p256(&format!("k{n}"));
        let declared = json!({"name": format!("p{n:02}"), "kind": "jwk", "key": key.jwk()});
        let made = world
            .sso
            .server
            .admin()
            .post("/ca/provisioners", declared)
            .await;
        assert_eq!(made.status, 201, "{made}");
    }
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = world
            .ca
            .get(&format!("/provisioners?limit=10&cursor={cursor}"))
            .await;
        seen += page.json["provisioners"].as_array().unwrap().len();
        cursor = page.text("nextCursor").to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 28);
    world.sso.server.stop().await;
}

#[tokio::test]
async fn a_key_that_is_made_here_is_for_whoever_has_the_password() {
    let world = World::start().await;
    let admin = world.sso.server.admin();
    let declared = json!({"name": "ops", "kind": "jwk", "password": "correct horse battery"});
    let made = admin.post("/ca/provisioners", declared).await;
    assert_eq!(made.status, 201, "{made}");
    let kid = made.json["details"]["key"]["kid"].as_str().unwrap();
    let fetched = world
        .ca
        .get(&format!("/provisioners/{kid}/encrypted-key"))
        .await;
    let opened = jwe::decrypt(fetched.text("key"), "correct horse battery").unwrap();
    let private: Value = serde_json::from_slice(&opened).unwrap();
    assert_eq!(
        (&private["kid"], private["d"].is_string()),
        (&json!(kid), true)
    );
    let gone = admin.delete("/ca/provisioners/ops").await;
    assert_eq!(gone.status, 204, "{gone}");
    let fetched = world
        .ca
        .get(&format!("/provisioners/{kid}/encrypted-key"))
        .await;
    assert_eq!(refused(&fetched).0, 404);
    world.sso.server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_declared_is_said() {
    let world = World::start().await;
    let admin = world.sso.server.admin();
    let private = json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"});
    for (name, declared, status, said) in [
        (
            "a short password",
            json!({"name": "a", "kind": "jwk", "password": "short"}),
            400,
            "12 characters",
        ),
        (
            "no key",
            json!({"name": "a", "kind": "jwk"}),
            400,
            "password",
        ),
        (
            "a private key",
            json!({"name": "a", "kind": "jwk", "key": private}),
            400,
            "private",
        ),
        (
            "no roots",
            json!({"name": "a", "kind": "x5c"}),
            400,
            "BEGIN CERTIFICATE",
        ),
        (
            "no directory",
            json!({"name": "a", "kind": "oidc", "client_id": "x"}),
            404,
            "directory",
        ),
        (
            "the same name",
            json!({"name": "ADMIN", "kind": "jwk", "key": world.admin.jwk()}),
            409,
            "name",
        ),
        (
            "that of a directory",
            json!({"name": "entra 1", "kind": "jwk", "key": world.admin.jwk()}),
            400,
            "directory",
        ),
        (
            "one that is there",
            json!({"name": "SSHPOP", "kind": "sshpop"}),
            400,
            "by itself",
        ),
    ] {
        let answer = admin.post("/ca/provisioners", declared).await;
        assert_eq!(answer.status, status, "{name}: {answer}");
        assert!(answer.text("detail").contains(said), "{name}: {answer}");
    }
    let kept = admin.delete("/ca/provisioners/sshpop").await;
    assert_eq!(kept.status, 400, "{kept}");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn a_public_client_of_the_same_provider_signs_people_in() {
    let world = World::start().await;
    let declared = json!({"name": "Contoso", "kind": "oidc", "directory": "entra 1", "client_id": "step", "listen_address": ":10000", "scopes": ["openid", "profile"]});
    let made = world
        .sso
        .server
        .admin()
        .post("/ca/provisioners", declared)
        .await;
    assert_eq!(made.status, 201, "{made}");
    let listed = world.ca.get("/provisioners").await;
    let all = listed.json["provisioners"].as_array().unwrap();
    let oidc: Vec<&Value> = all.iter().filter(|one| one["type"] == "OIDC").collect();
    assert_eq!(
        oidc.len(),
        1,
        "it takes the place of the connection's own: {listed}"
    );
    assert_eq!(
        (&oidc[0]["clientID"], &oidc[0]["listenAddress"]),
        (&json!("step"), &json!(":10000"))
    );
    for client in ["step", portreeve_testbed::openid::CLIENT_ID] {
        let token = world.id_token(&json!({"aud": client}));
        certificate(&world.sign(&token, &json!({})).await);
    }
    world.sso.server.stop().await;
}

#[tokio::test]
async fn x509_certificates_vouch_as_long_as_they_last() {
    let world = World::start().await;
    let farm = Farm::new();
    let declared = json!({"name": "Build farm", "kind": "x5c", "roots": farm.root});
    let made = world
        .sso
        .server
        .admin()
        .post("/ca/provisioners", declared)
        .await;
    assert_eq!(made.status, 201, "{made}");
    let aud = "/1.0/ssh/sign#x5c/Build%20farm";
    let claims = world.claims(aud, "Build farm", "builder", &json!({"step": {"ssh": {}}}));
    let header = |chain: &Value| json!({"alg": "ES256", "x5c": chain});
    let token = farm.key.token_with(&header(&json!([farm.leaf])), &claims);
    let signed = certificate(&world.sign(&token, &json!({})).await);
    assert_eq!(
        (signed.key_id(), signed.principals()),
        ("builder", &["builder".to_owned()][..])
    );
    let claims = |more: Value| world.claims(aud, "Build farm", "builder", &more);
    let other = Farm::new();
    let ssh = json!({"step": {"ssh": {}}});
    for (name, key, chain) in [
        ("of another root", &other.key, json!([other.leaf])),
        ("with another key", &other.key, json!([farm.leaf])),
        ("no certificate", &farm.key, json!(["AAAA"])),
        ("none at all", &farm.key, json!([])),
        ("the root itself", &farm.key, json!([farm.root_der])),
    ] {
        let token = key.token_with(&header(&chain), &claims(ssh.clone()));
        let answer = world.sign(&token, &json!({})).await;
        assert_eq!(refused(&answer).0, 401, "{name}: {answer}");
    }
    world.sso.server.stop().await;
}

/// An authority of somebody else.
struct Farm {
    root: String,
    root_der: String,
    leaf: String,
    key: SigningKey,
}

impl Farm {
    fn new() -> Self {
        use portreeve_x509::authority::About;
        use portreeve_x509::{Issuer, Key, Leaf, Usage, authority, chain};
        let key = Key::from_pkcs8(&Key::generate().unwrap()).unwrap();
        let [begin, end] =
            ["2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"].map(|time| time.parse().unwrap());
        let about = About {
            name: "Farm",
            serial: [1; 16],
            valid_after: begin,
            valid_before: end,
        };
        let root = authority::root(&key, &about).unwrap();
        let issuer = Issuer::new(root.clone(), key).unwrap();
        let signing = SigningKey::p256("farm");
        let leaf = issuer
            .leaf(&Leaf {
                public_key: &spki(&signing.public_der()),
                common_name: "builder",
                names: &[],
                usage: Usage::Client,
                serial: [2; 16],
                valid_after: begin,
                valid_before: end,
            })
            .unwrap();
        Self {
            root: chain::to_pem(&root),
            root_der: STANDARD.encode(&root),
            leaf: STANDARD.encode(leaf),
            key: signing,
        }
    }
}

/// A point on P-256 as SubjectPublicKeyInfo (RFC 5480 section 2).
fn spki(point: &[u8]) -> Vec<u8> {
    const HEAD: &[u8] = &[
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    [HEAD, point].concat()
}
