//! Applications inside a server: declared over the API, provisioned by jobs, told of in logs.

mod definitions;
mod mail;
pub(crate) mod port;

use port::{Port, people, status};
use portreeve_server::config::Retention;
use serde_json::{Value, json};
use std::time::Duration;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const MINUTES: Duration = Duration::from_secs(301);

#[tokio::test]
async fn people_arrive_at_once_and_changes_with_the_next_cycle() {
    let port = Port::start().await;
    let made = port.declare().await;
    assert_eq!(
        made.header("location"),
        Some(&*format!("/api/v1/applications/{}", made.id()))
    );
    let first = port.cycle(1).await;
    assert_eq!(first["lastExecution"]["kind"], "initial", "{first:#}");
    assert_eq!(
        first["lastExecution"]["counters"]["created"], 2,
        "{first:#}"
    );
    assert_eq!(
        (&first["code"], &first["users"]),
        (&json!("Active"), &json!(2))
    );
    assert_eq!(people(&port.target).await, ["ada", "grace"]);

    port.people_are(&["ada", "joan"]);
    port.server.clock().advance(MINUTES);
    let second = port.cycle(2).await;
    assert_eq!(second["lastExecution"]["kind"], "incremental", "{second:#}");
    assert_eq!(people(&port.target).await, ["ada", "joan"]);
    port.server.stop().await;
}

#[tokio::test]
async fn what_changes_in_a_directory_of_the_server_is_provisioned_at_once() {
    let port = Port::start().await;
    let source = port.server.directory("generic").await;
    let create = async |name: &str| {
        let user = json!({"schemas": [USER], "userName": name, "displayName": name});
        let made = source.post("/Users", user).await;
        assert_eq!(made.status, 201, "{made}");
    };
    create("ada").await;
    let mut definition = port.definition();
    definition["source"] = json!({"type": "directory", "directory": "generic 2"});
    let made = port.admin().post("/applications", definition).await;
    assert_eq!(made.status, 201, "{made}");
    port.cycle(1).await;
    assert_eq!(people(&port.target).await, ["ada"]);
    // No clock moves.
    for (number, name) in [(2, "grace"), (3, "joan")] {
        create(name).await;
        let told = port.cycle(number).await;
        assert_eq!(told["lastExecution"]["counters"]["created"], 1, "{told:#}");
    }
    assert_eq!(people(&port.target).await, ["ada", "grace", "joan"]);
    port.server.stop().await;
}

#[tokio::test]
async fn a_changed_file_is_noticed() {
    let port = Port::start().await;
    port.declare().await;
    port.cycle(1).await;
    port.people_are(&["ada", "grace", "joan"]);
    // No clock moves; whoever watches looks once a second.
    port.cycle(2).await;
    assert_eq!(people(&port.target).await, ["ada", "grace", "joan"]);
    port.server.stop().await;
}

#[tokio::test]
async fn a_paused_job_does_nothing_until_it_is_started_and_a_restart_begins_anew() {
    let port = Port::start().await;
    port.declare().await;
    port.cycle(1).await;
    let steer = async |what: &str, body: Value| {
        let answer = port
            .admin()
            .post(&format!("/applications/Town/{what}"), body)
            .await;
        assert_eq!(answer.status, 200, "{what}: {answer}");
        answer.json["status"].clone()
    };
    assert_eq!(steer("pause", json!({})).await, "paused");
    port.people_are(&["ada", "grace", "joan"]);
    port.server.clock().advance(MINUTES);
    let paused = status(port.admin(), |status| status["code"] == "Paused").await;
    assert_eq!(paused["lastExecution"]["number"], 1);
    assert_eq!(steer("start", json!({})).await, "running");
    let second = port.cycle(2).await;
    assert_eq!(second["lastExecution"]["kind"], "incremental");
    assert_eq!(people(&port.target).await, ["ada", "grace", "joan"]);

    let scopes = json!({"resetScope": "Watermark, Escrows"});
    assert_eq!(steer("restart", scopes).await, "running");
    let third = port.cycle(3).await;
    assert_eq!(third["lastExecution"]["kind"], "initial");
    assert_eq!(
        third["lastExecution"]["counters"]["created"], 0,
        "{third:#}"
    );
    assert_eq!(
        port.events().await,
        ["create", "pause", "start", "restart"].map(|action| format!("local {action} Town"))
    );
    let feed = port.admin().get("/changes?after=0").await.json;
    let told = feed["changes"].as_array().into_iter().flatten();
    let told = told.filter(|change| change["category"] == "PROVISIONING");
    assert_eq!(told.count(), 4, "the feed has them, too");
    port.server.stop().await;
}

#[tokio::test]
async fn the_log_tells_of_everybody_and_can_be_searched_and_followed() {
    let port = Port::start().await;
    port.declare().await;
    port.cycle(1).await;
    let log = async |query: &str| {
        let answer = port
            .admin()
            .get(&format!("/applications/town/logs{query}"))
            .await;
        assert_eq!(answer.status, 200, "{query}: {answer}");
        let list = answer.json.as_array().cloned().unwrap_or_default();
        let name = |entry: &Value| {
            let action = entry["provisioningAction"].as_str().unwrap_or_default();
            let name = entry["sourceIdentity"]["displayName"].as_str();
            format!("{action} {}", name.unwrap_or_default())
        };
        let names: Vec<String> = list.iter().map(name).collect();
        (names, answer)
    };
    let (mut all, answer) = log("").await;
    all.sort();
    assert_eq!(all, ["create ada", "create grace"], "{answer}");
    assert_eq!(log("?object=GRACE").await.0, ["create grace"]);
    assert_eq!(log("?action=delete&action=disable").await.0, [""; 0]);
    assert_eq!(log("?status=success&status=failure").await.0.len(), 2);
    let (one, page) = log("?limit=1").await;
    let next = page
        .header("link")
        .and_then(|link| link.split(['<', '>']).nth(1));
    let (other, _) = log(next.expect("there is more")).await;
    assert_ne!(one, other);

    let follower = port.admin().clone();
    let newest = answer.json[0]["position"].clone();
    let path = format!("/applications/town/logs?after={newest}&wait=60");
    let followed = tokio::spawn(async move { follower.get(&path).await });
    port.people_are(&["ada", "grace", "joan"]);
    port.server.clock().advance(MINUTES);
    let followed = followed.await.expect("no panic").json;
    assert_eq!(
        followed[0]["sourceIdentity"]["displayName"], "joan",
        "{followed:#}"
    );
    for (query, said) in [
        ("?status=fine", "success"),
        ("?after=x", "no position"),
        ("?since=yesterday", "2027-01-31"),
        ("?wait=3", "after"),
        ("?after=1&before=2", "cannot be combined"),
        ("?colour=1", "the parameters are"),
    ] {
        let answer = port
            .admin()
            .get(&format!("/applications/town/logs{query}"))
            .await;
        assert_eq!(answer.status, 400, "{query}: {answer}");
        assert!(answer.text("detail").contains(said), "{query}: {answer}");
    }
    port.server.stop().await;
}

#[tokio::test]
async fn both_ends_are_tested_and_mappings_looked_at() {
    let port = Port::start().await;
    let mut definition = port.definition();
    definition["target"]["authentication"]["token"] = json!("wrong");
    port.admin().post("/applications", definition).await;
    let tested = port
        .admin()
        .post("/applications/town/test", json!({}))
        .await;
    assert_eq!(tested.json["source"]["ok"], true, "{tested}");
    assert_eq!(tested.json["target"]["ok"], false, "{tested}");
    let offline = json!({"offline": true});
    let lint = port.admin().post("/applications/town/lint", offline).await;
    assert_eq!(lint.json["findings"], json!([]), "{lint}");
    let lint = port
        .admin()
        .post("/applications/town/lint", json!({}))
        .await;
    let note = lint.json["note"].as_str().unwrap_or_default();
    assert!(note.contains("was not asked"), "{lint}");
    // The source is looked at all the same: nobody's job title is known there.
    let looked_at = &lint.json["looked_at"];
    assert_eq!(looked_at[0], "User: 2 in scope, 0 not", "{lint}");
    let findings = lint.json["findings"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let missing = findings.iter().find(|it| it["rule"] == "no-such-attribute");
    let message = missing
        .map(|it| it["message"].to_string())
        .unwrap_or_default();
    assert!(message.contains("title from [jobTitle]"), "{lint}");

    port.write("people.csv", "objectId,email\n1,ada@contoso.example\n");
    let lint = port
        .admin()
        .post("/applications/town/lint", json!({}))
        .await;
    let findings = lint.json["findings"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let alternative = r#"{ target = "userName", attribute = "email", matchingPriority = 1 }"#;
    let told = |it: &&Value| {
        it["message"]
            .as_str()
            .is_some_and(|it| it.contains(alternative))
    };
    let found = findings.iter().find(told);
    assert_eq!(
        found.map(|it| &it["severity"]),
        Some(&json!("error")),
        "{lint}"
    );
    port.server.stop().await;
}

/// The target accepts connections and says nothing, so that the cycle stands where it is.
#[tokio::test]
async fn nobody_is_provisioned_on_demand_beside_a_cycle() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let port = Port::start().await;
    let mut definition = port.definition();
    definition["target"]["url"] = json!(format!("http://{address}/scim"));
    let made = port.admin().post("/applications", definition).await;
    assert_eq!(made.status, 201, "{made}");
    status(port.admin(), |status| status["progress"].is_object()).await;
    let joan = json!({"kind": "user", "object": "ada-key"});
    let refused = port
        .admin()
        .post("/applications/town/on-demand", joan)
        .await;
    assert_eq!(refused.status, 423, "{refused}");
    assert_eq!(refused.text("code"), "pending", "{refused}");
    port.server.stop().await;
}

#[tokio::test]
async fn one_person_is_provisioned_on_demand_with_every_step() {
    let port = Port::start().await;
    let made = port.declare().await;
    port.cycle(1).await;
    port.admin()
        .post("/applications/town/pause", json!({}))
        .await;
    port.people_are(&["ada", "grace", "joan"]);
    let ask = async |body: Value| {
        let path = format!("/applications/{}/on-demand", made.id());
        port.admin().post(&path, body).await
    };
    let joan =
        json!({"kind": "user", "object": "joan@contoso.example", "attribute": "userPrincipalName"});
    let done = ask(joan).await;
    assert_eq!(done.json["result"], "Success", "{done}");
    let record = &done.json["records"][0];
    assert_eq!(record["provisioningAction"], "create", "{done}");
    assert_eq!(record["initiatedBy"]["initiatorType"], "user", "{done}");
    assert!(people(&port.target).await.contains(&"joan".to_owned()));
    let nobody = ask(json!({"kind": "user", "object": "nobody"})).await;
    assert_eq!(nobody.status, 404, "{nobody}");
    let events = port.events().await;
    assert_eq!(
        events.last().map(String::as_str),
        Some("local provision_on_demand Town")
    );
    port.server.stop().await;
}

#[tokio::test]
async fn a_dry_run_says_what_a_cycle_would_do_and_does_nothing() {
    let port = Port::start().await;
    port.declare().await;
    port.cycle(1).await;
    port.people_are(&["ada", "joan"]);
    let dry = port
        .admin()
        .post("/applications/town/dry-run", json!({}))
        .await;
    assert_eq!(dry.status, 200, "{dry}");
    assert_eq!(dry.json["counters"]["created"], 1, "{dry}");
    let records = dry.json["records"].as_array().cloned().unwrap_or_default();
    let mut told: Vec<_> = records
        .iter()
        .map(|record| record["provisioningAction"].as_str().unwrap_or_default())
        .collect();
    told.sort_unstable();
    assert_eq!(told, ["create", "delete"], "{dry}");
    assert_eq!(people(&port.target).await, ["ada", "grace"]);
    let scratch = port.server.data().join("scratch");
    let left = std::fs::read_dir(scratch).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing is left behind");
    port.server.stop().await;
}

#[tokio::test]
async fn a_removed_application_is_forgotten_and_who_it_made_stays() {
    let port = Port::start().await;
    let made = port.declare().await;
    port.cycle(1).await;
    let path = format!("/applications/{}", made.id());
    assert_eq!(port.admin().delete(&path).await.status, 204);
    assert_eq!(port.admin().get(&path).await.status, 404);
    assert_eq!(port.admin().get("/applications").await.json, json!([]));
    assert_eq!(people(&port.target).await, ["ada", "grace"]);
    let again = port.declare().await;
    port.cycle(1).await;
    assert_ne!(again.id(), made.id());
    let folder = port.server.data().join("applications").join(made.id());
    let server = port.server.restart().await;
    server.admin().get("/applications").await;
    server.stop().await;
    assert!(!folder.exists(), "nor are there notes of its source");
}

#[tokio::test]
async fn the_provisioning_log_is_kept_for_a_month() {
    let port = Port::with(|config| {
        // Where servers share a database they go by its clock, which a test cannot move.
        portreeve_testbed::embedded(config);
        config.pace.retention = Duration::from_millis(10);
        config.retention = Retention::default();
    })
    .await;
    port.declare().await;
    port.cycle(1).await;
    port.admin()
        .post("/applications/town/pause", json!({}))
        .await;
    let entries = async || {
        let log = port.admin().get("/applications/town/logs").await.json;
        log.as_array().map_or(0, Vec::len)
    };
    port.server
        .clock()
        .advance(Duration::from_secs(29 * 86_400));
    assert_eq!(entries().await, 2);
    port.server.clock().advance(Duration::from_secs(2 * 86_400));
    let gone = async { while entries().await > 0 {} };
    let gone = tokio::time::timeout(Duration::from_secs(30), gone).await;
    assert!(gone.is_ok(), "the entries are still there");
    port.server.stop().await;
}
