//! Rows and files that are not believed, and that nobody is lost over them.

use portreeve_provisioning::source::{Error, Place, Settings};

use super::{CSV, Desk, JSONL, everything};
use crate::reader::{lines, read, source};

/// Tables with rows that cannot be used, and what is told of them.
struct Spoilt {
    name: &'static str,
    users: &'static [u8],
    memberships: &'static [u8],
    told: &'static [&'static str],
}

impl Spoilt {
    const fn users(
        name: &'static str,
        users: &'static [u8],
        told: &'static [&'static str],
    ) -> Self {
        let memberships = b"group,member\ng,a\n";
        Self {
            name,
            users,
            memberships,
            told,
        }
    }

    const fn memberships(
        name: &'static str,
        memberships: &'static [u8],
        told: &'static [&'static str],
    ) -> Self {
        let users = b"id,name,accountEnabled\na,Ada,yes\nb,Bob,no\n";
        Self {
            name,
            users,
            memberships,
            told,
        }
    }
}

const SPOILT: [Spoilt; 8] = [
    Spoilt::users(
        "a key twice",
        b"id,name\na,Ada\nb,Bob\na,Adele\n",
        &["users.csv line 4: its key \"a\" was used before"],
    ),
    Spoilt::users(
        "no key",
        b"id,name\n,Ada\na,Bob\n",
        &["users.csv line 2: column \"id\" is empty"],
    ),
    Spoilt::users(
        "a column too few, after a cell of two lines",
        b"id,name\na,\"A\nda\"\nb\n",
        &["users.csv line 4: it has 1 columns where there are 2"],
    ),
    Spoilt::users(
        "a column too many",
        b"id,name\na,Ada\nb,Bob,x\n",
        &["users.csv line 3: it has 3 columns where there are 2"],
    ),
    Spoilt::users(
        "a truth value that is none",
        b"id,accountEnabled\na,1\nb,maybe\n",
        &["users.csv line 3: accountEnabled is \"maybe\""],
    ),
    Spoilt::memberships(
        "an unknown member and an unknown group",
        b"group,member\ng,z\nh,a\ng,a\n",
        &[
            "memberships.csv line 2: there is no user or group \"z\"",
            "memberships.csv line 3: there is no group \"h\"",
        ],
    ),
    Spoilt::memberships(
        "half a membership",
        b"group,member\ng,\ng,a\n",
        &["memberships.csv line 2: group or member is empty"],
    ),
    Spoilt::memberships("nothing wrong", b"group,member\ng,b\n", &[]),
];

#[tokio::test]
async fn a_row_that_cannot_be_used_is_told_with_its_line() {
    for case in SPOILT {
        let desk = Desk::new();
        desk.write("users.csv", case.users);
        desk.write("groups.csv", "id\ng\n");
        desk.write("memberships.csv", case.memberships);
        let (told, _) = everything(&desk.source(CSV)).await;
        let unusable: Vec<&String> = told
            .iter()
            .filter(|line| line.contains(".csv line"))
            .collect();
        assert_eq!(unusable, case.told, "{}", case.name);
    }
}

#[tokio::test]
async fn a_line_of_json_that_cannot_be_used_is_told_with_its_number() {
    let cases = [
        (
            "broken",
            "{\"id\": \"x\"",
            "users.jsonl line 2: it is no JSON object on one line (EOF while parsing an object, column 10)",
        ),
        (
            "a list",
            "[1]",
            "users.jsonl line 2: it is no JSON object on one line (invalid type: sequence, expected a map, column 0)",
        ),
        (
            "no key",
            "{\"name\": \"x\"}",
            "users.jsonl line 2: \"id\" is missing",
        ),
        (
            "a deep attribute",
            "{\"id\": \"x\", \"name\": {\"first\": \"X\"}}",
            "users.jsonl line 2: \"name\" is neither a single value nor a list of them",
        ),
    ];
    for (name, line, expected) in cases {
        let desk = Desk::new();
        desk.write("users.jsonl", format!("{{\"id\": \"a\"}}\n{line}\n"));
        desk.write("groups.jsonl", "{\"id\": \"g\", \"members\": \"a\"}\n");
        let (told, _) = everything(&desk.source(JSONL)).await;
        assert_eq!(
            told,
            [
                "user a",
                expected,
                "group g",
                "groups.jsonl line 1: \"members\" is no list of keys"
            ],
            "{name}"
        );
    }
}

#[tokio::test]
async fn nobody_is_gone_because_a_row_was_spoilt() {
    let cases = [
        (
            "the key of the row can be read: its owner stays",
            &b"id,name\na,Ad\xe4\nc,Cy\n"[..],
            vec![
                "users.csv line 2: column \"name\" is not UTF-8",
                "gone user b",
            ],
        ),
        (
            "nobody knows whose row it is: everybody stays",
            b"id,name\na,Ada\nb\nc,Cy\n",
            vec!["users.csv line 3: it has 1 columns where there are 2"],
        ),
        (
            "no truth value: the owner stays as it was",
            b"id,name,accountEnabled\na,Ada,\nb,Bob,?\nc,Cy,\n",
            vec![
                "user a",
                "users.csv line 3: accountEnabled is \"?\"",
                "user c",
            ],
        ),
    ];
    for (name, users, expected) in cases {
        let desk = Desk::with_tables();
        let settings = CSV.replace("memberships = \"memberships.csv\"\n", "");
        let source = desk.source(&settings);
        let (_, mark) = everything(&source).await;
        desk.write("users.csv", users);
        let (changes, mark) = read(&source, &mark).await.unwrap();
        assert_eq!(lines(&changes), expected, "{name}");

        desk.write("users.csv", "id,name\na,Ada\nc,Cy\n");
        let (changes, _) = read(&source, &mark).await.unwrap();
        let gone: Vec<_> = lines(&changes)
            .into_iter()
            .filter(|line| line.starts_with("gone"))
            .collect();
        let still = expected.contains(&"gone user b");
        assert_eq!(
            gone.len(),
            usize::from(!still),
            "{name}: a mended file counts again"
        );
    }
}

#[tokio::test]
async fn nobody_leaves_a_group_because_a_row_was_spoilt() {
    let desk = Desk::with_tables();
    let source = desk.source(CSV);
    let (_, mark) = everything(&source).await;
    desk.write("memberships.csv", "group,member\ng,a\nh,c\nh,g,\n");
    let (changes, mark) = read(&source, &mark).await.unwrap();
    assert_eq!(
        lines(&changes),
        ["memberships.csv line 4: it has 3 columns where there are 2"]
    );
    desk.write("memberships.csv", "group,member\ng,a\nh,c\nh,g\n");
    let (changes, _) = read(&source, &mark).await.unwrap();
    assert_eq!(lines(&changes), ["g - b"]);
}

/// A file, what is in it, and what is said about it.
type Unbelievable = (&'static str, &'static str, &'static [u8], &'static str);

const UNBELIEVABLE: [Unbelievable; 9] = [
    ("empty", "users.csv", b"", "users.csv is empty"),
    (
        "its first row only",
        "users.csv",
        b"id,name\n",
        "users.csv holds 0 usable rows where it held 3",
    ),
    (
        "less than half",
        "users.csv",
        b"id,name\na,Ada\n",
        "users.csv holds 1 usable rows where it held 3",
    ),
    (
        "less than half of memberships",
        "memberships.csv",
        b"group,member\ng,a\n",
        "memberships.csv holds 1 usable rows where it held 4",
    ),
    (
        "an open quotation mark",
        "users.csv",
        b"id,name\na,\"Ada\nb,Bob\nc,Cy\n",
        "a quotation mark is opened and never closed",
    ),
    (
        "UTF-16",
        "users.csv",
        b"\xff\xfei\0d\0\n\0",
        "users.csv is UTF-16",
    ),
    (
        "no such column",
        "groups.csv",
        b"key;name\ng;Gang\n",
        "groups.csv has no column \"id\"; its columns are key;name",
    ),
    (
        "a column twice",
        "groups.csv",
        b"id,name,name\ng,Gang,x\n",
        "two columns are named \"name\"",
    ),
    (
        "a column without a name",
        "groups.csv",
        b"id,,x\ng,Gang,x\n",
        "column 2 has no name",
    ),
];

#[tokio::test]
async fn a_file_that_cannot_be_believed_is_refused_as_a_whole() {
    for (name, file, text, expected) in UNBELIEVABLE {
        let desk = Desk::with_tables();
        let source = desk.source(CSV);
        let (_, mark) = everything(&source).await;
        desk.write(file, text);
        let error = read(&source, &mark).await.unwrap_err();
        assert!(matches!(error, Error::Unusable(_)), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");

        std::fs::remove_file(desk.folder.path().join(file)).unwrap();
        let error = read(&source, &mark).await.unwrap_err();
        assert!(
            matches!(error, Error::Unavailable { .. }),
            "{name}, then away: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_was_cut_down_on_purpose_is_taken_when_the_settings_say_so() {
    let desk = Desk::with_tables();
    let (_, mark) = everything(&desk.source(CSV)).await;
    desk.write("users.csv", "id,name\na,Ada\n");
    desk.write("memberships.csv", "group,member\ng,a\n");
    let source = desk.source(&format!("{CSV}keep_at_least = 0\n"));
    let (changes, _) = read(&source, &mark).await.unwrap();
    assert_eq!(
        lines(&changes),
        ["g - b", "h - c g", "gone user b", "gone user c"]
    );
}

#[tokio::test]
async fn a_file_without_a_line_break_at_its_end_must_have_been_left_alone() {
    let desk = Desk::with_tables();
    let source = desk.source(CSV);
    desk.write_just_now("users.csv", "id,name\na,Ada\nb,Bo");
    let error = source.read(&Place::Everything).await.unwrap_err();
    let Error::Unavailable {
        reason,
        retry_after,
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(
        reason.contains("users.csv does not end with a line break"),
        "{reason}"
    );
    assert_eq!(retry_after, Some(10));
    desk.time.pass(10);
    let (told, _) = everything(&source).await;
    assert_eq!(told[..2], ["user a", "user b"]);
}

#[tokio::test]
async fn a_change_within_the_step_of_the_file_system_s_clock_is_not_missed() {
    let desk = Desk::with_tables();
    let source = desk.source(CSV);
    desk.write_just_now("users.csv", "id,name\na,Ada\nb,Bob\n");
    let (_, mark) = everything(&source).await;
    // Same size, same time, same file.
    desk.write_just_now("users.csv", "id,name\na,Ada\nb,Bub\n");
    let (changes, mark) = read(&source, &mark).await.unwrap();
    assert_eq!(lines(&changes)[0], "user b");
    desk.time.pass(60);
    let (changes, _) = read(&source, &mark).await.unwrap();
    let objects: Vec<_> = lines(&changes)
        .into_iter()
        .filter(|line| line.starts_with("user"))
        .collect();
    assert!(objects.is_empty(), "{objects:?}");
}
#[test]
fn settings_that_mean_nothing_are_refused() {
    let desk = Desk::new();
    let cases = [
        (
            "an unknown word",
            "type = \"csv\"\nusers = \"u\"\nkeys = \"id\"",
            "unknown field `keys`",
        ),
        (
            "an unknown type",
            "type = \"xml\"\nusers = \"u\"",
            "unknown variant `xml`",
        ),
        ("no users", "type = \"jsonl\"", "missing field `users`"),
    ];
    for (name, settings, expected) in cases {
        let parsed = toml::from_str::<Settings>(settings);
        let error = parsed.unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let quoted = source(
        "type = \"csv\"\nusers = \"u\"\ndelimiter = '\"'",
        desk.folder.path(),
        &desk.time,
    );
    assert!(matches!(quoted, Err(Error::Unusable(_))), "{quoted:?}");
}
