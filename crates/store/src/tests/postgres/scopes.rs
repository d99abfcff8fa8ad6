//! What writers of several processes may rely on.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;

use super::super::{Bed, INCREMENT, add, one_int};
use super::{counter, replica};
use crate::{Error, Result, Scope, Store, params};

const PATIENCE: Duration = Duration::from_secs(20);

const READ: &str = "SELECT value FROM counters WHERE name = $1";
const PUT: &str = "UPDATE counters SET value = $2 WHERE name = $1";
const TOUCH: &str = "UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value";
const MAKE: &str = "INSERT INTO counters (name, value) VALUES ($1, 0)";

/// Reads, then writes what it has read and one more: two at a time would lose one.
async fn increment(store: &Store, scope: Scope) -> Result<()> {
    let work = |tx: &mut crate::Tx<'_>| -> Result<()> {
        let before = tx.query_one(READ, &params!["n"])?.ok_or(Error::Closed)?;
        tx.exec(PUT, &params!["n", before.int(0)? + 1])
    };
    store.write(scope, work).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_one_scope_wait_for_each_other_whichever_process_they_come_from() {
    let bed = Bed::postgres();
    let other = replica(&bed.options);
    let mut running = Vec::new();
    for number in 0..60 {
        let store = if number % 2 == 0 { &bed.store } else { &other }.clone();
        // Whoever writes to everything waits for each scope and each scope for it.
        let scope = if number % 5 == 0 {
            Scope::ALL
        } else {
            Scope::of("one")
        };
        running.push(tokio::spawn(async move { increment(&store, scope).await }));
    }
    for one in running {
        one.await.unwrap().unwrap();
    }
    assert_eq!(counter(&bed.store, "n").await, Ok(60));
}

/// Two writes that each go on only when the other has begun too. `true` if both did.
async fn meet(stores: [&Store; 2], scopes: [Scope; 2], wait: Duration) -> bool {
    let ((say, hear), (reply, heard)) = (mpsc::channel(), mpsc::channel());
    let ends = [(say, heard), (reply, hear)];
    let mut running = Vec::new();
    for ((store, scope), (say, hear)) in stores.into_iter().zip(scopes).zip(ends) {
        let (store, hear) = (store.clone(), Mutex::new(hear));
        let work = move |tx: &mut crate::Tx<'_>| -> Result<bool> {
            one_int(tx, "SELECT 1")?;
            let _ = say.send(());
            Ok(hear.lock().unwrap().recv_timeout(wait).is_ok())
        };
        running.push(tokio::spawn(async move { store.write(scope, work).await }));
    }
    let mut met = true;
    for one in running {
        met &= one.await.unwrap().unwrap();
    }
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_of_two_scopes_overlap() {
    let bed = Bed::postgres();
    let other = replica(&bed.options);
    let (one, two) = (Scope::of("one"), Scope::of("two"));
    assert!(
        meet([&bed.store, &bed.store], [one, two], PATIENCE).await,
        "in one process"
    );
    assert!(
        meet([&bed.store, &other], [one, two], PATIENCE).await,
        "in two"
    );
    let short = Duration::from_millis(50);
    for (case, scopes) in [("the same", [one, one]), ("everything", [one, Scope::ALL])] {
        assert!(!meet([&bed.store, &other], scopes, short).await, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deadlock_is_run_again() {
    let bed = Bed::postgres();
    let make = |tx: &mut crate::Tx<'_>| {
        ["x", "y"]
            .iter()
            .try_for_each(|name| tx.exec(MAKE, &params![*name]))
    };
    bed.store.write(Scope::ALL, make).await.unwrap();
    let ((say, hear), (reply, heard)) = (mpsc::channel(), mpsc::channel());
    let mut running = Vec::new();
    for (order, scope, (say, hear)) in [
        (["x", "y"], "one", (say, heard)),
        (["y", "x"], "two", (reply, hear)),
    ] {
        let (store, hear) = (bed.store.clone(), Mutex::new(Some(hear)));
        let work = move |tx: &mut crate::Tx<'_>| -> Result<()> {
            tx.query(TOUCH, &params![order[0]])?;
            let _ = say.send(());
            // The first time only: the one who is run again must not wait for the other.
            if let Some(hear) = hear.lock().unwrap().take() {
                let _ = hear.recv_timeout(PATIENCE);
            }
            tx.query(TOUCH, &params![order[1]]).map(drop)
        };
        running.push(tokio::spawn(async move {
            store.write(Scope::of(scope), work).await
        }));
    }
    for one in running {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!(
        (
            counter(&bed.store, "x").await,
            counter(&bed.store, "y").await
        ),
        (Ok(2), Ok(2))
    );
}

#[tokio::test]
async fn what_fails_at_the_commit_is_laid_to_the_one_it_belongs_to() {
    let bed = Bed::postgres();
    let (go, held) = super::super::hold(&bed.store).await;
    let mut running = Vec::new();
    for number in 0..8 {
        let store = bed.store.clone();
        let work = move |tx: &mut crate::Tx<'_>| -> Result<()> {
            add(tx, 1, &format!("own {number}"))?;
            // Two of them want the same.
            let shared = format!("shared {}", number % 7);
            tx.exec_at_commit(super::super::ADD, &params![2, &shared])
        };
        running.push(tokio::spawn(
            async move { store.write(Scope::ALL, work).await },
        ));
    }
    while bed.store.stats().queued < 9 {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    let mut refused = Vec::new();
    for one in running {
        refused.extend(one.await.unwrap().err());
    }
    let conflict = Error::Conflict {
        index: "people_team_name".to_string(),
    };
    assert_eq!(refused, [conflict]);
    assert_eq!(bed.count().await, 14);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Keep,
    Refuse,
    Everything,
}

const TAKE: &str = "UPDATE counters SET value = value + 1 WHERE name = 'n'";
const PLACE: &str =
    "INSERT INTO people (team, name, active) SELECT value, $1, true FROM counters WHERE name = 'n'";
const PLACES: &str = "SELECT team FROM people ORDER BY team";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Numbers taken at the commit rise in the order of commits: a reader who has seen one has seen all before it.
    #[test]
    fn numbers_taken_at_the_commit_rise_with_the_commits(steps in prop::collection::vec(
        prop_oneof![6 => Just(Step::Keep), 1 => Just(Step::Refuse), 1 => Just(Step::Everything)], 1..80))
    {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let bed = Bed::postgres();
        let other = replica(&bed.options);
        runtime.block_on(async {
            let kept = steps.iter().filter(|step| !matches!(step, Step::Refuse)).count();
            let mut running = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                let store = if number % 2 == 0 { &bed.store } else { &other }.clone();
                running.push(tokio::spawn(async move { take(&store, number, step).await }));
            }
            let reader = bed.store.clone();
            let watching = tokio::spawn(async move { watch(&reader, kept).await });
            for one in running {
                one.await.unwrap();
            }
            tokio::time::timeout(PATIENCE, watching).await.unwrap().unwrap();
        });
    }
}

async fn take(store: &Store, number: usize, step: Step) {
    let scope = match step {
        Step::Everything => Scope::ALL,
        _ => Scope::of(&format!("{}", number % 5)),
    };
    let name = Arc::new(format!("event {number}"));
    let work = move |tx: &mut crate::Tx<'_>| -> Result<()> {
        tx.exec_at_commit(TAKE, &[])?;
        tx.exec_at_commit(PLACE, &params![name.as_str()])?;
        one_int(tx, "SELECT 1")?;
        if matches!(step, Step::Refuse) {
            Err(Error::ForeignKey)
        } else {
            Ok(())
        }
    };
    let done = store.write(scope, work).await;
    assert_eq!(done.is_err(), matches!(step, Step::Refuse), "{done:?}");
}

/// Reads until there are `wanted` numbers; there is never one missing below another.
async fn watch(store: &Store, wanted: usize) {
    let mut seen = 0;
    while seen < wanted {
        let rows = store.lookup(|tx| tx.query(PLACES, &[])).await.unwrap();
        for (row, expected) in rows.iter().zip(1..) {
            assert_eq!(row.int(0), Ok(expected));
        }
        assert!(rows.len() >= seen);
        seen = rows.len();
    }
}

#[tokio::test]
async fn everything_counts_once() {
    let bed = Bed::postgres();
    let twice = |tx: &mut crate::Tx<'_>| (0..2).try_for_each(|_| tx.exec_at_commit(INCREMENT, &[]));
    bed.store.write(Scope::ALL, twice).await.unwrap();
    assert_eq!(counter(&bed.store, "n").await, Ok(2));
}
