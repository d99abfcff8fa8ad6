//! Groups: members who come later, groups within groups.

use serde_json::json;

use super::world::{Rules, World};

const NESTED: Rules = Rules {
    top: "expand_nested_groups = true",
    scope: "",
};

const FORGETFUL: Rules = Rules {
    top: "late_references = false",
    scope: "",
};

#[tokio::test]
async fn members_and_managers_who_come_later_are_linked_then() {
    let mut world = World::new().await;
    world.person("ada", json!({"manager": "bob"}));
    world.person("bob", json!({"accountEnabled": false}));
    world.group("Sales", &["ada", "bob"]);
    world.cycle().await;
    assert_eq!(world.there()["Sales"], json!(["ada@x"]));
    assert_eq!(world.cycle().await.requests, 0, "waiting costs nothing");
    world.person("bob", json!({}));
    world.cycle().await;
    assert_eq!(world.there()["Sales"], json!(["ada@x", "bob@x"]));
    assert_eq!(world.there()["ada@x"]["manager"], "bob@x");
}

#[tokio::test]
async fn where_late_references_are_off_they_are_told_and_forgotten_until_a_restart() {
    let mut world = World::with(FORGETFUL).await;
    world.person("ada", json!({}));
    world.person("bob", json!({"accountEnabled": false}));
    world.group("Sales", &["ada", "bob"]);
    world.cycle().await;
    let log = world.log().await;
    let told = "Sales update warning UnableToResolveReferenceAttributeValue".to_owned();
    assert!(log.contains(&told), "{log:?}");
    world.person("bob", json!({}));
    world.cycle().await;
    assert_eq!(world.there()["Sales"], json!(["ada@x"]));
    world.restart("Watermark").await;
    world.cycle().await;
    assert_eq!(world.there()["Sales"], json!(["ada@x", "bob@x"]));
}

#[tokio::test]
async fn a_group_within_a_group_is_a_member_unless_its_people_are() {
    for (rules, expected) in [
        (Rules::default(), json!(["Inner", "ada@x"])),
        (NESTED, json!(["ada@x", "bob@x"])),
    ] {
        let mut world = World::with(rules).await;
        world.person("ada", json!({}));
        world.person("bob", json!({}));
        world.group("Inner", &["bob"]);
        world.group("Outer", &["ada", "Inner"]);
        world.cycle().await;
        assert_eq!(world.there()["Outer"], expected);
    }
}

/// Each change below, and who is in the outermost group afterwards.
#[tokio::test]
async fn changes_far_below_reach_every_group_above() {
    let mut world = World::with(NESTED).await;
    for key in ["a", "b", "c", "d"] {
        world.person(key, json!({}));
    }
    world.group("Top", &["Middle"]);
    world.group("Middle", &["Low", "a"]);
    world.group("Low", &["b"]);
    world.cycle().await;
    assert_eq!(world.there()["Top"], json!(["a@x", "b@x"]));

    type Edit = fn(&mut World);
    let cases: [(&str, Edit, serde_json::Value); 6] = [
        (
            "comes low",
            |it| it.group("Low", &["b", "c"]),
            json!(["a@x", "b@x", "c@x"]),
        ),
        (
            "is in twice",
            |it| it.group("Middle", &["Low", "a", "b"]),
            json!(["a@x", "b@x", "c@x"]),
        ),
        (
            "leaves once",
            |it| it.group("Low", &["c"]),
            json!(["a@x", "b@x", "c@x"]),
        ),
        (
            "leaves twice",
            |it| it.group("Middle", &["Low", "a"]),
            json!(["a@x", "c@x"]),
        ),
        (
            "a circle",
            |it| it.group("Low", &["c", "d", "Top"]),
            json!(["a@x", "c@x", "d@x"]),
        ),
        ("cut off", |it| it.group("Middle", &["a"]), json!(["a@x"])),
    ];
    for (name, edit, expected) in cases {
        edit(&mut world);
        world.cycle().await;
        assert_eq!(world.there()["Top"], expected, "{name}");
        assert_eq!(world.cycle().await.requests, 0, "{name}");
    }
}

#[tokio::test]
async fn a_large_group_is_written_in_parts_of_a_hundred() {
    let mut world = World::new().await;
    world.crowd(250);
    let all: Vec<String> = world.people.keys().cloned().collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    world.group("All", &all);
    world.cycle().await;
    assert_eq!(world.there()["All"].as_array().unwrap().len(), 250);
    let patches = world.asked();
    let patches = patches
        .iter()
        .filter(|it| it.starts_with("PATCH /scim/Groups"));
    assert_eq!(patches.count(), 3);
}
