//! The revocation list: never empty, never older, never anybody else's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_host::config::Backend;
use portreeve_host::wire::Request;
use portreeve_host_policy::{KRL_NAMESPACE, api};
use portreeve_ssh_cert::{Authority, Krl};

use super::ground::{Ground, authority, code, now};

fn list(version: u64, serial: u64) -> Vec<u8> {
    let mut krl = Krl::new(version, 1_700_000_000);
    krl.revoke_serial(b"an authority", serial);
    krl.to_bytes()
}

fn signed(bytes: &[u8], namespace: &str, key: &Authority) -> Request {
    Request::Krl(api::Krl {
        krl: STANDARD.encode(bytes),
        signature: key.sign_file(namespace, bytes).unwrap(),
    })
}

#[test]
fn only_a_later_list_of_the_team_is_installed() {
    let ground = Ground::new(Backend::Userdb);
    let key = &ground.key;
    let good = list(7, 1);
    assert_eq!(code(ground.ask(signed(&good, KRL_NAMESPACE, key))), None);
    let cut = good.get(..good.len() - 3).unwrap();
    let cases = [
        (
            "no bytes",
            signed(b"", KRL_NAMESPACE, key),
            "krl_unreadable",
        ),
        (
            "cut short",
            signed(cut, KRL_NAMESPACE, key),
            "krl_unreadable",
        ),
        (
            "a list of keys, one on each line",
            signed(b"ssh-ed25519 AAAA\n", KRL_NAMESPACE, key),
            "krl_unreadable",
        ),
        (
            "an older one",
            signed(&list(6, 2), KRL_NAMESPACE, key),
            "krl_old",
        ),
        (
            "by another key",
            signed(&list(8, 2), KRL_NAMESPACE, &authority()),
            "krl_signature",
        ),
        (
            "signed as something else",
            signed(&list(8, 2), "policy@portreeve", key),
            "krl_signature",
        ),
    ];
    for (name, request, expected) in cases {
        assert_eq!(
            code(ground.ask(request)).as_deref(),
            Some(expected),
            "{name}"
        );
        assert_eq!(std::fs::read(ground.paths.krl()).unwrap(), good, "{name}");
    }
    let later = list(8, 2);
    assert_eq!(code(ground.ask(signed(&later, KRL_NAMESPACE, key))), None);
    assert_eq!(std::fs::read(ground.paths.krl()).unwrap(), later);
    assert_eq!(ground.state().krl.unwrap().len(), 64);
}

#[test]
fn a_list_that_was_broken_on_disk_is_put_right() {
    let ground = Ground::new(Backend::Userdb);
    let good = list(7, 1);
    ground.ask(signed(&good, KRL_NAMESPACE, &ground.key));
    let tag = ground.state().krl;
    for broken in [&b""[..], b"SSHKRL\n\0", &list(6, 2)] {
        std::fs::write(ground.paths.krl(), broken).unwrap();
        assert_eq!(ground.state().krl, tag);
        assert_eq!(std::fs::read(ground.paths.krl()).unwrap(), good);
    }
    std::fs::remove_file(ground.paths.krl()).unwrap();
    ground.half().start(now()).unwrap();
    assert_eq!(std::fs::read(ground.paths.krl()).unwrap(), good);
}

#[test]
fn before_the_first_list_there_is_one_that_revokes_nothing() {
    let ground = Ground::new(Backend::Userdb);
    ground.half().start(now()).unwrap();
    let bytes = std::fs::read(ground.paths.krl()).unwrap();
    assert!(Krl::from_bytes(&bytes).unwrap().is_empty() && !bytes.is_empty());
}

#[test]
fn a_list_that_cannot_be_written_leaves_the_one_before() {
    let ground = Ground::new(Backend::Userdb);
    let good = list(7, 1);
    ground.ask(signed(&good, KRL_NAMESPACE, &ground.key));
    ground.world().operations = Some(0);
    let later = signed(&list(8, 2), KRL_NAMESPACE, &ground.key);
    assert_eq!(code(ground.ask(later)).as_deref(), Some("disk"));
    assert_eq!(std::fs::read(ground.paths.krl()).unwrap(), good);
}
