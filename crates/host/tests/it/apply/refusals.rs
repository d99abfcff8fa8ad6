//! What a host does not believe, and what it does not do although it believes it.

use portreeve_host::config::Backend;
use portreeve_host::wire::{Answer, Request};
use portreeve_host_policy::{Document, Envelope};

use super::ground::{GROUP, Ground, PASSWD, active, authority, code, document, left, now, sign};

fn second(first: &Document) -> Document {
    Document {
        version: first.version + 1,
        accounts: vec![active("a-1", "ada", 70_001, true, &[])],
        ..first.clone()
    }
}

/// Documents after the second, each with somebody more in it, by what is wrong with them.
fn unbelievable(ground: &Ground, good: &Document) -> Vec<(&'static str, Envelope, &'static str)> {
    let change = |change: fn(&mut Document)| {
        let mut document = second(good);
        let eve = active("e-9", "eve", 70_009, true, &[]);
        document.accounts.push(eve);
        change(&mut document);
        document
    };
    type Change = fn(&mut Document);
    let signed: [(&str, &str, Change); 6] = [
        ("of the first version", "old", |it| it.version = 1),
        ("another one of the same version", "replaced", |it| {
            it.version -= 1
        }),
        ("for another host", "host", |it| {
            it.host.id = "host-2".into()
        }),
        ("of another team", "team", |it| it.team = "team-2".into()),
        ("in a later format", "format", |it| it.format = 2),
        ("with other groups than sshd and sudo know", "rules", |it| {
            it.rules.people.name = "people".into()
        }),
    ];
    let signed = signed.map(|(name, code, how)| (name, ground.sign(&change(how)), code));
    let mut cut = ground.sign(&change(|_| ()));
    cut.document.truncate(100);
    let nothing = Envelope {
        document: String::new(),
        signature: String::new(),
        successors: Vec::new(),
    };
    let foreign = sign(&change(|_| ()), &authority());
    let unsigned = [
        ("by another key", foreign, "signature"),
        ("cut short", cut, "signature"),
        ("of no bytes", nothing, "signature"),
    ];
    signed.into_iter().chain(unsigned).collect()
}

#[test]
fn a_document_that_is_not_believed_changes_nothing() {
    let ground = Ground::new(Backend::Userdb);
    let first = document(&ground.key);
    let good = second(&first);
    for document in [&first, &good] {
        assert_eq!(code(ground.apply(document)), None);
    }
    let state = ground.state();
    let tree = ground.tree();
    for (name, envelope, expected) in unbelievable(&ground, &good) {
        let answer = ground.ask(Request::Apply(envelope));
        assert_eq!(code(answer).as_deref(), Some(expected), "{name}");
        assert_eq!(ground.tree(), tree, "{name}");
    }
    assert_eq!(
        code(ground.apply(&first)).as_deref(),
        Some("old"),
        "replayed"
    );
    assert_eq!(ground.state(), state);
    // The one that is in force may come again.
    assert_eq!(code(ground.apply(&good)), None);
    assert_eq!(ground.tree(), tree);
}

#[test]
fn a_host_forgets_no_version_even_if_it_loses_the_document() {
    let ground = Ground::new(Backend::Userdb);
    let first = document(&ground.key);
    let good = second(&first);
    assert_eq!(code(ground.apply(&good)), None);
    std::fs::remove_dir_all(ground.paths.at("/run")).unwrap();
    std::fs::write(ground.paths.policy(), "").unwrap();
    assert_eq!(code(ground.apply(&first)).as_deref(), Some("old"));
    assert_eq!(code(ground.apply(&good)), None);
}

#[test]
fn the_next_key_is_believed_once_the_one_before_has_named_it() {
    let ground = Ground::new(Backend::Userdb);
    let next = authority();
    let mut document = document(&ground.key);
    let by_next = |document: &Document| Request::Apply(sign(document, &next));
    document.version = 2;
    assert_eq!(
        code(ground.ask(by_next(&document))).as_deref(),
        Some("signature")
    );
    document.user_keys.push(next.public_openssh("next"));
    assert_eq!(code(ground.apply(&document)), None);
    document.version = 3;
    document.user_keys.remove(0);
    assert_eq!(code(ground.ask(by_next(&document))), None);
    document.version = 4;
    assert_eq!(code(ground.apply(&document)).as_deref(), Some("signature"));
    // Not even after a start.
    ground.half().start(now()).unwrap();
    assert_eq!(code(ground.apply(&document)).as_deref(), Some("signature"));
    assert_eq!(code(ground.ask(by_next(&document))), None);
}

#[test]
fn local_accounts_are_never_touched() {
    for backend in [Backend::Userdb, Backend::Nss] {
        let ground = Ground::new(backend);
        let mut document = document(&ground.key);
        document.accounts = vec![
            active("a-1", "ada", 70_001, true, &[]),
            active("w-1", "warden", 70_002, true, &[]),
        ];
        assert_eq!(code(ground.apply(&document)), None);
        // An admin makes a local account with the number that a person has.
        ground.write(
            "/etc/passwd",
            &format!("{PASSWD}local:x:70001:100::/home/local:/bin/bash\n"),
        );
        document.version += 1;
        document.accounts[0] = left("a-1", "ada", 70_001);
        assert_eq!(code(ground.apply(&document)), None);
        assert_eq!(
            ground.world().ended,
            [0_u32; 0],
            "nobody local was sent away"
        );
        let told: Vec<String> = ground
            .state()
            .conflicts
            .iter()
            .map(|conflict| format!("{}: {}", conflict.account, conflict.reason))
            .collect();
        assert_eq!(told, ["warden: name_taken", "ada: uid_taken"]);
        let tree = ground.tree();
        let names = ["warden", "local", "root"];
        assert!(
            !tree
                .values()
                .any(|text| names.iter().any(|name| text.contains(name))),
            "{tree:?}"
        );
        assert_eq!(ground.read("/etc/group"), GROUP);
    }
}

#[test]
fn clocks_that_jump_change_nothing() {
    let ground = Ground::new(Backend::Userdb);
    let mut document = second(&document(&ground.key));
    document.lease_until = Some("2026-11-25T12:00:00Z".parse().unwrap());
    let envelope = ground.sign(&document);
    ground.half().start(now()).unwrap();
    assert_eq!(code(ground.ask(Request::Apply(envelope.clone()))), None);
    let tree = ground.tree();
    for moment in ["1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z"] {
        let moment = moment.parse().unwrap();
        let mut half = ground.half();
        half.start(moment).unwrap();
        let answer = half.handle(Request::Apply(envelope.clone()), moment);
        assert_eq!(code(answer), None, "{moment}");
        assert_eq!(ground.tree(), tree, "{moment}");
    }
    assert_eq!(ground.world().ended, [0_u32; 0]);
    let applied = ground.state().applied.unwrap();
    assert_eq!(
        (applied.version, applied.at),
        (2, now()),
        "since it was first applied"
    );
}

#[test]
fn a_machine_that_starts_has_everything_again() {
    for backend in [Backend::Userdb, Backend::Nss] {
        let ground = Ground::new(backend);
        assert_eq!(code(ground.apply(&second(&document(&ground.key)))), None);
        ground.half().start(now()).unwrap();
        let tree = ground.tree();
        std::fs::remove_dir_all(ground.paths.at("/run")).unwrap();
        ground.half().start(now()).unwrap();
        let mut again = ground.tree();
        again.retain(|path, _| !path.ends_with("highest-version"));
        let mut tree = tree;
        tree.retain(|path, _| !path.ends_with("highest-version"));
        assert_eq!(again, tree);
    }
}

#[test]
fn a_machine_that_is_not_enrolled_has_nothing_done() {
    let ground = Ground::new(Backend::Userdb);
    std::fs::remove_file(ground.paths.config()).unwrap();
    ground.half().start(now()).unwrap();
    assert_eq!(
        code(ground.apply(&document(&ground.key))).as_deref(),
        Some("config")
    );
    assert!(ground.tree().is_empty());
    let answer = ground.ask(Request::State {});
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
}
