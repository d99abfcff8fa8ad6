//! ID tokens: real signatures, and everything that can be wrong with them.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_oidc::{Expected, Keys, verify};
use portreeve_testbed::openid::{SigningKey, unsigned};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

const ISSUER: &str = "https://id.example/t/v2.0";
const CLIENT: &str = "portreeve";
const NONCE: &str = "n-0S6_WzA2Mj";
const ACCESS: &str = "access-token";
const NOW: i64 = 1_767_600_000;

struct World {
    rsa: SigningKey,
    p256: SigningKey,
    ed25519: SigningKey,
    keys: Keys,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (rsa, p256, ed25519) = (
        SigningKey::rsa("rsa"),
        SigningKey::p256("p256"),
        SigningKey::ed25519("ed"),
    );
    let set = json!({"keys": [rsa.jwk(), p256.jwk(), ed25519.jwk()]});
    let keys = keys(&set);
    World {
        rsa,
        p256,
        ed25519,
        keys,
    }
});

fn keys(set: &Value) -> Keys {
    Keys::parse(set.to_string().as_bytes()).unwrap()
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        client_id: CLIENT,
        tenant_id: Some("t"),
        nonce: Some(NONCE),
        access_token: Some(ACCESS),
        now: NOW,
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "248289761001", "nonce": NONCE, "tid": "T", "oid": "4711",
        "iat": NOW - 5, "nbf": NOW - 5, "exp": NOW + 3600,
        "email": " ada@contoso.example ", "preferred_username": "", "email_verified": "true", "name": "Ada",
    })
}

/// The claims with other members; those that are null are taken out.
fn with(members: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn code(token: &str) -> &'static str {
    code_by(&WORLD.keys, token)
}

fn code_by(keys: &Keys, token: &str) -> &'static str {
    match verify(token, keys, &expected()) {
        Ok(_) => "accepted",
        Err(error) => {
            assert!(error.to_string().len() > 20, "{error}");
            error.code()
        }
    }
}

#[test]
fn a_token_of_every_kind_of_key_is_accepted_and_says_who_it_is() {
    let hash = |token: &str, half: usize, algorithm| {
        URL_SAFE_NO_PAD.encode(&digest(algorithm, token.as_bytes()).as_ref()[..half])
    };
    for (key, at_hash) in [
        (&WORLD.rsa, hash(ACCESS, 16, &SHA256)),
        (&WORLD.p256, hash(ACCESS, 16, &SHA256)),
        (&WORLD.ed25519, hash(ACCESS, 32, &SHA512)),
    ] {
        let name = &key.id;
        let token = key.token(&with(&json!({"at_hash": at_hash})));
        let found = verify(&token, &WORLD.keys, &expected()).unwrap();
        assert_eq!(found.issuer, ISSUER, "{name}");
        assert_eq!(found.subject, "248289761001");
        assert_eq!(found.tenant_id.as_deref(), Some("t"));
        assert_eq!(found.object_id.as_deref(), Some("4711"));
        assert_eq!(found.email.as_deref(), Some("ada@contoso.example"));
        assert_eq!(found.email_verified, Some(true));
        assert_eq!(found.preferred_username, None, "an empty one is none");
        assert_eq!(found.name.as_deref(), Some("Ada"));
        assert_eq!(found.all["at_hash"], at_hash.as_str());
    }
}

/// Name, what is different, and what becomes of it.
#[rustfmt::skip]
fn sayings() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("as it should be", json!({}), "accepted"),
        ("another issuer", json!({"iss": "https://evil.example"}), "wrong_issuer"),
        ("the issuer with a slash more", json!({"iss": format!("{ISSUER}/")}), "wrong_issuer"),
        ("no issuer", json!({"iss": null}), "token_malformed"),
        ("another tenant", json!({"tid": "other"}), "wrong_tenant"),
        ("no tenant", json!({"tid": null}), "wrong_tenant"),
        ("for another client", json!({"aud": "other"}), "wrong_audience"),
        ("for nobody", json!({"aud": null}), "token_malformed"),
        ("an empty list of audiences", json!({"aud": []}), "wrong_audience"),
        ("a list of one audience", json!({"aud": [CLIENT]}), "accepted"),
        ("several audiences without azp", json!({"aud": [CLIENT, "other"]}), "wrong_party"),
        ("several audiences, given to this client", json!({"aud": [CLIENT, "other"], "azp": CLIENT}), "accepted"),
        ("several audiences, given to another", json!({"aud": [CLIENT, "other"], "azp": "other"}), "wrong_party"),
        ("one audience, given to another", json!({"azp": "other"}), "wrong_party"),
        ("azp is no text", json!({"azp": 1}), "wrong_party"),
        ("ended within the leeway", json!({"exp": NOW - 59}), "accepted"),
        ("ended before that", json!({"exp": NOW - 60}), "token_expired"),
        ("without an end", json!({"exp": null}), "token_malformed"),
        ("the end is a text", json!({"exp": "tomorrow"}), "token_malformed"),
        ("times with fractions", json!({"exp": NOW as f64 + 10.5, "iat": NOW as f64 - 0.5}), "accepted"),
        ("an end beyond all time", json!({"exp": i64::MAX}), "accepted"),
        ("an end long ago", json!({"exp": i64::MIN}), "token_expired"),
        ("issued ahead within the leeway", json!({"iat": NOW + 60, "nbf": null}), "accepted"),
        ("issued in the future", json!({"iat": NOW + 61, "nbf": null}), "token_from_future"),
        ("begins in the future", json!({"nbf": NOW + 61}), "token_from_future"),
        ("not issued", json!({"iat": null}), "token_malformed"),
        ("another nonce", json!({"nonce": "other"}), "nonce_mismatch"),
        ("no nonce", json!({"nonce": null}), "nonce_mismatch"),
        ("of another access token", json!({"at_hash": "d29yZHM"}), "at_hash_mismatch"),
        ("no subject", json!({"sub": null}), "token_malformed"),
        ("an empty subject", json!({"sub": ""}), "token_malformed"),
        ("a subject too long", json!({"sub": "s".repeat(256)}), "token_malformed"),
    ]
}

#[test]
fn what_a_token_says_must_be_right() {
    for (name, members, outcome) in sayings() {
        for key in [&WORLD.p256, &WORLD.ed25519] {
            assert_eq!(code(&key.token(&with(&members))), outcome, "{name}");
        }
    }
}

/// A token signed with a shared secret, which is a public key.
fn confused(kid: &str, secret: &[u8]) -> String {
    let message = unsigned(&json!({"alg": "HS256", "kid": kid}), &claims());
    let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&secret, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// Name, key, header and what becomes of it.
#[rustfmt::skip]
fn signatures(stranger: &SigningKey) -> Vec<(&'static str, String, &'static str)> {
    let World { rsa, p256, .. } = &*WORLD;
    let claims = claims();
    let by = |key: &SigningKey, header: Value| key.token_with(&header, &claims);
    let without = |alg: &str| format!("{}.", unsigned(&json!({"alg": alg, "kid": "rsa"}), &claims));
    vec![
        ("none", without("none"), "algorithm"),
        ("None", without("None"), "algorithm"),
        ("HS256 with the public RSA key", confused("rsa", &rsa.public_der()), "algorithm"),
        ("HS256 with the public key of P-256", confused("p256", &p256.public_der()), "algorithm"),
        ("a key of that name that is another", stranger.token(&claims), "signature"),
        ("a key nobody knows", SigningKey::p256("other").token(&claims), "unknown_key"),
        ("another key's name", by(p256, json!({"alg": "ES256", "kid": "rsa"})), "algorithm"),
        ("another algorithm of the key's family", by(p256, json!({"alg": "ES384", "kid": "p256"})), "algorithm"),
        ("RS512 in the header, signed with RS256", by(rsa, json!({"alg": "RS512", "kid": "rsa"})), "signature"),
        ("no name, but only one key of that kind", by(p256, json!({"alg": "ES256"})), "accepted"),
        ("an extension that must be understood", by(p256, json!({"alg": "ES256", "kid": "p256", "crit": ["b64"]})), "token_malformed"),
        ("its own key brought along", by(stranger, json!({"alg": "ES256", "kid": "p256", "jwk": stranger.jwk()})), "signature"),
        ("no algorithm", by(p256, json!({"kid": "p256"})), "token_malformed"),
    ]
}

#[test]
fn only_the_providers_own_keys_sign_each_with_its_own_algorithm() {
    let stranger = SigningKey::p256("p256");
    for (name, token, outcome) in signatures(&stranger) {
        assert_eq!(code(&token), outcome, "{name}");
    }
    let (p256, claims) = (&WORLD.p256, claims());
    let third = SigningKey::p256("third");
    let set = keys(&json!({"keys": [p256.jwk(), stranger.jwk(), third.jwk()]}));
    let named = p256.token(&claims);
    assert_eq!(code_by(&set, &named), "accepted", "two keys of one name");
    let unnamed = p256.token_with(&json!({"alg": "ES256"}), &claims);
    assert_eq!(
        code_by(&set, &unnamed),
        "unknown_key",
        "no name, and several keys"
    );
}

#[test]
fn keys_that_are_for_something_else_are_left_out() {
    let World { rsa, p256, .. } = &*WORLD;
    let but = |key: &SigningKey, name: &str, value: Value| {
        let mut jwk = key.jwk();
        jwk[name] = value;
        jwk
    };
    let shared = json!({"kty": "oct", "kid": "rsa", "k": "c2VjcmV0"});
    let cases = [
        ("for encryption", but(p256, "use", json!("enc"))),
        ("for signing only", but(p256, "key_ops", json!(["sign"]))),
        ("for another algorithm", but(p256, "alg", json!("ES384"))),
        (
            "of another type's algorithm",
            but(p256, "alg", json!("HS256")),
        ),
        (
            "on a curve unknown here",
            but(p256, "crv", json!("secp256k1")),
        ),
        ("a shared secret", shared),
        ("no key at all", json!("key")),
    ];
    for (name, jwk) in cases {
        let alone = Keys::parse(json!({"keys": [jwk]}).to_string().as_bytes());
        assert!(alone.is_err(), "{name}");
        let with_another = keys(&json!({"keys": [jwk, rsa.jwk()]}));
        assert_eq!(with_another.len(), 1, "{name}");
        assert_eq!(
            code_by(&with_another, &rsa.token(&claims())),
            "accepted",
            "{name}"
        );
    }
    for set in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": []}"#] {
        assert!(Keys::parse(set.as_bytes()).is_err(), "{set}");
    }
    let many = json!({"keys": vec![rsa.jwk(); 101]});
    assert!(Keys::parse(many.to_string().as_bytes()).is_err());
}

#[test]
fn a_key_signs_for_the_issuer_that_it_names() {
    let p256 = &WORLD.p256;
    for (issuer, outcome) in [
        (ISSUER, "accepted"),
        ("https://id.example/{tenantid}/v2.0", "accepted"),
        ("https://id.example/consumers/v2.0", "key_issuer"),
    ] {
        let mut jwk = p256.jwk();
        jwk["issuer"] = issuer.into();
        let keys = keys(&json!({"keys": [jwk]}));
        assert_eq!(code_by(&keys, &p256.token(&claims())), outcome, "{issuer}");
    }
}

#[test]
fn without_a_pinned_tenant_every_tenant_of_the_issuer_is_taken() {
    let token = WORLD.p256.token(&with(&json!({"tid": null})));
    let anywhere = Expected {
        tenant_id: None,
        ..expected()
    };
    assert!(verify(&token, &WORLD.keys, &anywhere).is_ok());
}

proptest! {
    #[test]
    fn no_token_is_accepted_that_differs_in_one_byte(at in 0.0..1.0f64, byte in b'!'..b'~', which in 0..3usize) {
        let World { rsa, p256, ed25519, keys } = &*WORLD;
        let token = [rsa, p256, ed25519][which].token(&claims());
        let at = (token.len() as f64 * at) as usize;
        let mut changed = token.clone().into_bytes();
        changed[at] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assume!(changed != token);
        prop_assert!(verify(&changed, keys, &expected()).is_err(), "{changed}");
    }

    #[test]
    fn whatever_is_sent_is_refused_without_a_panic(token in "[A-Za-z0-9._-]{0,80}") {
        prop_assert!(verify(&token, &WORLD.keys, &expected()).is_err());
    }
}
