//! Certificates of every kind, as `ssh-keygen -L` shows them, and what is refused.

use portreeve_ssh_cert::authority::{Error, KeyType, NONCE_BYTES};
use portreeve_ssh_cert::policy::{Asked, Kind};
use portreeve_ssh_cert::subject::KeyError;
use portreeve_ssh_cert::{Authority, Policy, Signed, SubjectKey};

use super::openssh::{Keys, NOW, authority, certificate, keygen, named, shown};

#[test]
fn openssh_reads_what_both_kinds_of_authorities_sign() {
    let keys = Keys::new();
    let key = keys.make("ada", &["-t", "ed25519"]);
    for kind in [KeyType::Ed25519, KeyType::Ecdsa] {
        let authority = authority(kind);
        let signed = certificate(
            &authority,
            Kind::User,
            &key,
            named("ada@contoso.example", &["ada", "deploy"]),
            42,
        );
        let shown = shown(&keys.write("ada-cert.pub", signed.openssh()));
        for line in [
            "ssh-ed25519-cert-v01@openssh.com user certificate".to_owned(),
            format!("{} (using ", authority.fingerprint()),
            "Key ID: \"ada@contoso.example\"".to_owned(),
            "Serial: 42".to_owned(),
            "Valid: from 2026-09-21T14:12:20 to 2026-09-22T06:13:20".to_owned(),
            "                ada\n                deploy\n".to_owned(),
            "Critical Options: (none)".to_owned(),
            "permit-pty".to_owned(),
        ] {
            assert!(shown.contains(&line), "{kind:?}: {line}\n{shown}");
        }
        assert_eq!(signed.check(&[authority.public_blob()]), Ok(()));
    }
}

#[test]
fn hosts_get_no_extensions_and_options_arrive_whole() {
    let keys = Keys::new();
    let key = keys.make("host", &["-t", "ecdsa"]);
    let authority = authority(KeyType::Ed25519);
    let host = certificate(
        &authority,
        Kind::Host,
        &key,
        named("web-1", &["web-1.contoso.example"]),
        1,
    );
    let text = shown(&keys.write("host-cert.pub", host.openssh()));
    assert!(
        text.contains("host certificate") && text.contains("Extensions: (none)"),
        "{text}"
    );

    let key = SubjectKey::from_openssh(&key).unwrap();
    let unsigned = Policy::default()
        .decide(
            Kind::User,
            key,
            named("ada", &["ada"]),
            &Asked::default(),
            NOW,
        )
        .unwrap();
    let unsigned = unsigned
        .with_critical_option("source-address", "10.0.0.0/8")
        .with_critical_option("force-command", "echo \"hello\"");
    let signed = authority.sign(&unsigned, 2, [1; NONCE_BYTES]).unwrap();
    let text = shown(&keys.write("ada-cert.pub", signed.openssh()));
    assert!(
        text.contains("force-command echo \"hello\"") && text.contains("source-address 10.0.0.0/8"),
        "{text}"
    );
}

#[test]
fn keys_of_every_good_kind_are_certified() {
    let keys = Keys::new();
    let authority = authority(KeyType::Ed25519);
    let kinds: [&[&str]; 6] = [
        &["-t", "ed25519"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "3072"],
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        let key = keys.make(&format!("k{n}"), kind);
        let signed = certificate(&authority, Kind::User, &key, named("ada", &["ada"]), 9);
        shown(&keys.write(&format!("k{n}-cert.pub"), signed.openssh()));
        let listed = keygen(&[
            "-l",
            "-f",
            keys.path(&format!("k{n}.pub")).to_str().unwrap(),
        ]);
        let listed = String::from_utf8(listed.stdout).unwrap();
        let again = Signed::from_blob(&signed.blob()).unwrap();
        assert!(
            listed.contains(&again.key().unwrap().fingerprint()),
            "{kind:?}: {listed}"
        );
        assert_eq!(again, signed);
    }
}

#[test]
fn weak_keys_and_certificates_are_refused() {
    let keys = Keys::new();
    let weak = keys.make("weak", &["-t", "rsa", "-b", "1024"]);
    assert_eq!(
        SubjectKey::from_openssh(&weak),
        Err(KeyError::RsaSize { bits: 1024 })
    );
    let key = keys.make("ada", &["-t", "ed25519"]);
    let signed = certificate(
        &authority(KeyType::Ed25519),
        Kind::User,
        &key,
        named("ada", &["ada"]),
        9,
    );
    assert_eq!(
        SubjectKey::from_openssh(&signed.openssh()),
        Err(KeyError::Certificate)
    );
    assert_eq!(
        SubjectKey::from_blob(&signed.blob()),
        Err(KeyError::Certificate)
    );
    let other_type = key.replacen("ssh-ed25519", "ssh-rsa", 1);
    for text in [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 %%%%",
        &other_type,
    ] {
        let error = SubjectKey::from_openssh(text).unwrap_err();
        assert!(
            matches!(error, KeyError::Unreadable(_)),
            "{text}: {error:?}"
        );
    }
    let mut longer = SubjectKey::from_openssh(&key).unwrap().blob();
    longer.push(0);
    assert!(SubjectKey::from_blob(&longer).is_err());
}

#[test]
fn foreign_and_forged_certificates_are_told_apart() {
    let keys = Keys::new();
    let key = keys.make("ada", &["-t", "ed25519"]);
    for kind in [KeyType::Ed25519, KeyType::Ecdsa] {
        let (ours, other) = (authority(kind), authority(kind));
        let signed = certificate(&ours, Kind::User, &key, named("ada", &["ada"]), 9);
        let trusted = [other.public_blob(), ours.public_blob()];
        assert_eq!(signed.check(&trusted), Ok(()));
        assert_eq!(
            signed.check(&trusted[..1]),
            Err(Error::Foreign(ours.fingerprint()))
        );
        assert_eq!(signed.check(&[]), Err(Error::Foreign(ours.fingerprint())));
        // Each byte counts: what can still be read is forged or somebody else's.
        let blob = signed.blob();
        for place in 0..blob.len() {
            let mut changed = blob.clone();
            changed[place] ^= 1;
            if let Ok(changed) = Signed::from_blob(&changed) {
                assert_ne!(changed.check(&trusted), Ok(()), "byte {place}");
            }
        }
    }
}

#[test]
fn a_key_survives_being_kept_and_does_not_print() {
    for kind in [KeyType::Ed25519, KeyType::Ecdsa] {
        let kept = Authority::generate(kind).unwrap();
        let (one, other) = (
            Authority::from_pkcs8(kind, &kept).unwrap(),
            Authority::from_pkcs8(kind, &kept).unwrap(),
        );
        assert_eq!(one.public_openssh("ca"), other.public_openssh("ca"));
        assert_eq!(
            format!("{one:?}"),
            format!("Authority {{ fingerprint: {:?}, .. }}", one.fingerprint())
        );
        assert!(matches!(
            Authority::from_pkcs8(kind, &kept[1..]),
            Err(Error::Key(_))
        ));
    }
    let unsigned = {
        let key = SubjectKey::from_openssh(&Keys::new().make("ada", &["-t", "ed25519"])).unwrap();
        Policy::default()
            .decide(Kind::User, key, named("a", &["a"]), &Asked::default(), NOW)
            .unwrap()
    };
    assert!(matches!(
        authority(KeyType::Ed25519).sign(&unsigned, 0, [0; NONCE_BYTES]),
        Err(Error::Sign(_))
    ));
}
