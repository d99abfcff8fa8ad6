//! Servers that go away, processes that stand still.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use portreeve_cluster::Cluster;

use super::super::{Bed, COUNT, SCHEMA, add, one_int, postgres_options};
use super::{Stranger, end_connections, named, replica};
use crate::{Error, Result, Scope, Store, Tx};

#[expect(
    clippy::disallowed_methods,
    reason = "how long something took is what is tested"
)]
fn now() -> Instant {
    Instant::now()
}

fn is_unavailable<T>(outcome: &Result<T>) -> bool {
    matches!(outcome, Err(Error::Unavailable { .. }))
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_soon() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    for (case, url) in [
        (
            "nobody listens",
            "postgres://ann@127.0.0.1:1/roll".to_string(),
        ),
        (
            "no such socket",
            "postgres://ann@%2Fno%2Fsuch%2Ffolder/roll".to_string(),
        ),
        (
            "nobody answers",
            format!("postgres://ann@127.0.0.1:{port}/roll?connect_timeout=1"),
        ),
    ] {
        let begun = now();
        let opened = Store::open(&postgres_options(&url, SCHEMA)).map(drop);
        assert!(is_unavailable(&opened), "{case}: {opened:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{case}");
        let place = postgres_options(&url, SCHEMA).database.to_string();
        assert!(opened.unwrap_err().to_string().contains(&place), "{case}");
    }
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let cluster = Cluster::own();
    let url = cluster.fresh_tcp_url();
    assert_eq!(
        Store::open(&postgres_options(&url, SCHEMA)).map(drop),
        Ok(()),
        "with the password"
    );
    let (before, after) = url.split_once('@').unwrap();
    let wrong = format!(
        "{}@{after}",
        before.rsplit_once(':').unwrap().0.to_string() + ":wrong"
    );
    let missing = url.replace("/portreeve?", "/missing?");
    for (url, part) in [(wrong, "password"), (missing, "missing")] {
        let refused = Store::open(&postgres_options(&url, SCHEMA))
            .map(drop)
            .unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_and_work_goes_on_by_itself() {
    let cluster = Cluster::own();
    let store = Store::open(&postgres_options(&cluster.fresh_url(), SCHEMA)).unwrap();
    let mut acknowledged = 0;
    for stop in [Cluster::stop_hard, Cluster::stop] {
        for _ in 0..20 {
            acknowledged += i64::from(write_one(&store, acknowledged).await.is_ok());
        }
        stop(&cluster);
        let begun = now();
        for _ in 0..20 {
            let write = write_one(&store, -1).await;
            assert!(is_unavailable(&write), "{write:?}");
            let read = store.lookup(|tx| one_int(tx, COUNT)).await;
            assert!(is_unavailable(&read), "{read:?}");
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
        cluster.start();
        let begun = now();
        while store.ping().await.is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "it does not come back"
            );
            tokio::task::yield_now().await;
        }
        assert_eq!(
            store.lookup(|tx| one_int(tx, COUNT)).await,
            Ok(acknowledged)
        );
    }
}

async fn write_one(store: &Store, number: i64) -> Result<()> {
    let work = move |tx: &mut Tx<'_>| add(tx, number, "ann");
    store.write(Scope::ALL, work).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_while_nobody_used_it_is_not_noticed() {
    let bed = Bed::postgres_with(|options| options.database = named(&options.database));
    let other = replica(&bed.options);
    for round in 0..5 {
        assert_eq!(write_one(&bed.store, round).await, Ok(()));
        assert_eq!(bed.store.read(|tx| one_int(tx, COUNT)).await, Ok(round + 1));
        assert_eq!(
            bed.store.lookup(|tx| one_int(tx, COUNT)).await,
            Ok(round + 1)
        );
        end_connections(&other).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stands_still_loses_its_transaction_to_the_others() {
    let bed = Bed::postgres_with(|options| options.queue_wait = Duration::from_secs(2));
    let other = replica(&bed.options);
    let (begun, running) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let frozen = bed.store.clone();
    let frozen = tokio::spawn(async move {
        let work = move |tx: &mut Tx<'_>| -> Result<()> {
            add(tx, 1, "frozen")?;
            one_int(tx, COUNT)?;
            let _ = begun.send(());
            let _ = wait.lock().unwrap().recv_timeout(Duration::from_secs(60));
            add(tx, 2, "frozen")
        };
        frozen.write(Scope::of("one"), work).await
    });
    tokio::task::spawn_blocking(move || running.recv().unwrap())
        .await
        .unwrap();
    let went_on = other
        .write(Scope::of("one"), |tx| add(tx, 3, "other"))
        .await;
    assert_eq!(went_on, Ok(()));
    go.send(()).unwrap();
    drop(go);
    let thawed = frozen.await.unwrap();
    assert!(is_unavailable(&thawed), "{thawed:?}");
    assert_eq!(bed.count().await, 1);
}

#[tokio::test]
async fn a_commit_whose_outcome_is_not_known_is_not_run_again() {
    let bed = Bed::postgres_with(|options| options.writers = 1);
    assert_eq!(write_one(&bed.store, 1).await, Ok(()));
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let work = move |tx: &mut Tx<'_>| {
        counted.fetch_add(1, Ordering::Relaxed);
        one_int(tx, COUNT)?;
        tx.exec_at_commit("SELECT pg_terminate_backend(pg_backend_pid())", &[])
    };
    let lost = bed.store.write(Scope::ALL, work).await;
    assert!(is_unavailable(&lost), "{lost:?}");
    assert!(lost.unwrap_err().to_string().contains("not known"));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!(write_one(&bed.store, 2).await, Ok(()));
}

#[tokio::test]
async fn a_lock_that_is_never_given_back_makes_busy_not_stuck() {
    let bed = Bed::postgres_with(|options| options.queue_wait = Duration::from_millis(300));
    let stranger = Stranger::on(&bed.options).await;
    stranger.run("BEGIN; LOCK TABLE people").await;
    let waited = Duration::from_millis(300);
    assert_eq!(write_one(&bed.store, 1).await, Err(Error::Busy { waited }));
    assert_eq!(
        bed.store.lookup(|tx| one_int(tx, COUNT)).await,
        Err(Error::Busy { waited })
    );
    stranger.run("ROLLBACK").await;
    assert_eq!(write_one(&bed.store, 1).await, Ok(()));
}

#[tokio::test]
async fn a_database_that_cannot_hold_our_data_is_refused() {
    let cluster = Cluster::shared();
    let latin = format!("latin{}", std::process::id());
    cluster.execute(&format!(
        "CREATE DATABASE {latin} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    ));
    let (server, _) = cluster.url().rsplit_once('/').unwrap();
    let elsewhere = format!("{server}/{latin}");
    let nowhere = format!("{}?options=-csearch_path%3Dnowhere", cluster.url());
    for (url, part) in [(elsewhere, "UTF8"), (nowhere, "search_path")] {
        let refused = Store::open(&postgres_options(&url, SCHEMA))
            .map(drop)
            .unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
    }
}
