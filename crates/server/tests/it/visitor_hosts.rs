//! Visitor hosts from their provider to the reception, and what they and others are told of visitors.

mod house;
mod program;
mod template;

use crate::sink::Sink;
use house::House;
use program::Program;
use serde_json::{Value, json};
use std::time::Duration;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Somebody as Entra makes them with the vendor's mapping table.
fn entra(given: &str, family: &str, department: &str) -> Value {
    let address = format!(
        "{}.{}@contoso.example",
        given.to_lowercase(),
        family.to_lowercase()
    );
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": address,
        "active": true,
        "emails": [
            {"type": "work", "value": address, "primary": true},
            {"type": "other", "value": format!("{}@home.example", given.to_lowercase())},
        ],
        "name": {"givenName": given, "familyName": family},
        "phoneNumbers": [{"type": "work", "value": "+43 1 1"}, {"type": "mobile", "value": "+43 660 1"}],
        ENTERPRISE: {"organization": "Contoso", "department": department},
    })
}

fn patch(operations: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}

/// The vendor's guide, from the first request of the provider to the reception: who is assigned is found, who is unassigned
/// is not, visitors who are there are seen to, and a group that is unassigned is deleted.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn who_is_assigned_is_found_at_the_reception_and_who_is_unassigned_is_not() {
    let mut sink = Sink::start(0).await;
    let house = House::start(|config| sink.serve(config)).await;
    let provider = house
        .server
        .directory_with("entra", json!({"preset": "visitor-hosts"}))
        .await;

    // "Test Connection" asks for somebody who does not exist.
    let probe = provider
        .get("/Users?filter=userName+eq+%22f5f8c3a2-probe%22")
        .await;
    assert_eq!(
        (probe.status, &probe.json["totalResults"]),
        (200, &json!(0)),
        "{probe}"
    );

    // The first cycle: people, then groups, then who is in them.
    let ada = provider
        .post("/Users", entra("Ada", "King", "Engines"))
        .await;
    assert_eq!(ada.status, 201, "{ada}");
    let grace = provider
        .post("/Users", entra("Grace", "Hopper", "Navy"))
        .await;
    let without = provider
        .post("/Users", json!({"schemas": [USER], "userName": "x@contoso.example", "name": {"givenName": "X", "familyName": "Y"}}))
        .await;
    assert_eq!(without.status, 400, "{without}");
    assert!(without.text("detail").contains("emails"), "{without}");
    let group = provider
        .post(
            "/Groups",
            json!({"schemas": [GROUP], "displayName": "Vienna", "members": []}),
        )
        .await;
    assert_eq!(group.status, 201, "{group}");
    let group_path = format!("/Groups/{}", group.id());
    let added = provider
        .patch(&group_path, patch(&json!([{"op": "Add", "path": "members", "value": [{"value": ada.id()}, {"value": grace.id()}]}])))
        .await;
    assert!(added.status < 300, "{added}");

    // A location that receives visitors of that group, with somebody to ask.
    let door = house
        .location(
            "Door",
            &json!({
                "groups": [group.id()],
                "fallback": {"name": "Reception", "email": "desk@contoso.example"},
            }),
        )
        .await;
    assert_eq!(door.found("ad").await, ["Ada King"]);
    assert_eq!(door.found("hopp").await, ["Grace Hopper"]);
    let visit = door.sign_in("Alan Turing", Some("ada")).await;
    let mail = sink.next().await;
    assert!(mail.contains("To: ada.king@contoso.example"), "{mail}");
    assert!(
        mail.contains("Subject: Alan Turing is here to see you"),
        "{mail}"
    );
    let also = sink.next().await;
    assert!(also.contains("To: ada@home.example"), "{also}");

    // Unassigned: Entra sets `active` to false.
    let ada_path = format!("/Users/{}", ada.id());
    let out = provider
        .patch(
            &ada_path,
            patch(&json!([{"op": "Replace", "path": "active", "value": "False"}])),
        )
        .await;
    assert!(out.status < 300, "{out}");
    assert!(door.found("ad").await.is_empty(), "at once");
    let mail = sink.next().await;
    assert!(mail.contains("To: desk@contoso.example"), "{mail}");
    assert!(mail.contains("who is no"), "{mail}");
    let gone = house.visit(&visit).await;
    assert_eq!(gone["state"], "here", "{gone:#}");
    assert!(!gone["visitor_host_is_gone_since"].is_null(), "{gone:#}");
    let seen = door.visitor_host(&provider, ada.id()).await;
    assert_eq!(seen["visibility"], "unassigned", "{seen:#}");

    // Assigned again.
    let back = provider
        .patch(
            &ada_path,
            patch(&json!([{"op": "Replace", "path": "active", "value": "True"}])),
        )
        .await;
    assert!(back.status < 300, "{back}");
    assert_eq!(door.found("ad").await, ["Ada King"]);
    house
        .until(&visit, |visit| {
            visit["visitor_host_is_gone_since"].is_null()
        })
        .await;

    // People can never be deleted, only made invisible; groups are.
    let deleted = provider.delete(&format!("/Users/{}", grace.id())).await;
    assert_eq!(deleted.status, 204, "{deleted}");
    assert!(door.found("hopp").await.is_empty());
    let seen = door.visitor_host(&provider, grace.id()).await;
    assert_eq!(seen["visibility"], "unassigned", "{seen:#}");
    let deleted = provider.delete(&group_path).await;
    assert_eq!(deleted.status, 204, "{deleted}");
    assert_eq!(provider.get(&group_path).await.status, 404);
    assert!(
        door.found("ad").await.is_empty(),
        "a location that receives visitors of a group only, and the group is gone"
    );
    assert!(sink.is_quiet(), "nobody is told twice");
    house.server.stop().await;
}

/// What a mail server does not take waits, is shown, and is sent later.
#[tokio::test]
async fn while_no_mail_server_answers_mails_wait_and_are_shown() {
    let mut sink = Sink::start(0).await;
    sink.set_away(true);
    let house = House::start(|config| {
        // Among several servers a jump of the clock is a standstill, after which a mail under way is sent again.
        portreeve_testbed::embedded(config);
        sink.serve(config);
    })
    .await;
    let provider = house
        .server
        .directory_with("entra", json!({"preset": "visitor-hosts"}))
        .await;
    let mut ada = entra("Ada", "King", "Engines");
    // One address, so that one mail fails before the clock moves.
    ada["emails"].as_array_mut().unwrap().truncate(1);
    provider.post("/Users", ada).await;
    let door = house.location("Door", &json!({})).await;
    door.sign_in("Alan Turing", Some("ada")).await;
    let waiting = house
        .notices(|notices| notices["mails"]["last_error"].is_string())
        .await;
    assert_eq!(waiting["mails"]["waiting"], 1, "{waiting:#}");
    assert!(waiting["mails"]["oldest_at"].is_string(), "{waiting:#}");
    sink.set_away(false);
    assert!(sink.is_quiet(), "its time has not come");
    house.server.clock().advance(Duration::from_secs(61));
    let mail = sink.next().await;
    assert!(mail.contains("To: ada.king@contoso.example"), "{mail}");
    house
        .notices(|notices| notices["mails"]["waiting"] == 0)
        .await;
    assert!(sink.is_quiet(), "once");
    house.server.stop().await;
}

/// A program hears of visits in messages that it can verify, again until it takes them.
#[tokio::test]
async fn a_program_is_told_and_can_tell_who_told_it() {
    let mut program = Program::start(&[500]).await;
    let house = House::start(|config| {
        portreeve_testbed::embedded(config);
        config.applications.private_addresses = true;
    })
    .await;
    let door = house
        .location("Door", &json!({"webhook": program.url, "fallback": {"name": "Reception", "email": "desk@contoso.example"}}))
        .await;
    door.sign_in("Alan Turing", None).await;
    let first = program.next().await;
    let waiting = house
        .notices(|notices| notices["webhooks"]["last_error"].is_string())
        .await;
    assert_eq!(waiting["webhooks"]["waiting"], 1, "{waiting:#}");
    house.server.clock().advance(Duration::from_secs(61));
    let second = program.next().await;
    assert_eq!(
        (&first.id, &first.body),
        (&second.id, &second.body),
        "the same message"
    );
    assert_ne!(first.timestamp, second.timestamp);
    let body: Value = serde_json::from_str(&second.body).unwrap();
    assert_eq!(
        [
            &body["event"],
            &body["visit"]["visitor_name"],
            &body["location"]["name"],
            &body["told"]
        ],
        ["visit.arrived", "Alan Turing", "Door", "program"],
        "{body:#}"
    );
    for message in [first, second] {
        assert!(
            message.is_signed_by(&door.webhook_secret().await),
            "{message:?}"
        );
    }
    house
        .notices(|notices| notices["webhooks"]["waiting"] == 0)
        .await;
    house.server.stop().await;
}

/// Who enters the address of a program need not be somebody who may reach the server's own networks.
#[tokio::test]
async fn a_program_in_a_private_network_is_not_asked_unless_that_is_allowed() {
    let mut program = Program::start(&[]).await;
    let house = House::start(portreeve_testbed::embedded).await;
    let door = house
        .location("Door", &json!({"webhook": program.url, "fallback": {"name": "Reception", "email": "desk@contoso.example"}}))
        .await;
    door.sign_in("Alan Turing", None).await;
    let waiting = house
        .notices(|notices| notices["webhooks"]["last_error"].is_string())
        .await;
    let error = waiting["webhooks"]["last_error"].as_str().unwrap();
    assert!(error.contains("127.0.0.1"), "{error}");
    assert!(program.is_quiet());
    house.server.stop().await;
}
