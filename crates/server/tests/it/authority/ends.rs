//! What ends by itself: a grant, which is told, and the record of a certificate, which is forgotten as the log is.

use super::*;
use portreeve_testbed::embedded;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Asks until the answer is as wanted: the background has its own pace.
async fn until(client: &Client, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let answer = client.get(path).await;
        if wanted(&answer.json) {
            return answer.json;
        }
        assert!(tokio::time::Instant::now() < deadline, "{path}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_end_of_a_grant_is_told_once() {
    let town = Town::with_time().await;
    let ends = jiff::Timestamp::try_from(town.server().clock().time()).unwrap()
        + jiff::SignedDuration::from_mins(30);
    let grant =
        json!({"user": "ada@contoso.example", "hosts": "role=web", "until": ends.to_string()});
    let grant = made(town.admin(), "/grants", grant).await;
    let told = format!("/events?after=&category=ACCESS&object={}", grant.id());
    let actions = |events: &Value| -> Vec<String> {
        let all = events.as_array().unwrap().iter();
        all.map(|event| event["action"].as_str().unwrap().to_owned())
            .collect()
    };
    town.server().clock().advance(Duration::from_secs(29 * 60));
    assert_eq!(actions(&town.admin().get(&told).await.json), ["granted"]);

    town.server().clock().advance(Duration::from_secs(60));
    let events = until(town.admin(), &told, |events| actions(events).len() > 1).await;
    assert_eq!(actions(&events), ["granted", "expired"]);
    let expired = &events[1];
    assert_eq!(
        (&expired["actor"]["type"], &expired["outcome"]),
        (&json!("system"), &json!("ok")),
        "{expired}"
    );
    assert!(
        expired["object"]["name"].to_string().contains("role=web"),
        "{expired}"
    );
    town.world.server.stop().await;
}

#[tokio::test]
async fn certificates_are_listed_for_as_long_as_the_log_is_kept() {
    let server = TestServer::start_with(|config| {
        embedded(config);
        config.pace.retention = Duration::from_millis(10);
        config.retention.audit = Some(YEAR);
    });
    let town = Town::on(server.await).await.granted().await;
    let issued = town.certificate().await;
    let path = format!("/certificates/{}", issued.serial);
    // It ran out within a day.
    town.server().clock().advance(YEAR);
    let kept = town.admin().get(&path).await;
    assert_eq!(kept.text("state"), "expired", "{kept}");
    town.server().clock().advance(DAY);
    until(town.admin(), &path, |answer| answer["status"] == 404).await;
    assert_eq!(town.admin().get("/certificates").await.json, json!([]));
    town.world.server.stop().await;
}
