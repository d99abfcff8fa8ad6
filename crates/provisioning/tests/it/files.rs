//! Files as a source: what they tell, what they refuse, and that nobody is lost over a bad file.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use portreeve_provisioning::source::{Change, Error, Kind, Next, Place, Source};
use portreeve_provisioning::target::Surroundings;
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use crate::reader::{Time, Told, lines, read, source};

const CSV: &str = r#"
type = "csv"
users = "users.csv"
groups = "groups.csv"
memberships = "memberships.csv"
lists = ["proxyAddresses"]
"#;

const JSONL: &str = "type = \"jsonl\"\nusers = \"users.jsonl\"\ngroups = \"groups.jsonl\"\n";

/// A folder with files, at a time of its own.
struct Desk {
    folder: TempDir,
    time: Arc<Time>,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            time: Arc::default(),
        }
    }

    /// Three people and two groups in tables.
    fn with_tables() -> Self {
        let desk = Self::new();
        desk.write("users.csv", "id,name\na,Ada\nb,Bob\nc,Cy\n");
        desk.write("groups.csv", "id,name\ng,Gang\nh,Half\n");
        desk.write("memberships.csv", "group,member\ng,a\ng,b\nh,c\nh,g\n");
        desk
    }

    /// Writes a file and lets a minute pass.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write_just_now(name, text);
        self.time.pass(60);
    }

    fn write_just_now(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(self.time.now()).unwrap();
    }

    fn source(&self, settings: &str) -> Source {
        source(settings, self.folder.path(), &self.time).unwrap()
    }
}

async fn everything(source: &Source) -> (Vec<String>, Place) {
    let (changes, place) = read(source, &Place::Everything).await.unwrap();
    (lines(&changes), place)
}

#[tokio::test]
async fn tables_are_read_with_lists_empty_cells_quotes_and_a_byte_order_mark() {
    let desk = Desk::with_tables();
    desk.write(
        "users.csv",
        "\u{feff}id,name,accountEnabled,proxyAddresses\r\n a ,\"Lovelace, \"\"Ada\"\"\",No,smtp:a@x| SMTP:b@x |\r\nb,,TRUE,\r\n",
    );
    let source = desk.source(CSV);
    let ada = source.one(Kind::User, "a").await.unwrap().unwrap();
    assert_eq!(
        json!(ada.attributes),
        json!({"id": "a", "name": "Lovelace, \"Ada\"", "accountEnabled": false, "proxyAddresses": ["smtp:a@x", "SMTP:b@x"]})
    );
    let found = source.find(Kind::User, "PROXYADDRESSES", "smtp:B@x").await;
    assert_eq!(found.unwrap(), vec![ada]);
    let bob = source
        .find(Kind::User, "accountEnabled", "true")
        .await
        .unwrap();
    assert_eq!(
        json!(bob[0].attributes),
        json!({"id": "b", "accountEnabled": true})
    );
    assert_eq!(source.one(Kind::User, "z").await, Ok(None));
}

#[tokio::test]
async fn json_lines_are_read_with_their_lists_and_members() {
    let desk = Desk::new();
    desk.write(
        "users.jsonl",
        "{\"id\": \"a\", \"n\": 1, \"gone\": null, \"mails\": [\"x\", \"y\"]}\n\n{\"id\": 7}\n",
    );
    desk.write(
        "groups.jsonl",
        "{\"id\": \"g\", \"members\": [\"a\", 7, \"g\"]}\n",
    );
    let source = desk.source(JSONL);
    let (told, _) = everything(&source).await;
    assert_eq!(told, ["user a", "user 7", "group g", "g + a 7 g"]);
    let ada = source.one(Kind::User, "a").await.unwrap().unwrap();
    assert_eq!(
        json!(ada.attributes),
        json!({"id": "a", "n": 1, "mails": ["x", "y"]})
    );
    let members = source.members("g", 2).await.unwrap();
    let kinds: Vec<_> = members
        .iter()
        .map(|member| (member.kind, &*member.key))
        .collect();
    assert_eq!(kinds, [(Some(Kind::User), "a"), (Some(Kind::User), "7")]);
}

#[tokio::test]
async fn only_what_has_changed_is_told() {
    let desk = Desk::with_tables();
    let source = desk.source(CSV);
    let (told, mark) = everything(&source).await;
    assert_eq!(
        told,
        [
            "user a", "user b", "user c", "group g", "group h", "g + a b", "h + c g"
        ]
    );

    let (changes, same) = read(&source, &mark).await.unwrap();
    assert_eq!((changes, &same), (vec![], &mark), "nothing was touched");

    desk.write("users.csv", "id,name\nb,Bob\nd,Dee\na,Ada\nc,Cyril\n");
    desk.write("groups.csv", "id,name\ng,Gang\n");
    desk.write("memberships.csv", "group,member\ng,d\ng,b\n");
    let (changes, mark) = read(&source, &mark).await.unwrap();
    assert_eq!(
        lines(&changes),
        ["user d", "user c", "g + d", "g - a", "gone group h"]
    );

    desk.write("memberships.csv", "group,member\ng,b\ng,d\ng,d\n");
    let (changes, again) = read(&source, &mark).await.unwrap();
    assert_eq!(
        (lines(&changes), &again),
        (vec![], &mark),
        "order and repetition say nothing"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_used_is_told_with_its_line() {
    let users = "id,name,accountEnabled\na,Ada,yes\nb,Bob,no\n";
    let groups = "id\ng\n";
    let memberships = "group,member\ng,a\n";
    let cases: [(&str, [&[u8]; 3], &[&str]); 9] = [
        (
            "a key twice",
            [
                b"id,name\na,Ada\nb,Bob\na,Adele\n",
                groups.as_bytes(),
                memberships.as_bytes(),
            ],
            &["users.csv line 4: its key \"a\" was used before"],
        ),
        (
            "no key",
            [
                b"id,name\n,Ada\na,Bob\n",
                groups.as_bytes(),
                memberships.as_bytes(),
            ],
            &["users.csv line 2: column \"id\" is empty"],
        ),
        (
            "a column too few, after a cell of two lines",
            [
                b"id,name\na,\"A\nda\"\nb\n",
                groups.as_bytes(),
                memberships.as_bytes(),
            ],
            &["users.csv line 4: it has 1 columns where there are 2"],
        ),
        (
            "a column too many",
            [
                b"id,name\na,Ada\nb,Bob,x\n",
                groups.as_bytes(),
                memberships.as_bytes(),
            ],
            &["users.csv line 3: it has 3 columns where there are 2"],
        ),
        (
            "no UTF-8",
            [
                b"id,name\na,Ad\xe4\nb,Bob\n",
                groups.as_bytes(),
                b"group,member\ng,b\n",
            ],
            &["users.csv line 2: column \"name\" is not UTF-8"],
        ),
        (
            "a truth value that is none",
            [
                b"id,accountEnabled\na,1\nb,maybe\n",
                groups.as_bytes(),
                memberships.as_bytes(),
            ],
            &["users.csv line 3: accountEnabled is \"maybe\""],
        ),
        (
            "an unknown member and an unknown group",
            [
                users.as_bytes(),
                groups.as_bytes(),
                b"group,member\ng,z\nh,a\ng,a\n",
            ],
            &[
                "memberships.csv line 2: there is no user or group \"z\"",
                "memberships.csv line 3: there is no group \"h\"",
            ],
        ),
        (
            "half a membership",
            [
                users.as_bytes(),
                groups.as_bytes(),
                b"group,member\ng,\ng,a\n",
            ],
            &["memberships.csv line 2: group or member is empty"],
        ),
        (
            "nothing wrong",
            [users.as_bytes(), groups.as_bytes(), memberships.as_bytes()],
            &[],
        ),
    ];
    for (name, files, expected) in cases {
        let desk = Desk::new();
        for (file, text) in ["users.csv", "groups.csv", "memberships.csv"]
            .iter()
            .zip(files)
        {
            desk.write(file, text);
        }
        let (told, _) = everything(&desk.source(CSV)).await;
        let unusable: Vec<&String> = told
            .iter()
            .filter(|line| line.contains(".csv line"))
            .collect();
        assert_eq!(unusable, expected, "{name}");
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

#[tokio::test]
async fn a_file_that_cannot_be_believed_is_refused_as_a_whole() {
    let cases: [(&str, &str, &[u8], &str); 9] = [
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
    for (name, file, text, expected) in cases {
        let desk = Desk::with_tables();
        let source = desk.source(CSV);
        let (_, mark) = everything(&source).await;
        desk.write(file, text);
        let error = read(&source, &mark).await.unwrap_err();
        assert!(matches!(error, Error::Unusable(_)), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");

        let fresh = Desk::with_tables();
        std::fs::copy(
            desk.folder.path().join(file),
            fresh.folder.path().join(file),
        )
        .unwrap();
        fresh.time.pass(600);
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

#[tokio::test]
async fn a_read_that_was_cut_off_goes_on_at_its_page_whatever_has_become_of_the_files() {
    let desk = Desk::with_tables();
    let many: String = (0..2_500).map(|at| format!("u{at},Name {at}\n")).collect();
    desk.write("users.csv", format!("id,name\n{many}a,Ada\nb,Bob\nc,Cy\n"));
    let source = desk.source(CSV);
    let first = source.read(&Place::Everything).await.unwrap();
    assert_eq!((first.changes.len(), first.total), (1_000, Some(2_505)));
    let Next::Page(at) = first.next else {
        panic!("one page only");
    };

    desk.write("users.csv", "id,name\n");
    let after_restart = desk.source(CSV);
    let once = read(&after_restart, &Place::Page(at.clone()))
        .await
        .unwrap();
    let again = read(&after_restart, &Place::Page(at)).await.unwrap();
    assert_eq!(once, again);
    assert_eq!(first.changes.len() + once.0.len(), 2_507);
}

#[tokio::test]
async fn a_place_that_the_state_folder_does_not_know_has_expired() {
    let desk = Desk::with_tables();
    let source = desk.source(CSV);
    let (_, mark) = everything(&source).await;
    let other_settings =
        desk.source(&CSV.replace("lists = [\"proxyAddresses\"]", "key = \"name\""));
    let cases = [
        (
            "an unknown watermark",
            &source,
            Place::Since("0123".to_owned()),
        ),
        ("a path", &source, Place::Since("../users".to_owned())),
        ("an unknown page", &source, Place::Page("0123:0".to_owned())),
        (
            "a page that is none",
            &source,
            Place::Page("x:y".to_owned()),
        ),
        ("other settings", &other_settings, mark),
    ];
    for (name, source, place) in cases {
        let outcome = source.read(&place).await;
        assert!(
            matches!(outcome, Err(Error::Expired(_))),
            "{name}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_damaged_ledger_has_expired() {
    for cut in [0, 1, 30] {
        let desk = Desk::with_tables();
        let source = desk.source(CSV);
        let (_, mark) = everything(&source).await;
        desk.write("users.csv", "id,name\na,Ada\nb,Bob\n");
        let state = std::fs::read_dir(desk.folder.path().join("state")).unwrap();
        let index = state
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|end| end == "index"))
            .unwrap();
        let bytes = std::fs::read(&index).unwrap();
        std::fs::write(&index, &bytes[..cut]).unwrap();
        let outcome = source.read(&mark).await;
        assert!(
            matches!(outcome, Err(Error::Expired(_))),
            "cut to {cut}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn only_the_owner_can_read_what_is_remembered() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::with_tables();
    everything(&desk.source(CSV)).await;
    let mut files = 0;
    for entry in std::fs::read_dir(desk.folder.path().join("state")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
        files += 1;
    }
    assert_eq!(files, 3, "a head, an index and the changes");
}

#[tokio::test]
async fn a_file_replaced_by_renaming_is_noticed_once_it_is_left_alone() {
    let desk = Desk::with_tables();
    let Source::File(file) = desk.source(CSV) else {
        panic!("no file");
    };
    let mut watch = file.watch();
    desk.write("users.csv.new", "id,name\na,Ada\nb,Bob\nc,Cy\n");
    let path = |name: &str| desk.folder.path().join(name);
    std::fs::rename(path("users.csv.new"), path("users.csv")).unwrap();
    watch.changed().await;
    assert_eq!(desk.time.pauses(), 1);

    // Nothing has changed since: it goes on looking until something does.
    let writer = async {
        while desk.time.pauses() < 10 {
            tokio::task::yield_now().await;
        }
        std::fs::remove_file(path("users.csv")).unwrap();
        while desk.time.pauses() < 20 {
            tokio::task::yield_now().await;
        }
        desk.write("users.csv", "id,name\na,Ada\n");
    };
    tokio::join!(writer, watch.changed());
    assert!(desk.time.pauses() > 20);
}

#[tokio::test]
async fn a_check_says_what_is_there_and_what_is_wrong_with_it() {
    let desk = Desk::with_tables();
    desk.write("users.csv", "id,name\na,Ada\n,Bob\nc\n");
    let said = desk.source(CSV).check().await.unwrap();
    assert!(
        said.starts_with("1 users and 2 groups can be used; 2 rows cannot: "),
        "{said}"
    );
    assert!(
        said.contains("users.csv line 3: column \"id\" is empty"),
        "{said}"
    );
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
        let parsed = toml::from_str::<portreeve_provisioning::source::Settings>(settings);
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

/// Tables as they are on one day.
#[derive(Debug, Clone)]
struct Day {
    users: BTreeMap<u8, u8>,
    groups: BTreeMap<u8, u8>,
    memberships: Vec<(u8, u8)>,
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let objects = || prop::collection::btree_map(0_u8..8, 0_u8..3, 1..8);
    let day = (
        objects(),
        objects(),
        prop::collection::vec((0_u8..8, 0_u8..8), 0..20),
    );
    let day = day.prop_map(|(users, groups, memberships)| Day {
        users,
        groups,
        memberships,
    });
    prop::collection::vec(day, 1..6)
}

impl Day {
    fn write(&self, desk: &Desk) {
        let table = |prefix: &str, objects: &BTreeMap<u8, u8>| {
            let rows = objects
                .iter()
                .map(|(key, name)| format!("{prefix}{key},{name}\n"));
            format!("id,name\n{}", rows.collect::<String>())
        };
        desk.write("users.csv", table("u", &self.users));
        desk.write("groups.csv", table("g", &self.groups));
        let rows = self
            .memberships
            .iter()
            .map(|(group, user)| format!("g{group},u{user}\n"));
        desk.write(
            "memberships.csv",
            format!("group,member\n{}", rows.collect::<String>()),
        );
    }

    fn truth(&self) -> Told {
        let mut truth = Told::default();
        for (kind, prefix, objects) in [
            (Kind::User, "u", &self.users),
            (Kind::Group, "g", &self.groups),
        ] {
            for (key, name) in objects {
                let key = format!("{prefix}{key}");
                let attributes = json!({"id": key, "name": name.to_string()});
                truth
                    .objects
                    .insert((kind, key), attributes.as_object().unwrap().clone());
            }
        }
        for (group, user) in &self.memberships {
            if self.groups.contains_key(group) && self.users.contains_key(user) {
                truth
                    .memberships
                    .insert((format!("g{group}"), format!("u{user}")));
            }
        }
        truth
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whoever hears the changes of each day knows what is in the files, also if some read had to be done twice.
    #[test]
    fn changes_heard_day_after_day_add_up_to_what_is_there(days in days(), twice in any::<u8>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::new();
            let source = desk.source(&format!("{CSV}keep_at_least = 0\n"));
            let mut told = Told::default();
            let mut mark = Place::Everything;
            for (at, day) in days.iter().enumerate() {
                day.write(&desk);
                if twice & (1 << at) != 0 {
                    // Killed before the watermark was stored.
                    let (changes, _) = read(&source, &mark).await.unwrap();
                    told.hear(&usable(changes));
                }
                let (changes, next) = read(&source, &mark).await.unwrap();
                told.hear(&usable(changes));
                assert_eq!(&told, &day.truth(), "day {at}");
                mark = next;
            }
        });
    }
}

/// Without the complaints about memberships of nobody.
fn usable(mut changes: Vec<Change>) -> Vec<Change> {
    changes.retain(|change| !matches!(change, Change::Unusable { .. }));
    changes
}
