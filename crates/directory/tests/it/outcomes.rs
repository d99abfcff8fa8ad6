//! Requests that were answered before they were carried out: an outcome for each, whatever happens.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::outcomes::{self, LIFE_US, New, Outcome};
use portreeve_directory::{Clock, Ids, Refusal, SystemClock, leases};
use serde_json::{Value, json};
use std::sync::Arc;

on_each_engine! {
    an_outcome_is_told_once_and_can_be_read_for_a_day
    each_operation_of_a_bulk_request_is_told_under_its_place
    what_a_stopped_server_has_left_is_told_as_failed
    what_a_living_replica_has_accepted_is_left_to_it
    what_cannot_be_read_any_more_is_removed_in_batches
}

const REPLICA: &str = "replica";

fn accept(world: &World, id: &'static str, bulk: bool, asked: Value) -> i64 {
    let asked: Vec<Value> = serde_json::from_value(asked).unwrap();
    world
        .write(move |tx, call| {
            if !leases::lives(tx, REPLICA)? {
                leases::register(tx, REPLICA, call.at)?;
            }
            assert!(outcomes::accept(tx, call, &new(id, REPLICA, bulk, &asked))?);
            Ok(call.at)
        })
        .unwrap()
}

fn new<'a>(id: &'a str, replica_id: &'a str, bulk: bool, asked: &'a [Value]) -> New<'a> {
    New {
        id,
        replica_id,
        bulk,
        asked,
    }
}

/// What [`outcomes::interrupted`] settles, at most so many, as any replica does it.
fn tell_interrupted(world: &World, limit: usize) -> usize {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new());
    let told = world.write(move |tx, _| {
        let mut count = 0;
        for directory in outcomes::orphaned(tx)? {
            let result = json!({"status": "503"});
            count += outcomes::interrupted(tx, &directory, (&clock, &ids), &result, limit)?;
        }
        Ok(count)
    });
    told.unwrap()
}

fn settle(world: &World, id: &'static str, results: Value) {
    let results: Vec<Value> = serde_json::from_value(results).unwrap();
    world
        .write(move |tx, call| outcomes::settle(tx, call, id, &results))
        .unwrap();
}

fn outcome(world: &World, id: &'static str, now: i64) -> Result<Outcome, Refusal> {
    let directory = world.directory.id.clone();
    world.read(move |tx| outcomes::by_id(tx, &directory, id, now))
}

/// What the events of answers tell, as (object, txn, status).
fn told(world: &World) -> Vec<(Option<String>, Value, Value)> {
    let answers = world.events().into_iter().filter(|e| e.action == "answer");
    answers
        .map(|event| {
            let value = |name: &str| {
                let found = event.changes.iter().find(|c| c["attribute"] == name);
                found.map_or(Value::Null, |change| change["new"].clone())
            };
            (event.object_id.clone(), value("txn"), value("status"))
        })
        .collect()
}

fn an_outcome_is_told_once_and_can_be_read_for_a_day(on: Engine) {
    let world = World::new(on);
    let at = accept(
        &world,
        "t",
        false,
        json!([{"method": "PUT", "uri": "/Users/u"}]),
    );
    let before = outcome(&world, "t", at).unwrap();
    assert_eq!((before.settled_at, before.bulk), (None, false));
    assert_eq!(told(&world), []);
    let result = json!([{"method": "PUT", "uri": "/Users/u", "status": "200"}]);
    settle(&world, "t", result.clone());
    settle(
        &world,
        "t",
        json!([{"method": "PUT", "uri": "/Users/u", "status": "500"}]),
    );
    let after = outcome(&world, "t", at + LIFE_US - 1).unwrap();
    assert_eq!(Value::from(after.results), result);
    assert_eq!(told(&world), [(Some("u".into()), json!("t"), json!("200"))]);
    assert!(matches!(
        outcome(&world, "t", at + LIFE_US),
        Err(Refusal::NotFound(..))
    ));
}

fn each_operation_of_a_bulk_request_is_told_under_its_place(on: Engine) {
    let world = World::new(on);
    let asked =
        json!([{"method": "POST", "uri": "/Users"}, {"method": "DELETE", "uri": "/Groups/g"}]);
    accept(&world, "t", true, asked);
    settle(
        &world,
        "t",
        json!([
            {"method": "POST", "uri": "/Users", "status": "400"},
            {"method": "DELETE", "uri": "/Groups/g", "status": "204"},
        ]),
    );
    assert_eq!(
        told(&world),
        [
            (None, json!("t:0"), json!("400")),
            (Some("g".into()), json!("t:1"), json!("204")),
        ]
    );
}

fn what_a_stopped_server_has_left_is_told_as_failed(on: Engine) {
    let mut world = World::new(on);
    let at = accept(
        &world,
        "done",
        false,
        json!([{"method": "PUT", "uri": "/Users/u"}]),
    );
    settle(
        &world,
        "done",
        json!([{"method": "PUT", "uri": "/Users/u", "status": "200"}]),
    );
    accept(
        &world,
        "gone",
        false,
        json!([{"method": "PUT", "uri": "/Users/v"}]),
    );
    let directory = world.directory.id.clone();
    world
        .write(move |tx, _| outcomes::withdraw(tx, &directory, "gone"))
        .unwrap();
    let asked = json!([{"method": "POST", "uri": "/Users", "bulkId": "a"}, {"uri": "/Bulk"}]);
    accept(&world, "left", true, asked);
    world.reopen();
    assert_eq!(tell_interrupted(&world, 10), 0, "its replica still lives");
    world.write(|tx, _| leases::alone(tx)).unwrap();
    for expect in [1, 0] {
        assert_eq!(tell_interrupted(&world, 10), expect);
    }
    let left = outcome(&world, "left", at).unwrap();
    assert!(left.settled_at.is_some());
    assert_eq!(
        Value::from(left.results),
        json!([
            {"method": "POST", "uri": "/Users", "bulkId": "a", "status": "503"},
            {"uri": "/Bulk", "status": "503"},
        ])
    );
    let txns: Vec<_> = told(&world).into_iter().map(|(_, txn, _)| txn).collect();
    assert_eq!(txns, [json!("done"), json!("left:0"), json!("left:1")]);
}

fn what_a_living_replica_has_accepted_is_left_to_it(on: Engine) {
    let world = World::new(on);
    let asked = [json!({"method": "PUT", "uri": "/Users/u"})];
    let by = |id: &'static str, replica_id: &'static str| {
        let asked = asked.clone();
        world
            .write(move |tx, call| outcomes::accept(tx, call, &new(id, replica_id, false, &asked)))
            .unwrap()
    };
    assert!(!by("early", "a"), "nobody knows this replica");
    for replica in ["a", "b"] {
        world
            .write(move |tx, call| leases::register(tx, replica, call.at))
            .unwrap();
    }
    for (id, replica) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")] {
        assert!(by(id, replica), "{id}");
    }
    world
        .write(|tx, _| {
            let listed = leases::replicas(tx)?;
            leases::bury(tx, &listed[0])
        })
        .unwrap();
    assert!(!by("late", "a"), "it is held to be dead");
    let counts = [2, 1, 0].map(|_| tell_interrupted(&world, 2));
    assert_eq!(counts, [2, 1, 0]);
    for (id, told) in [("a1", true), ("a2", true), ("a3", true), ("b1", false)] {
        let found = outcome(&world, id, 0).unwrap();
        assert_eq!(found.settled_at.is_some(), told, "{id}");
    }
    // The dead one wakes up and finishes what was told as interrupted: it stays told as that.
    settle(&world, "a1", json!([{"status": "200"}]));
    settle(&world, "b1", json!([{"status": "200"}]));
    let status = |id| outcome(&world, id, 0).unwrap().results[0]["status"].clone();
    assert_eq!((status("a1"), status("b1")), (json!("503"), json!("200")));
}

fn what_cannot_be_read_any_more_is_removed_in_batches(on: Engine) {
    let world = World::new(on);
    let names = ["a", "b", "c"];
    let mut last = 0;
    for name in names {
        last = accept(&world, name, false, json!([{"uri": "/Users/u"}]));
    }
    let expire = |now: i64| {
        let removed = world.write(move |tx, _| {
            let mut count = 0;
            for directory in outcomes::expired(tx, now)? {
                count += outcomes::expire(tx, &directory, now, 2)?;
            }
            Ok(count)
        });
        removed.unwrap()
    };
    // The last one can still be read.
    let now = last + LIFE_US - 1;
    assert_eq!([expire(now), expire(now)], [2, 0]);
    assert!(outcome(&world, "c", now).is_ok());
    assert_eq!([expire(now + 1), expire(now + 1)], [1, 0]);
}
