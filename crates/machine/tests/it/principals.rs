//! Principals files: who may be which account, and until when.

use crate::ground::Ground;

#[test]
fn a_line_lets_in_until_its_time() {
    let ground = Ground::start();
    for (name, text, allowed) in [
        ("one's own id", "u:alice\n", true),
        ("somebody else's", "u:bob\n", false),
        ("several", "u:bob\nu:alice\n", true),
        ("none", "", false),
        (
            "a time to come",
            "expiry-time=\"20991231235959Z\" u:alice\n",
            true,
        ),
        (
            "a time gone by",
            "expiry-time=\"20200101000000Z\" u:alice\n",
            false,
        ),
        ("no time at all", "expiry-time=\"soon\" u:alice\n", false),
        (
            "no time at all, and a good line",
            "expiry-time=\"soon\" u:alice\nu:alice\n",
            true,
        ),
        ("another address", "from=\"192.0.2.1\" u:alice\n", false),
    ] {
        ground.write("/run/principals/alice", text);
        assert_eq!(ground.gets_in("alice"), allowed, "{name}");
        assert!(ground.gets_in("warden"), "{name}");
    }
}

#[test]
fn the_file_of_somebody_is_roots() {
    let ground = Ground::start();
    for (name, script, allowed) in [
        ("as it is", "true", true),
        (
            "everybody may write it",
            "chmod 666 /run/principals/alice",
            false,
        ),
        (
            "it is somebody else's",
            "chmod 644 /run/principals/alice; chown bob /run/principals/alice",
            false,
        ),
        (
            "it is root's again",
            "chown root /run/principals/alice",
            true,
        ),
        (
            "everybody may write beside it",
            "chmod 777 /run/principals",
            false,
        ),
        ("nobody may any more", "chmod 755 /run/principals", true),
        ("it is gone", "rm /run/principals/alice", false),
    ] {
        ground.run(script);
        assert_eq!(ground.gets_in("alice"), allowed, "{name}");
        assert!(ground.gets_in("warden"), "{name}");
    }
}

#[test]
fn several_people_may_be_one_account_and_the_log_says_who_it_was() {
    let ground = Ground::start();
    ground.run("useradd --create-home --shell /bin/bash deploy");
    ground.write("/run/principals/deploy", "u:alice\nu:bob\n");
    for who in ["alice", "bob"] {
        assert!(ground.gets_in(&format!("{who}:deploy")));
        let logged = format!("Accepted publickey for deploy .* ID {who} ");
        let found = ground.run(&format!("grep -c '{logged}' /var/log/auth.log || true"));
        assert_eq!(found, "1\n", "{who}");
    }
}
