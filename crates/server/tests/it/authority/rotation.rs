//! Keys of the authority: made once, and followed by others without anybody being locked out.

use super::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn status(town: &Town) -> Value {
    let status = town.admin().get("/ca").await;
    assert_eq!(status.status, 200, "{status}");
    status.json
}

/// The states of the keys for a purpose, in the order in which they are trusted.
fn states(status: &Value, purpose: &str) -> Vec<String> {
    let keys = status["keys"].as_array().unwrap().iter();
    let of = keys.filter(|key| key["purpose"] == purpose);
    of.map(|key| key["state"].as_str().unwrap().to_owned())
        .collect()
}

async fn rotate(town: &Town, request: Value) -> Answer {
    town.admin().post("/ca/rotate", request).await
}

/// Waits for what the background does.
async fn until_states(town: &Town, purpose: &str, wanted: &[&str]) -> Value {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let status = status(town).await;
        let states = states(&status, purpose);
        if states == wanted {
            return status;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{purpose}: {states:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The fingerprint of the key that signed a certificate.
fn signer(town: &Town, issued: &Issued) -> String {
    let shown = town.desk.shown(&issued.file);
    let line = shown
        .lines()
        .find(|line| line.contains("Signing CA"))
        .unwrap();
    line.split_whitespace()
        .find(|word| word.starts_with("SHA256:"))
        .unwrap()
        .to_owned()
}

fn fingerprint(status: &Value, purpose: &str, state: &str) -> String {
    let keys = status["keys"].as_array().unwrap();
    let is = |key: &&Value| key["purpose"] == purpose && key["state"] == state;
    keys.iter().find(is).unwrap()["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn keys_are_made_once() {
    let server = TestServer::start().await;
    let first = server.admin().get("/ca").await;
    assert_eq!(first.status, 200, "{first}");
    assert_eq!(first.text("fingerprint").len(), 64);
    let purposes: Vec<&str> = first.json["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["purpose"].as_str().unwrap())
        .collect();
    let mut sorted = purposes.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["host", "intermediate", "root", "user"]);
    let (one, two) = tokio::join!(server.admin().get("/ca"), server.admin().get("/ca"));
    assert_eq!(
        (&one.json["keys"], &two.json["keys"]),
        (&first.json["keys"], &first.json["keys"])
    );
    let server = server.restart().await;
    let again = server.admin().get("/ca").await;
    assert_eq!(again.json["keys"], first.json["keys"]);
    server.stop().await;
}

#[tokio::test]
async fn a_new_key_is_trusted_before_it_signs_and_the_old_one_for_as_long_as_it_is_needed() {
    let town = Town::with_time().await.granted().await;
    let before = town.certificate().await;
    let announced = rotate(&town, json!({"purpose": "user", "overlap_seconds": 3600})).await;
    assert_eq!(announced.status, 200, "{announced}");
    assert_eq!(states(&announced.json, "user"), ["current", "next"]);
    assert_eq!(announced.json["user_keys"].as_array().unwrap().len(), 2);
    let meanwhile = town.certificate().await;
    assert_eq!(signer(&town, &meanwhile), signer(&town, &before));
    let again = rotate(&town, json!({"purpose": "user"})).await;
    assert_eq!(
        (again.status, again.text("code")),
        (409, "rotation_under_way"),
        "{again}"
    );

    town.server().clock().advance(Duration::from_secs(3600));
    let after = until_states(&town, "user", &["current", "old"]).await;
    let new = town.certificate().await;
    assert_ne!(signer(&town, &new), signer(&town, &before));
    assert_eq!(signer(&town, &new), fingerprint(&after, "user", "current"));
    assert_eq!(
        after["user_keys"].as_array().unwrap().len(),
        2,
        "the old one is trusted"
    );
    // What the old key has signed is revoked as before.
    town.active(false).await;
    assert!(town.is_revoked(&before).await && town.is_revoked(&new).await);

    town.server().clock().advance(DAY);
    let rid = until_states(&town, "user", &["current"]).await;
    assert_eq!(rid["user_keys"].as_array().unwrap().len(), 1);
    town.world.server.stop().await;
}

#[tokio::test]
async fn a_key_takes_over_at_once_when_an_admin_says_so() {
    let town = Town::with_grant().await;
    let before = town.certificate().await;
    let done = rotate(
        &town,
        json!({"purpose": "user", "overlap_seconds": 0, "key_type": "ecdsa"}),
    )
    .await;
    assert_eq!(states(&done.json, "user"), ["current", "old"], "{done}");
    let new = town.certificate().await;
    assert_ne!(signer(&town, &new), signer(&town, &before));
    let shown = town.desk.shown(&new.file);
    assert!(shown.contains("(using ecdsa-sha2-nistp256)"), "{shown}");
    // One that was announced takes over as well.
    rotate(&town, json!({"purpose": "user", "overlap_seconds": 3600})).await;
    let done = rotate(&town, json!({"purpose": "user", "overlap_seconds": 0})).await;
    assert_eq!(
        states(&done.json, "user"),
        ["current", "old", "old"],
        "{done}"
    );
    town.world.server.stop().await;
}

#[tokio::test]
async fn a_new_root_brings_an_intermediate_of_its_own() {
    let town = Town::start().await;
    let before = status(&town).await;
    let done = rotate(&town, json!({"purpose": "root", "overlap_seconds": 0})).await;
    assert_eq!(states(&done.json, "root"), ["current", "old"], "{done}");
    assert_eq!(states(&done.json, "intermediate"), ["current", "old"]);
    assert_ne!(done.json["fingerprint"], before["fingerprint"]);
    let roots = raw(town.server(), "/ca/roots.pem", &[]).await;
    let roots = String::from_utf8(roots.bytes).unwrap();
    assert_eq!(roots.matches("BEGIN CERTIFICATE").count(), 2);
    town.world.server.stop().await;
}

/// A root that was taken over at half its time: nobody has to do anything.
#[tokio::test]
async fn an_intermediate_that_ends_gets_a_successor_by_itself() {
    let town = Town::with_time().await;
    status(&town).await;
    town.server().clock().advance(250 * DAY);
    until_states(&town, "intermediate", &["current", "next"]).await;
    town.server().clock().advance(2 * DAY);
    until_states(&town, "intermediate", &["current", "old"]).await;
    town.world.server.stop().await;
}

#[tokio::test]
async fn who_may_only_look_rotates_nothing() {
    let town = Town::start().await;
    for (path, body) in [
        ("/ca/rotate", json!({"purpose": "user"})),
        ("/certificates/revoke", json!({"serial": "1"})),
    ] {
        let refused = town.ada.post(path, body).await;
        assert_eq!(refused.status, 403, "{path}: {refused}");
    }
    for purpose in ["", "users", "tls"] {
        let wrong = rotate(&town, json!({"purpose": purpose})).await;
        assert_eq!(wrong.status, 400, "{purpose}: {wrong}");
    }
    town.world.server.stop().await;
}
