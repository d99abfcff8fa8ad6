//! The checks every driver passes, and those about one driver's own ways; all through the public face.

mod backup;
mod conformance;
mod copy;
mod database;
mod migrations;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use portreeve_cluster::Cluster;
use tempfile::TempDir;

use crate::{Database, Error, Migration, Options, Result, Scope, Store, Tx, params};

const NOW: i64 = 1_763_700_000_000_000;

const SCHEMA: &[Migration] = &[Migration {
    version: 1,
    name: "people",
    sql: "
        CREATE TABLE people (
            id {identity}, team BIGINT NOT NULL, name TEXT NOT NULL, nick TEXT, active BOOLEAN, photo {bytes},
            UNIQUE (id, team)
        );
        CREATE UNIQUE INDEX people_team_name ON people (team, name);
        CREATE UNIQUE INDEX people_nick ON people (lower(nick));
        CREATE TABLE pets (
            owner {int} NOT NULL REFERENCES people (id), name TEXT NOT NULL, PRIMARY KEY (owner, name)
        ) {strict}, {without_rowid};
        CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
        INSERT INTO counters (name, value) VALUES ('n', 0);",
}];

crate::statements! {
    ADD = "INSERT INTO people (team, name) VALUES ($1, $2)";
    NAMES = "SELECT name FROM people WHERE team = $1 ORDER BY name";
    COUNT = "SELECT count(*) FROM people";
    INCREMENT = "UPDATE counters SET value = value + 1 WHERE name = 'n'";
    COUNTER = "SELECT value FROM counters WHERE name = 'n'";
}

/// A store of its own, and what it was opened with.
struct Bed {
    /// Where an embedded database is.
    folder: TempDir,
    options: Options,
    store: Store,
}

impl Bed {
    fn sqlite() -> Self {
        Self::sqlite_with(|_| ())
    }

    fn sqlite_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = sqlite_options(folder.path().join("roll.db"), SCHEMA);
        change(&mut options);
        Self::open(folder, options)
    }

    fn postgres() -> Self {
        Self::postgres_with(|_| ())
    }

    fn postgres_with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = postgres_options(&Cluster::shared().fresh_url(), SCHEMA);
        change(&mut options);
        Self::open(TempDir::new().unwrap(), options)
    }

    fn open(folder: TempDir, options: Options) -> Self {
        let store = Store::open(&options).unwrap();
        Self {
            folder,
            options,
            store,
        }
    }

    async fn count(&self) -> i64 {
        self.store.lookup(|tx| one_int(tx, COUNT)).await.unwrap()
    }
}

fn sqlite_options(path: PathBuf, migrations: &'static [Migration]) -> Options {
    Options::new(Database::Sqlite { path }, migrations, NOW)
}

fn postgres_options(url: &str, migrations: &'static [Migration]) -> Options {
    let database = Database::parse(url, |_| None).unwrap();
    Options::new(database, migrations, NOW)
}

fn one_int(tx: &mut Tx<'_>, sql: &str) -> Result<i64> {
    tx.query_one(sql, &[])?.ok_or(Error::Closed)?.int(0)
}

fn add(tx: &mut Tx<'_>, team: i64, name: &str) -> Result<()> {
    tx.exec(ADD, &params![team, name])
}

/// Holds the writer until the returned sender is used or dropped, so that what is written meanwhile waits in the queue.
async fn hold(store: &Store) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<()>>) {
    let (go, wait) = mpsc::channel::<()>();
    let (begun, running) = tokio::sync::oneshot::channel();
    let begun = std::sync::Mutex::new(Some(begun));
    // A closure may be run again; it waits once.
    let wait = std::sync::Mutex::new(Some(wait));
    let store = store.clone();
    let held = tokio::spawn(async move {
        let work = move |_: &mut Tx<'_>| -> Result<()> {
            if let Some(begun) = begun.lock().unwrap().take() {
                begun.send(()).unwrap();
            }
            let wait = wait.lock().unwrap().take();
            let _ = wait.map(|wait| wait.recv_timeout(Duration::from_secs(60)));
            Ok(())
        };
        store.write(Scope::ALL, work).await
    });
    running.await.unwrap();
    (go, held)
}
