//! Whom visitors find, and why nobody reads all people out of the search.

use super::{House, code, with_desk};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn visitors_find_who_is_received_there_as_the_location_shows_them() {
    let house = House::start().await;
    let jane = house.person("Jane", "Doe", "Engines").await;
    house.person("Jürgen", "Núñez", "Engines").await;
    let hidden = house.person("Janet", "Hyde", "Law").await;
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Front", "members": [{"value": jane}]});
    let group = house.provider.post("/Groups", group).await;
    let directory = house.provider.base().rsplit('/').nth(1).unwrap().to_owned();
    let path = format!("/directories/{directory}/visitor-hosts/{hidden}");
    let hide = house
        .server
        .admin()
        .patch(&path, json!({"is_hidden": true}))
        .await;
    assert_eq!(hide.status, 200, "{hide}");

    let plain = house.door("Plain", json!({})).await;
    let short = house
        .door("Short", json!({"names": "short", "departments": false}))
        .await;
    let front = house.door("Front", json!({"groups": [group.id()]})).await;
    for (door, text, names) in [
        (&plain, "jane", vec!["Jane Doe"]),
        (&plain, "j%C3%BCrgen", vec!["Jürgen Núñez"]),
        (&plain, "engines", vec!["Jane Doe", "Jürgen Núñez"]),
        (&plain, "hyde", vec![]),
        (&short, "jane", vec!["Jane D."]),
        (&short, "nunez", vec!["Jürgen N."]),
        (&short, "engines", vec![]),
        (&short, "jane%20engi", vec![]),
        (&front, "jane", vec!["Jane Doe"]),
        (&front, "nunez", vec![]),
    ] {
        assert_eq!(door.found(text).await, names, "{text}");
    }
    let shown = plain.tablet.get("/people?q=jane").await;
    assert_eq!(
        shown.json,
        json!([{"id": jane, "name": "Jane Doe", "department": "Engines"}]),
        "nothing else of them, no address above all"
    );
    let shown = short.tablet.get("/people?q=jane").await;
    assert_eq!(shown.json, json!([{"id": jane, "name": "Jane D."}]));
    house.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn nobody_reads_all_people_out_of_the_search() {
    let house = House::start().await;
    for n in 0..10 {
        house.person(&format!("Ada{n}"), "King", "Engines").await;
    }
    let (door, other) = (
        house.door("Pier 7", json!({})).await,
        house.door("Gate", json!({})).await,
    );
    for (name, query, status) in [
        ("nothing", "", 400),
        ("no question", "?q=", 400),
        ("one letter", "?q=a", 400),
        ("one letter and blanks", "?q=+a+", 400),
        ("no letters", "?q=%25%25%25", 400),
        ("signs of patterns", "?q=*_%25", 400),
        ("all too much", &format!("?q={}", "a".repeat(101)), 400),
        ("two letters", "?q=ad", 200),
        ("one letter twice", "?q=a+k", 200),
    ] {
        let answer = door.tablet.get(&format!("/people{query}")).await;
        assert_eq!(answer.status, status, "{name}: {answer}");
        let found = answer.json.as_array().map_or(0, Vec::len);
        assert_eq!(found, if name == "two letters" { 8 } else { 0 }, "{name}");
        assert_eq!(
            answer.header("link"),
            None,
            "{name}: there is no further page"
        );
    }
    let mut refused = Value::Null;
    for _ in 0..100 {
        let answer = door.tablet.get("/people?q=ad").await;
        if answer.status == 429 {
            assert_eq!(code(&answer), "rate_limited");
            assert_eq!(answer.header("retry-after"), Some("2"), "{answer}");
            refused = answer.json;
            break;
        }
    }
    assert!(
        refused.is_object(),
        "the clock stands still, and a hundred were answered"
    );
    assert_eq!(door.tablet.get("/people?q=ad").await.status, 429);
    let by_name = door.sign_out(json!({"name": "Ada"})).await;
    assert_eq!(
        by_name.status, 429,
        "names of visitors count as well: {by_name}"
    );
    assert_eq!(
        house.refusals().await,
        ["rate_limited"],
        "once, not for each"
    );
    assert_eq!(
        other.tablet.get("/people?q=ad").await.status,
        200,
        "another tablet"
    );
    assert_eq!(
        door.tablet.get("/state").await.status,
        200,
        "the rest goes on"
    );
    house.server.clock().advance(Duration::from_secs(2));
    assert_eq!(door.tablet.get("/people?q=ad").await.status, 200);
    assert_eq!(door.tablet.get("/people?q=ad").await.status, 429);
    house.server.stop().await;
}

#[tokio::test]
async fn whoever_cannot_be_found_cannot_be_visited_by_a_known_id() {
    let house = House::start().await;
    let jane = house.person("Jane", "Doe", "Engines").await;
    let other = house.person("Other", "Group", "Law").await;
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Front", "members": [{"value": jane}]});
    let group = house.provider.post("/Groups", group).await;
    let mut settings = with_desk();
    settings["groups"] = json!([group.id()]);
    let door = house.door("Front", settings).await;
    let out = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
    let nobody = "0192f7a0-0000-7000-8000-000000000001".to_owned();
    door.come("Mia", json!({"visitor_host": jane})).await;
    house.provider.patch(&format!("/Users/{jane}"), out).await;
    let mut said = Vec::new();
    for id in [&jane, &other, &nobody] {
        let answer = door.sign_in("Mia", json!({"visitor_host": id})).await;
        assert_eq!(
            (answer.status, code(&answer)),
            (404, "visitor_host_unknown")
        );
        said.push(answer.json);
    }
    assert!(
        said.iter().all(|one| *one == said[0]),
        "none tells more than another: {said:?}"
    );
    assert_eq!(house.visits().await.len(), 1);
    house.server.stop().await;
}
