//! What a host follows of a document that it believes.

use portreeve_host_policy::document::full_name;
use portreeve_host_policy::{Access, Account, Checked, Document, Local, Reason, check};
use portreeve_ssh_cert::authority::KeyType;

use crate::sample::{GROUP, PASSWD, SHELLS, account, authority, document, group, shared, verified};

fn local() -> Local {
    Local::parse(PASSWD, GROUP, SHELLS).with_subordinate("admin1:90000:1000\n", "")
}

fn base() -> Document {
    document(&authority(KeyType::Ed25519))
}

fn names<'a>(checked: &'a Checked<'_>) -> Vec<&'a str> {
    let accepted = checked.accept.iter();
    accepted
        .map(|accepted| accepted.account.name.as_str())
        .collect()
}

fn conflicts(checked: &Checked<'_>) -> Vec<(String, Reason)> {
    let conflicts = checked.conflicts.iter();
    conflicts
        .map(|conflict| (conflict.account.clone(), conflict.reason))
        .collect()
}

#[test]
fn what_fits_is_followed_entirely() {
    let mut document = base();
    document.accounts[0].access = Some(Access {
        until: None,
        sudo: true,
        groups: vec!["web".into(), "docker".into(), "web".into()],
    });
    document.accounts[1].access = None;
    let verified = verified(&document);
    let checked = check(&verified, &local());
    assert_eq!(checked.conflicts, []);
    assert_eq!(names(&checked), ["ada", "bob"]);
    assert_eq!(
        checked.accept[0].groups,
        ["docker", "portreeve", "portreeve-sudo", "web"]
    );
    assert!(checked.accept[1].groups.is_empty(), "who left is in none");
    let groups: Vec<&str> = checked.groups.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(groups, ["portreeve", "portreeve-sudo", "web"]);
    assert_eq!(checked.shared.len(), 1);
}

type Change = fn(&mut Account);

/// Why an account is refused, and what is wrong with it.
const REFUSED: [(&str, Reason, Change); 24] = [
    ("root's number", Reason::UidZero, |it| it.uid = 0),
    ("root's group", Reason::UidZero, |it| it.gid = 0),
    ("below the range", Reason::IdOutOfRange, |it| {
        it.uid = 65_535
    }),
    ("above the range", Reason::IdOutOfRange, |it| {
        it.uid = 100_000
    }),
    ("no number at all", Reason::IdOutOfRange, |it| {
        it.uid = u32::MAX
    }),
    ("a group beyond the range", Reason::IdOutOfRange, |it| {
        it.gid = 100
    }),
    ("a number of a container", Reason::UidTaken, |it| {
        it.uid = 90_500
    }),
    ("a local name", Reason::NameTaken, |it| {
        it.name = "admin1".into()
    }),
    ("a local group", Reason::NameTaken, |it| {
        it.name = "ops".into()
    }),
    ("the group of people", Reason::NameTaken, |it| {
        it.name = "portreeve".into()
    }),
    ("root's name", Reason::NameInvalid, |it| {
        it.name = "root".into()
    }),
    ("a name of the system", Reason::NameInvalid, |it| {
        it.name = "docker".into()
    }),
    ("a name with a dot", Reason::NameInvalid, |it| {
        it.name = "e.ve".into()
    }),
    ("a name with a slash", Reason::NameInvalid, |it| {
        it.name = "../eve".into()
    }),
    ("a name of two lines", Reason::NameInvalid, |it| {
        it.name = "eve\nroot".into()
    }),
    ("a local group's number", Reason::GidTaken, |it| {
        it.gid = 70_900
    }),
    ("another's number", Reason::UidTaken, |it| it.uid = 70_000),
    ("another's group", Reason::GidTaken, |it| it.gid = 65_536),
    ("a home elsewhere", Reason::HomeInvalid, |it| {
        it.home = "/homestead/eve".into()
    }),
    ("a home in a home above", Reason::HomeInvalid, |it| {
        it.home = "/home/../root".into()
    }),
    ("a local home", Reason::HomeInvalid, |it| {
        it.home = "/home/admin1".into()
    }),
    ("another's home", Reason::HomeInvalid, |it| {
        it.home = "/home/ada".into()
    }),
    ("a name of two fields", Reason::TextInvalid, |it| {
        it.full_name = "Eve:x".into()
    }),
    ("an id of two words", Reason::TextInvalid, |it| {
        it.id = "id\n u:other".into()
    }),
];

#[test]
fn an_account_beyond_its_limits_is_refused_alone() {
    for (name, reason, change) in REFUSED {
        let mut document = base();
        let mut eve = account("eve", 70_002);
        change(&mut eve);
        document.accounts.push(eve);
        let verified = verified(&document);
        let checked = check(&verified, &local());
        let found: Vec<Reason> = checked.conflicts.iter().map(|it| it.reason).collect();
        assert_eq!(found, [reason], "{name}: {:?}", checked.conflicts);
        assert_eq!(names(&checked), ["ada", "bob"], "{name}");
        let reported = &checked.conflicts[0];
        assert!(!reported.account.contains('\n'), "{name}");
    }
}

#[test]
fn an_account_stays_with_what_this_machine_can_give() {
    let mut document = base();
    document.accounts[0].shell = "/usr/bin/fish".into();
    document.accounts[0].access = Some(Access {
        until: None,
        sudo: false,
        groups: vec!["nowhere".into(), "root".into(), "portreeve-sudo".into()],
    });
    document.accounts[1].shell = "/usr/sbin/nologin".into();
    let verified = verified(&document);
    let checked = check(&verified, &local());
    assert_eq!(checked.accept[0].shell, "/bin/sh");
    assert_eq!(
        checked.accept[0].groups,
        ["portreeve"],
        "no list of groups gives sudo"
    );
    assert_eq!(checked.accept[1].shell, "/usr/sbin/nologin");
    assert_eq!(
        conflicts(&checked),
        [
            ("ada".to_owned(), Reason::GroupMissing),
            ("ada".to_owned(), Reason::UidZero),
            ("ada".to_owned(), Reason::ShellUnknown),
        ]
    );
}

#[test]
fn who_left_gives_way_to_who_has_the_name_now() {
    let mut document = base();
    let mut former = account("ada", 70_009);
    former.id = "id-former".into();
    former.access = None;
    document.accounts.insert(0, former);
    let verified = verified(&document);
    let checked = check(&verified, &local());
    assert_eq!(names(&checked), ["ada", "bob"]);
    assert_eq!(checked.accept[0].account.id, "id-ada");
    assert_eq!(conflicts(&checked), [("ada".to_owned(), Reason::NameTaken)]);
}

#[test]
fn without_the_group_of_people_nobody_gets_an_account() {
    let verified = verified(&base());
    let local = Local::parse(PASSWD, &format!("{GROUP}portreeve:x:500:\n"), SHELLS);
    let checked = check(&verified, &local);
    assert!(checked.accept.is_empty());
    assert_eq!(
        conflicts(&checked),
        [
            ("portreeve".to_owned(), Reason::NameTaken),
            ("ada".to_owned(), Reason::GroupMissing),
            ("bob".to_owned(), Reason::GroupMissing),
        ]
    );
}

#[test]
fn groups_are_held_to_the_same_limits() {
    let cases = [
        ("a local group", group("ops", 70_501), Reason::NameTaken),
        (
            "a group of power",
            group("docker", 70_501),
            Reason::NameInvalid,
        ),
        ("root's number", group("db", 0), Reason::UidZero),
        ("a local number", group("db", 70_900), Reason::GidTaken),
        (
            "an account's group",
            group("ada", 70_501),
            Reason::NameTaken,
        ),
        ("an account's number", group("db", 70_000), Reason::GidTaken),
        ("beyond the range", group("db", 5_000), Reason::IdOutOfRange),
    ];
    for (name, group, reason) in cases {
        let mut document = base();
        document.groups.push(group);
        let verified = verified(&document);
        let checked = check(&verified, &local());
        let found: Vec<Reason> = checked.conflicts.iter().map(|it| it.reason).collect();
        assert_eq!(found, [reason], "{name}: {:?}", checked.conflicts);
        assert_eq!(checked.groups.len(), 3, "{name}");
        assert_eq!(names(&checked), ["ada", "bob"], "{name}");
    }
}

#[test]
fn people_come_to_shared_accounts_that_there_are_and_that_are_not_root() {
    let odd = |principal: &str| {
        let mut shared = shared("deploy", &["id-bob"]);
        shared.principals[0].id = principal.to_owned();
        shared
    };
    let cases = [
        ("root", shared("root", &["id-ada"]), Reason::SharedRoot),
        (
            "root by another name",
            shared("toor2", &["id-ada"]),
            Reason::SharedRoot,
        ),
        (
            "nobody's",
            shared("nobody9", &["id-ada"]),
            Reason::SharedMissing,
        ),
        (
            "a person's",
            shared("ada", &["id-bob"]),
            Reason::SharedMissing,
        ),
        ("any name", odd("deploy"), Reason::TextInvalid),
        ("options", odd("cert-authority u:x"), Reason::TextInvalid),
        ("two lines", odd("u:x\nu:y"), Reason::TextInvalid),
    ];
    for (name, shared, reason) in cases {
        let mut document = base();
        document.shared = vec![shared];
        let verified = verified(&document);
        let checked = check(&verified, &local());
        let found: Vec<Reason> = checked.conflicts.iter().map(|it| it.reason).collect();
        assert_eq!(found, [reason], "{name}: {:?}", checked.conflicts);
        assert!(checked.shared.is_empty(), "{name}");
    }
}

#[test]
fn records_of_others_are_taken_too() {
    let users = ["ada", "70001"].map(str::to_owned).into();
    let groups = ["web"].map(str::to_owned).into();
    let verified = verified(&base());
    let local = local().with_records(&users, &groups);
    let checked = check(&verified, &local);
    assert!(checked.accept.is_empty());
    assert_eq!(
        conflicts(&checked),
        [
            ("ada".to_owned(), Reason::NameTaken),
            ("bob".to_owned(), Reason::UidTaken),
            ("web".to_owned(), Reason::NameTaken),
        ]
    );
}

#[test]
fn the_codes_of_reasons_are_those_in_json() {
    let mut document = base();
    document.accounts[0].shell = "/usr/bin/fish".into();
    document.accounts[1].uid = 0;
    let verified = verified(&document);
    for conflict in check(&verified, &local()).conflicts {
        let json = serde_json::to_value(conflict.reason).unwrap();
        assert_eq!(json, conflict.reason.code());
    }
}

#[test]
fn names_of_people_are_made_to_fit() {
    let long = "\u{e9}".repeat(200);
    let cases = [
        ("Ada Lovelace", "Ada Lovelace".to_owned()),
        ("Ops: night\nshift", "Ops  nightshift".to_owned()),
        (&long, "\u{e9}".repeat(128)),
    ];
    for (name, fits) in cases {
        assert_eq!(full_name(name), fits);
    }
}
