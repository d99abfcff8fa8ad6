//! Schema versions.

use std::path::Path;

use tempfile::TempDir;

use super::sqlite_options;
use crate::{Error, Migration, Result, Store};

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

fn open(folder: &Path, migrations: &[Migration]) -> Result<Store> {
    Store::open(&sqlite_options(
        folder.join("roll.db"),
        migrations.to_vec().leak(),
    ))
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
    let folder = TempDir::new().unwrap();
    let at = 1_763_700_000_000_000;
    assert_eq!(
        versions(&open(folder.path(), &[PEOPLE]).unwrap()).await,
        [(1, at)]
    );
    for _ in 0..2 {
        assert_eq!(
            versions(&open(folder.path(), &[PEOPLE, PETS]).unwrap()).await,
            [(1, at), (2, at)]
        );
    }
}

/// `before` is applied, then the program has `after`.
fn reopen(before: &[Migration], after: &[Migration]) -> Result<()> {
    let folder = TempDir::new().unwrap();
    open(folder.path(), before).unwrap().close();
    open(folder.path(), after).map(drop)
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
        let folder = TempDir::new().unwrap();
        let error = open(folder.path(), &[PEOPLE, step(2, "pets", sql)])
            .map(drop)
            .unwrap_err();
        assert!(
            matches!(error, Error::Migration { version: 2, .. }),
            "{case}: {error}"
        );
        assert!(error.to_string().contains(part), "{case}: {error}");
        assert_eq!(
            open(folder.path(), &[PEOPLE, PETS]).map(drop),
            Ok(()),
            "{case}: the corrected one runs"
        );
    }
}

#[test]
fn versions_ascend() {
    let folder = TempDir::new().unwrap();
    for list in [[PETS, PEOPLE], [PEOPLE, PEOPLE]] {
        assert!(matches!(
            open(folder.path(), &list).map(drop),
            Err(Error::Migration { version: 1, .. })
        ));
    }
}

#[test]
fn json_braces_are_not_words() {
    let folder = TempDir::new().unwrap();
    let sql = r#"CREATE TABLE settings (value {json} NOT NULL DEFAULT '{}'); INSERT INTO settings VALUES ('{"a":{"b":1}}');"#;
    assert_eq!(
        open(folder.path(), &[step(1, "settings", sql)]).map(drop),
        Ok(())
    );
}
