//! What hosts fetch: their policy, as it changes, and what is revoked.

use super::world::{Machine, World, document, refused};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use portreeve_host_policy::{Envelope, Expect, KRL_NAMESPACE, verify};
use portreeve_ssh_cert::{Krl, SubjectKey, file};
use serde_json::{Value, json};

/// The keys that a host trusts.
fn keys(answer: &Value) -> Vec<String> {
    serde_json::from_value(answer["user_keys"].clone()).unwrap()
}

#[tokio::test]
async fn a_host_that_waits_hears_at_once_that_somebody_is_out() {
    let world = World::start().await;
    let machine = Machine::new("web-1");
    let host = world.enrol(&machine, &json!({})).await;
    let (document, tag) = host.until(None, Some(true)).await;
    assert_eq!(document["host"]["id"], json!(host.id), "{document}");
    assert_eq!(
        document["accounts"][0]["access"]["sudo"], true,
        "{document}"
    );

    let same = host.policy(Some(&tag), 0).await;
    assert_eq!(
        (same.status, same.header("etag")),
        (304, Some(tag.as_str()))
    );
    let (left, ()) = tokio::join!(host.until(Some(tag), Some(false)), world.set_active(false));
    let (document, tag) = left;
    assert_eq!(document["accounts"][0]["access"], json!(null), "{document}");
    let (back, ()) = tokio::join!(host.until(Some(tag), Some(true)), world.set_active(true));
    assert_eq!(back.0["accounts"][0]["id"], json!(world.ada));
    world.server.stop().await;
}

#[tokio::test]
async fn the_policy_is_what_a_host_believes_and_no_other_does() {
    let world = World::start().await;
    let one = world.enrol(&Machine::new("web-1"), &json!({})).await;
    let other = world.enrol(&Machine::new("web-2"), &json!({})).await;
    let fetched = one.policy(None, 0).await;
    assert_eq!(fetched.status, 200, "{fetched}");
    let envelope: Envelope = serde_json::from_value(fetched.json.clone()).unwrap();
    let believed = |host_id: &str| {
        let expect = Expect {
            team: one.answer["team"].as_str().unwrap(),
            host_id,
            above_or_same: 0,
            seen: None,
        };
        verify(&envelope.to_bytes(), &keys(&one.answer), &expect).is_ok()
    };
    assert!(believed(&one.id));
    assert!(!believed(&other.id));
    world.server.stop().await;
}

/// Without time to announce it, and twice, as a host finds it that was away meanwhile.
#[tokio::test]
async fn a_host_believes_the_key_that_came_after_the_one_it_knows() {
    let world = World::start().await;
    let host = world.enrol(&Machine::new("web-1"), &json!({})).await;
    let (_, mut tag) = host.until(None, Some(true)).await;
    let known = keys(&host.answer);
    for _ in 0..2 {
        let wanted = json!({"purpose": "user", "overlap_seconds": 0});
        let rotated = world.admin().post("/ca/rotate", wanted).await;
        assert_eq!(rotated.status, 200, "{rotated}");
        let answer = host.policy(Some(&tag), 30).await;
        assert_eq!(answer.status, 200, "{answer}");
        tag = answer.header("etag").unwrap().to_owned();
        let expect = Expect {
            team: host.answer["team"].as_str().unwrap(),
            host_id: &host.id,
            above_or_same: 1,
            seen: None,
        };
        let envelope = answer.json.to_string();
        let believed = verify(envelope.as_bytes(), &known, &expect).unwrap();
        let signs = &believed.document().user_keys[0];
        assert!(!known.contains(signs), "it is signed by a new one");
        let nobody = Machine::new("nobody").line();
        assert!(verify(envelope.as_bytes(), &[nobody], &expect).is_err());
    }
    world.server.stop().await;
}

#[tokio::test]
async fn rules_that_hosts_would_refuse_are_refused() {
    let world = World::start().await;
    for prefix in ["/etc", "/usr/people", "/proc", "home", "/srv/../etc", "/"] {
        let refused = world
            .admin()
            .patch("/host-rules", json!({"home_prefix": prefix}))
            .await;
        assert_eq!(refused.status, 400, "{prefix}: {refused}");
        assert!(refused.to_string().contains("/srv/home"), "{refused}");
    }
    let rules = world.admin().get("/host-rules").await;
    assert_eq!(rules.json["home_prefix"], "/home", "{rules}");
    let moved = world
        .admin()
        .patch("/host-rules", json!({"home_prefix": "/srv/home"}))
        .await;
    assert_eq!(moved.status, 200, "{moved}");
    world.server.stop().await;
}

#[tokio::test]
async fn the_first_policy_says_everything() {
    let world = World::start().await;
    for name in ["web-1", "web-2", "web-3"] {
        let host = world.enrol(&Machine::new(name), &json!({})).await;
        let first = host.policy(None, 0).await;
        assert_eq!(
            document(&first)["accounts"][0]["name"],
            "ada",
            "{name}: {first}"
        );
    }
    world.server.stop().await;
}

#[tokio::test]
async fn what_is_revoked_ends_a_wait_and_is_fetched_with_its_signature() {
    let world = World::start().await;
    let machine = Machine::new("web-1");
    let host = world.enrol(&machine, &json!({})).await;
    let (_, tag) = host.until(None, Some(true)).await;
    let before = host.policy(Some(&tag), 0).await;
    let before = before.header("portreeve-krl").unwrap().to_owned();

    let key = SubjectKey::from_openssh(&Machine::new("lost").line()).unwrap();
    let revoke = json!({"key": key.fingerprint()});
    let (waited, revoked) = tokio::join!(
        host.policy(Some(&tag), 60),
        world.admin().post("/certificates/revoke", revoke)
    );
    assert_eq!(revoked.status, 200, "{revoked}");
    // Either the wait has ended, or it had not begun: then whoever says what they have waits no more.
    let headers = [
        ("prefer", "wait=60"),
        ("if-none-match", &tag),
        ("portreeve-krl", &before),
    ];
    let told = match waited.header("portreeve-krl") == Some(&before) {
        true => {
            host.agent
                .send(Method::GET, "/host/v1/policy", &headers, None)
                .await
        }
        false => waited,
    };
    let now = told.header("portreeve-krl").unwrap();
    assert_ne!(now, before, "{told}");
    let again = host
        .agent
        .send(Method::GET, "/host/v1/policy", &headers, None)
        .await;
    assert_eq!(
        (again.status, again.header("portreeve-krl")),
        (304, Some(now)),
        "{again}"
    );

    let path = "/host/v1/krl";
    let fetched = host.agent.get(path).await;
    assert_eq!(fetched.header("etag"), Some(now), "{fetched}");
    let list = STANDARD.decode(fetched.text("krl")).unwrap();
    assert!(Krl::from_bytes(&list).unwrap().revokes_key(&key.blob()));
    let trusted: Vec<Vec<u8>> = keys(&host.answer)
        .iter()
        .map(|line| SubjectKey::from_openssh(line).unwrap().blob())
        .collect();
    file::verify(&trusted, KRL_NAMESPACE, &list, fetched.text("signature")).unwrap();
    let headers = [("if-none-match", now)];
    let same = host.agent.send(Method::GET, path, &headers, None).await;
    assert_eq!(same.status, 304, "{same}");
    world.server.stop().await;
}

#[tokio::test]
async fn a_host_that_is_removed_while_it_waits_is_told_so() {
    let world = World::start().await;
    let host = world.enrol(&Machine::new("web-1"), &json!({})).await;
    let (_, tag) = host.until(None, Some(true)).await;
    let (waited, gone) = tokio::join!(
        host.policy(Some(&tag), 60),
        world.admin().delete("/hosts/web-1")
    );
    assert_eq!(gone.status, 204, "{gone}");
    assert_eq!(refused(&waited), (401, "host_removed"), "{waited}");
    world.server.stop().await;
}
