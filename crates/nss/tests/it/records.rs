//! A line is read as it was written, or not at all.

use nss_portreeve::record::{Group, Person, Shadow, members};
use proptest::prelude::*;

#[test]
fn lines_that_are_people() {
    let ada = b"ada:x:65536:65537:Ada Lovelace,Room 1:/srv/ada:/bin/bash";
    let expected = Person {
        name: b"ada",
        password: b"x",
        uid: 65_536,
        gid: 65_537,
        gecos: b"Ada Lovelace,Room 1",
        home: b"/srv/ada",
        shell: b"/bin/bash",
    };
    assert_eq!(Person::parse(ada), Some(expected));
}

#[test]
fn lines_that_are_nobody() {
    for (name, line) in [
        ("nothing", ""),
        ("a comment", "#ada:x:65536:65536::/srv/ada:/bin/sh"),
        ("NIS, all", "+::::::"),
        ("NIS, not this one", "-ada:x:65536:65536::/srv/ada:/bin/sh"),
        ("no name", ":x:65536:65536::/srv/ada:/bin/sh"),
        ("a list of names", "ada,bob:x:65536:65536::/srv/ada:/bin/sh"),
        ("root", "ada:x:0:65536::/srv/ada:/bin/sh"),
        ("root, longer", "ada:x:000:65536::/srv/ada:/bin/sh"),
        ("root's group", "ada:x:65536:0::/srv/ada:/bin/sh"),
        ("nobody, -1", "ada:x:4294967295:65536::/srv/ada:/bin/sh"),
        (
            "root, around the corner",
            "ada:x:4294967296:65536::/srv/ada:/bin/sh",
        ),
        ("a sign", "ada:x:+65536:65536::/srv/ada:/bin/sh"),
        ("another sign", "ada:x:-65536:65536::/srv/ada:/bin/sh"),
        ("a blank", "ada:x: 65536:65536::/srv/ada:/bin/sh"),
        ("no number", "ada:x::65536::/srv/ada:/bin/sh"),
        ("a field too few", "ada:x:65536:65536::/srv/ada"),
        ("a field too many", "ada:x:65536:65536::/srv/ada:/bin/sh:"),
        ("a byte 0", "ada:x:65536:65536::/srv/ada:/bin/sh\0"),
        (
            "a byte 0 in the name",
            "a\0da:x:65536:65536::/srv/ada:/bin/sh",
        ),
    ] {
        assert_eq!(Person::parse(line.as_bytes()), None, "{name}");
    }
}

#[test]
fn lines_that_are_no_group() {
    for (name, line) in [
        ("nothing", ""),
        ("root's", "ops:*:0:ada"),
        ("no number", "ops:*::ada"),
        ("NIS", "+:::"),
        ("a field too few", "ops:*:65536"),
        ("a field too many", "ops:*:65536:ada:"),
        ("a byte 0", "ops:*:65536:a\0da"),
    ] {
        assert_eq!(Group::parse(line.as_bytes()), None, "{name}");
    }
    let list: Vec<_> = members(b"ada,,+bob,#carl,d\0an,e:e,fay").collect();
    assert_eq!(list, [b"ada", b"fay"], "names that nobody can have");
}

#[test]
fn lines_of_locks_and_ends() {
    let shadow = |line: &'static str| Shadow::parse(line.as_bytes());
    let open = shadow("ada:!*:20000::::::").unwrap();
    assert_eq!(
        (open.password, open.changed, open.expires, open.reserved),
        (&b"!*"[..], 20_000, -1, u64::MAX)
    );
    let ending = shadow("ada:!*:20000:0:99999:7:3:20700:1").unwrap();
    let numbers = [
        ending.minimum,
        ending.maximum,
        ending.warning,
        ending.inactive,
    ];
    assert_eq!(
        (numbers, ending.expires, ending.reserved),
        ([0, 99_999, 7, 3], 20_700, 1)
    );
    for (name, line) in [
        ("a field too few", "ada:!*:20000:::::"),
        ("a field too many", "ada:!*:20000:::::::"),
        ("no number", "ada:!*:20000:::::soon:"),
        ("a sign", "ada:!*:20000:::::-1:"),
        ("too large", "ada:!*:20000:::::9223372036854775808:"),
    ] {
        assert_eq!(shadow(line), None, "{name}");
    }
}

proptest! {
    /// What would end a field, begin a directive or be root cannot come out, whatever goes in.
    #[test]
    fn any_bytes_are_a_person_or_none(line in "[a-z:0-9,+#\0é]{0,60}") {
        if let Some(person) = Person::parse(line.as_bytes()) {
            let (uid, gid) = (person.uid.to_string(), person.gid.to_string());
            let again = [person.name, person.password, uid.as_bytes(), gid.as_bytes(), person.gecos, person.home, person.shell].join(&b':');
            prop_assert_eq!(Person::parse(&again), Some(person));
            prop_assert!(person.uid != 0 && person.gid != 0);
            prop_assert!(!again.contains(&0));
        }
    }

    #[test]
    fn a_person_is_read_as_written(
        name in "[a-z_][a-z0-9_-]{0,31}", gecos in "[^:\0\n]{0,20}", home in "/[^:\0\n]{0,20}",
        uid in 1..u32::MAX, gid in 1..u32::MAX,
    ) {
        let line = format!("{name}:x:{uid}:{gid}:{gecos}:{home}:/bin/sh");
        let expected = Person {
            name: name.as_bytes(),
            password: b"x",
            uid,
            gid,
            gecos: gecos.as_bytes(),
            home: home.as_bytes(),
            shell: b"/bin/sh",
        };
        prop_assert_eq!(Person::parse(line.as_bytes()), Some(expected));
    }
}
