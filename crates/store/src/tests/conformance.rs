//! What a closure may rely on, whatever the database.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;

use super::{ADD, ALL, Bed, COUNT, COUNTER, INCREMENT, NAMES, add, hold, one_int};
use crate::{Error, Param, Result, Scope, Store, Tx, Value, params};

/// Each check becomes one test for each driver.
macro_rules! conformance {
    ($($check:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::$check(super::Bed::sqlite()).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::$check(super::Bed::postgres()).await;
            })*
        }
    };
}

conformance! {
    values_come_back_as_they_went_in
    text_with_nul_is_refused
    columns_of_another_type_are_refused
    parameters_go_by_number
    a_transaction_reads_its_own_writes
    query_one_takes_at_most_one_row
    each_stops_when_told
    conflicts_name_the_index
    broken_references_are_refused
    a_refused_neighbour_rolls_back_alone
    a_panic_rolls_back_alone
    an_overlooked_error_is_not_committed
    a_read_is_a_snapshot
    reads_cannot_write
    a_cancelled_request_does_no_harm
    those_who_wait_share_commits
    closing_finishes_what_was_accepted
    dropping_the_store_inside_a_closure_is_harmless
    every_statement_prepares
    ping_answers
}

async fn values_come_back_as_they_went_in(bed: Bed) {
    let long = "ж".repeat(100_000);
    let cases: &[(&str, &str, Param<'_>, Value)] = &[
        ("null", "BIGINT", Param::Null, Value::Null),
        (
            "smallest",
            "BIGINT",
            Param::Int(i64::MIN),
            Value::Int(i64::MIN),
        ),
        (
            "largest",
            "BIGINT",
            Param::Int(i64::MAX),
            Value::Int(i64::MAX),
        ),
        ("small", "INTEGER", Param::Int(-7), Value::Int(-7)),
        (
            "empty text",
            "TEXT",
            Param::Text(""),
            Value::Text(String::new()),
        ),
        (
            "long text",
            "TEXT",
            Param::Text(&long),
            Value::Text(long.clone()),
        ),
        (
            "option",
            "TEXT",
            params![Some("x")][0],
            Value::Text("x".into()),
        ),
        ("no option", "TEXT", params![None::<&str>][0], Value::Null),
    ];
    for (name, kind, param, wanted) in cases {
        let (sql, owned) = (format!("SELECT CAST($1 AS {kind})"), owned(param));
        let work = move |tx: &mut Tx<'_>| tx.query(&sql, &params![&owned]);
        let got = bed.store.write(Scope::ALL, work).await;
        let wanted = std::slice::from_ref(wanted);
        assert_eq!(got.unwrap()[0].values(), wanted, "{name}");
    }
    let photos: &[(&str, &[u8])] = &[("no bytes", &[]), ("bytes", &[0, 255])];
    for (name, photo) in photos {
        let add = "INSERT INTO people (team, name, photo, active) VALUES (1, $1, $2, $3) RETURNING photo, active";
        let work = move |tx: &mut Tx<'_>| tx.query(add, &params![*name, *photo, photo.is_empty()]);
        let rows = bed.store.write(Scope::ALL, work).await.unwrap();
        assert_eq!(rows[0].bytes(0), Ok(*photo), "{name}");
        assert_eq!(rows[0].bool(1), Ok(photo.is_empty()), "{name}");
    }
}

fn owned(param: &Param<'_>) -> Value {
    match *param {
        Param::Null => Value::Null,
        Param::Bool(value) => Value::Bool(value),
        Param::Int(value) => Value::Int(value),
        Param::Text(text) => Value::Text(text.into()),
        Param::Bytes(bytes) => Value::Bytes(bytes.into()),
    }
}

async fn text_with_nul_is_refused(bed: Bed) {
    for name in ["a\0b", "\0", "ends in \0"] {
        let refused = bed
            .store
            .write(Scope::ALL, move |tx| add(tx, 1, name))
            .await;
        assert_eq!(refused, Err(Error::Nul { parameter: 2 }), "{name:?}");
    }
    assert_eq!(bed.count().await, 0);
}

async fn columns_of_another_type_are_refused(bed: Bed) {
    let rows = bed
        .store
        .lookup(|tx| tx.query("SELECT 'text', 7, CAST(NULL AS TEXT)", &[]))
        .await;
    let mut row = rows.unwrap().remove(0);
    let refused = |index, wanted, found| {
        Err(Error::Column {
            index,
            wanted,
            found,
        })
    };
    assert_eq!(row.int(0), refused(0, "an integer", "text"));
    assert_eq!(
        row.bool(1).map(i64::from),
        refused(1, "a truth value", "an integer")
    );
    assert_eq!(row.text(2).map(|_| 0), refused(2, "text", "NULL"));
    assert_eq!(row.bytes(1).map(|_| 0), refused(1, "bytes", "an integer"));
    assert_eq!(
        row.int(3),
        refused(3, "an integer", "nothing: the row has fewer columns")
    );
    assert_eq!(row.take_text(2).map(|_| 0), refused(2, "text", "NULL"));
    assert_eq!(
        (
            row.opt_text(2),
            row.opt_int(2),
            row.opt_bool(2),
            row.opt_bytes(2)
        ),
        (Ok(None), Ok(None), Ok(None), Ok(None))
    );
    assert_eq!(row.take_text(0), Ok("text".to_string()));
    assert_eq!(row.take_opt_text(0), Ok(None), "taken already");
}

async fn parameters_go_by_number(bed: Bed) {
    let swapped = bed
        .store
        .lookup(|tx| {
            let cast = "SELECT CAST($2 AS BIGINT), CAST($1 AS BIGINT), CAST($2 AS BIGINT)";
            tx.query(cast, &params![1, 2])
        })
        .await
        .unwrap();
    assert_eq!(
        swapped[0].values(),
        [Value::Int(2), Value::Int(1), Value::Int(2)]
    );
    let refused: [(&str, &str, &[Param<'static>]); 4] = [
        ("too few", "SELECT $1, $2", &[Param::Int(1)]),
        ("too many", "SELECT $1", &[Param::Int(1), Param::Int(2)]),
        ("a gap", "SELECT $1, $3", &[Param::Int(1), Param::Int(2)]),
        ("not numbered", "SELECT ?", &[Param::Int(1)]),
    ];
    for (name, sql, params) in refused {
        let got = bed.store.lookup(move |tx| tx.query(sql, params)).await;
        assert!(matches!(got, Err(Error::Failed(_))), "{name}: {got:?}");
    }
}

async fn a_transaction_reads_its_own_writes(bed: Bed) {
    let counted = bed.store.write(Scope::ALL, |tx| {
        add(tx, 1, "ann")?;
        one_int(tx, COUNT)
    });
    assert_eq!(counted.await, Ok(1));
    assert_eq!(
        bed.count().await,
        1,
        "and so does everybody after the commit"
    );
}

async fn query_one_takes_at_most_one_row(bed: Bed) {
    for (team, names, wanted) in [
        (1, &[][..], Ok(None)),
        (2, &["ann"], Ok(Some("ann"))),
        (3, &["ann", "bob"], Err(())),
    ] {
        let got = bed.store.write(Scope::ALL, move |tx| {
            names.iter().try_for_each(|name| add(tx, team, name))?;
            tx.query_one(NAMES, &params![team])
        });
        let got = got
            .await
            .map(|row| row.map(|row| row.text(0).unwrap().to_string()));
        assert_eq!(
            got.as_ref().map(|name| name.as_deref()).map_err(|_| ()),
            wanted,
            "{} rows",
            names.len()
        );
    }
}

async fn each_stops_when_told(bed: Bed) {
    let seen = bed.store.read(|tx| {
        let mut seen = Vec::new();
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n";
        tx.each(numbers, &[], |row| {
            seen.push(row.int(0).unwrap());
            if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok::<_, Error>(seen)
    });
    assert_eq!(seen.await, Ok(vec![1, 2, 3]));
}

async fn conflicts_name_the_index(bed: Bed) {
    let seed = bed.store.write(Scope::ALL, |tx| {
        tx.exec(
            "INSERT INTO people (id, team, name, nick) VALUES (100, 1, 'ann', 'A')",
            &[],
        )?;
        tx.exec("INSERT INTO pets (owner, name) VALUES (100, 'rex')", &[])
    });
    seed.await.unwrap();
    let cases = [
        (
            "INSERT INTO people (team, name) VALUES (1, 'ann')",
            "people_team_name",
        ),
        (
            "INSERT INTO people (team, name, nick) VALUES (1, 'bob', 'a')",
            "people_nick",
        ),
        (
            "INSERT INTO people (id, team, name) VALUES (100, 2, 'bob')",
            "people_pkey",
        ),
        (
            "INSERT INTO pets (owner, name) VALUES (100, 'rex')",
            "pets_pkey",
        ),
        (
            "INSERT INTO counters (name, value) VALUES ('n', 1)",
            "counters_pkey",
        ),
    ];
    for (sql, index) in cases {
        let got = bed
            .store
            .write(Scope::ALL, move |tx| tx.exec(sql, &[]))
            .await;
        assert_eq!(
            got,
            Err(Error::Conflict {
                index: index.into()
            }),
            "{sql}"
        );
    }
}

async fn broken_references_are_refused(bed: Bed) {
    let orphan =
        |tx: &mut Tx<'_>| tx.exec("INSERT INTO pets (owner, name) VALUES (99, 'rex')", &[]);
    assert_eq!(
        bed.store.write(Scope::ALL, orphan).await,
        Err(Error::ForeignKey)
    );
    let owned = |tx: &mut Tx<'_>| {
        tx.exec(
            "INSERT INTO people (id, team, name) VALUES (1, 1, 'ann')",
            &[],
        )?;
        tx.exec("INSERT INTO pets (owner, name) VALUES (1, 'rex')", &[])?;
        tx.exec("DELETE FROM people WHERE id = 1", &[])
    };
    assert_eq!(
        bed.store.write(Scope::ALL, owned).await,
        Err(Error::ForeignKey)
    );
    assert_eq!(bed.count().await, 0);
}

/// Starts `count` writes while the writer is held, so that they run as neighbours.
async fn neighbours<R: Send + 'static>(
    store: &Store,
    count: i64,
    work: impl Fn(&mut Tx<'_>, i64) -> Result<R> + Send + Sync + 'static,
) -> Vec<Result<R>> {
    let work = Arc::new(work);
    let (go, held) = hold(store).await;
    let mut running = Vec::new();
    for number in 0..count {
        let (store, work) = (store.clone(), Arc::clone(&work));
        running.push(tokio::spawn(async move {
            store.write(Scope::ALL, move |tx| work(tx, number)).await
        }));
    }
    while store.stats().queued <= u64::try_from(count).unwrap() {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for answer in running {
        answers.push(answer.await.unwrap());
    }
    answers
}

async fn a_refused_neighbour_rolls_back_alone(bed: Bed) {
    let answers = neighbours(&bed.store, 60, |tx, number| {
        add(tx, 1, &format!("own {number}"))?;
        add(tx, 2, &format!("shared {}", number % 20))?;
        if number % 20 == 7 {
            Err(Error::Failed("changed my mind".into()))
        } else {
            Ok(())
        }
    });
    let kept = answers.await.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(
        kept, 19,
        "each shared name once, but for the one nobody wants"
    );
    assert_eq!(bed.count().await, 2 * 19);
}

async fn a_panic_rolls_back_alone(bed: Bed) {
    let answers = neighbours(&bed.store, 9, |tx, number| {
        add(tx, 1, &format!("user {number}"))?;
        assert!(number != 4, "number {number} panics");
        Ok(())
    });
    for (number, answer) in answers.await.into_iter().enumerate() {
        match answer {
            Ok(()) => assert_ne!(number, 4),
            Err(Error::Failed(message)) => assert!(
                number == 4 && message.contains("number 4 panics"),
                "{message}"
            ),
            Err(other) => panic!("{other}"),
        }
    }
    let panic_in_a_read = bed
        .store
        .read(|_| -> Result<()> { panic!("in a read") })
        .await;
    assert!(matches!(panic_in_a_read, Err(Error::Failed(_))));
    assert_eq!(bed.count().await, 8);
}

async fn an_overlooked_error_is_not_committed(bed: Bed) {
    let conflict = Err(Error::Conflict {
        index: "people_team_name".into(),
    });
    let overlooked = bed.store.write(Scope::ALL, |tx| {
        add(tx, 1, "ann")?;
        let _ = add(tx, 1, "ann");
        Ok::<_, Error>(tx.query(COUNT, &[]).map(drop))
    });
    assert_eq!(overlooked.await.map(drop), conflict);
    assert_eq!(bed.count().await, 0);
}

async fn a_read_is_a_snapshot(bed: Bed) {
    let (go, wait) = mpsc::channel::<()>();
    let (begun, running) = mpsc::channel();
    let store = bed.store.clone();
    let read = tokio::spawn(async move {
        let work = move |tx: &mut Tx<'_>| {
            let before = one_int(tx, COUNT)?;
            begun.send(()).unwrap();
            let _ = wait.recv_timeout(Duration::from_secs(60));
            Ok::<_, Error>((before, one_int(tx, COUNT)?))
        };
        store.read(work).await
    });
    tokio::task::spawn_blocking(move || running.recv().unwrap())
        .await
        .unwrap();
    bed.store
        .write(Scope::ALL, |tx| add(tx, 1, "ann"))
        .await
        .unwrap();
    assert_eq!(
        bed.count().await,
        1,
        "a reader neither stops a writer nor others"
    );
    go.send(()).unwrap();
    assert_eq!(read.await.unwrap(), Ok((0, 0)));
}

async fn reads_cannot_write(bed: Bed) {
    assert_eq!(
        bed.store.read(|tx| add(tx, 1, "ann")).await,
        Err(Error::ReadOnly)
    );
    assert_eq!(
        bed.store.lookup(|tx| add(tx, 1, "ann")).await,
        Err(Error::ReadOnly)
    );
    assert_eq!(
        bed.store
            .lookup(|tx| tx.exec_at_commit(INCREMENT, &[]))
            .await,
        Err(Error::ReadOnly)
    );
    assert_eq!(bed.count().await, 0);
}

async fn a_cancelled_request_does_no_harm(bed: Bed) {
    let (go, held) = hold(&bed.store).await;
    let abandoned = bed.store.write(Scope::ALL, |tx| add(tx, 1, "ann"));
    assert!(
        tokio::time::timeout(Duration::from_millis(1), abandoned)
            .await
            .is_err()
    );
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    bed.store
        .write(Scope::ALL, |tx| add(tx, 1, "bob"))
        .await
        .unwrap();
    assert_eq!(bed.count().await, 2, "it had been accepted, so it was done");
}

async fn those_who_wait_share_commits(bed: Bed) {
    let answers = neighbours(&bed.store, 200, |tx, _| tx.exec(INCREMENT, &[])).await;
    assert!(answers.iter().all(Result::is_ok));
    let stats = bed.store.stats();
    assert_eq!((stats.writes, stats.rolled_back, stats.queued), (201, 0, 0));
    assert!(stats.commits < stats.writes, "{stats:?}");
    assert!((2..=64).contains(&stats.largest_group), "{stats:?}");
    assert_eq!(bed.store.lookup(|tx| one_int(tx, COUNTER)).await, Ok(200));
}

async fn closing_finishes_what_was_accepted(bed: Bed) {
    let (go, held) = hold(&bed.store).await;
    let mut running = Vec::new();
    for number in 0..10 {
        let store = bed.store.clone();
        running.push(tokio::spawn(async move {
            store
                .write(Scope::ALL, move |tx| add(tx, number, "ann"))
                .await
        }));
    }
    while bed.store.stats().queued < 11 {
        tokio::task::yield_now().await;
    }
    let other = bed.store.clone();
    let closing = tokio::task::spawn_blocking(move || other.close());
    while bed.store.lookup(|_| Ok::<_, Error>(())).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    closing.await.unwrap();
    held.await.unwrap().unwrap();
    for answer in running {
        assert_eq!(answer.await.unwrap(), Ok(()));
    }
    assert_eq!(
        bed.store.write(Scope::ALL, |tx| add(tx, 1, "bob")).await,
        Err(Error::Closed)
    );
    assert_eq!(
        bed.store.read(|tx| one_int(tx, COUNT)).await,
        Err(Error::Closed)
    );
    assert_eq!(bed.store.ping().await, Err(Error::Closed));
}

async fn dropping_the_store_inside_a_closure_is_harmless(bed: Bed) {
    let Bed { folder, store, .. } = bed;
    let last = store.clone();
    let (go, held) = hold(&store).await;
    // The request's future is abandoned, so that its closure owns the last clone of the store.
    let abandoned = async move {
        let owner = last.clone();
        last.write(Scope::ALL, move |tx| {
            let _ = &owner;
            add(tx, 1, "ann")
        })
        .await
    };
    assert!(
        tokio::time::timeout(Duration::from_millis(1), abandoned)
            .await
            .is_err()
    );
    drop(store);
    go.send(()).unwrap();
    held.await.unwrap().unwrap();
    drop(folder);
}

async fn every_statement_prepares(bed: Bed) {
    assert_eq!(bed.store.prepare_all(ALL), Ok(()));
    let (name, error) = bed
        .store
        .prepare_all(&[("ADD", ADD), ("BAD", "SELECT shoe_size FROM people")])
        .unwrap_err();
    assert_eq!(name, "BAD");
    assert!(error.to_string().contains("shoe_size"), "{error}");
}

async fn ping_answers(bed: Bed) {
    assert_eq!(bed.store.ping().await, Ok(()));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Keep,
    Refuse,
    Panic,
    Read,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However increments, refusals, panics and reads interleave, the counter holds the increments that were acknowledged.
    #[test]
    fn no_acknowledged_increment_is_lost(tasks in prop::collection::vec(prop::collection::vec(
        prop_oneof![5 => Just(Step::Keep), 2 => Just(Step::Refuse), 1 => Just(Step::Panic), 2 => Just(Step::Read)], 0..12), 1..12))
    {
        let wanted = tasks.iter().flatten().filter(|step| matches!(step, Step::Keep)).count();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        for make in [Bed::sqlite, Bed::postgres] {
            let bed = make();
            let counted = runtime.block_on(async {
                let running: Vec<_> = tasks.iter().map(|steps| tokio::spawn(run_steps(bed.store.clone(), steps.clone()))).collect();
                for task in running {
                    task.await.unwrap();
                }
                bed.store.lookup(|tx| one_int(tx, COUNTER)).await
            });
            prop_assert_eq!(counted, Ok(i64::try_from(wanted).unwrap()));
        }
    }
}

async fn run_steps(store: Store, steps: Vec<Step>) {
    let mut last = 0;
    for step in steps {
        let now = match step {
            Step::Read => store.lookup(|tx| one_int(tx, COUNTER)).await.unwrap(),
            _ => store
                .write(Scope::ALL, move |tx| {
                    tx.exec(INCREMENT, &[])?;
                    match step {
                        Step::Refuse => Err(Error::ForeignKey),
                        Step::Panic => panic!("as planned"),
                        _ => one_int(tx, COUNTER),
                    }
                })
                .await
                .unwrap_or(last),
        };
        assert!(now >= last, "nobody sees the counter go back");
        last = now;
    }
}
