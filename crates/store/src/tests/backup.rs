//! Backups of the embedded database and their restoration.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use tempfile::TempDir;

use super::{Bed, SCHEMA, add, sqlite_options};
use crate::backup::{self, BackupError, Contents, Progress, Restored, Watch};
use crate::{Error, Migration, Scope, Store};

const LATER: &[Migration] = &[
    SCHEMA[0],
    Migration {
        version: 2,
        name: "later",
        sql: "CREATE TABLE later (id {identity});",
    },
];

fn unwatched() -> Watch {
    Arc::new(|_| ControlFlow::Continue(()))
}

fn save(bed: &Bed, name: &str) -> Result<Contents, BackupError> {
    backup::save(&bed.database(), &bed.path(name), false, &unwatched())
}

fn restore(file: &Path, folder: &Path, replace: bool) -> Result<Restored, BackupError> {
    let (database, aside) = (folder.join("roll.db"), folder.join("aside.db"));
    backup::restore(file, &database, &aside, replace, SCHEMA, &unwatched())
}

impl Bed {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.path("roll.db")
    }

    fn names_in_folder(&self) -> Vec<String> {
        names_in(self.folder.path())
    }

    async fn add(&self, name: &str) {
        let name = name.to_string();
        let added = self.store.write(Scope::ALL, move |tx| add(tx, 1, &name));
        added.await.unwrap();
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The names of people in a database nobody uses.
async fn people(folder: &Path) -> Vec<String> {
    let store = Store::open(&sqlite_options(folder.join("roll.db"), SCHEMA)).unwrap();
    let rows = store.read(|tx| tx.query("SELECT name FROM people ORDER BY id", &[]));
    let rows = rows.await.unwrap();
    store.close();
    rows.iter()
        .map(|row| row.text(0).unwrap().to_string())
        .collect()
}

#[tokio::test]
async fn a_backup_is_one_file_that_restores_to_the_same() {
    let bed = Bed::sqlite();
    bed.add("ann").await;
    bed.add("bob").await;
    let contents = save(&bed, "saved").unwrap();
    let rows = contents
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table.rows));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [("counters", 1), ("people", 2), ("pets", 0)]
    );
    assert_eq!(contents.version, 1);
    let saved = bed
        .names_in_folder()
        .into_iter()
        .filter(|name| name.starts_with("saved"));
    assert_eq!(
        saved.collect::<Vec<_>>(),
        ["saved"],
        "nothing stands beside it"
    );

    let elsewhere = TempDir::new().unwrap();
    let restored = restore(&bed.path("saved"), elsewhere.path(), false).unwrap();
    assert_eq!(
        restored,
        Restored {
            contents,
            kept: None
        }
    );
    assert_eq!(people(elsewhere.path()).await, ["ann", "bob"]);
}

#[cfg(unix)]
#[tokio::test]
async fn backups_and_restored_databases_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (bed, elsewhere) = (Bed::sqlite(), TempDir::new().unwrap());
    save(&bed, "saved").unwrap();
    fs::set_permissions(bed.path("saved"), fs::Permissions::from_mode(0o600)).unwrap();
    restore(&bed.path("saved"), elsewhere.path(), false).unwrap();
    for path in [bed.path("saved"), elsewhere.path().join("roll.db")] {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

/// Writers count up while backups are made; what a backup holds is a prefix of what was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_all_that_was_acknowledged_before_and_a_prefix_of_the_rest() {
    let bed = Bed::sqlite();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, acknowledged, stop) = (bed.store.clone(), acknowledged.clone(), stop.clone());
        tokio::spawn(async move {
            let mut number = 0;
            while !stop.load(SeqCst) {
                let name = format!("{number:06} {}", "x".repeat(2000));
                let written = store.write(Scope::ALL, move |tx| add(tx, 1, &name));
                written.await.unwrap();
                number += 1;
                acknowledged.store(number, SeqCst);
            }
            number
        })
    };
    let database = bed.database();
    for round in 0..3_u64 {
        // Each backup is of several steps, with writes between them.
        while acknowledged.load(SeqCst) < (round + 1) * 500 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(SeqCst);
        let (seen, at_work) = (acknowledged.clone(), Arc::new(AtomicU64::new(0)));
        let (first, database) = (at_work.clone(), database.clone());
        // Between two steps at least one write is acknowledged, or there would be nothing to be consistent about.
        let watch: Watch = Arc::new(move |progress| {
            if matches!(progress, Progress::Copying { .. }) {
                let now = seen.load(SeqCst);
                while seen.load(SeqCst) == now {
                    std::thread::yield_now();
                }
                first.fetch_add(1, SeqCst);
            }
            ControlFlow::Continue(())
        });
        let file = bed.path(&format!("saved{round}"));
        let path = file.clone();
        let made =
            tokio::task::spawn_blocking(move || backup::save(&database, &path, false, &watch));
        made.await.unwrap().unwrap();
        assert!(at_work.load(SeqCst) > 0, "it was watched");

        let elsewhere = TempDir::new().unwrap();
        restore(&file, elsewhere.path(), false).unwrap();
        let found = people(elsewhere.path()).await;
        assert!(found.len() as u64 >= before, "{} of {before}", found.len());
        for (number, name) in found.iter().enumerate() {
            assert!(
                name.starts_with(&format!("{number:06} ")),
                "{number}: {name}"
            );
        }
    }
    stop.store(true, SeqCst);
    assert_eq!(
        writer.await.unwrap() as i64,
        bed.count().await,
        "the writer went on"
    );
}

#[tokio::test]
async fn names_that_are_taken_or_belong_to_the_database_are_refused() {
    let bed = Bed::sqlite();
    fs::write(bed.path("taken"), "something dear").unwrap();
    fs::create_dir(bed.path("folder")).unwrap();
    std::os::unix::fs::symlink(bed.database(), bed.path("link")).unwrap();
    let before = bed.names_in_folder();
    let named = |name: &str, replace| {
        let made = backup::save(&bed.database(), &bed.path(name), replace, &unwatched());
        made.map(drop).unwrap_err().to_string()
    };
    for (case, name, replace, part) in [
        ("a file", "taken", false, "exists already"),
        ("a folder", "folder", true, "directory"),
        ("the database", "roll.db", true, "belongs to the database"),
        ("a link to it", "link", true, "belongs to the database"),
        ("its log", "roll.db-wal", true, "belongs to the database"),
        ("its lock", "roll.db.lock", true, "belongs to the database"),
        (
            "a name to be",
            "roll.db-journal",
            false,
            "belongs to the database",
        ),
        ("no folder", "nowhere/saved", false, "nowhere"),
    ] {
        let said = named(name, replace);
        assert!(said.contains(part), "{case}: {said}");
        assert_eq!(bed.names_in_folder(), before, "{case}");
    }
    assert_eq!(fs::read(bed.path("taken")).unwrap(), b"something dear");
    bed.add("ann").await;
    assert_eq!(bed.count().await, 1, "the database is as it was");
}

#[tokio::test]
async fn an_old_backup_is_replaced_when_that_is_wanted_and_only_by_a_whole_one() {
    let bed = Bed::sqlite();
    save(&bed, "saved").unwrap();
    let old = fs::read(bed.path("saved")).unwrap();
    bed.add("ann").await;
    let stopped: Watch = Arc::new(|_| ControlFlow::Break(()));
    let checked: Watch = Arc::new(|progress| match progress {
        Progress::Checking => ControlFlow::Break(()),
        Progress::Copying { .. } => ControlFlow::Continue(()),
    });
    // Enough for the check to look at its watch.
    let many = bed.store.write(Scope::ALL, |tx| {
        (0..20_000).try_for_each(|number| add(tx, 2, &number.to_string()))
    });
    many.await.unwrap();
    for (case, watch) in [("while copying", stopped), ("while checking", checked)] {
        let made = backup::save(&bed.database(), &bed.path("saved"), true, &watch);
        assert!(
            matches!(made, Err(BackupError::Cancelled)),
            "{case}: {made:?}"
        );
        assert!(!bed.path("saved.partial").exists(), "{case}");
        assert!(fs::read(bed.path("saved")).unwrap() == old, "{case}");
    }
    // What a crash left behind is no obstacle.
    fs::write(bed.path("saved.partial"), "half of something".repeat(9999)).unwrap();
    backup::save(&bed.database(), &bed.path("saved"), true, &unwatched()).unwrap();
    let elsewhere = TempDir::new().unwrap();
    restore(&bed.path("saved"), elsewhere.path(), false).unwrap();
    assert_eq!(people(elsewhere.path()).await.len(), 20_001);
}

#[test]
fn two_backups_to_one_file_do_not_mix() {
    let bed = Bed::sqlite();
    let other = fs::File::create(bed.path("saved.partial")).unwrap();
    other.lock().unwrap();
    let made = save(&bed, "saved");
    assert!(matches!(made, Err(BackupError::UnderWay(_))), "{made:?}");
    drop(other);
    save(&bed, "saved").unwrap();
}

#[tokio::test]
async fn a_database_that_is_missing_or_damaged_is_not_backed_up() {
    let folder = TempDir::new().unwrap();
    let (database, file) = (folder.path().join("roll.db"), folder.path().join("saved"));
    let made = backup::save(&database, &file, false, &unwatched());
    assert!(
        matches!(made, Err(BackupError::Store(Error::Open { .. }))),
        "{made:?}"
    );
    assert_eq!(names_in(folder.path()), Vec::<String>::new());

    let Bed { folder, store, .. } = Bed::sqlite();
    let many = store.write(Scope::ALL, |tx| {
        (0..2000).try_for_each(|number| add(tx, 2, &format!("{number} of many")))
    });
    many.await.unwrap();
    store.close();
    let database = folder.path().join("roll.db");
    damage(&database);
    let made = backup::save(&database, &folder.path().join("saved"), false, &unwatched());
    assert!(
        matches!(made, Err(BackupError::Store(Error::Damaged(_)))),
        "{made:?}"
    );
    assert_eq!(names_in(folder.path()), ["roll.db", "roll.db.lock"]);
}

/// Writes over the middle of every page but the first.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let pages = bytes.chunks_mut(4096).skip(1);
    pages.for_each(|page| page[..64].fill(0x55));
    fs::write(path, bytes).unwrap();
}

/// What is no whole backup, and what is said about it. `good` is one.
fn bad_backups(good: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("changed");
    let changed = |sql: &str| {
        fs::write(&path, good).unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        fs::read(&path).unwrap()
    };
    let dangling = "PRAGMA foreign_keys = OFF; INSERT INTO pets VALUES (99, 'rex');";
    let other = changed("UPDATE migrations SET checksum = 'x';");
    let foreign = changed("DROP TABLE migrations;");
    let dangling = changed(dangling);
    fs::write(&path, good).unwrap();
    damage(&path);
    let damaged = fs::read(&path).unwrap();
    let newer = Bed::sqlite_with(|options| options.migrations = LATER);
    save(&newer, "newer").unwrap();
    let newer = fs::read(newer.path("newer")).unwrap();
    let (page, half) = (4096, good.len() / 2 + 7);
    vec![
        ("damaged", damaged, "no usable backup"),
        (
            "cut short",
            good[..good.len() - page].to_vec(),
            "no usable backup",
        ),
        (
            "cut within a page",
            good[..half].to_vec(),
            "no usable backup",
        ),
        ("empty", Vec::new(), "no database of this program"),
        ("no database", vec![b'x'; 9000], "not a database"),
        (
            "newer",
            newer,
            "schema version 2, this program knows versions up to 1",
        ),
        (
            "a broken reference",
            dangling,
            "a row of pets refers to a row of people that is not there",
        ),
        ("of another program", foreign, "no database of this program"),
        ("another schema", other, "migration 1 (people)"),
    ]
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_nothing_changes() {
    let bed = Bed::sqlite();
    bed.add("ann").await;
    save(&bed, "good").unwrap();
    let good = fs::read(bed.path("good")).unwrap();
    let elsewhere = Bed::sqlite();
    elsewhere.add("bob").await;
    let Bed { folder, store, .. } = elsewhere;
    store.close();
    let state = || {
        (
            names_in(folder.path()),
            fs::read(folder.path().join("roll.db")).unwrap(),
        )
    };
    let before = state();
    let file = bed.path("case");
    for (case, bytes, part) in bad_backups(&good) {
        fs::write(&file, &bytes).unwrap();
        let said = restore(&file, folder.path(), true)
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(said.contains(part), "{case}: {said}");
        assert!(state() == before, "{case}: {:?}", names_in(folder.path()));
        assert!(
            fs::read(&file).unwrap() == bytes,
            "{case}: the file is only read"
        );
    }
    fs::write(&file, &good).unwrap();
    fs::write(bed.path("case-wal"), "a log").unwrap();
    let said = restore(&file, folder.path(), true).map(drop).unwrap_err();
    assert!(
        said.to_string().contains("case-wal stands beside it"),
        "{said}"
    );
    assert!(state() == before);
}

#[tokio::test]
async fn a_database_in_place_is_kept_and_only_replaced_when_nobody_uses_it() {
    let saved = Bed::sqlite();
    saved.add("ann").await;
    save(&saved, "saved").unwrap();
    let file = saved.path("saved");
    let elsewhere = Bed::sqlite();
    elsewhere.add("bob").await;
    let Bed { folder, store, .. } = elsewhere;

    let used = restore(&file, folder.path(), true);
    assert!(
        matches!(used, Err(BackupError::Store(Error::Locked { .. }))),
        "{used:?}"
    );
    store.close();
    let shell = rusqlite::Connection::open(folder.path().join("roll.db")).unwrap();
    shell
        .query_row("SELECT count(*) FROM people", [], |_| Ok(()))
        .unwrap();
    let open = restore(&file, folder.path(), true);
    assert!(matches!(open, Err(BackupError::InUse(_))), "{open:?}");
    drop(shell);
    let there = restore(&file, folder.path(), false);
    assert!(matches!(there, Err(BackupError::Exists(_))), "{there:?}");
    assert_eq!(
        people(folder.path()).await,
        ["bob"],
        "so far nothing happened"
    );

    let kept = folder.path().join("aside.db");
    let restored = restore(&file, folder.path(), true).unwrap();
    assert_eq!(restored.kept.as_deref(), Some(&*kept));
    assert_eq!(
        names_in(folder.path()),
        ["aside.db", "roll.db", "roll.db.lock"]
    );
    assert_eq!(people(folder.path()).await, ["ann"]);
    let again = restore(&kept, folder.path(), true);
    assert!(
        matches!(again, Err(BackupError::Exists(_))),
        "what is kept is not overwritten: {again:?}"
    );
    fs::rename(&kept, folder.path().join("old")).unwrap();
    restore(&folder.path().join("old"), folder.path(), true).unwrap();
    assert_eq!(
        people(folder.path()).await,
        ["bob"],
        "what was kept is a whole database"
    );
}

/// A server that was killed leaves a log; its database is put aside with all it had acknowledged.
#[tokio::test]
async fn the_log_of_a_killed_server_goes_with_its_database() {
    let saved = Bed::sqlite();
    save(&saved, "saved").unwrap();
    let killed = Bed::sqlite();
    killed.add("bob").await;
    let folder = TempDir::new().unwrap();
    for name in ["roll.db", "roll.db-wal"] {
        fs::copy(killed.path(name), folder.path().join(name)).unwrap();
    }
    restore(&saved.path("saved"), folder.path(), true).unwrap();
    assert_eq!(people(folder.path()).await, Vec::<String>::new());
    fs::rename(
        folder.path().join("aside.db"),
        folder.path().join("roll.db"),
    )
    .unwrap();
    assert_eq!(people(folder.path()).await, ["bob"]);

    // SQLite drops the log of a database that is empty; here it is worth keeping.
    fs::write(folder.path().join("roll.db"), "").unwrap();
    fs::write(folder.path().join("roll.db-wal"), "a log").unwrap();
    restore(&saved.path("saved"), folder.path(), true).unwrap();
    assert_eq!(
        names_in(folder.path()),
        ["aside.db", "aside.db-wal", "roll.db", "roll.db.lock"]
    );
    assert_eq!(people(folder.path()).await, Vec::<String>::new());
}
