//! Schema versions.

use portreeve_cluster::Cluster;
use tempfile::TempDir;

use super::{NOW, postgres_options, sqlite_options};
use crate::{Error, Migration, Result, Scope, Store, params};

const PEOPLE: Migration = step(
    1,
    "people",
    "CREATE TABLE people (id {identity}, team BIGINT NOT NULL);",
);
const PETS: Migration = step(
    2,
    "pets",
    "CREATE TABLE pets (owner BIGINT NOT NULL REFERENCES people (id));",
);

const fn step(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration { version, name, sql }
}

/// Where a new database can be.
enum Place {
    Sqlite(TempDir),
    Postgres(String),
}

/// One of each kind.
fn places() -> [Place; 2] {
    let url = Cluster::shared().fresh_url();
    [Place::Sqlite(TempDir::new().unwrap()), Place::Postgres(url)]
}

impl Place {
    fn open(&self, migrations: &[Migration]) -> Result<Store> {
        let migrations = migrations.to_vec().leak();
        Store::open(&match self {
            Self::Sqlite(folder) => sqlite_options(folder.path().join("roll.db"), migrations),
            Self::Postgres(url) => postgres_options(url, migrations),
        })
    }
}

async fn versions(store: &Store) -> Vec<(i64, i64)> {
    let rows = store.lookup(|tx| {
        tx.query(
            "SELECT version, applied_at FROM migrations ORDER BY version",
            &[],
        )
    });
    let rows = rows.await.unwrap();
    rows.iter()
        .map(|row| (row.int(0).unwrap(), row.int(1).unwrap()))
        .collect()
}

#[tokio::test]
async fn each_runs_once_and_its_time_is_kept() {
    for place in places() {
        let first = place.open(&[PEOPLE]).unwrap();
        assert_eq!(versions(&first).await, [(1, NOW)]);
        drop(first);
        for _ in 0..2 {
            let again = place.open(&[PEOPLE, PETS]).unwrap();
            assert_eq!(versions(&again).await, [(1, NOW), (2, NOW)]);
        }
    }
}

/// `before` is applied, then the program has `after`. Every database says the same to that.
fn reopen(before: &[Migration], after: &[Migration]) -> Result<()> {
    let [one, other] = places().map(|place| {
        place.open(before).unwrap().close();
        place.open(after).map(drop)
    });
    assert_eq!(one, other);
    one
}

#[test]
fn a_schema_that_is_not_ours_is_refused() {
    let laid_out = step(
        1,
        "people",
        "CREATE TABLE people ( -- everybody\n  id {identity}, team BIGINT NOT NULL);",
    );
    assert_eq!(reopen(&[PEOPLE], &[PEOPLE]), Ok(()), "the same");
    // Layout inside a line is no change as long as the words are the same.
    let spaced = step(
        1,
        "people",
        "CREATE TABLE people (id {identity},\n\n   team BIGINT NOT NULL); -- a comment",
    );
    assert_eq!(
        reopen(&[PEOPLE], &[spaced]),
        Ok(()),
        "other layout and a comment"
    );
    let changed = |version, name: &str| {
        Err(Error::Changed {
            version,
            name: name.into(),
        })
    };
    assert_eq!(
        reopen(&[PEOPLE], &[laid_out]),
        changed(1, "people"),
        "a blank inside a word is a change"
    );
    assert_eq!(
        reopen(&[PEOPLE, PETS], &[PEOPLE]),
        Err(Error::Newer { found: 2, known: 1 }),
        "newer"
    );
    assert_eq!(
        reopen(&[PEOPLE], &[]),
        Err(Error::Newer { found: 1, known: 0 }),
        "newer than nothing"
    );
    assert_eq!(
        reopen(&[PEOPLE], &[step(1, "people", PETS.sql)]),
        changed(1, "people"),
        "changed"
    );
    assert_eq!(
        reopen(&[PEOPLE], &[step(0, "earlier", ""), PEOPLE]),
        changed(1, "earlier"),
        "one slipped in before"
    );
}

#[test]
fn the_refusal_of_a_newer_database_says_what_to_do() {
    let message = reopen(&[PEOPLE, PETS], &[PEOPLE]).unwrap_err().to_string();
    assert_eq!(
        message,
        "the database has schema version 2, this program knows versions up to 1: start the newer program again, or restore the backup made before the upgrade"
    );
}

#[test]
fn one_that_fails_leaves_nothing_behind() {
    let cases = [
        (
            "a mistake half-way",
            "CREATE TABLE pets (name TEXT); CREATE TABLE people (x TEXT);",
            "already exists",
        ),
        (
            "a broken reference",
            "CREATE TABLE pets (owner BIGINT REFERENCES people (id)); INSERT INTO pets VALUES (9);",
            "references",
        ),
        (
            "an unknown word",
            "CREATE TABLE pets (name {words});",
            "{words} is not a word",
        ),
        (
            "a deferred check",
            "CREATE TABLE pets (owner BIGINT REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED);",
            "deferred",
        ),
    ];
    for (case, sql, part) in cases {
        for place in places() {
            let failed = place.open(&[PEOPLE, step(2, "pets", sql)]).map(drop);
            let error = failed.unwrap_err();
            let ours = matches!(error, Error::Migration { version: 2, .. });
            assert!(ours && error.to_string().contains(part), "{case}: {error}");
            let corrected = place.open(&[PEOPLE, PETS]).map(drop);
            assert_eq!(corrected, Ok(()), "{case}: the corrected one runs");
        }
    }
}

#[test]
fn versions_ascend() {
    for place in places() {
        for list in [[PETS, PEOPLE], [PEOPLE, PEOPLE]] {
            let refused = place.open(&list).map(drop);
            assert!(matches!(refused, Err(Error::Migration { version: 1, .. })));
        }
    }
}

#[test]
fn json_braces_are_not_words() {
    let sql = r#"CREATE TABLE settings (value {json} NOT NULL DEFAULT '{}'); INSERT INTO settings VALUES ('{"a":{"b":1}}');"#;
    for place in places() {
        let opened = place.open(&[step(1, "settings", sql)]).map(drop);
        assert_eq!(opened, Ok(()));
    }
}

#[test]
fn of_servers_that_start_together_one_migrates() {
    let options = postgres_options(&Cluster::shared().fresh_url(), &[PEOPLE, PETS]);
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| Store::open(&options).map(drop)))
            .collect();
        for started in starting {
            assert_eq!(started.join().unwrap(), Ok(()));
        }
    });
}

#[tokio::test]
async fn text_is_ordered_by_its_bytes_whatever_the_language_of_the_server() {
    const WORDS: Migration = step(
        1,
        "words",
        "CREATE TABLE words (word TEXT NOT NULL PRIMARY KEY, mytext TEXT);",
    );
    for place in places() {
        let store = place.open(&[WORDS]).unwrap();
        let written = store.write(Scope::ALL, |tx| {
            ["a", "B", "_", "é", "z", "Z", "a b", "ab"]
                .iter()
                .try_for_each(|word| {
                    tx.exec("INSERT INTO words (word) VALUES ($1)", &params![*word])
                })
        });
        assert_eq!(written.await, Ok(()));
        let sorted = store.lookup(|tx| tx.query("SELECT word FROM words ORDER BY word", &[]));
        let sorted = sorted.await.unwrap();
        let sorted: Vec<_> = sorted.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(sorted, ["B", "Z", "_", "a", "a b", "ab", "z", "é"]);
        let found = store.lookup(|tx| {
            tx.query(
                "SELECT word FROM words WHERE word < 'a' ORDER BY word DESC",
                &[],
            )
        });
        assert_eq!(found.await.unwrap().len(), 3);
    }
}
