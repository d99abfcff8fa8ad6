//! What a running server removes from its log.

use portreeve_server::config::Retention;
use portreeve_testbed::{Client, TestServer, embedded};
use serde_json::{Value, json};
use std::time::Duration;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const DAY: Duration = Duration::from_secs(86_400);
/// A directory, its token, and a user.
const KEPT: [&str; 3] = ["ADMIN create ok", "ADMIN create ok", "SCIM_SYNC create ok"];

async fn create(provider: &Client, name: &str) -> u16 {
    let body = json!({"schemas": [USER], "userName": name});
    provider.post("/Users", body).await.status
}

/// The entries of the log, oldest first, as `category action outcome`.
async fn log(server: &TestServer) -> Vec<String> {
    let answer = server.admin().get("/events?after=0").await;
    let list = answer.json.as_array().cloned().unwrap_or_default();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let line = |event: &Value| {
        let parts = ["category", "action", "outcome"].map(|name| text(event, name));
        parts.join(" ")
    };
    list.iter().map(line).collect()
}

/// Waits until the log is as expected; each look waits for nothing but the answer before it.
async fn expect(server: &TestServer, expect: &[&str]) {
    let mut found = Vec::new();
    for _ in 0..2000 {
        found = log(server).await;
        if found == expect {
            return;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(found, expect);
}

#[tokio::test]
async fn refused_requests_are_kept_for_a_month_and_changes_for_a_year() {
    let server = TestServer::start_with(|config| {
        // Where servers share a database they go by its clock, which a test cannot move.
        embedded(config);
        config.pace.retention = Duration::from_millis(10);
    })
    .await;
    let provider = server.directory("generic").await;
    assert_eq!(create(&provider, "ann").await, 201);
    assert_eq!(create(&provider, "ANN").await, 409);
    let refused = "SCIM_SYNC create refused";
    expect(&server, &[&KEPT[..], &[refused]].concat()).await;
    server.clock().advance(31 * DAY);
    expect(&server, &KEPT).await;
    assert_eq!(create(&provider, "Ann").await, 409);
    server.clock().advance(370 * DAY);
    expect(&server, &[]).await;
    let feed = server.admin().get("/changes?after=0").await;
    assert_eq!(feed.status, 410, "{feed}");
    assert_eq!(provider.get("/Users").await.json["totalResults"], 1);
}

#[tokio::test]
async fn what_is_kept_forever_stays() {
    let server = TestServer::start_with(|config| {
        config.pace.retention = Duration::from_millis(10);
        config.retention = Retention {
            audit: None,
            requests: Some(DAY),
            ..Retention::default()
        };
    })
    .await;
    let provider = server.directory("generic").await;
    assert_eq!(create(&provider, "ann").await, 201);
    assert_eq!(create(&provider, "ANN").await, 409);
    server.clock().advance(10_000 * DAY);
    expect(&server, &KEPT).await;
}

#[tokio::test]
async fn visits_say_nobodys_name_after_a_quarter_of_a_year() {
    let server = TestServer::start_with(|config| {
        embedded(config);
        config.pace.retention = Duration::from_millis(10);
    })
    .await;
    let lobby = json!({"name": "Lobby"});
    assert_eq!(
        server.admin().post("/visit-locations", lobby).await.status,
        201
    );
    let grace =
        json!({"location": "Lobby", "name": "Grace", "expected_at": "2026-01-05T09:00:00Z"});
    let visit = server.admin().post("/visits", grace).await;
    let path = format!("/visits/{}", visit.id());
    server.clock().advance(89 * DAY);
    assert_eq!(
        server.admin().get(&path).await.text("visitor_name"),
        "Grace"
    );
    server.clock().advance(2 * DAY);
    let mut found = server.admin().get(&path).await;
    for _ in 0..2000 {
        if found.json["is_anonymous"] == true {
            break;
        }
        tokio::task::yield_now().await;
        found = server.admin().get(&path).await;
    }
    let is = (found.text("visitor_name"), found.text("state"));
    assert_eq!(is, ("", "gone"), "{found}");
    assert_eq!(found.json["location"]["name"], "Lobby", "{found}");
}
