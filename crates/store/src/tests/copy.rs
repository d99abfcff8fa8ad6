//! Carrying everything from one store to another.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Bed, sqlite_options};
use crate::copy::{self, Copied, CopyError, Progress, Watch};
use crate::{Error, Migration, Result, Row, Scope, Store, Tx, Value, params};

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

/// A bed of one kind.
type Make = fn(&'static [Migration]) -> Bed;

fn sqlite(migrations: &'static [Migration]) -> Bed {
    Bed::sqlite_with(|options| options.migrations = migrations)
}

fn postgres(migrations: &'static [Migration]) -> Bed {
    Bed::postgres_with(|options| options.migrations = migrations)
}

const KINDS: [(&str, Make); 2] = [("SQLite", sqlite), ("PostgreSQL", postgres)];

fn bed() -> Bed {
    sqlite(SCHEMA)
}

async fn filled() -> Bed {
    filled_on(sqlite).await
}

async fn filled_on(make: Make) -> Bed {
    let bed = make(SCHEMA);
    bed.store.write(Scope::ALL, fill).await.unwrap();
    bed
}

/// Every row of every table; truth values as SQLite gives them.
async fn everything(store: &Store) -> Vec<Vec<Vec<Value>>> {
    let all = store.read(|tx| {
        let tables = [
            "SELECT * FROM ports ORDER BY id",
            "SELECT * FROM boats ORDER BY port, id",
            "SELECT * FROM crews ORDER BY port, boat, name",
            "SELECT * FROM logs ORDER BY id",
        ];
        let tables = tables.iter().map(|sql| tx.query(sql, &[]));
        tables.collect::<Result<Vec<_>>>()
    });
    let plain = |value: &Value| match value {
        Value::Bool(value) => Value::Int(i64::from(*value)),
        value => value.clone(),
    };
    let values = |row: &Row| row.values().iter().map(plain).collect();
    let all = all.await.unwrap();
    all.iter()
        .map(|table| table.iter().map(values).collect())
        .collect()
}

#[tokio::test]
async fn everything_arrives_whatever_the_databases() {
    let mut sums = Vec::new();
    for (from, make_source) in KINDS {
        for (to, make_target) in KINDS {
            let (source, target) = (filled_on(make_source).await, make_target(SCHEMA));
            let copied = copy::copy(&source.store, &target.store, unwatched())
                .await
                .unwrap();
            let rows = copied
                .iter()
                .map(|table| (table.table.as_str(), table.rows));
            assert_eq!(
                rows.collect::<Vec<_>>(),
                [("logs", 0), ("ports", 4), ("boats", 4322), ("crews", 4321)],
                "{from} to {to}: those referred to come first"
            );
            let (there, here) = (
                everything(&source.store).await,
                everything(&target.store).await,
            );
            assert!(there == here, "{from} to {to}");
            sums.push(copied);
        }
    }
    assert!(
        sums.windows(2).all(|pair| pair[0] == pair[1]),
        "sums are the same on every database"
    );
}

#[tokio::test]
async fn nobody_writes_to_the_source_meanwhile() {
    for (kind, make) in KINDS {
        let (source, target) = (filled_on(make).await, sqlite(SCHEMA));
        let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let (written, wait) = std::sync::mpsc::channel::<()>();
        let store = source.store.clone();
        let writer = tokio::spawn(async move {
            begun.recv().await;
            let late = store.write(Scope::of("a port"), |tx| {
                tx.exec(
                    "INSERT INTO crews (boat, port, name) VALUES ('7', 'Ærø', 'late')",
                    &[],
                )
            });
            let late = late.await;
            let _ = written.send(());
            late
        });
        let wait = Mutex::new(wait);
        let watch: Watch = Arc::new(move |progress| {
            if matches!(progress, Progress::Copying { done: 0, .. }) {
                let _ = begin.send(());
                // Time enough for a writer whom nothing keeps out.
                let _ = wait
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_millis(100));
            }
            ControlFlow::Continue(())
        });
        let copied = copy::copy(&source.store, &target.store, watch)
            .await
            .unwrap();
        assert_eq!(copied.last().unwrap().rows, 4321, "{kind}");
        assert_eq!(writer.await.unwrap(), Ok(()), "{kind}: it only waited");
        assert_eq!(everything(&source.store).await[2].len(), 4322, "{kind}");
    }
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
async fn a_copy_that_is_cancelled_leaves_nothing() {
    let copying: Watch = Arc::new(|_| ControlFlow::Break(()));
    let comparing: Watch = Arc::new(|progress| match progress {
        Progress::Copying { .. } => ControlFlow::Continue(()),
        Progress::Comparing { .. } => ControlFlow::Break(()),
    });
    let source = filled().await;
    for (kind, make) in KINDS {
        let target = make(SCHEMA);
        for (case, watch) in [("copying", &copying), ("comparing", &comparing)] {
            let done = copy::copy(&source.store, &target.store, watch.clone()).await;
            assert_eq!(done, Err(CopyError::Cancelled), "{kind}, {case}");
            assert_eq!(rows(&target).await, 0, "{kind}, {case}");
        }
        // Neither side is left in a state that stops the next attempt.
        copy::copy(&source.store, &target.store, unwatched())
            .await
            .unwrap();
    }
}

async fn rows(bed: &Bed) -> usize {
    everything(&bed.store).await.iter().map(Vec::len).sum()
}

#[tokio::test]
async fn a_copy_that_comes_out_different_leaves_nothing() {
    let (source, target) = (filled().await, bed());
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
    assert_eq!(rows(&target).await, 0);
    // So is what it refuses.
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
    let of = sqlite;
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
