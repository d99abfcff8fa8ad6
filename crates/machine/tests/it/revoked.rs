//! The list of what is revoked, and the states it must never be in.

use crate::ground::Ground;

const LIST: &str = "/etc/ssh/managed/revoked.krl";

#[test]
fn a_revocation_counts_from_the_next_login_on() {
    let ground = Ground::start();
    ground.certify("alice", "u:alice", &["-z", "41"]);
    for (name, lines, allowed) in [
        ("nothing", vec![], true),
        ("another serial number", vec!["serial: 42"], true),
        ("its serial number", vec!["serial: 41"], false),
        ("numbers around it", vec!["serial: 40-44"], false),
        ("the name in it", vec!["id: alice"], false),
        ("nothing any more", vec![], true),
    ] {
        ground.revoke(&lines);
        assert_eq!(ground.gets_in("alice"), allowed, "{name}");
        assert!(ground.gets_in("warden"), "{name}");
    }
}

/// Why the list is parsed before it is put in place, and put there whole: no list and half a list shut everybody out who
/// has a key, and an empty file lets everybody in.
#[test]
fn a_list_that_is_not_one() {
    let ground = Ground::start();
    ground.certify("alice", "u:alice", &["-z", "41"]);
    let good = ground.revocation_list(&["serial: 41"]);
    let half = &good[..good.len() / 2];
    for (name, bytes, alice, warden) in [
        ("whole", Some(good.as_slice()), false, true),
        ("half of it", Some(half), false, false),
        ("none", None, false, false),
        ("an empty file", Some(&[][..]), true, true),
    ] {
        match bytes {
            Some(bytes) => ground.write(LIST, bytes),
            None => drop(ground.run(&format!("rm {LIST}"))),
        }
        assert_eq!(ground.gets_in("alice"), alice, "{name}");
        assert_eq!(ground.gets_in("warden"), warden, "{name}");
    }
}
