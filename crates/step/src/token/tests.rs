use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use proptest::prelude::*;
use serde_json::json;

const NOW: i64 = 1_795_279_707;

/// A key, and how it signs.
struct Signer {
    pair: EcdsaKeyPair,
    key: PublicKey,
}

fn signer() -> Signer {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.unwrap().as_ref())
            .unwrap();
    let point = pair.public_key().as_ref();
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": coordinate(&point[1..33]), "y": coordinate(&point[33..])});
    let key = PublicKey::from_jwk(&jwk).unwrap();
    Signer { pair, key }
}

impl Signer {
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn claims() -> Value {
    json!({
        "aud": "https://localhost:9443/1.0/ssh/sign",
        "exp": NOW + 300,
        "iat": NOW,
        "iss": "admin",
        "jti": "26ba",
        "nbf": NOW,
        "sha": "ee31",
        "step": {"ssh": {"certType": "user", "keyID": "joe@work", "principals": ["joe", "joe@work"], "validAfter": "", "validBefore": ""}},
        "sub": "joe@work",
    })
}

fn with(change: &Value) -> Value {
    let mut all = claims();
    for (name, value) in change.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

fn expected(hosts: &[String]) -> Expected<'_> {
    Expected {
        issuer: "admin",
        audience: Audience {
            hosts,
            endpoint: Endpoint::Sign,
        },
        now: Timestamp::from_second(NOW).unwrap(),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn a_token_is_taken_only_for_what_it_says() {
    let (signer, hosts) = (signer(), ["localhost".to_owned(), "::1".to_owned()]);
    let audience = |text: &str| Err(TokenError::Audience(text.to_owned()));
    let long = "https://ca.example.com/ssh/sign";
    for (name, change, result) in [
        ("as it should be", json!({}), Ok(())),
        (
            "without a port",
            json!({"aud": "https://localhost/ssh/sign"}),
            Ok(()),
        ),
        (
            "for either kind",
            json!({"aud": ["x", "https://LOCALHOST:1/1.0/sign#x5c/a"]}),
            Ok(()),
        ),
        ("of IPv6", json!({"aud": "https://[::1]:9443/sign"}), Ok(())),
        ("for another host", json!({"aud": long}), audience(long)),
        (
            "for another purpose",
            json!({"aud": "https://localhost/ssh/renew"}),
            audience("https://localhost/ssh/renew"),
        ),
        (
            "over plain HTTP",
            json!({"aud": "http://localhost/sign"}),
            audience("http://localhost/sign"),
        ),
        (
            "with a query",
            json!({"aud": "https://localhost/sign?a"}),
            audience("https://localhost/sign?a"),
        ),
        (
            "for a path alone",
            json!({"aud": "/ssh/sign"}),
            audience("/ssh/sign"),
        ),
        ("for nobody", json!({"aud": []}), audience("")),
        (
            "by somebody else",
            json!({"iss": "mallory"}),
            Err(TokenError::Issuer("mallory".into())),
        ),
        ("about nobody", json!({"sub": ""}), Err(TokenError::Subject)),
        ("a little late", json!({"exp": NOW - 59}), Ok(())),
        (
            "late",
            json!({"exp": NOW - 60}),
            Err(TokenError::Expired(60)),
        ),
        ("a little early", json!({"nbf": NOW + 60}), Ok(())),
        (
            "early",
            json!({"nbf": NOW + 61}),
            Err(TokenError::Future(61)),
        ),
        (
            "made tomorrow",
            json!({"iat": NOW as f64 + 61.5}),
            Err(TokenError::Future(61)),
        ),
        (
            "without an end",
            json!({"exp": null}),
            Err(TokenError::Malformed("it has no end (exp)")),
        ),
        (
            "without a usable end",
            json!({"exp": 1e300}),
            Err(TokenError::Malformed("it has no end (exp)")),
        ),
        ("for a day", json!({"exp": NOW + 86_400}), Ok(())),
        (
            "for two days",
            json!({"exp": NOW + 172_800}),
            Err(TokenError::LongLived),
        ),
    ] {
        let token = signer.sign(&json!({"alg": "ES256"}), &with(&change));
        let token = Token::parse(&token).unwrap();
        assert_eq!(
            token.verify(&signer.key, &expected(&hosts)),
            result,
            "{name}"
        );
    }
}

#[test]
fn signatures_are_those_of_the_key_with_its_own_algorithm() {
    let (signer, hosts) = (signer(), ["localhost".to_owned()]);
    let good = signer.sign(&json!({"alg": "ES256"}), &claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let header = |header: Value| signer.sign(&header, &claims());
    let other = self::signer().sign(&json!({"alg": "ES256"}), &claims());
    for (name, token) in [
        ("none", header(json!({"alg": "none"}))),
        ("a shared secret", header(json!({"alg": "HS256"}))),
        ("another curve", header(json!({"alg": "ES384"}))),
        ("another family", header(json!({"alg": "EdDSA"}))),
        ("another key", other),
        ("no signature", format!("{message}.")),
        (
            "a short signature",
            format!("{message}.{}", &signature[..20]),
        ),
    ] {
        let token = Token::parse(&token).unwrap();
        let result = token.verify(&signer.key, &expected(&hosts));
        assert_eq!(result, Err(TokenError::Signature), "{name}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = encode(r#"{"alg":"ES256"}"#);
    for (name, text) in [
        ("nothing", String::new()),
        ("two parts", format!("{header}.e30")),
        ("four parts", format!("{header}.e30.e30.e30")),
        ("no JSON", format!("{}.e30.", encode("x"))),
        ("a list", format!("{header}.{}.", encode("[]"))),
        ("no base64", "a b.e30.".to_owned()),
        ("an odd signature", format!("{header}.e30.*")),
        (
            "demands",
            format!("{}.e30.", encode(r#"{"alg":"ES256","crit":["b64"]}"#)),
        ),
        (
            "times in words",
            format!(
                "{header}.{}.",
                encode(r#"{"step":{"ssh":{"validAfter":"soon"}}}"#)
            ),
        ),
        ("too long", "a".repeat(LONGEST + 1)),
    ] {
        let result = Token::parse(&text);
        assert!(matches!(result, Err(TokenError::Malformed(_))), "{name}");
    }
}

#[test]
fn a_token_has_one_identity_however_it_is_signed() {
    let signer = signer();
    let identity = |change: Value| {
        let token = signer.sign(&json!({"alg": "ES256"}), &with(&change));
        Token::parse(&token).unwrap().identity()
    };
    let nameless = json!({"jti": null});
    assert_eq!(identity(json!({})), b"jti/26ba");
    assert_eq!(identity(json!({"jti": "", "nonce": "n"})), b"nonce/n");
    assert_eq!(identity(nameless.clone()), identity(nameless));
    assert_ne!(
        identity(json!({"jti": null})),
        identity(json!({"jti": null, "sub": "x"}))
    );
}

#[test]
fn the_audience_names_the_provisioner() {
    for (audience, expected) in [
        ("https://ca/ssh/renew#sshpop/sshpop", Some("sshpop/sshpop")),
        (
            "https://ca/ssh/sign#x5c/Build%20farm",
            Some("x5c/Build farm"),
        ),
        ("https://ca/ssh/sign#", None),
        ("https://ca/ssh/sign", None),
    ] {
        let token = signer().sign(&json!({"alg": "ES256"}), &with(&json!({"aud": audience})));
        let fragment = Token::parse(&token).unwrap().fragment();
        assert_eq!(fragment.as_deref(), expected, "{audience}");
    }
}

#[test]
fn keys_come_in_three_forms() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = pair.public_key().as_ref();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(public)});
    let part = |bytes: &[u8]| {
        [
            &u32::try_from(bytes.len()).unwrap().to_be_bytes()[..],
            bytes,
        ]
        .concat()
    };
    let ssh = [part(b"ssh-ed25519"), part(public)].concat();
    let key = PublicKey::from_jwk(&jwk).unwrap();
    assert_eq!(PublicKey::from_ssh(&ssh).unwrap(), key);
    let signature = pair.sign(b"hello");
    assert!(key.verifies("EdDSA", b"hello", signature.as_ref()));
    assert!(!key.verifies("EdDSA", b"other", signature.as_ref()));
    assert!(!key.verifies("ES256", b"hello", signature.as_ref()));
    for (name, jwk) in [
        (
            "private",
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}),
        ),
        ("shared", json!({"kty": "oct", "k": "AA"})),
        (
            "short",
            json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        ),
        ("weak", json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})),
        ("unknown", json!({"kty": "EC", "crv": "secp256k1"})),
        ("no key", json!("x")),
    ] {
        assert!(PublicKey::from_jwk(&jwk).is_err(), "{name}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(text in ".{0,200}", blob in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Token::parse(&text);
        let _ = PublicKey::from_ssh(&blob);
    }
}
