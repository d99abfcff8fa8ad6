//! What concerns the embedded driver alone.

use std::time::Duration;

use super::{Bed, SCHEMA, add, hold, one_int, sqlite_options};
use crate::{Error, Migration, Scope, Store};

#[test]
fn two_servers_cannot_share_a_database() {
    let bed = Bed::sqlite();
    let path = bed.folder.path().join("roll.db");
    let second = Store::open(&sqlite_options(path.clone(), SCHEMA)).map(drop);
    let lock = bed.folder.path().join("roll.db.lock");
    assert_eq!(second, Err(Error::Locked { path: lock.clone() }));
    assert!(
        second
            .unwrap_err()
            .to_string()
            .contains(lock.to_str().unwrap())
    );
    bed.store.close();
    assert_eq!(
        Store::open(&sqlite_options(path, SCHEMA)).map(drop),
        Ok(()),
        "after the first has closed"
    );
}

#[test]
fn a_missing_folder_is_named() {
    let bed = Bed::sqlite();
    let path = bed.folder.path().join("no such folder").join("roll.db");
    let error = Store::open(&sqlite_options(path, SCHEMA))
        .map(drop)
        .unwrap_err();
    assert!(
        matches!(&error, Error::Open { .. }) && error.to_string().contains("no such folder"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("roll.db");
    std::fs::write(
        &path,
        "not a database, but long enough to look like one. ".repeat(100),
    )
    .unwrap();
    let error = Store::open(&sqlite_options(path, SCHEMA))
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::sqlite();
    bed.store
        .write(Scope::ALL, |tx| add(tx, 1, "ann"))
        .await
        .unwrap();
    for name in ["roll.db", "roll.db-wal", "roll.db-shm", "roll.db.lock"] {
        let mode = bed
            .folder
            .path()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn closing_leaves_one_file_with_everything() {
    let Bed { folder, store, .. } = Bed::sqlite();
    store
        .write(Scope::ALL, |tx| add(tx, 1, "ann"))
        .await
        .unwrap();
    store.lookup(|tx| one_int(tx, super::COUNT)).await.unwrap();
    store.close();
    let mut files: Vec<_> = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["roll.db", "roll.db.lock"]);
}

#[tokio::test]
async fn a_full_queue_turns_newcomers_away_in_time() {
    let bed = Bed::sqlite_with(|options| {
        options.queue = 1;
        options.queue_wait = Duration::from_millis(1);
    });
    let (go, held) = hold(&bed.store).await;
    let waited = Duration::from_millis(1);
    assert_eq!(
        bed.store.write(Scope::ALL, |tx| add(tx, 1, "ann")).await,
        Err(Error::Busy { waited })
    );
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert_eq!(
        bed.store.write(Scope::ALL, |tx| add(tx, 1, "ann")).await,
        Ok(())
    );
}

#[tokio::test]
async fn a_full_disk_is_survived() {
    let bed = Bed::sqlite();
    let limited = bed.store.write(Scope::ALL, |tx| {
        tx.query("PRAGMA max_page_count = 40", &[]).map(drop)
    });
    limited.await.unwrap();
    let name = "x".repeat(200_000);
    let full = bed.store.write(Scope::ALL, move |tx| add(tx, 1, &name));
    assert_eq!(full.await, Err(Error::Full));
    bed.store
        .write(Scope::ALL, |tx| {
            tx.query("PRAGMA max_page_count = 4000", &[]).map(drop)
        })
        .await
        .unwrap();
    bed.store
        .write(Scope::ALL, |tx| add(tx, 1, "ann"))
        .await
        .unwrap();
    assert_eq!(bed.count().await, 1);
}

#[tokio::test]
async fn the_log_is_begun_anew_before_it_grows_large() {
    let bed = Bed::sqlite();
    // Whoever has read, and does not any more, does not hold it up.
    let count = |tx: &mut crate::Tx<'_>| one_int(tx, super::COUNT);
    assert_eq!(bed.store.read(count).await, Ok(0));
    assert_eq!(bed.store.lookup(count).await, Ok(0));
    // Each goes into the table and into its index: 280 MB in all.
    for number in 0..140 {
        let name = format!("{number}{}", "x".repeat(1_000_000));
        bed.store
            .write(Scope::ALL, move |tx| add(tx, 1, &name))
            .await
            .unwrap();
    }
    let log = bed
        .folder
        .path()
        .join("roll.db-wal")
        .metadata()
        .unwrap()
        .len();
    assert!(log < 200_000_000, "{log} bytes, {:?}", bed.store.stats());
}

#[test]
fn indexes_that_conflicts_could_not_tell_apart_are_refused() {
    const TWINS: &[Migration] = &[Migration {
        version: 1,
        name: "twins",
        sql: "CREATE TABLE t (a TEXT); CREATE UNIQUE INDEX t_a ON t (a); CREATE UNIQUE INDEX t_a_again ON t (a) WHERE a <> '';",
    }];
    let folder = tempfile::TempDir::new().unwrap();
    let error = Store::open(&sqlite_options(folder.path().join("roll.db"), TWINS))
        .map(drop)
        .unwrap_err();
    assert!(error.to_string().contains("t_a_again"), "{error}");
}
