//! Who somebody is.

use std::fmt::Write as _;

use crate::ground::Ground;

#[test]
fn programs_get_what_is_in_the_files() {
    let ground = Ground::start();
    for (name, question, expected) in [
        (
            "by name",
            "getent passwd ada",
            "ada:x:70002:70002:Ada Lovelace:/srv/ada:/bin/bash\n",
        ),
        (
            "by number",
            "getent passwd 70003",
            "bob:x:70003:70003:Bob:/srv/bob:/bin/sh\n",
        ),
        (
            "a group by name",
            "getent group portreeve",
            "portreeve:*:70000:ada,bob\n",
        ),
        (
            "a group by number",
            "getent group 70001",
            "portreeve-sudo:*:70001:ada\n",
        ),
        ("a group of nobody", "getent group bob", "bob:*:70003:\n"),
        (
            "locks and ends",
            "getent shadow bob",
            "bob:!*:20000::::::\n",
        ),
        (
            "groups, the machine's own too",
            "id ada",
            "uid=70002(ada) gid=70002(ada) groups=70002(ada),70000(portreeve),70001(portreeve-sudo),4(adm)\n",
        ),
        (
            "the machine's own group has its own members",
            "getent group adm",
            "adm:x:4:\n",
        ),
        ("the machine's own people", "id -Gn warden", "warden\n"),
        ("nobody", "getent passwd eve", "exit code 2"),
        ("no group", "getent group 70099", "exit code 2"),
        (
            "everybody",
            "getent passwd | tail -n 3 | cut -d : -f 1 | paste -sd ' '",
            "warden ada bob\n",
        ),
        (
            "all groups",
            "getent group | tail -n 6 | cut -d : -f 1 | paste -sd ' '",
            "warden portreeve portreeve-sudo ada bob adm\n",
        ),
        (
            "everybody twice",
            "python3 -c 'import pwd; print(pwd.getpwall() == pwd.getpwall())'",
            "True\n",
        ),
        (
            "names of files",
            "mkdir -p /srv/ada && chown 70002:70001 /srv/ada && stat -c '%U %G' /srv/ada",
            "ada portreeve-sudo\n",
        ),
    ] {
        assert_eq!(ground.ask(question), expected, "{name}");
    }
}

#[test]
fn the_machines_own_accounts_come_first() {
    let ground = Ground::start();
    ground.put("passwd", "root:*:70004:70004::/srv/x:/bin/sh\nwarden:*:70005:70005::/srv/x:/bin/sh\nzed:*:0:0::/root:/bin/sh\n");
    assert_eq!(ground.ask("id -u root warden"), "0\n1000\n");
    assert_eq!(
        ground.ask("getent passwd zed"),
        "exit code 2",
        "nobody becomes root"
    );
}

/// Each lookup of the C library begins with a small buffer and comes back with a larger one.
#[test]
fn groups_of_any_size_are_given() {
    let ground = Ground::start();
    let (mut passwd, mut group) = (String::new(), String::from("portreeve:*:70000:"));
    for number in 0..20_000_u32 {
        let (name, uid) = (format!("person-{number:05}"), 100_000 + number);
        writeln!(passwd, "{name}:x:{uid}:{uid}::/srv/{name}:/bin/sh").unwrap();
        write!(group, "{}{name}", if number == 0 { "" } else { "," }).unwrap();
    }
    group.push('\n');
    for number in 0..300 {
        writeln!(group, "g{number}:*:{}:person-19999", 71_000 + number).unwrap();
    }
    ground.put("passwd", passwd);
    ground.put("group", group);
    assert_eq!(
        ground.ask("getent group portreeve | tr , '\\n' | wc -l"),
        "20000\n"
    );
    assert_eq!(
        ground.ask("getent group portreeve | tail -c 13"),
        "person-19999\n"
    );
    assert_eq!(ground.ask("id -G person-19999 | wc -w"), "302\n");
    assert_eq!(ground.ask("getent passwd | grep -c ^person-"), "20000\n");
}

/// getpwnam_r(3): ERANGE asks for a larger buffer; that nobody is found is no error.
#[test]
fn callers_are_told_what_was_wrong() {
    let ground = Ground::start();
    let said = ground.python(include_str!("small_buffers.py"));
    assert_eq!(
        said,
        "getpwnam_r: every smaller buffer refused\ngetgrnam_r: every smaller buffer refused\nnobody: 0\n"
    );
}
