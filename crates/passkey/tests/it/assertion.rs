//! Signing in with a passkey.

use portreeve_passkey::assertion::{self, Known};
use portreeve_passkey::registration::{self, Person};
use portreeve_passkey::{Challenge, Credential, Refused};
use serde_json::{Value, json};

use super::site::{ORIGIN, site};
use portreeve_authenticator::{
    Assertion, Authenticator, BACKED_UP, BACKUP_ELIGIBLE, EXTENSIONS, PRESENT, Pair, VERIFIED,
    encoded,
};

const CHALLENGE: Challenge = [9; 32];
const HANDLE: &[u8] = b"0123456789abcdef";

/// An authenticator whose passkey a site knows.
struct Acquaintance {
    authenticator: Authenticator,
    known: Credential,
}

impl Acquaintance {
    fn of(mut authenticator: Authenticator) -> Self {
        let person = Person {
            handle: HANDLE,
            name: "owner@main",
            display_name: "Owner of main",
        };
        let options = registration::options(&site(), &CHALLENGE, &person, &[]);
        let answer = authenticator.create(ORIGIN, &options).answer();
        let answer = serde_json::from_value(answer).unwrap();
        let known = registration::verify(&site(), &CHALLENGE, &answer).unwrap();
        Self {
            authenticator,
            known,
        }
    }

    fn asks(&mut self) -> Assertion {
        let options = assertion::options(&site(), &CHALLENGE);
        self.authenticator.get(ORIGIN, &options)
    }

    fn verify(&self, answer: Value) -> Result<u32, Refused> {
        let known = Known {
            id: &self.known.id,
            user_handle: HANDLE,
            public_key: &self.known.public_key,
            counter: self.known.counter,
            backup_eligible: self.known.backup_eligible,
        };
        let answer = serde_json::from_value(answer).unwrap();
        assertion::verify(&site(), &CHALLENGE, &answer, &known)
    }

    /// The outcome of a sign-in in which something is other than it should be, before it is signed.
    fn signed_in(&mut self, change: impl FnOnce(&mut Assertion)) -> Result<u32, Refused> {
        let mut assertion = self.asks();
        change(&mut assertion);
        self.verify(assertion.answer(&self.authenticator.pair))
    }
}

#[test]
fn the_options_name_nobody() {
    let expected = json!({
        "rpId": "portreeve.contoso.example",
        "challenge": encoded(&CHALLENGE),
        "timeout": 300_000,
        "allowCredentials": [],
        "userVerification": "required",
    });
    assert_eq!(assertion::options(&site(), &CHALLENGE), expected);
}

#[test]
fn a_passkey_of_every_offered_algorithm_signs_in() {
    for (name, pair) in [
        ("Ed25519", Pair::ed25519()),
        ("P-256", Pair::p256()),
        ("RSA", Pair::rsa()),
    ] {
        let mut it = Acquaintance::of(Authenticator::new(pair));
        assert_eq!(it.signed_in(|_| {}), Ok(2), "{name}");
        assert_eq!(it.signed_in(|_| {}), Ok(3), "{name}, again");
    }
}

#[test]
fn the_answer_tells_which_passkey_to_look_up() {
    let mut it = Acquaintance::of(Authenticator::new(Pair::ed25519()));
    let answer = it.asks().answer(&it.authenticator.pair);
    let answer: assertion::Answer = serde_json::from_value(answer).unwrap();
    assert_eq!(answer.credential_id(), it.known.id);
    assert_eq!(answer.user_handle(), Some(HANDLE));
}

/// A name, what is other than it should be, and what is said about it.
type Refusal = (&'static str, fn(&mut Assertion), Refused);

fn all_are_refused(cases: &[Refusal]) {
    for (name, change, expected) in cases {
        let mut it = Acquaintance::of(Authenticator::new(Pair::ed25519()));
        assert_eq!(it.signed_in(change), Err(expected.clone()), "{name}");
    }
}

#[test]
fn answers_to_another_question_are_refused() {
    all_are_refused(&[
        (
            "a registration",
            |it| it.client_data["type"] = json!("webauthn.create"),
            Refused::Ceremony,
        ),
        (
            "a payment",
            |it| it.client_data["type"] = json!("payment.get"),
            Refused::Ceremony,
        ),
        (
            "another challenge",
            |it| it.client_data["challenge"] = json!(encoded(&[8; 32])),
            Refused::Challenge,
        ),
        (
            "no challenge",
            |it| it.client_data["challenge"] = json!(""),
            Refused::Challenge,
        ),
        (
            "another site",
            |it| it.client_data["origin"] = json!("https://evil.example"),
            Refused::Origin {
                found: "https://evil.example".to_owned(),
                expected: ORIGIN.to_owned(),
            },
        ),
        (
            "a frame",
            |it| it.client_data["crossOrigin"] = json!(true),
            Refused::Framed,
        ),
    ]);
}

#[test]
fn answers_of_another_passkey_or_another_person_are_refused() {
    all_are_refused(&[
        (
            "a passkey for another site",
            |it| it.site_id = "evil.example".to_owned(),
            Refused::RelyingParty,
        ),
        (
            "nobody there",
            |it| it.flags = VERIFIED,
            Refused::NotPresent,
        ),
        (
            "nobody recognised",
            |it| it.flags = PRESENT,
            Refused::NotVerified,
        ),
        (
            "suddenly copied",
            |it| it.flags |= BACKUP_ELIGIBLE | BACKED_UP,
            Refused::Backup,
        ),
        (
            "another passkey",
            |it| it.credential_id = b"another".to_vec(),
            Refused::Credential,
        ),
        (
            "another person",
            |it| it.user_handle = Some(b"fedcba9876543210".to_vec()),
            Refused::UserHandle,
        ),
        ("no person", |it| it.user_handle = None, Refused::UserHandle),
        (
            "something after the end",
            |it| it.extensions = vec![0],
            Refused::Malformed("authenticator data"),
        ),
        (
            "another type",
            |it| it.kind = "password",
            Refused::Malformed("type"),
        ),
    ]);
}

#[test]
fn extensions_are_read_over() {
    let mut it = Acquaintance::of(Authenticator::new(Pair::p256()));
    let signed_in = it.signed_in(|it| {
        it.flags |= EXTENSIONS;
        it.extensions = vec![0xa0];
    });
    assert_eq!(signed_in, Ok(2));
}

#[test]
fn a_signature_counts_for_the_key_that_made_it_and_for_what_it_covers() {
    for (name, pair, other) in [
        ("Ed25519", Pair::ed25519(), Pair::ed25519()),
        ("P-256", Pair::p256(), Pair::p256()),
        ("RSA", Pair::rsa(), Pair::rsa()),
        ("Ed25519 and P-256", Pair::ed25519(), Pair::p256()),
        ("P-256 and RSA", Pair::p256(), Pair::rsa()),
    ] {
        let mut it = Acquaintance::of(Authenticator::new(pair));
        let asked = it.asks();
        assert_eq!(
            it.verify(asked.answer(&other)),
            Err(Refused::Signature),
            "{name}: another key"
        );

        let good = asked.answer(&it.authenticator.pair);
        let mut none = good.clone();
        none["response"]["signature"] = json!("");
        assert_eq!(it.verify(none), Err(Refused::Signature), "{name}: none");

        // A count that was raised, or a member that was added, after signing.
        let mut later = it.asks();
        later.counter += 1;
        later.client_data["more"] = json!(true);
        let later = later.answer(&other);
        for part in ["authenticatorData", "clientDataJSON"] {
            let mut changed = good.clone();
            changed["response"][part] = later["response"][part].clone();
            assert_eq!(
                it.verify(changed),
                Err(Refused::Signature),
                "{name}: {part}"
            );
        }
        assert_eq!(it.verify(good), Ok(2), "{name}");
    }
}

#[test]
fn a_count_that_does_not_grow_means_a_copy() {
    for (known, sent, expected) in [
        (0, 0, Ok(0)),
        (0, 1, Ok(1)),
        (1, 2, Ok(2)),
        (1, u32::MAX, Ok(u32::MAX)),
        (1, 1, Err(Refused::Counter { known: 1, sent: 1 })),
        (5, 4, Err(Refused::Counter { known: 5, sent: 4 })),
        (5, 0, Err(Refused::Counter { known: 5, sent: 0 })),
    ] {
        let mut authenticator = Authenticator::new(Pair::ed25519());
        authenticator.counter = known;
        let mut it = Acquaintance::of(authenticator);
        let signed_in = it.signed_in(|it| it.counter = sent);
        assert_eq!(signed_in, expected, "{known}, then {sent}");
    }
}
