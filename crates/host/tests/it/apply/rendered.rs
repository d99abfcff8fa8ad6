//! The files that a document makes, to the byte.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;

use portreeve_host::config::Backend;
use portreeve_host_policy::Document;

use super::ground::{Ground, active, code, document, left, shared};

/// Somebody with sudo until an end, somebody without, somebody who has left, and two on the host's own account.
fn sample(ground: &Ground) -> Document {
    let mut document = document(&ground.key);
    document.lease_until = Some("2026-11-25T12:00:00.5Z".parse().unwrap());
    let mut ada = active("a-1", "ada", 70_001, true, &["web", "docker"]);
    let access = ada.access.as_mut().unwrap();
    access.until = Some("2026-11-23T08:30:00Z".parse().unwrap());
    let bob = active("b-2", "bob", 70_002, false, &[]);
    document.accounts = vec![ada, bob, left("c-3", "cyd", 70_003)];
    document.shared = vec![shared("deploy", &["a-1", "b-2"])];
    document.shared[0].principals[0].until = Some("2026-11-22T18:00:00Z".parse().unwrap());
    document
}

fn listing(ground: &Ground, folder: &str) -> String {
    let mut text = String::new();
    for (path, contents) in ground.tree() {
        if let Some(name) = path.strip_prefix(folder) {
            let _ = writeln!(
                text,
                "{name}: {}",
                contents.trim_end().replace('\n', "\n    ")
            );
        }
    }
    text
}

#[test]
fn records_are_what_systemd_reads() {
    let ground = Ground::new(Backend::Userdb);
    assert_eq!(code(ground.apply(&sample(&ground))), None);
    let expected = r#"65536.group: -> portreeve.group
65537.group: -> portreeve-sudo.group
70001.group: -> ada.group
70001.user: -> ada.user
70002.group: -> bob.group
70002.user: -> bob.user
70003.group: -> cyd.group
70003.user: -> cyd.user
70500.group: -> web.group
ada.group: {"groupName":"ada","gid":70001,"disposition":"regular","service":"org.portreeve.host"}
ada.user: {"userName":"ada","uid":70001,"gid":70001,"realName":"The a-1","homeDirectory":"/home/ada","shell":"/bin/bash","disposition":"regular","notAfterUSec":1795478400000000,"service":"org.portreeve.host"}
ada:docker.membership: {"service":"org.portreeve.host"}
ada:portreeve-sudo.membership: {"service":"org.portreeve.host"}
ada:portreeve.membership: {"service":"org.portreeve.host"}
ada:web.membership: {"service":"org.portreeve.host"}
bob.group: {"groupName":"bob","gid":70002,"disposition":"regular","service":"org.portreeve.host"}
bob.user: {"userName":"bob","uid":70002,"gid":70002,"realName":"The b-2","homeDirectory":"/home/bob","shell":"/bin/bash","disposition":"regular","notAfterUSec":1795651200000000,"service":"org.portreeve.host"}
bob:portreeve.membership: {"service":"org.portreeve.host"}
cyd.group: {"groupName":"cyd","gid":70003,"disposition":"regular","service":"org.portreeve.host"}
cyd.user: {"userName":"cyd","uid":70003,"gid":70003,"realName":"The c-3","homeDirectory":"/home/cyd","shell":"/usr/sbin/nologin","disposition":"regular","locked":true,"service":"org.portreeve.host"}
portreeve-sudo.group: {"groupName":"portreeve-sudo","gid":65537,"disposition":"regular","service":"org.portreeve.host"}
portreeve.group: {"groupName":"portreeve","gid":65536,"disposition":"regular","service":"org.portreeve.host"}
web.group: {"groupName":"web","gid":70500,"disposition":"regular","service":"org.portreeve.host"}
"#;
    assert_eq!(listing(&ground, "/run/userdb/"), expected);
}

#[test]
fn snapshots_are_what_our_module_reads() {
    let ground = Ground::new(Backend::Nss);
    assert_eq!(code(ground.apply(&sample(&ground))), None);
    let expected = "group: ada:*:70001:
    bob:*:70002:
    cyd:*:70003:
    docker:*:998:ada
    portreeve:*:65536:ada,bob
    portreeve-sudo:*:65537:ada
    web:*:70500:ada
passwd: ada:x:70001:70001:The a-1:/home/ada:/bin/bash
    bob:x:70002:70002:The b-2:/home/bob:/bin/bash
    cyd:x:70003:70003:The c-3:/home/cyd:/usr/sbin/nologin
shadow: ada:*::::::20781:
    bob:*::::::20783:
    cyd:!*::::::1:
";
    assert_eq!(listing(&ground, "/run/portreeve-host/nss/"), expected);
    let mode = |name: &str| {
        let file = std::fs::metadata(ground.paths.nss().join(name)).unwrap();
        file.permissions().mode() & 0o7777
    };
    assert_eq!(
        (mode("passwd"), mode("group"), mode("shadow")),
        (0o644, 0o644, 0o600)
    );
}

#[test]
fn principals_end_in_the_time_that_sshd_reads() {
    let berlin = "/usr/share/zoneinfo/Europe/Berlin";
    let cases = [
        (
            Some((9, 2)),
            "20261123083000Z",
            "20261125120000Z",
            "20261122180000Z",
        ),
        (
            None,
            "20261123083000Z",
            "20261125120000Z",
            "20261122180000Z",
        ),
        (
            Some((8, 9)),
            "20261123093000",
            "20261125130000",
            "20261122190000",
        ),
    ];
    for (version, ada, lease, deploy) in cases {
        let ground = Ground::new(Backend::Userdb);
        std::os::unix::fs::symlink(berlin, ground.paths.at("/etc/localtime")).unwrap();
        ground.world().version = version;
        // Twice, because the second time reads what the first has written.
        for version in [1, 2] {
            let mut document = sample(&ground);
            document.version = version;
            assert_eq!(code(ground.apply(&document)), None);
        }
        let expected = format!(
            "ada: expiry-time=\"{ada}\" u:a-1\n\
             bob: expiry-time=\"{lease}\" u:b-2\n\
             deploy: expiry-time=\"{deploy}\" u:a-1\n    expiry-time=\"{lease}\" u:b-2\n"
        );
        let found = listing(&ground, "/run/portreeve-host/principals/");
        assert_eq!(found, expected, "{version:?}");
    }
}

#[test]
fn a_host_without_a_lease_stays_open() {
    let ground = Ground::new(Backend::Userdb);
    let mut document = sample(&ground);
    document.lease_until = None;
    document.accounts.remove(0);
    document.shared.clear();
    assert_eq!(code(ground.apply(&document)), None);
    assert_eq!(
        listing(&ground, "/run/portreeve-host/principals/"),
        "bob: u:b-2\n"
    );
    assert!(!ground.read("/run/userdb/bob.user").contains("notAfter"));
}

#[test]
fn sshd_trusts_the_keys_that_the_document_names() {
    let ground = Ground::new(Backend::Userdb);
    let mut document = sample(&ground);
    let next = super::ground::authority().public_openssh("next");
    document.user_keys.push(next.clone());
    assert_eq!(code(ground.apply(&document)), None);
    let expected = format!("{}\n{next}\n", ground.key.public_openssh("people"));
    assert_eq!(ground.read("/etc/ssh/portreeve/user_ca.pub"), expected);
}

#[test]
fn what_is_not_ours_is_neither_touched_nor_taken() {
    let ground = Ground::new(Backend::Userdb);
    let mine = r#"{"userName":"bob","uid":5000,"gid":5000,"homeDirectory":"/home/bob","shell":"/bin/sh","disposition":"regular"}"#;
    ground.write("/run/userdb/bob.user", mine);
    ground.write("/run/userdb/zoe:web.membership", "{}");
    // Ours once, and broken since.
    ground.write("/run/userdb/ada.user", "");
    assert_eq!(code(ground.apply(&sample(&ground))), None);
    assert_eq!(ground.read("/run/userdb/bob.user"), mine);
    assert_eq!(ground.read("/run/userdb/zoe:web.membership"), "{}");
    assert!(ground.read("/run/userdb/ada.user").contains("70001"));
    let conflicts = ground.state().conflicts;
    let told: Vec<(&str, &str)> = conflicts
        .iter()
        .map(|conflict| (conflict.account.as_str(), conflict.reason.as_str()))
        .collect();
    assert_eq!(told, [("bob", "name_taken")]);
}

#[test]
fn who_is_renamed_keeps_number_and_home_and_the_old_name_is_gone() {
    for backend in [Backend::Userdb, Backend::Nss] {
        let ground = Ground::new(backend);
        let mut document = document(&ground.key);
        document.accounts = vec![active("a-1", "ada", 70_001, true, &[])];
        assert_eq!(code(ground.apply(&document)), None);
        document.version += 1;
        document.accounts[0].name = "countess".to_owned();
        assert_eq!(code(ground.apply(&document)), None);
        let tree = ground.tree();
        assert!(!tree.keys().any(|path| path.contains("/ada")), "{tree:?}");
        let all = tree.values().fold(String::new(), |all, text| all + text);
        assert!(all.contains("countess") && all.contains("/home/ada"));
        assert_eq!(ground.world().ended, [0_u32; 0], "nobody was sent away");
    }
}

#[test]
fn whoever_leaves_the_team_leaves_nothing_behind() {
    for backend in [Backend::Userdb, Backend::Nss] {
        let ground = Ground::new(backend);
        assert_eq!(code(ground.apply(&sample(&ground))), None);
        let config = portreeve_host::config::Config::load(&ground.paths).unwrap();
        ground.half().withdraw(&config).unwrap();
        let left: Vec<(String, String)> = ground
            .tree()
            .into_iter()
            .filter(|(path, text)| path.starts_with("/run/") && !text.is_empty())
            .filter(|(path, _)| !path.ends_with("highest-version"))
            .collect();
        assert_eq!(left, []);
    }
}
