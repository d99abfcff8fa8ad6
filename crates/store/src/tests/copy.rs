//! Carrying everything from one store to another.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::{Bed, sqlite_options};
use crate::copy::{self, Copied, CopyError, Progress, Watch};
use crate::{Error, Migration, Result, Scope, Store, Tx, params};

/// Every kind of value, keys of several columns, references against the order of names.
const SCHEMA: &[Migration] = &[Migration {
    version: 1,
    name: "a fleet",
    sql: "
        CREATE TABLE ports (id TEXT NOT NULL PRIMARY KEY, \"order\" BIGINT NOT NULL);
        CREATE TABLE boats (
            port TEXT NOT NULL REFERENCES ports (id), id TEXT NOT NULL, afloat BOOLEAN, chart {bytes}, note TEXT, built BIGINT,
            PRIMARY KEY (port, id)
        );
        CREATE TABLE crews (
            boat TEXT NOT NULL, port TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (port, boat, name),
            FOREIGN KEY (port, boat) REFERENCES boats (port, id)
        ) {without_rowid};
        CREATE TABLE logs (id TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL);",
}];

const OTHER: &[Migration] = &[Migration {
    version: 1,
    name: "other",
    sql: "CREATE TABLE boats (id TEXT NOT NULL PRIMARY KEY);",
}];
const CIRCLE: &[Migration] = &[Migration {
    version: 1,
    name: "circle",
    sql: "CREATE TABLE boats (id TEXT NOT NULL PRIMARY KEY, tows TEXT REFERENCES boats (id));",
}];
const NO_KEY: &[Migration] = &[Migration {
    version: 1,
    name: "no key",
    sql: "CREATE TABLE boats (id TEXT);",
}];

const BOAT: &str =
    "INSERT INTO boats (port, id, afloat, chart, note, built) VALUES ($1, $2, $3, $4, $5, $6)";

fn fill(tx: &mut Tx<'_>) -> Result<()> {
    for (port, order) in [("Ærø", 1), ("aero", 2), ("Zoutelande", i64::MIN), ("", 4)] {
        tx.exec(
            "INSERT INTO ports (id, \"order\") VALUES ($1, $2)",
            &params![port, order],
        )?;
    }
    for number in 0..4321_i64 {
        let id = format!("{number}");
        let (afloat, chart) = (
            [Some(true), Some(false), None][number as usize % 3],
            number.to_be_bytes(),
        );
        let note = (number % 7 != 0).then(|| "\u{1f6a2}\n'\"".repeat(number as usize % 5));
        let built = (number % 2 == 0).then_some(number % 2 - number);
        tx.exec(
            BOAT,
            &params!["Ærø", &id, afloat, &chart, note.as_deref(), built],
        )?;
        tx.exec(
            "INSERT INTO crews (boat, port, name) VALUES ($1, $2, $3)",
            &params![&id, "Ærø", "ann"],
        )?;
    }
    let nothing: [u8; 0] = [];
    tx.exec(BOAT, &params!["", "", true, &nothing, "", 0])?;
    Ok(())
}

fn unwatched() -> Watch {
    Arc::new(|_| ControlFlow::Continue(()))
}

fn bed() -> Bed {
    Bed::sqlite_with(|options| options.migrations = SCHEMA)
}

async fn filled() -> Bed {
    let bed = bed();
    bed.store.write(Scope::ALL, fill).await.unwrap();
    bed
}

/// Every row of every table, as the database gives it.
async fn everything(store: &Store) -> Vec<Vec<crate::Row>> {
    let all = store.read(|tx| {
        let tables = [
            "SELECT * FROM ports ORDER BY id",
            "SELECT * FROM boats ORDER BY port, id",
            "SELECT * FROM crews ORDER BY port, boat, name",
            "SELECT * FROM logs ORDER BY id",
        ];
        tables
            .iter()
            .map(|sql| tx.query(sql, &[]))
            .collect::<Result<Vec<_>>>()
    });
    all.await.unwrap()
}

#[tokio::test]
async fn everything_arrives() {
    let (source, target) = (filled().await, bed());
    let copied = copy::copy(&source.store, &target.store, unwatched())
        .await
        .unwrap();
    let rows = copied
        .iter()
        .map(|table| (table.table.as_str(), table.rows));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [("logs", 0), ("ports", 4), ("boats", 4322), ("crews", 4321)],
        "those referred to come first"
    );
    assert!(everything(&source.store).await == everything(&target.store).await);
    // A second copy of the copy has the same sums.
    let third = bed();
    let again = copy::copy(&target.store, &third.store, unwatched())
        .await
        .unwrap();
    assert_eq!(again, copied);
}

#[tokio::test]
async fn an_empty_database_is_copied_too() {
    let (source, target) = (bed(), bed());
    let copied = copy::copy(&source.store, &target.store, unwatched())
        .await
        .unwrap();
    assert!(copied.iter().all(|table| table.rows == 0), "{copied:?}");
}

#[tokio::test]
async fn sums_tell_rows_apart() {
    let rows = [
        "('a', 'b')",
        "('ab', '')",
        "('a', 'B')",
        "('a', 'b'), ('c', 'd')",
        "('a', 'd'), ('c', 'b')",
    ];
    let mut seen = Vec::new();
    for rows in rows {
        let (source, target) = (bed(), bed());
        let filled = source.store.write(Scope::ALL, move |tx| {
            tx.query(&format!("INSERT INTO logs (id, text) VALUES {rows}"), &[])
                .map(drop)
        });
        filled.await.unwrap();
        let copied = copy::copy(&source.store, &target.store, unwatched())
            .await
            .unwrap();
        let Copied { checksum, .. } = copied
            .into_iter()
            .find(|table| table.table == "logs")
            .unwrap();
        assert!(!seen.contains(&checksum), "{rows}");
        seen.push(checksum);
    }
}

#[tokio::test]
async fn progress_counts_every_row_twice() {
    let (source, target) = (filled().await, bed());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watch: Watch = {
        let seen = seen.clone();
        Arc::new(move |progress| {
            seen.lock().unwrap().push(progress);
            ControlFlow::Continue(())
        })
    };
    copy::copy(&source.store, &target.store, watch)
        .await
        .unwrap();
    let total = 4 + 4322 + 4321;
    let seen = seen.lock().unwrap();
    assert!(
        seen.contains(&Progress::Copying { done: total, total }),
        "{seen:?}"
    );
    assert_eq!(
        seen.last(),
        Some(&Progress::Comparing { done: total, total })
    );
}

#[tokio::test]
async fn a_copy_that_ends_early_leaves_nothing() {
    let (source, target) = (filled().await, bed());
    let copying: Watch = Arc::new(|_| ControlFlow::Break(()));
    let comparing: Watch = Arc::new(|progress| match progress {
        Progress::Copying { .. } => ControlFlow::Continue(()),
        Progress::Comparing { .. } => ControlFlow::Break(()),
    });
    for (case, watch) in [("copying", copying), ("comparing", comparing)] {
        let done = copy::copy(&source.store, &target.store, watch).await;
        assert_eq!(done, Err(CopyError::Cancelled), "{case}");
        let left: usize = everything(&target.store).await.iter().map(Vec::len).sum();
        assert_eq!(left, 0, "{case}");
    }
    // What the target changes on the way is noticed.
    let trigger = target.store.write(Scope::ALL, |tx| {
        tx.query("CREATE TRIGGER tamper AFTER INSERT ON crews BEGIN UPDATE boats SET note = 'x' WHERE id = '77'; END", &[]).map(drop)
    });
    trigger.await.unwrap();
    let done = copy::copy(&source.store, &target.store, unwatched()).await;
    let Err(CopyError::Mismatch {
        source_side,
        target_side,
    }) = done
    else {
        panic!("{done:?}")
    };
    assert_eq!(
        (source_side.table.as_str(), source_side.rows),
        ("boats", target_side.rows)
    );
    let left: usize = everything(&target.store).await.iter().map(Vec::len).sum();
    assert_eq!(left, 0);
    // And what it refuses.
    let trigger = target.store.write(Scope::ALL, |tx| {
        tx.query("CREATE TRIGGER refuse BEFORE INSERT ON boats WHEN NEW.id = '4000' BEGIN SELECT RAISE(ABORT, 'no'); END", &[]).map(drop)
    });
    trigger.await.unwrap();
    let done = copy::copy(&source.store, &target.store, unwatched()).await;
    assert!(
        matches!(&done, Err(CopyError::Rows { table, .. }) if table == "boats"),
        "{done:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_copied_is_refused() {
    let (source, full) = (filled().await, filled().await);
    let of = |migrations| Bed::sqlite_with(|options| options.migrations = migrations);
    let boats = || "boats".to_string();
    let refused = |why| CopyError::Table {
        table: boats(),
        why,
    };
    for (case, from, to, expected) in [
        (
            "rows in the target",
            &source,
            &full,
            CopyError::NotEmpty {
                table: "ports".to_string(),
            },
        ),
        (
            "other columns",
            &of(OTHER),
            &source,
            CopyError::Different { table: boats() },
        ),
        (
            "a circle",
            &of(CIRCLE),
            &source,
            refused("is part of a circle of references"),
        ),
        (
            "no key",
            &of(NO_KEY),
            &source,
            refused("has no primary key"),
        ),
        (
            "counted keys",
            &Bed::sqlite(),
            &source,
            CopyError::Table {
                table: "people".to_string(),
                why: "counts its keys up by itself",
            },
        ),
    ] {
        let done = copy::copy(&from.store, &to.store, unwatched()).await;
        assert_eq!(done, Err(expected), "{case}");
    }
}

#[tokio::test]
async fn a_side_that_is_closed_is_named() {
    let (source, target, closed) = (filled().await, bed(), bed());
    closed.store.clone().close();
    let done = copy::copy(&closed.store, &target.store, unwatched()).await;
    assert_eq!(done, Err(CopyError::Source(Error::Closed)));
    let done = copy::copy(&source.store, &closed.store, unwatched()).await;
    assert_eq!(done, Err(CopyError::Target(Error::Closed)));
    // The folder of the source may be opened by a server again once the stores are gone.
    let path = source.folder.path().join("roll.db");
    source.store.close();
    assert!(Store::open(&sqlite_options(path, SCHEMA)).is_ok());
}
