//! Files as a source: what they tell and what they remember.

mod law;
mod refusals;

use std::fs::File;
use std::sync::Arc;

use portreeve_provisioning::source::{Error, Kind, Next, Place, Source};
use portreeve_provisioning::target::Surroundings;
use serde_json::json;
use tempfile::TempDir;

use crate::reader::{Time, lines, read, source};

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
