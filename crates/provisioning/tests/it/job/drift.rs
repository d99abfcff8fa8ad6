//! What was changed at the target by others.

use serde_json::json;

use super::town;
use super::world::{Rules, World};

const DRIFT: Rules = Rules {
    top: "drift = true",
    scope: "",
};

/// Somebody renames Ada, takes Bob out of Sales, and puts Cy and a stranger in.
fn meddle(world: &World) {
    let mut app = world.app.lock().unwrap();
    let id_of = |name: &str| {
        let user = app.memory.user(name);
        user["id"].clone()
    };
    let (ada, cy) = (id_of("ada@x"), id_of("cy@x"));
    let stranger = json!({"id": "U99", "userName": "stranger@x", "displayName": "Stranger"});
    app.memory.users.push(stranger);
    app.memory.users[0]["displayName"] = json!("Eve");
    let members = json!([{"value": ada}, {"value": cy}, {"value": "U99"}]);
    app.memory.groups[0]["members"] = members;
}

#[tokio::test]
async fn a_full_cycle_repairs_what_others_have_changed_where_it_is_asked_to() {
    let as_it_was = town().await.there();
    for (rules, repairs_members) in [(Rules::default(), false), (DRIFT, true)] {
        let mut world = town().await;
        world.rule(rules);
        meddle(&world);
        assert_eq!(
            world.cycle().await.requests,
            0,
            "what has not changed is not looked at"
        );
        world.restart("Watermark").await;
        world.cycle().await;
        let there = world.there();
        assert_eq!(there["ada@x"], as_it_was["ada@x"]);
        assert_eq!(
            there["Sales"] == as_it_was["Sales"],
            repairs_members,
            "{there}"
        );
        assert_eq!(
            there["stranger@x"]["displayName"], "Stranger",
            "who is not ours stays"
        );
        if repairs_members {
            let log = world.log().await;
            assert_eq!(log.last().unwrap(), "Sales update success");
            world.restart("Watermark").await;
            let summary = world.cycle().await;
            assert_eq!(
                summary.counters.references_written, 0,
                "and is as it should be"
            );
            assert!(
                world.asked().contains(&"GET /scim/Groups/G3".to_owned()),
                "{:?}",
                world.asked()
            );
        }
    }
}

/// Ada has Cy for a manager, Bob has none.
#[tokio::test]
async fn managers_are_repaired_like_other_attributes() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let others = |world: &World| {
        let app = world.app.lock().unwrap();
        let bob = app.memory.user("bob@x")["id"].clone();
        [json!({"manager": {"value": bob}}), json!({}), json!(null)]
    };
    for which in 0..3 {
        for (rules, expected) in [(Rules::default(), None), (DRIFT, Some("cy@x"))] {
            let mut world = town().await;
            world.rule(rules);
            let other = others(&world)[which].clone();
            world.app.lock().unwrap().memory.users[0][ENTERPRISE] = other;
            world.restart("Watermark").await;
            let summary = world.cycle().await;
            let manager = &world.there()["ada@x"]["manager"];
            match expected {
                Some(name) => {
                    assert_eq!(manager, name);
                    assert_eq!(summary.counters.references_written, 1);
                    world.restart("Watermark").await;
                    let summary = world.cycle().await;
                    assert_eq!(summary.counters.references_written, 0, "once");
                }
                None => assert_ne!(manager, "cy@x", "nobody asked for it"),
            }
        }
    }
}
