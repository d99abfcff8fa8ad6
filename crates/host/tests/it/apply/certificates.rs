//! The certificate that the host shows.

use jiff::{SignedDuration, Timestamp};
use portreeve_host::config::Backend;
use portreeve_host::wire::Request;
use portreeve_ssh_cert::policy::{Asked, Kind, Named};
use portreeve_ssh_cert::{Authority, Policy, Signed, SubjectKey};

use super::ground::{Ground, authority, code, document, now};

const FILE: &str = "/etc/ssh/portreeve/ssh_host-cert.pub";

/// A host with a document and a key.
fn host() -> (Ground, SubjectKey) {
    let ground = Ground::new(Backend::Userdb);
    assert_eq!(code(ground.apply(&document(&ground.key))), None);
    let line = authority().public_openssh("root@web-1");
    ground.write("/etc/ssh/ssh_host_ed25519_key.pub", &format!("{line}\n"));
    (ground, SubjectKey::from_openssh(&line).unwrap())
}

struct Wanted<'w> {
    kind: Kind,
    key: &'w SubjectKey,
    name: &'w str,
    at: Timestamp,
    serial: u64,
}

fn certificate(by: &Authority, wanted: &Wanted<'_>) -> Signed {
    let named = Named {
        key_id: "web-1".to_owned(),
        principals: vec![wanted.name.to_owned(), "web-1.example.com".to_owned()],
    };
    let unsigned = Policy::default().decide(
        wanted.kind,
        wanted.key.clone(),
        named,
        &Asked::default(),
        wanted.at,
    );
    by.sign(&unsigned.unwrap(), wanted.serial, [7; 32]).unwrap()
}

fn ask(signed: &Signed) -> Request {
    Request::Certificate(format!("{}\n", signed.openssh()))
}

#[test]
fn a_certificate_that_fits_is_installed_and_sshd_told() {
    let (ground, key) = host();
    let wanted = |serial| Wanted {
        kind: Kind::Host,
        key: &key,
        name: "WEB-1",
        at: now(),
        serial,
    };
    let first = certificate(&ground.key, &wanted(41));
    assert_eq!(code(ground.ask(ask(&first))), None);
    assert_eq!(ground.read(FILE), format!("{}\n", first.openssh()));
    assert_eq!(ground.world().reloads, 1);
    let shown = ground.state().certificate.unwrap();
    assert_eq!(shown.serial, 41);
    assert_eq!(
        u64::try_from(shown.valid_before.as_second()).unwrap(),
        first.valid().1
    );
    // The same once more is nothing new.
    assert_eq!(code(ground.ask(ask(&first))), None);
    assert_eq!(ground.world().reloads, 1);
    let second = certificate(&ground.key, &wanted(42));
    assert_eq!(code(ground.ask(ask(&second))), None);
    assert_eq!(ground.state().certificate.unwrap().serial, 42);
}

const MONTH: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Requests by what is wrong with them.
fn unfit(ground: &Ground, wanted: &Wanted<'_>) -> Vec<(&'static str, Request)> {
    let other = SubjectKey::from_openssh(&authority().public_openssh("")).unwrap();
    let ours = |wanted: Wanted<'_>| ask(&certificate(&ground.key, &wanted));
    let good = certificate(&ground.key, wanted).openssh();
    let person = Wanted {
        kind: Kind::User,
        ..*wanted
    };
    let key = Wanted {
        key: &other,
        ..*wanted
    };
    let name = Wanted {
        name: "web-2",
        ..*wanted
    };
    let over = Wanted {
        at: now() - MONTH,
        ..*wanted
    };
    vec![
        ("for a person", ours(person)),
        ("for another key", ours(key)),
        ("for another name", ours(name)),
        ("run out", ours(over)),
        ("by another key", ask(&certificate(&authority(), wanted))),
        ("nothing", Request::Certificate(String::new())),
        ("a key", Request::Certificate(ground.key.public_openssh(""))),
        ("two lines", Request::Certificate(format!("{good}\n{good}"))),
        (
            "cut short",
            Request::Certificate(good.split_at(200).0.to_owned()),
        ),
    ]
}

#[test]
fn what_does_not_fit_is_not_installed() {
    let (ground, key) = host();
    let wanted = Wanted {
        kind: Kind::Host,
        key: &key,
        name: "web-1",
        at: now(),
        serial: 1,
    };
    for (name, request) in unfit(&ground, &wanted) {
        let refused = code(ground.ask(request));
        assert_eq!(refused.as_deref(), Some("certificate_unfit"), "{name}");
    }
    assert!(!ground.paths.at(FILE).exists());
    assert_eq!(ground.world().reloads, 0);
    // One that begins later is for clients to judge, whose clocks may be right.
    let later = Wanted {
        at: now() + MONTH,
        ..wanted
    };
    assert_eq!(
        code(ground.ask(ask(&certificate(&ground.key, &later)))),
        None
    );
}

#[test]
fn what_sshd_does_not_show_is_taken_back() {
    let (ground, key) = host();
    let wanted = |serial| Wanted {
        kind: Kind::Host,
        key: &key,
        name: "web-1",
        at: now(),
        serial,
    };
    let first = certificate(&ground.key, &wanted(1));
    let second = certificate(&ground.key, &wanted(2));
    // Before there was any, there is none again.
    ground.world().refuses = true;
    let refused = Some("certificate_not_shown".to_owned());
    assert_eq!(code(ground.ask(ask(&first))), refused);
    assert!(!ground.paths.at(FILE).exists());

    ground.world().refuses = false;
    assert_eq!(code(ground.ask(ask(&first))), None);
    let before = ground.read(FILE);
    ground.world().shows = Some(first.blob());
    let reloads = ground.world().reloads;
    assert_eq!(code(ground.ask(ask(&second))), refused);
    assert_eq!(ground.read(FILE), before);
    assert_eq!(
        ground.world().reloads,
        reloads + 1,
        "it forgets what it has read"
    );
    ground.world().shows = Some(second.blob());
    assert_eq!(code(ground.ask(ask(&second))), None);
}

#[test]
fn without_a_document_nobody_is_known_to_certify_hosts() {
    let ground = Ground::new(Backend::Userdb);
    let line = authority().public_openssh("");
    ground.write("/etc/ssh/ssh_host_ed25519_key.pub", &line);
    let wanted = Wanted {
        kind: Kind::Host,
        key: &SubjectKey::from_openssh(&line).unwrap(),
        name: "web-1",
        at: now(),
        serial: 1,
    };
    let request = ask(&certificate(&ground.key, &wanted));
    assert_eq!(code(ground.ask(request)).as_deref(), Some("no_policy"));
}
