//! Requests that were answered before they were carried out: an outcome for each, whatever happens.

use crate::world::World;
use portreeve_directory::outcomes::{self, LIFE_US, Outcome};
use portreeve_directory::{Clock, Ids, Refusal, SystemClock};
use serde_json::{Value, json};
use std::sync::Arc;

fn accept(world: &World, id: &'static str, bulk: bool, asked: Value) -> i64 {
    let asked: Vec<Value> = serde_json::from_value(asked).unwrap();
    world
        .write(move |tx, call| {
            outcomes::accept(tx, call, id, bulk, &asked)?;
            Ok(call.at)
        })
        .unwrap()
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

#[test]
fn an_outcome_is_told_once_and_can_be_read_for_a_day() {
    let world = World::new();
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

#[test]
fn each_operation_of_a_bulk_request_is_told_under_its_place() {
    let world = World::new();
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

#[test]
fn what_a_stopped_server_has_left_is_told_as_failed() {
    let mut world = World::new();
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
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new());
    for expect in [1, 0] {
        let (clock, ids) = (clock.clone(), ids.clone());
        let count = world
            .write(move |tx, _| outcomes::interrupted(tx, &clock, &ids, &json!({"status": "503"})));
        assert_eq!(count.unwrap(), expect);
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
