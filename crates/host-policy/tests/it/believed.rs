//! Which documents a host believes.

use portreeve_host_policy::{
    Document, Envelope, Expect, MAX_ACCOUNTS, MAX_BYTES, Refused, Successor, verify,
};
use portreeve_ssh_cert::authority::{Authority, KeyType};

use crate::sample::{EXPECT, account, authority, document, group, sign};

#[test]
fn a_document_that_fits_is_believed_as_it_was_signed() {
    for kind in [KeyType::Ed25519, KeyType::Ecdsa] {
        let key = authority(kind);
        let document = document(&key);
        let envelope = sign(&document, &key);
        let trusted = [
            authority(kind).public_openssh("other"),
            key.public_openssh(""),
        ];
        let verified = verify(&envelope.to_bytes(), &trusted, &EXPECT).unwrap();
        assert_eq!(verified.document(), &document);
        assert_eq!(verified.envelope(), &envelope);
    }
}

#[test]
fn equal_documents_have_equal_bytes_and_a_signature_by_ed25519_too() {
    let key = authority(KeyType::Ed25519);
    let (one, other) = (document(&key), document(&key));
    assert_eq!(sign(&one, &key), sign(&other, &key));
}

#[test]
fn what_is_signed_otherwise_is_refused() {
    let (key, other) = (authority(KeyType::Ed25519), authority(KeyType::Ed25519));
    let document = document(&key);
    let good = sign(&document, &key);
    let text = good.document.as_bytes();
    let cases = [
        ("by another key", sign(&document, &other)),
        (
            "for another purpose",
            Envelope {
                signature: key.sign_file("krl@portreeve", text).unwrap(),
                ..good.clone()
            },
        ),
        (
            "of another text",
            Envelope {
                document: good.document.replace("/home/ada", "/home/adb"),
                ..good.clone()
            },
        ),
        (
            "with a space more",
            Envelope {
                document: format!("{} ", good.document),
                ..good.clone()
            },
        ),
        (
            "not at all",
            Envelope {
                signature: String::new(),
                ..good.clone()
            },
        ),
        (
            "by something that is no signature",
            Envelope {
                signature: "x".repeat(100_000),
                ..good.clone()
            },
        ),
    ];
    let trusted = [key.public_openssh("")];
    assert!(verify(&good.to_bytes(), &trusted, &EXPECT).is_ok());
    for (name, envelope) in cases {
        let refused = verify(&envelope.to_bytes(), &trusted, &EXPECT);
        assert!(
            matches!(refused, Err(Refused::Signature(_))),
            "{name}: {refused:?}"
        );
    }
}

#[test]
fn a_key_that_came_after_a_trusted_one_may_have_signed() {
    let key = || authority(KeyType::Ed25519);
    let (old, between, new, foreign) = (key(), key(), key(), key());
    let vouch = |by: &Authority, key: &Authority| {
        let line = key.public_openssh("portreeve");
        let signature = by.sign_file("successor@portreeve", line.as_bytes());
        Successor {
            signature: signature.unwrap(),
            key: line,
        }
    };
    let (first, second) = (vouch(&old, &between), vouch(&between, &new));
    let for_another_purpose = Successor {
        signature: old
            .sign_file("policy@portreeve", first.key.as_bytes())
            .unwrap(),
        ..first.clone()
    };
    let exchanged = Successor {
        key: second.key.clone(),
        ..first.clone()
    };
    let mut many = vec![first.clone(); 16];
    many.push(second.clone());
    let cases = [
        ("both", vec![first.clone(), second.clone()], true),
        ("only the last", vec![second.clone()], false),
        ("the wrong way round", vec![second.clone(), first], false),
        ("by itself", vec![vouch(&new, &new)], false),
        ("by a foreign key", vec![vouch(&foreign, &new)], false),
        (
            "for another purpose",
            vec![for_another_purpose, second],
            false,
        ),
        ("another key", vec![exchanged], false),
        ("too many", many, false),
        ("none", Vec::new(), false),
    ];
    let document = document(&new);
    let trusted = [old.public_openssh("")];
    for (name, successors, believed) in cases {
        let envelope = Envelope {
            successors,
            ..sign(&document, &new)
        };
        let verified = verify(&envelope.to_bytes(), &trusted, &EXPECT);
        assert_eq!(verified.is_ok(), believed, "{name}: {verified:?}");
    }
}

#[test]
fn what_is_for_somebody_else_or_old_is_refused() {
    let key = authority(KeyType::Ed25519);
    let envelope = sign(&document(&key), &key);
    let another = envelope.document.replace("ada", "eve");
    let cases: [(&str, Expect<'_>, Option<&str>); 7] = [
        ("the same version again", EXPECT, None),
        (
            "the same text again",
            Expect {
                seen: Some(&envelope.document),
                ..EXPECT
            },
            None,
        ),
        (
            "the same version with another text",
            Expect {
                seen: Some(&another),
                ..EXPECT
            },
            Some("replaced"),
        ),
        (
            "an older version",
            Expect {
                above_or_same: 6,
                ..EXPECT
            },
            Some("old"),
        ),
        (
            "a newer version than was seen",
            Expect {
                above_or_same: 4,
                seen: Some(&another),
                ..EXPECT
            },
            None,
        ),
        (
            "another team",
            Expect {
                team: "team-2",
                ..EXPECT
            },
            Some("team"),
        ),
        (
            "another host",
            Expect {
                host_id: "host-2",
                ..EXPECT
            },
            Some("host"),
        ),
    ];
    let trusted = [key.public_openssh("")];
    for (name, expect, code) in cases {
        let refused = verify(&envelope.to_bytes(), &trusted, &expect);
        assert_eq!(refused.err().map(|refused| refused.code()), code, "{name}");
    }
}

#[test]
fn documents_that_nobody_could_follow_are_refused_as_a_whole() {
    type Change = fn(&mut Document);
    let cases: [(&str, &str, Change); 14] = [
        ("another format", "format", |it| it.format = 2),
        ("no version", "old", |it| it.version = 0),
        ("no keys of people", "keys", |it| it.user_keys.clear()),
        ("a key that is none", "keys", |it| {
            it.host_keys.push("ssh-ed25519 AAAA".into());
        }),
        ("a key with a line after it", "keys", |it| {
            it.user_keys = vec![format!("{}\nssh-ed25519 AAAA", it.user_keys[0])];
        }),
        ("too many keys", "keys", |it| {
            it.user_keys = vec![it.user_keys[0].clone(); 33];
        }),
        ("numbers of the system", "rules", |it| {
            it.rules.ids.first = 999
        }),
        ("numbers from last to first", "rules", |it| {
            it.rules.ids.last = it.rules.ids.first - 1;
        }),
        ("homes in a folder of the system", "rules", |it| {
            it.rules.home_prefix = "/etc/home".into();
        }),
        ("homes everywhere", "rules", |it| {
            it.rules.home_prefix = "/".into()
        }),
        ("sudo's own group", "rules", |it| {
            it.rules.sudo.name = "sudo".into()
        }),
        ("a group with root's number", "rules", |it| {
            it.rules.people.gid = 0
        }),
        ("one group for both", "rules", |it| {
            it.rules.sudo = it.rules.people.clone();
        }),
        ("too many accounts", "too_many", |it| {
            it.accounts = vec![account("ada", 70_000); MAX_ACCOUNTS + 1];
        }),
    ];
    let key = authority(KeyType::Ed25519);
    let trusted = [key.public_openssh("")];
    for (name, code, change) in cases {
        let mut changed = document(&key);
        change(&mut changed);
        let expect = Expect {
            above_or_same: 0,
            ..EXPECT
        };
        let refused = verify(&sign(&changed, &key).to_bytes(), &trusted, &expect);
        let found = refused.err().map(|refused| refused.code());
        assert_eq!(found, Some(code), "{name}");
    }
}

#[test]
fn bytes_that_are_no_document_are_refused() {
    let key = authority(KeyType::Ed25519);
    let trusted = [key.public_openssh("")];
    let signed = |document: &str| Envelope {
        document: document.to_owned(),
        signature: key
            .sign_file("policy@portreeve", document.as_bytes())
            .unwrap(),
        successors: Vec::new(),
    };
    let cases = [
        ("nothing", Vec::new(), "unreadable"),
        ("no envelope", b"{}".to_vec(), "unreadable"),
        ("too many bytes", vec![b' '; MAX_BYTES + 1], "too_large"),
        ("a signed nothing", signed("").to_bytes(), "unreadable"),
        ("a signed list", signed("[]").to_bytes(), "unreadable"),
        (
            "a later format that looks otherwise",
            signed(r#"{"format": 2, "people": []}"#).to_bytes(),
            "format",
        ),
    ];
    for (name, bytes, code) in cases {
        let refused = verify(&bytes, &trusted, &EXPECT).unwrap_err();
        assert_eq!(refused.code(), code, "{name}: {refused}");
    }
    let nobody = verify(&sign(&document(&key), &key).to_bytes(), &[], &EXPECT);
    assert!(matches!(nobody, Err(Refused::Keys(_))), "{nobody:?}");
}

#[test]
fn members_that_a_host_does_not_know_are_passed_over() {
    let key = authority(KeyType::Ed25519);
    let mut document = document(&key);
    document.groups.push(group("db", 70_501));
    let mut envelope = sign(&document, &key);
    envelope.document = envelope.document.replacen('{', r#"{"colour": "blue", "#, 1);
    envelope.signature = key
        .sign_file("policy@portreeve", envelope.document.as_bytes())
        .unwrap();
    let trusted = [key.public_openssh("")];
    let verified = verify(&envelope.to_bytes(), &trusted, &EXPECT).unwrap();
    assert_eq!(verified.document(), &document);
}
