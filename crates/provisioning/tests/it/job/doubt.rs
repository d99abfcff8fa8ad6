//! Resources of which nobody knows whether they were made, and links that were dropped: nobody who left stays behind.

use portreeve_provisioning::job::StatusCode;
use serde_json::{Value, json};

use super::world::{Rules, World};
use super::{interrupted, town};
use crate::double::Reply;

const SALES: Rules = Rules {
    top: "",
    scope: r#"scope = { groups = [{ clauses = [{ attribute = "department", operator = "EQUALS", values = ["Sales"] }] }] }"#,
};

/// Ada, whom the application makes without anybody hearing of it.
async fn unheard() -> World {
    let mut world = World::with(SALES).await;
    world.person("ada", json!({"department": "Sales"}));
    world.app.lock().unwrap().loses = true;
    world
}

/// How somebody leaves, and what is left of them.
type Leaving = (&'static str, fn(&mut World), Value);

fn leavings() -> [Leaving; 3] {
    let disabled = json!({"ada@x": {"displayName": "ada", "active": false}});
    [
        (
            "out of scope",
            |world| world.person("ada", json!({"department": "Help"})),
            disabled.clone(),
        ),
        (
            "blocked",
            |world| {
                let blocked = json!({"department": "Sales", "accountEnabled": false});
                world.person("ada", blocked);
            },
            disabled,
        ),
        ("gone", |world| drop(world.people.remove("ada")), json!({})),
    ]
}

#[tokio::test]
async fn who_leaves_before_anybody_heard_that_they_were_made_does_not_stay() {
    for (name, leave, left) in leavings() {
        let mut world = unheard().await;
        let summary = world.cycle().await;
        assert_eq!(summary.counters.failed, 1, "{name}: {summary:?}");
        assert_eq!(world.there()["ada@x"]["displayName"], "ada", "{name}");
        world.app.lock().unwrap().find();
        leave(&mut world);
        world.cycle().await;
        assert_eq!(world.there(), left, "{name}");
        assert_eq!(world.cycle().await.requests, 0, "{name}: once");
    }
}

#[tokio::test]
async fn who_leaves_after_the_cycle_has_ended_early_does_not_stay() {
    for (name, leave, left) in leavings() {
        let mut world = unheard().await;
        // Whether requests work at all is asked after the answer was lost, and they do not.
        let mut made = false;
        world.fault(move |request| {
            let refuses = made;
            made |= request.method == "POST";
            refuses.then(|| Reply::scim(401, &json!({"detail": "no"})))
        });
        world.cycle().await;
        let status = world.state.status().await.unwrap();
        assert_eq!(status.code, StatusCode::Quarantine, "{name}");
        world.app.lock().unwrap().find();
        world.mend();
        leave(&mut world);
        world.cycle().await;
        assert_eq!(world.there(), left, "{name}");
    }
}

/// The process is killed while the request is under way, and when it is back other rules hold.
#[tokio::test]
async fn who_is_out_of_scope_after_a_kill_does_not_stay() {
    let mut world = World::new().await;
    world.person("ada", json!({}));
    let mut requests = 0;
    while world.there() == json!({}) {
        requests += 1;
        assert!(interrupted::broken_off(&world, requests).await);
    }
    world.mend();
    world.rule(SALES);
    world.cycle().await;
    assert_eq!(world.there()["ada@x"]["active"], false);
}

#[tokio::test]
async fn who_was_there_before_and_never_in_scope_is_left_alone() {
    let mut world = World::with(SALES).await;
    world.person("ada", json!({"department": "Help"}));
    world.app.lock().unwrap().memory.users = vec![
        json!({"id": "x1", "userName": "ada@x", "externalId": "ada", "active": true, "displayName": "Ada"}),
    ];
    world.cycle().await;
    world.people.remove("ada");
    world.cycle().await;
    assert_eq!(world.there(), json!({"ada@x": {"displayName": "Ada"}}));
}

/// Somebody restores the application from a day on which Bob was not disabled yet.
#[tokio::test]
async fn who_is_disabled_is_found_again_when_links_were_dropped() {
    for restored in [false, true] {
        let mut world = town().await;
        let disabled = json!({"name": "Bob", "accountEnabled": false});
        world.person("bob", disabled);
        world.cycle().await;
        if restored {
            for user in &mut world.app.lock().unwrap().memory.users {
                user["active"] = json!(true);
            }
        }
        world.restart("ConnectorDataStore").await;
        world.cycle().await;
        assert_eq!(world.there()["bob@x"]["active"], false);
        assert_eq!(world.state.status().await.unwrap().users, 3);
        world.people.remove("bob");
        world.cycle().await;
        assert_eq!(world.there().get("bob@x"), None, "restored: {restored}");
    }
}
