//! Adding a passkey.

use ciborium::Value as Cbor;
use portreeve_passkey::registration::{self, Person};
use portreeve_passkey::{Challenge, Credential, Refused, RelyingParty};
use serde_json::{Value, json};

use super::site::{ORIGIN, site};
use portreeve_authenticator::{
    ATTESTED, Authenticator, BACKED_UP, BACKUP_ELIGIBLE, Creation, EXTENSIONS, PRESENT, Pair,
    VERIFIED, cbor, encoded, entry,
};

const CHALLENGE: Challenge = [7; 32];

const PERSON: Person<'static> = Person {
    handle: b"0123456789abcdef",
    name: "owner@main",
    display_name: "Owner of main",
};

fn options() -> Value {
    registration::options(&site(), &CHALLENGE, &PERSON, &[])
}

fn verified(site: &RelyingParty, answer: Value) -> Result<Credential, Refused> {
    registration::verify(site, &CHALLENGE, &serde_json::from_value(answer).unwrap())
}

/// The outcome of a registration in which something is other than it should be.
fn registered(pair: Pair, change: impl FnOnce(&mut Creation)) -> Result<Credential, Refused> {
    let mut creation = Authenticator::new(pair).create(ORIGIN, &options());
    change(&mut creation);
    verified(&site(), creation.answer())
}

#[test]
fn the_options_are_what_browsers_parse() {
    let known = [b"one".to_vec(), b"other".to_vec()];
    let options = registration::options(&site(), &CHALLENGE, &PERSON, &known);
    assert_eq!(
        options,
        json!({
            "rp": { "id": "portreeve.contoso.example", "name": "Portreeve" },
            "user": {
                "id": encoded(b"0123456789abcdef"),
                "name": "owner@main",
                "displayName": "Owner of main",
            },
            "challenge": encoded(&CHALLENGE),
            "pubKeyCredParams": [
                { "type": "public-key", "alg": -8 },
                { "type": "public-key", "alg": -7 },
                { "type": "public-key", "alg": -257 },
            ],
            "timeout": 300_000,
            "excludeCredentials": [
                { "type": "public-key", "id": encoded(b"one") },
                { "type": "public-key", "id": encoded(b"other") },
            ],
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "attestation": "none",
        })
    );
}

#[test]
fn a_passkey_of_every_offered_algorithm_is_registered() {
    for (name, pair) in [
        ("Ed25519", Pair::ed25519()),
        ("P-256", Pair::p256()),
        ("RSA", Pair::rsa()),
    ] {
        let key = cbor(&Cbor::Map(pair.cose()));
        let expected = Credential {
            id: b"a credential of the test".to_vec(),
            public_key: key,
            counter: 1,
            backup_eligible: false,
        };
        assert_eq!(registered(pair, |_| {}), Ok(expected), "{name}");
    }
}

/// A name, what is other than it should be, and what is said about it.
type Refusal = (&'static str, fn(&mut Creation), Refused);

/// A name, and what is there as well.
type Addition = (&'static str, fn(&mut Creation));

#[test]
fn what_authenticators_may_add_does_not_matter() {
    let cases: [Addition; 5] = [
        ("a statement about the authenticator", |it| {
            it.format = "packed";
            it.statement = vec![(Cbor::Text("sig".to_owned()), Cbor::Bytes(vec![1; 70]))];
        }),
        ("extensions", |it| {
            it.flags |= EXTENSIONS;
            it.extensions = cbor(&Cbor::Map(vec![(
                Cbor::Text("credProtect".to_owned()),
                2.into(),
            )]));
        }),
        ("the longest credential id", |it| {
            it.credential_id = vec![9; 1_023];
            it.raw_id = vec![9; 1_023];
        }),
        ("a backup", |it| it.flags |= BACKUP_ELIGIBLE | BACKED_UP),
        ("another entry in the key", |it| {
            it.key.push(entry(2, b"kid".to_vec()))
        }),
    ];
    for (name, change) in cases {
        assert!(registered(Pair::ed25519(), change).is_ok(), "{name}");
    }
}

#[test]
fn answers_to_another_question_are_refused() {
    let cases: [Refusal; 8] = [
        (
            "an assertion",
            |it| it.client_data["type"] = json!("webauthn.get"),
            Refused::Ceremony,
        ),
        (
            "another challenge",
            |it| it.client_data["challenge"] = json!(encoded(&[8; 32])),
            Refused::Challenge,
        ),
        (
            "the beginning of the challenge",
            |it| it.client_data["challenge"] = json!(encoded(&CHALLENGE[..31])),
            Refused::Challenge,
        ),
        (
            "a frame",
            |it| it.client_data["crossOrigin"] = json!(true),
            Refused::Framed,
        ),
        (
            "a frame of a named site",
            |it| it.client_data["topOrigin"] = json!("https://evil.example"),
            Refused::Framed,
        ),
        (
            "a passkey for another site",
            |it| it.site_id = "evil.example".to_owned(),
            Refused::RelyingParty,
        ),
        (
            "nobody there",
            |it| it.flags = VERIFIED | ATTESTED,
            Refused::NotPresent,
        ),
        (
            "nobody recognised",
            |it| it.flags = PRESENT | ATTESTED,
            Refused::NotVerified,
        ),
    ];
    for (name, change, expected) in cases {
        assert_eq!(registered(Pair::ed25519(), change), Err(expected), "{name}");
    }
}

#[test]
fn answers_made_elsewhere_are_refused() {
    for found in [
        "https://evil.example",
        "https://a.portreeve.contoso.example",
        "https://portreeve.contoso.example:8443",
        "http://portreeve.contoso.example",
        "https://portreeve.contoso.example/",
        "https://portreeve.contoso.example.evil.example",
        "null",
        "",
    ] {
        let refused = registered(Pair::ed25519(), |it| {
            it.client_data["origin"] = json!(found)
        });
        let expected = Refused::Origin {
            found: found.to_owned(),
            expected: ORIGIN.to_owned(),
        };
        assert_eq!(refused, Err(expected), "{found:?}");
    }
}

#[test]
fn answers_that_contradict_themselves_are_refused() {
    let cases: [Refusal; 9] = [
        (
            "a backup of what cannot be backed up",
            |it| it.flags |= BACKED_UP,
            Refused::Backup,
        ),
        (
            "no credential",
            |it| it.flags = PRESENT | VERIFIED,
            Refused::Malformed("authenticator data"),
        ),
        (
            "another id around it",
            |it| it.raw_id = b"another".to_vec(),
            Refused::Malformed("credential id"),
        ),
        (
            "no id",
            |it| it.credential_id.clear(),
            Refused::Malformed("credential id"),
        ),
        (
            "an id that is too long",
            |it| it.credential_id = vec![9; 1_024],
            Refused::Malformed("credential id"),
        ),
        (
            "extensions announced and missing",
            |it| it.flags |= EXTENSIONS,
            Refused::Malformed("authenticator data"),
        ),
        (
            "extensions that were not announced",
            |it| it.extensions = vec![0xa0],
            Refused::Malformed("authenticator data"),
        ),
        (
            "something after the end",
            |it| it.trailing = vec![0],
            Refused::Malformed("attestation object"),
        ),
        (
            "another type",
            |it| it.kind = "password",
            Refused::Malformed("type"),
        ),
    ];
    for (name, change, expected) in cases {
        assert_eq!(registered(Pair::ed25519(), change), Err(expected), "{name}");
    }
}

#[test]
fn what_is_no_answer_cannot_be_read() {
    let good = Authenticator::new(Pair::ed25519())
        .create(ORIGIN, &options())
        .answer();
    let with = |pointer: &str, value: Value| {
        let mut answer = good.clone();
        *answer.pointer_mut(pointer).unwrap() = value;
        answer
    };
    for (name, answer) in [
        ("no object", json!("answer")),
        ("no members", json!({})),
        ("padding", with("/rawId", json!("YQ=="))),
        ("the other base64", with("/rawId", json!("+/+/"))),
        ("a number", with("/response/attestationObject", json!(1))),
    ] {
        let read = serde_json::from_value::<registration::Answer>(answer);
        assert!(read.is_err(), "{name}");
    }
    for (name, answer, part) in [
        (
            "client data that is no JSON",
            with("/response/clientDataJSON", json!(encoded(b"{"))),
            "client data",
        ),
        (
            "client data without a challenge",
            with(
                "/response/clientDataJSON",
                json!(encoded(br#"{"type":"webauthn.create"}"#)),
            ),
            "client data",
        ),
        (
            "an empty attestation object",
            with("/response/attestationObject", json!("")),
            "attestation object",
        ),
        (
            "an attestation object that is a list",
            with("/response/attestationObject", json!(encoded(&[0x80]))),
            "attestation object",
        ),
    ] {
        assert_eq!(
            verified(&site(), answer),
            Err(Refused::Malformed(part)),
            "{name}"
        );
    }
}
