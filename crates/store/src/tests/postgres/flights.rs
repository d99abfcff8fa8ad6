//! How often a transaction crosses the network, and how much it carries at a time.

use std::ops::ControlFlow;

use super::super::{ADD, Bed, COUNT, INCREMENT, add, one_int};
use super::Stranger;
use crate::{Error, Result, Scope, Tx, params};

/// Statements and round trips of a write or lookup that has been run before.
async fn cost(bed: &Bed, write: bool, work: fn(&mut Tx<'_>) -> Result<()>) -> (u64, u64) {
    let mut cost = (0, 0);
    for _ in 0..3 {
        let before = bed.store.stats();
        if write {
            bed.store.write(Scope::ALL, work).await.unwrap();
        } else {
            bed.store.lookup(work).await.unwrap();
        }
        let after = bed.store.stats();
        cost = (
            after.statements - before.statements,
            after.flights - before.flights,
        );
    }
    cost
}

fn one_query(tx: &mut Tx<'_>) -> Result<()> {
    one_int(tx, COUNT).map(drop)
}

fn two_queries(tx: &mut Tx<'_>) -> Result<()> {
    one_query(tx).and_then(|()| one_query(tx))
}

fn query_and_many_changes(tx: &mut Tx<'_>) -> Result<()> {
    let next = one_int(tx, COUNT)?;
    tx.exec_at_commit(INCREMENT, &[])?;
    (0..20).try_for_each(|number| add(tx, next + 1, &format!("{number}")))
}

fn only_changes(tx: &mut Tx<'_>) -> Result<()> {
    (0..20).try_for_each(|_| tx.exec(INCREMENT, &[]))
}

fn nothing(_: &mut Tx<'_>) -> Result<()> {
    Ok(())
}

#[tokio::test]
async fn what_can_wait_costs_no_round_trip() {
    let bed = Bed::postgres_with(|options| {
        options.writers = 1;
        options.lookups = 1;
    });
    for (case, write, work, wanted) in [
        (
            "a look-up",
            false,
            one_query as fn(&mut Tx<'_>) -> Result<()>,
            (1, 1),
        ),
        ("two look-ups", false, two_queries, (2, 2)),
        ("no look-up", false, nothing, (0, 0)),
        (
            "a question and its consequences",
            true,
            query_and_many_changes,
            (22, 2),
        ),
        ("changes without a question", true, only_changes, (20, 2)),
        ("no change", true, nothing, (0, 0)),
    ] {
        assert_eq!(cost(&bed, write, work).await, wanted, "{case}");
    }
}

#[tokio::test]
async fn more_than_memory_should_hold_is_sent_on_the_way() {
    let bed = Bed::postgres();
    let many = |tx: &mut Tx<'_>| {
        (0..5000).try_for_each(|number| tx.exec(ADD, &params![1, &format!("{number}")]))
    };
    bed.store.write(Scope::ALL, many).await.unwrap();
    assert_eq!(bed.count().await, 5000);
    let flights = bed.store.stats().flights;
    assert!((5000 / 256..100).contains(&flights), "{flights}");
}

#[tokio::test]
async fn a_long_answer_comes_in_portions() {
    let bed = Bed::postgres();
    // The whole of it would be a terabyte.
    let endless = "SELECT generate_series(1, 1000000000::bigint), repeat('x', 1000)";
    for write in [false, true] {
        let work = move |tx: &mut Tx<'_>| -> Result<i64> {
            let mut seen = 0;
            tx.each(endless, &[], |row| {
                seen += 1;
                assert_eq!(row.int(0), Ok(seen));
                if seen < 100_000 {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            // And the transaction goes on.
            tx.each("SELECT 1", &[], |_| ControlFlow::Continue(()))?;
            Ok(seen + one_int(tx, COUNT)?)
        };
        let seen = if write {
            bed.store.write(Scope::ALL, work).await
        } else {
            bed.store.read(work).await
        };
        assert_eq!(seen, Ok(100_000));
    }
}

#[tokio::test]
async fn a_statement_is_prepared_again_when_the_schema_has_changed_under_it() {
    let bed = Bed::postgres();
    let columns = |tx: &mut Tx<'_>| {
        let row = tx.query_one("SELECT * FROM counters", &[])?;
        row.map_or(Err(Error::Closed), |row| Ok(row.values().len()))
    };
    let stranger = Stranger::on(&bed.options).await;
    for wanted in [2, 3, 4] {
        for _ in 0..2 {
            assert_eq!(bed.store.lookup(columns).await, Ok(wanted));
            assert_eq!(bed.store.write(Scope::ALL, columns).await, Ok(wanted));
        }
        stranger
            .run(&format!(
                "ALTER TABLE counters ADD COLUMN more{wanted} BIGINT"
            ))
            .await;
    }
}

#[tokio::test]
async fn statements_that_nobody_uses_are_forgotten() {
    let bed = Bed::postgres_with(|options| options.lookups = 1);
    for number in 0..600 {
        let sql = format!("SELECT {number}::bigint");
        assert_eq!(
            bed.store.lookup(move |tx| one_int(tx, &sql)).await,
            Ok(number)
        );
    }
    let kept = bed
        .store
        .lookup(|tx| one_int(tx, "SELECT count(*) FROM pg_prepared_statements"));
    assert!((200..=257).contains(&kept.await.unwrap()));
}
