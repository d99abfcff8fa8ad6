//! Cycles: what a job makes of what its source tells, over its whole life.

mod assigned;
mod doubt;
mod drift;
mod dry_run;
mod faults;
mod groups;
mod interrupted;
mod on_demand;
mod restarts;
mod world;

use std::time::Duration;

use portreeve_provisioning::engine::quarantine::{Change, Verdict};
use portreeve_provisioning::job::{Counters, CycleKind, RunResult};
use serde_json::json;
use world::{Rules, World};

/// Three people and a group of two, brought to the application.
async fn town() -> World {
    let mut world = World::new().await;
    world.person("ada", json!({"name": "Ada", "manager": "cy"}));
    world.person("bob", json!({"name": "Bob"}));
    world.person("cy", json!({"name": "Cy"}));
    world.group("Sales", &["ada", "bob"]);
    let summary = world.cycle().await;
    assert_eq!(summary.result, RunResult::Succeeded, "{summary:?}");
    world
}

#[tokio::test]
async fn an_initial_cycle_brings_everybody_then_groups_then_references() {
    let world = town().await;
    assert_eq!(
        world.there(),
        json!({
            "ada@x": {"displayName": "Ada", "manager": "cy@x"},
            "bob@x": {"displayName": "Bob"},
            "cy@x": {"displayName": "Cy"},
            "Sales": ["ada@x", "bob@x"],
        })
    );
    let asked = world.asked();
    let place = |line: &str| asked.iter().position(|it| it == line).unwrap();
    let last_user = asked.iter().rposition(|it| it == "POST /scim/Users");
    assert!(last_user.unwrap() < place("POST /scim/Groups"), "{asked:?}");
    let first_patch = asked.iter().position(|it| it.starts_with("PATCH"));
    assert!(
        place("POST /scim/Groups") < first_patch.unwrap(),
        "{asked:?}"
    );
    let status = world.state.status().await.unwrap();
    assert_eq!((status.users, status.groups, status.escrowed), (3, 1, 0));
    let mut log = world.log().await;
    log.sort();
    assert_eq!(
        log,
        [
            "Sales create success",
            "Sales update success",
            "ada create success",
            "ada update success",
            "bob create success",
            "cy create success",
        ]
    );
}

#[tokio::test]
async fn an_empty_cycle_asks_nobody_anything() {
    let world = town().await;
    let before = world.log().await.len();
    world.double.lines();
    let summary = world.cycle().await;
    assert_eq!(
        (summary.kind, summary.number, summary.result),
        (CycleKind::Incremental, 2, RunResult::Succeeded)
    );
    assert_eq!(world.double.lines(), [""; 0], "not even a probe");
    assert_eq!(summary.counters, Counters::default());
    assert_eq!(world.log().await.len(), before);
}

/// A change of the source, what the application has after the next cycle, and the requests of that cycle.
type Case = (&'static str, fn(&mut World), serde_json::Value, usize);

/// One after the other.
fn cases() -> [Case; 8] {
    [
        (
            "a name",
            |world| world.person("ada", json!({"name": "Ada L", "manager": "cy"})),
            json!({"ada@x": {"displayName": "Ada L", "manager": "cy@x"}}),
            2,
        ),
        (
            "blocked",
            |world| world.person("bob", json!({"name": "Bob", "accountEnabled": false})),
            json!({"bob@x": {"displayName": "Bob", "active": false}}),
            2,
        ),
        (
            "unblocked",
            |world| world.person("bob", json!({"name": "Bob"})),
            json!({"bob@x": {"displayName": "Bob"}}),
            2,
        ),
        (
            "another manager",
            |world| world.person("ada", json!({"name": "Ada L", "manager": "bob"})),
            json!({"ada@x": {"displayName": "Ada L", "manager": "bob@x"}}),
            1,
        ),
        (
            "one comes",
            |world| {
                world.person("dee", json!({"name": "Dee"}));
                world.group("Sales", &["ada", "bob", "dee"]);
            },
            json!({"dee@x": {"displayName": "Dee"}, "Sales": ["ada@x", "bob@x", "dee@x"]}),
            3,
        ),
        (
            "one leaves a group",
            |world| world.group("Sales", &["ada", "dee"]),
            json!({"Sales": ["ada@x", "dee@x"]}),
            1,
        ),
        (
            "one is gone",
            |world| {
                world.people.remove("dee");
                world.group("Sales", &["ada"]);
            },
            json!({"dee@x": null, "Sales": ["ada@x"]}),
            1,
        ),
        (
            "a group is gone",
            |world| {
                world.groups.remove("Sales");
            },
            json!({"Sales": null}),
            1,
        ),
    ]
}

#[tokio::test]
async fn an_incremental_cycle_sends_what_has_changed() {
    let mut world = town().await;
    let mut expected = world.there();
    for (name, edit, changed, requests) in cases() {
        edit(&mut world);
        let summary = world.cycle().await;
        assert_eq!(summary.result, RunResult::Succeeded, "{name}: {summary:?}");
        for (key, value) in changed.as_object().unwrap() {
            match value.is_null() {
                true => drop(expected.as_object_mut().unwrap().remove(key)),
                false => expected[key] = value.clone(),
            }
        }
        let mut there = world.there();
        // Whoever is deleted is in no group, whatever this application still shows.
        if let Some(sales) = there.get_mut("Sales").and_then(|it| it.as_array_mut()) {
            sales.retain(|name| name != "nobody");
        }
        assert_eq!(there, expected, "{name}");
        assert_eq!(world.asked().len(), requests, "{name}: {:?}", world.asked());
        assert_eq!(world.cycle().await.requests, 0, "{name}: nothing is left");
    }
}

#[tokio::test]
async fn who_is_there_already_is_linked_and_compared_first() {
    let mut world = World::new().await;
    world.person("ada", json!({"name": "Ada"}));
    world.person("bob", json!({"name": "Bob"}));
    world.app.lock().unwrap().memory.users = vec![
        json!({"id": "x1", "userName": "ada@x", "externalId": "ada", "active": true, "displayName": "Ada"}),
        json!({"id": "x2", "userName": "bob@x", "externalId": "bob", "active": true, "displayName": "Robert"}),
    ];
    let summary = world.cycle().await;
    let Counters {
        created,
        updated,
        unchanged,
        ..
    } = summary.counters;
    assert_eq!((created, updated, unchanged), (0, 1, 1));
    assert_eq!(world.there()["bob@x"], json!({"displayName": "Bob"}));
    let log = world.log().await;
    assert!(
        log.contains(&"ada other skipped RedundantExport".to_owned()),
        "{log:?}"
    );
}

#[tokio::test]
async fn more_losses_than_the_threshold_are_held_until_they_are_allowed() {
    const RULES: Rules = Rules {
        top: "accidental_deletions = { threshold = 500 }",
        scope: "",
    };
    let mut world = World::with(RULES).await;
    world.crowd(700);
    world.cycle().await;
    // 600 leave: none of them is deleted. Whoever comes is made all the same.
    world.people.retain(|key, _| key.as_str() < "p0100");
    world.person("new", json!({}));
    let summary = world.cycle().await;
    assert_eq!(summary.held.map(|held| held.deletes), Some(600));
    assert_eq!(summary.counters.held, 600);
    assert_eq!(summary.counters.created, 1);
    assert!(
        matches!(summary.quarantine, Change::Entered(_)),
        "{summary:?}"
    );
    let error = summary.error.unwrap();
    assert!(
        error.contains("600") && error.contains("ForceDeletes"),
        "{error}"
    );
    assert_eq!(world.there().as_object().unwrap().len(), 701);
    let log = world.log().await;
    let staged = log
        .iter()
        .filter(|it| it.contains("stagedDelete skipped TooManyDeletes"));
    assert_eq!(staged.count(), 600);
    // They are held again, and not told again.
    let before = world.log().await.len();
    let summary = world.cycle().await;
    assert_eq!(
        (summary.counters.held, world.log().await.len()),
        (600, before)
    );
    assert_eq!(world.state.status().await.unwrap().escrowed, 0);
    assert!(
        matches!(summary.quarantine, Change::Stays(_)),
        "{summary:?}"
    );
    assert_eq!(world.there().as_object().unwrap().len(), 701);

    world.restart("ForceDeletes").await;
    let summary = world.cycle().await;
    assert_eq!(summary.counters.deleted, 600);
    assert_eq!(summary.quarantine, Change::Left);
    assert_eq!(world.there().as_object().unwrap().len(), 101);
    assert_eq!(world.cycle().await.verdict, Verdict::Healthy);
}

#[tokio::test]
async fn exactly_the_threshold_goes_through() {
    const RULES: Rules = Rules {
        top: "accidental_deletions = { threshold = 2 }",
        scope: "",
    };
    let mut world = World::with(RULES).await;
    world.crowd(3);
    world.cycle().await;
    world.people.remove("p0000");
    world.people.remove("p0001");
    let summary = world.cycle().await;
    assert_eq!((summary.counters.deleted, summary.held), (2, None));
}

#[tokio::test]
async fn who_fails_a_scoping_filter_is_disabled_once_and_then_left_alone() {
    const SALES: Rules = Rules {
        top: "",
        scope: r#"scope = { groups = [{ clauses = [{ attribute = "department", operator = "EQUALS", values = ["Sales"] }] }] }"#,
    };
    let mut world = World::with(SALES).await;
    world.person("ada", json!({"department": "Sales"}));
    world.person("bob", json!({"department": "Help"}));
    world.cycle().await;
    assert_eq!(world.there(), json!({"ada@x": {"displayName": "ada"}}));
    world.person("ada", json!({"department": "Help"}));
    let summary = world.cycle().await;
    assert_eq!(summary.counters.disabled, 1);
    assert_eq!(world.there()["ada@x"]["active"], false);
    // A later purge sends nothing: she is not managed any more.
    world.people.remove("ada");
    assert_eq!(world.cycle().await.requests, 0);
    // And whoever comes back with another key gets her account.
    world.person(
        "eda",
        json!({"mail": "ada@x", "name": "Eda", "department": "Sales"}),
    );
    world.cycle().await;
    assert_eq!(world.there(), json!({"ada@x": {"displayName": "Eda"}}));
}

#[tokio::test]
async fn rows_that_cannot_be_used_are_told_and_cost_nobody_the_account() {
    let mut world = town().await;
    world
        .people
        .insert("x".to_owned(), json!({"mail": "no key"}));
    let summary = world.cycle().await;
    assert_eq!(summary.counters.unusable, 1);
    let log = world.log().await;
    assert!(
        log.last().unwrap().ends_with("other skipped ImportSkipped"),
        "{log:?}"
    );
    assert_eq!(world.there().as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn the_next_cycle_begins_an_interval_after_this_one_began() {
    let world = town().await;
    let status = world.state.status().await.unwrap();
    let last = status.last_execution.unwrap();
    assert_eq!(
        status
            .next_run
            .unwrap()
            .duration_since(last.began)
            .as_mins(),
        5
    );
    world.clock.set(1_600_000_000_000_000);
    let summary = world.cycle().await;
    let wait = summary.next_run.unwrap().duration_since(summary.ended);
    assert!(wait.as_mins() <= 5, "{wait}");
    world.pass(Duration::from_secs(1));
}
