//! Accounts from drop-ins of the user database, as the distribution's `nss-systemd` serves them.

use crate::ground::Ground;

/// The groups of whoever runs it; their order is that of files in a folder.
const GROUPS: &str = "echo $(id -nG | tr ' ' '\\n' | sort)";

#[test]
fn a_person_logs_in_has_a_home_of_their_own_and_their_groups() {
    let ground = Ground::start();
    let said = ground.log_in("alice", &format!("id -un; {GROUPS}; stat -c %a ."));
    let expected = "alice\nalice managed managed-sudo\n700";
    assert_eq!(said.text().unwrap(), expected);
}

#[test]
fn what_a_record_says_about_logging_in_is_kept() {
    let ground = Ground::start();
    let day = 86_400 * 1_000_000;
    let now: i64 = ground.run("date +%s").trim().parse::<i64>().unwrap() * 1_000_000;
    for (name, more, allowed) in [
        ("nothing", String::new(), true),
        ("locked", r#","locked":true"#.to_owned(), false),
        ("not locked", r#","locked":false"#.to_owned(), true),
        (
            "over since the day before yesterday",
            format!(r#","notAfterUSec":{}"#, now - 2 * day),
            false,
        ),
        (
            "over the day after tomorrow",
            format!(r#","notAfterUSec":{}"#, now + 2 * day),
            true,
        ),
    ] {
        ground.person("alice", 70002, &more);
        assert_eq!(ground.gets_in("alice"), allowed, "{name}");
        assert!(ground.gets_in("warden"), "{name}");
    }
}

#[test]
fn a_broken_record_costs_one_person_their_account_and_nobody_else() {
    let ground = Ground::start();
    ground.write("/run/userdb/bob.user", r#"{"userName":"bob","uid":"#);
    assert_eq!(ground.run("getent passwd bob || echo nobody"), "nobody\n");
    assert!(!ground.gets_in("bob"));
    assert!(ground.gets_in("alice"));
    assert!(ground.gets_in("warden"));
}

/// Why the agent looks at numbers and names before it writes them: nobody does after it.
#[test]
fn records_are_served_as_they_are() {
    let ground = Ground::start();
    ground.person("mallory", 0, "");
    ground.person("root", 70009, "");
    ground.person("warden", 70010, "");
    ground.member("warden", "managed-sudo");
    for (name, command, expected) in [
        ("nobody minds the number of root", "id -u mallory", "0\n"),
        (
            "a local account is before a record of its name",
            "id -u root; id -u warden",
            "0\n1000\n",
        ),
        (
            "and has the groups of whoever the record is for",
            "id -nG warden",
            "warden managed-sudo\n",
        ),
    ] {
        assert_eq!(ground.run(command), expected, "{name}");
    }
}

#[test]
fn memberships_are_files_that_are_not_empty() {
    let ground = Ground::start();
    ground.group("deployers", 70020);
    for (name, text, groups) in [
        ("empty", "", "bob managed"),
        ("an object without members", "{}\n", "bob deployers managed"),
    ] {
        ground.write("/run/userdb/bob:deployers.membership", text);
        let said = ground.log_in("bob", GROUPS);
        assert_eq!(said.text().unwrap(), groups, "{name}");
    }
}

#[test]
fn a_local_group_takes_people_in_without_listing_them() {
    let ground = Ground::start();
    ground.run("echo 'printers:x:1500:' >>/etc/group");
    ground.member("bob", "printers");
    assert_eq!(ground.run("getent group printers"), "printers:x:1500:\n");
    let said = ground.log_in("bob", GROUPS);
    assert_eq!(said.text().unwrap(), "bob managed printers");
}
