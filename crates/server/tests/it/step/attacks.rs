//! Tokens and requests of people who want more than they may have.

use super::world::{World, certificate, new_key, part, refused};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portreeve_testbed::openid::{CLIENT_ID, SigningKey, unsigned};
use serde_json::{Value, json};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn id_tokens_that_are_not_for_us_are_refused() {
    let world = World::start().await;
    let now = world.now();
    let other_tenant = "11111111-1111-1111-1111-111111111111";
    for (name, change, code) in [
        (
            "for another client",
            json!({"aud": "other"}),
            "unknown_provisioner",
        ),
        (
            "given to another client",
            json!({"azp": "other"}),
            "unknown_provisioner",
        ),
        (
            "for two without a party",
            json!({"aud": [CLIENT_ID, "other"]}),
            "wrong_party",
        ),
        (
            "by another issuer",
            json!({"iss": "https://evil.example"}),
            "wrong_issuer",
        ),
        (
            "of another tenant",
            json!({"tid": other_tenant}),
            "wrong_tenant",
        ),
        ("without a tenant", json!({"tid": null}), "wrong_tenant"),
        (
            "too old",
            json!({"exp": now - 61, "iat": now - 3600, "nbf": now - 3600}),
            "token_expired",
        ),
        (
            "from the future",
            json!({"iat": now + 120, "nbf": now + 120}),
            "token_from_future",
        ),
        ("about nobody", json!({"sub": ""}), "token_malformed"),
    ] {
        let answer = world.sign(&world.id_token(&change), &json!({})).await;
        assert_eq!(refused(&answer).0, 401, "{name}: {answer}");
        let event = world.last_event().await;
        assert_eq!(
            (&event["outcome"], &event["reason"]),
            (&json!("refused"), &json!(code)),
            "{name}: {event}"
        );
    }
    let forged = SigningKey::p256("provider").token(&world.said(&json!({})));
    let header = json!({"alg": "none", "kid": "provider"});
    let unsigned = format!("{}.", unsigned(&header, &world.said(&json!({}))));
    for (name, token) in [
        ("forged", forged),
        ("unsigned", unsigned),
        ("nonsense", "x.y.z".to_owned()),
    ] {
        let answer = world.sign(&token, &json!({})).await;
        assert_eq!(refused(&answer).0, 401, "{name}: {answer}");
    }
    world.sso.server.stop().await;
}

#[tokio::test]
async fn a_token_is_good_for_once() {
    let world = World::start().await;
    for token in [
        world.id_token(&json!({})),
        world.id_token(&json!({"nonce": null})),
        world.word(&json!({})),
        world.word(&json!({"jti": null})),
    ] {
        certificate(&world.sign(&token, &json!({})).await);
        let again = world.sign(&token, &json!({})).await;
        let (status, message) = refused(&again);
        assert_eq!(status, 401, "{again}");
        assert!(message.contains("used already"), "{message}");
        assert_eq!(world.last_event().await["reason"], "token_used");
    }
    // Of many at once one gets a certificate.
    let token = world.id_token(&json!({}));
    let nothing = json!({});
    let asked = (0..8).map(|_| world.sign(&token, &nothing));
    let answers = futures_util::future::join_all(asked).await;
    let good = answers.iter().filter(|answer| answer.status == 201);
    assert_eq!(good.count(), 1);
    world.sso.server.stop().await;
}

#[tokio::test]
async fn people_get_no_certificates_of_hosts() {
    let world = World::start().await;
    let asked = json!({"certType": "host", "keyID": "web-1", "principals": ["web-1"]});
    let answer = world.sign(&world.id_token(&json!({})), &asked).await;
    let message = "The request was forbidden by the certificate authority: ssh certificate type does not match - got host, want user.";
    assert_eq!(refused(&answer), (403, message));
    world.sso.server.stop().await;
}

#[tokio::test]
async fn keys_that_get_no_certificate() {
    let world = World::start().await;
    let signed = certificate(&world.sign(&world.id_token(&json!({})), &json!({})).await);
    let weak = [
        part(b"ssh-rsa"),
        part(&[1, 0, 1]),
        part(&[&[0], &[0xa5; 128][..]].concat()),
    ]
    .concat();
    let cut = &STANDARD.decode(new_key().1).unwrap()[..20];
    for (name, blob) in [
        ("a certificate", signed.blob()),
        ("a weak key", weak),
        (
            "DSA",
            [
                part(b"ssh-dss"),
                part(&[1]),
                part(&[1]),
                part(&[1]),
                part(&[1]),
            ]
            .concat(),
        ),
        ("a key cut short", cut.to_vec()),
        ("nonsense", vec![0xff; 64]),
        ("a giant", vec![0; 100_000]),
    ] {
        let asked = json!({"publicKey": STANDARD.encode(blob)});
        let answer = world.sign(&world.id_token(&json!({})), &asked).await;
        let (status, message) = refused(&answer);
        assert_eq!(status, 400, "{name}: {answer}");
        assert!(
            message.starts_with("The request could not be completed: error parsing publicKey: "),
            "{name}: {message}"
        );
    }
    for (name, csr) in [
        ("a giant", "A".repeat(200_000)),
        (
            "nonsense",
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"
                .to_owned(),
        ),
    ] {
        let answer = world
            .sign(&world.id_token(&json!({})), &json!({"identityCSR": csr}))
            .await;
        assert_eq!(refused(&answer).0, 400, "{name}: {answer}");
    }
    let answer = world.sign(&"A".repeat(300_000), &json!({})).await;
    assert_eq!(refused(&answer).0, 413, "{answer}");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn a_provisioner_vouches_for_what_its_token_says_and_no_more() {
    let world = World::start().await;
    let refusal = |message: &str| {
        format!("The request was forbidden by the certificate authority: {message}.")
    };
    for (name, token, asked, message) in [
        (
            "another account",
            json!({}),
            json!({"principals": ["root"]}),
            refusal("ssh certificate principals does not match - got [root], want [joe joe@work]"),
        ),
        (
            "a host",
            json!({}),
            json!({"certType": "host"}),
            refusal("ssh certificate type does not match - got host, want user"),
        ),
        (
            "another key",
            json!({"cnf": {"x5rt#S256": "AAAA"}}),
            json!({}),
            refusal("the token is for another key"),
        ),
    ] {
        let answer = world.sign(&world.word(&token), &asked).await;
        assert_eq!(refused(&answer), (403, message.as_str()), "{name}");
    }
    let base = world.ca.base().to_owned();
    for (name, change, code) in [
        (
            "another endpoint",
            json!({"aud": format!("{base}/1.0/ssh/renew")}),
            "wrong_audience",
        ),
        (
            "another server",
            json!({"aud": "https://ca.example.com/1.0/ssh/sign"}),
            "wrong_audience",
        ),
        (
            "another issuer",
            json!({"iss": "mallory"}),
            "unknown_provisioner",
        ),
        ("no SSH", json!({"step": null}), "token_not_ssh"),
        ("about nobody", json!({"sub": ""}), "token_malformed"),
        (
            "for ever",
            json!({"exp": world.now() + 1_000_000}),
            "token_too_long_lived",
        ),
    ] {
        let answer = world.sign(&world.word(&change), &json!({})).await;
        assert_eq!(refused(&answer).0, 401, "{name}: {answer}");
        assert_eq!(world.last_event().await["reason"], code, "{name}");
    }
    let forged =
        SigningKey::p256("admin-key").token(&world.claims("/ssh/sign", "admin", "joe", &json!({})));
    assert_eq!(refused(&world.sign(&forged, &json!({})).await).0, 401);
    world.sso.server.stop().await;
}

#[tokio::test]
async fn tokens_of_another_team_are_none_here() {
    let world = World::start().await;
    let admin = world.sso.server.admin();
    let made = admin.post("/teams", json!({"name": "other"})).await;
    assert_eq!(made.status, 201, "{made}");
    let key = SigningKey::p256("other-key");
    let declared = json!({"name": "elsewhere", "kind": "jwk", "key": key.jwk(), "team": "other"});
    assert_eq!(admin.post("/ca/provisioners", declared).await.status, 201);
    let token = key.token(&world.claims("/ssh/sign", "elsewhere", "joe", &json!({})));
    let answer = world.sign(&token, &json!({})).await;
    assert_eq!(refused(&answer).0, 401, "{answer}");
    let listed = world.ca.get("/provisioners").await;
    assert!(!listed.json.to_string().contains("elsewhere"), "{listed}");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn foreign_bytes_do_no_harm() {
    let world = World::start().await;
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for ott in [
        format!(
            "{}.{}.",
            encode(r#"{"alg":"ES256","sshpop":"AAAA"}"#),
            encode(r#"{"iss":"sshpop","sub":"1"}"#)
        ),
        format!(
            "{}.{}.",
            encode(r#"{"alg":"ES256","x5c":["AAAA"]}"#),
            encode(r#"{"iss":"x","sub":"1"}"#)
        ),
        format!("{}.{}.", encode("[]"), encode("[]")),
        "..".to_owned(),
        "\u{0}".to_owned(),
    ] {
        for path in [
            "/ssh/sign",
            "/ssh/renew",
            "/ssh/rekey",
            "/ssh/revoke",
            "/sign",
            "/revoke",
        ] {
            let body = json!({"ott": ott, "publicKey": new_key().1, "csr": "x", "serial": "1", "passive": true});
            let answer = world.ca.post(path, body).await;
            assert!(
                (400..500).contains(&refused(&answer).0),
                "{path} {ott}: {answer}"
            );
        }
    }
    for body in [
        json!([]),
        json!(null),
        json!({"ott": 7}),
        json!({"principals": "x"}),
    ] {
        let answer = world.ca.post("/ssh/sign", body.clone()).await;
        assert_eq!(refused(&answer).0, 400, "{body}: {answer}");
    }
    let _: Value = world.ca.get("/health").await.json;
    world.sso.server.stop().await;
}
