//! What agents say of their hosts.

use super::world::{Host, Machine, World, refused};
use serde_json::{Value, json};

fn report(world: &World, change: &Value) -> Value {
    let mut report =
        json!({"agent_version": "0.1.0", "os": "Debian", "now": world.now().to_string()});
    for (name, value) in change.as_object().unwrap() {
        report[name] = value.clone();
    }
    report
}

async fn told(world: &World, host: &Host, change: &Value) {
    let answer = host.report(report(world, change)).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.text("now"), world.now().to_string());
}

#[tokio::test]
async fn what_is_in_force_on_a_host_shows_in_the_list() {
    let world = World::start().await;
    let host = world.enrol(&Machine::new("web-1"), &json!({})).await;
    world.enrol(&Machine::new("web-2"), &json!({})).await;
    let (document, tag) = host.until(None, Some(true)).await;
    let krl = host.policy(Some(&tag), 0).await;
    let krl = krl.header("portreeve-krl").unwrap();
    let now = world.now().to_string();
    let said = json!({
        "applied": {"version": document["version"], "at": now}, "lease_until": document["lease_until"], "krl": krl,
        "certificate": {"serial": 9_000_000_000_000_000_000_u64, "valid_before": now},
        "conflicts": [{"account": "ada", "reason": "name_taken", "detail": "there is a local account of this name"}],
        "doctor": [{"check": "nscd", "verdict": "warn", "detail": "it runs"}],
    });
    told(&world, &host, &said).await;
    let all = world.admin().get("/hosts").await;
    let agent = &all.json[0]["agent"];
    assert_eq!(agent["applied_version"], document["version"], "{agent}");
    assert_eq!(agent["policy_version"], document["version"], "{agent}");
    assert_eq!(
        (&agent["lag_seconds"], &agent["krl_is_current"]),
        (&json!(0), &json!(true))
    );
    assert_eq!(agent["certificate"]["serial"], "9000000000000000000");
    assert_eq!(agent["conflicts"][0]["reason"], "name_taken");
    assert_eq!(agent["doctor"][0]["check"], "nscd");
    assert_eq!(agent["reported_at"], all.json[0]["last_contact_at"]);
    let other = &all.json[1]["agent"];
    assert_eq!(
        other.get("reported_at"),
        None,
        "a host speaks for itself: {other}"
    );

    world.set_active(false).await;
    let (document, _) = host.until(Some(tag), Some(false)).await;
    let one = world.admin().get("/hosts/web-1").await;
    assert_eq!(
        one.json["agent"]["policy_version"], document["version"],
        "{one}"
    );
    assert_ne!(
        one.json["agent"]["applied_version"], document["version"],
        "{one}"
    );
    world.server.stop().await;
}

#[tokio::test]
async fn sessions_are_told_once_whoever_repeats_them() {
    let world = World::start().await;
    let host = world.enrol(&Machine::new("web-1"), &json!({})).await;
    host.until(None, Some(true)).await;
    let now = world.now().to_string();
    let login = json!({"id": "1", "session": "s1", "kind": "login", "at": now, "account": "ada", "serial": 7, "key_id": "ada", "address": "192.0.2.7"});
    let sudo = json!({"id": "2", "session": "s1", "kind": "sudo", "at": now, "account": "ada", "command": "/bin/ls\n"});
    let logout = json!({"id": "3", "session": "s1", "kind": "logout", "at": now, "account": "ada"});
    let first = json!({"sessions": [login, sudo], "boot_id": "b1"});
    told(&world, &host, &first).await;
    told(&world, &host, &first).await;
    let events = world.events("category=SESSION").await;
    let shown: Vec<_> = events
        .iter()
        .map(|one| {
            (
                one["action"].as_str().unwrap(),
                one["actor"]["id"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [("sudo", world.ada.as_str()), ("login", world.ada.as_str())]
    );
    assert_eq!(events[1]["object"]["name"], "web-1", "{}", events[1]);
    let said = events[1]["changes"].to_string();
    assert!(
        said.contains("192.0.2.7") && said.contains("\"7\""),
        "{said}"
    );
    let open = world.admin().get("/hosts/web-1/sessions").await;
    assert_eq!(open.json[0]["holder"]["id"], json!(world.ada), "{open}");
    assert_eq!(open.json[0]["address"], "192.0.2.7", "{open}");

    told(
        &world,
        &host,
        &json!({"sessions": [login, sudo, logout], "boot_id": "b1"}),
    )
    .await;
    let open = world.admin().get("/hosts/web-1/sessions").await;
    assert_eq!(open.json, json!([]), "{open}");
    assert_eq!(world.events("category=SESSION").await.len(), 3);

    let mut more = login.clone();
    (more["id"], more["session"]) = (json!("4"), json!("s2"));
    told(&world, &host, &json!({"sessions": [more], "boot_id": "b1"})).await;
    told(&world, &host, &json!({"boot_id": "b2"})).await;
    let open = world.admin().get("/hosts/web-1/sessions").await;
    assert_eq!(open.json, json!([]), "the machine was started anew: {open}");
    world.server.stop().await;
}

#[tokio::test]
async fn who_is_shut_out_has_no_session_any_more() {
    let world = World::start().await;
    let host = world.enrol(&Machine::new("web-1"), &json!({})).await;
    let (_, tag) = host.until(None, Some(true)).await;
    let now = world.now().to_string();
    let login = json!({"id": "1", "session": "s1", "kind": "login", "at": now, "account": "ada"});
    told(&world, &host, &json!({"sessions": [login]})).await;
    let denied =
        json!({"denied": [{"id": world.ada, "since": now, "sessions_ended": 1, "home": true}]});
    told(&world, &host, &denied).await;
    let open = world.admin().get("/hosts/web-1/sessions").await;
    assert_eq!(
        open.json.as_array().unwrap().len(),
        1,
        "she is not out: {open}"
    );
    world.set_active(false).await;
    host.until(Some(tag), Some(false)).await;
    told(&world, &host, &denied).await;
    let open = world.admin().get("/hosts/web-1/sessions").await;
    assert_eq!(open.json, json!([]), "{open}");
    world.server.stop().await;
}

#[tokio::test]
async fn a_report_is_no_larger_than_it_need_be() {
    let world = World::start().await;
    let host = world.enrol(&Machine::new("web-1"), &json!({})).await;
    let session =
        json!({"id": "1", "kind": "login", "at": world.now().to_string(), "account": "ada"});
    let conflict = json!({"account": "a", "reason": "b", "detail": "c"});
    for (name, change, expected) in [
        (
            "sessions",
            json!({"sessions": vec![session.clone(); 501]}),
            (400, "invalid"),
        ),
        (
            "conflicts",
            json!({"conflicts": vec![conflict; 1001]}),
            (400, "invalid"),
        ),
        (
            "no kind",
            json!({"sessions": [{"id": "1"}]}),
            (400, "invalid"),
        ),
        (
            "bytes",
            json!({"os": "x".repeat(2 << 20)}),
            (413, "too_large"),
        ),
    ] {
        let answer = host.report(report(&world, &change)).await;
        assert_eq!(refused(&answer), expected, "{name}: {answer}");
    }
    told(
        &world,
        &host,
        &json!({"os": "x".repeat(5000), "later": "a newer agent says more"}),
    )
    .await;
    let one = world.admin().get("/hosts/web-1").await;
    let os = one.json["agent"]["os"].as_str().unwrap();
    assert_eq!(os.len(), 1024, "what is too long is cut");
    world.server.stop().await;
}
