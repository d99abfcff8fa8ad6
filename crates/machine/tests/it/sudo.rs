//! sudo in sessions that are open while access is taken away.

use crate::ground::Ground;

/// What `sudo` gives somebody now: who they become, or how it refuses them.
const SUDO: &str = "sudo -n id -un 2>&1";
const DYNAMIC: &str = "echo 'Set group_source dynamic' >>/etc/sudo.conf";

#[test]
fn the_group_makes_root() {
    let ground = Ground::start();
    assert_eq!(ground.log_in("alice", SUDO).text().unwrap(), "root");
    assert!(!ground.log_in("bob", SUDO).good());
    assert_eq!(ground.log_in("warden", SUDO).text().unwrap(), "root");
}

/// Each takes something from alice while she has a session open.
#[test]
fn what_is_taken_away_is_gone_in_open_sessions() {
    for (name, before, taking, expected) in [
        (
            "the group alone: the session has it still",
            "true",
            "rm /run/userdb/alice:managed-sudo.membership",
            None,
        ),
        (
            "the group, where sudo asks who is in it",
            DYNAMIC,
            "rm /run/userdb/alice:managed-sudo.membership",
            Some("password is required"),
        ),
        (
            "the account is locked",
            "true",
            r#"sed -i 's/}$/,"locked":true}/' /run/userdb/alice.user"#,
            Some("account validation failure"),
        ),
        (
            "the account is gone",
            "true",
            "rm /run/userdb/alice.user /run/userdb/70002.user",
            Some("you do not exist in the passwd database"),
        ),
    ] {
        let ground = Ground::start();
        ground.run(before);
        let mut session = ground.open("alice");
        assert_eq!(session.run(SUDO).unwrap().text().unwrap(), "root", "{name}");
        ground.run(taking);
        let said = session.run(SUDO).unwrap();
        match expected {
            None => assert_eq!(said.text().unwrap(), "root", "{name}"),
            Some(refused) => {
                assert!(!said.good(), "{name}");
                assert!(said.out.contains(refused), "{name}: {said}");
            }
        }
        assert!(ground.gets_in("warden"), "{name}");
    }
}
