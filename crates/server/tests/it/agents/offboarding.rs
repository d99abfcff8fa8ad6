//! What became of Ada's accounts when she left, and what of them is removed.

use super::world::{Host, Machine, World};
use crate::browser::Browser;
use portreeve_testbed::Answer;
use serde_json::{Value, json};

/// Two hosts with agents, one whose agent has left, one that never had any, and Ada may log in to each.
struct Town {
    world: World,
    web_1: Host,
    web_2: Host,
    /// Where her report is.
    path: String,
}

impl Town {
    async fn start() -> Self {
        let world = World::start().await;
        world
            .make("/hosts", json!({"name": "web-4", "tags": {"role": "web"}}))
            .await;
        let web_3 = world.enrol(&Machine::new("web-3"), &json!({})).await;
        web_3.until(None, Some(true)).await;
        let left = web_3.agent.post("/host/v1/leave", json!({})).await;
        assert_eq!(left.status, 204, "{left}");
        let web_1 = world.enrol(&Machine::new("web-1"), &json!({})).await;
        let web_2 = world.enrol(&Machine::new("web-2"), &json!({})).await;
        let directories = world.admin().get("/directories").await;
        let directory = directories.json[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/directories/{directory}/users/{}", world.ada);
        Self {
            world,
            web_1,
            web_2,
            path,
        }
    }

    async fn report(&self) -> Value {
        let answer = self
            .world
            .admin()
            .get(&format!("{}/offboarding", self.path))
            .await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json
    }

    async fn ask(&self, wanted: Value) -> Answer {
        let path = format!("{}/removal", self.path);
        self.world.admin().post(&path, wanted).await
    }

    /// An agent reports, with these members on top; what it is to remove.
    async fn told(&self, host: &Host, document: &Value, change: &Value) -> Value {
        let now = self.world.now().to_string();
        let mut report = json!({"agent_version": "0.1.0", "os": "Debian", "now": now,
            "applied": {"version": document["version"], "at": now}});
        for (name, value) in change.as_object().unwrap() {
            report[name] = value.clone();
        }
        let answer = host.report(report).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json["removals"].clone()
    }
}

/// What a report says of a host.
fn of<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut all = report["hosts"].as_array().unwrap().iter();
    all.find(|host| host["name"] == name).unwrap()
}

fn counts(report: &Value) -> [u64; 3] {
    ["total", "denied", "acknowledged"].map(|name| report[name].as_u64().unwrap())
}

#[tokio::test]
async fn the_report_says_since_when_each_host_denies_somebody_and_what_is_left() {
    let town = Town::start().await;
    let (document, tag) = town.web_1.until(None, Some(true)).await;
    town.web_2.until(None, Some(true)).await;
    town.told(&town.web_1, &document, &json!({})).await;
    let before = town.report().await;
    assert_eq!(counts(&before), [3, 0, 0], "{before}");
    assert_eq!(
        before["summary"],
        "May log in on 3 of 3 hosts. Hosts without an agent go by certificates; no certificate of theirs counts."
    );

    town.world.set_active(false).await;
    let (document, _) = town.web_1.until(Some(tag), Some(false)).await;
    let pending = town.report().await;
    assert_eq!(counts(&pending), [3, 3, 0], "{pending}");
    let now = town.world.now().to_string();
    let denied = json!({"id": town.world.ada, "since": now, "sessions_ended": 2, "processes": 1,
        "home": true, "crontab": true});
    town.told(&town.web_1, &document, &json!({"denied": [denied]}))
        .await;
    let report = town.report().await;
    assert_eq!(counts(&report), [3, 3, 1], "{report}");
    assert_eq!(
        report["summary"],
        "Denied on 3 of 3 hosts, acknowledged by 1. web-2 has never reported. web-3 has no agent any more. Hosts without an agent go by certificates; no certificate of theirs counts."
    );
    let web_1 = of(&report, "web-1");
    assert_eq!(web_1["state"], "acknowledged", "{web_1}");
    assert_eq!(web_1["had_sudo"], true, "{web_1}");
    let since = web_1["acknowledged_at"].as_str().unwrap();
    assert!(since.starts_with(&now[..19]), "{web_1}");
    let left = &web_1["left"];
    assert_eq!(
        [&left["sessions_ended"], &left["processes"]],
        [&json!(2), &json!(1)]
    );
    assert_eq!(
        ["home", "crontab", "keys"].map(|name| left[name] == true),
        [true, true, false]
    );
    for (name, has_agent) in [("web-2", true), ("web-3", false)] {
        let host = of(&report, name);
        assert_eq!(host["state"], "denied", "{host}");
        assert_eq!(host["has_agent"], has_agent, "{host}");
        assert_eq!(host.get("left"), None, "{host}");
    }
    town.world.server.stop().await;
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "it is one story: asked, answered, removed, let in again"
)]
async fn what_is_left_is_removed_when_somebody_asks_and_never_of_who_may_log_in() {
    let town = Town::start().await;
    let ada = town.world.ada.clone();
    let (_, tag) = town.web_1.until(None, Some(true)).await;
    let (_, other) = town.web_2.until(None, Some(true)).await;
    let refused = town.ask(json!({"dry_run": true, "hosts": ["web-1"]})).await;
    assert_eq!(refused.status, 400, "she may log in there: {refused}");
    assert!(
        refused.text("detail").contains("end their access first"),
        "{refused}"
    );

    town.world.set_active(false).await;
    let (document, _) = town.web_1.until(Some(tag), Some(false)).await;
    town.web_2.until(Some(other.clone()), Some(false)).await;
    for (name, hosts, said) in [
        ("no agent", "web-3", "no agent"),
        ("no such host", "nowhere", "never had an account"),
    ] {
        let refused = town.ask(json!({"dry_run": true, "hosts": [hosts]})).await;
        assert_eq!(refused.status, 400, "{name}: {refused}");
        assert!(refused.text("detail").contains(said), "{name}: {refused}");
    }

    let asked = town.ask(json!({"dry_run": true, "hosts": ["web-1"]})).await;
    assert_eq!(asked.status, 200, "{asked}");
    let due = town.told(&town.web_1, &document, &json!({})).await;
    assert_eq!(due, json!([{"id": ada, "account": "ada", "dry_run": true}]));
    let would = json!({"removed": [{"id": ada, "dry_run": true, "paths": ["/home/ada"]}]});
    let due = town.told(&town.web_1, &document, &would).await;
    assert_eq!(due, json!([]), "it has answered");
    let report = town.report().await;
    let removal = &of(&report, "web-1")["removal"];
    assert_eq!(removal["paths"], json!(["/home/ada"]), "{removal}");
    assert_eq!(of(&report, "web-1")["state"], "acknowledged", "{report}");

    // Nothing that was not asked for counts.
    let lie = json!({"removed": [{"id": ada, "dry_run": false, "paths": ["/home/ada"]}]});
    town.told(&town.web_1, &document, &lie).await;
    assert_eq!(of(&town.report().await, "web-1")["state"], "acknowledged");

    let asked = town.ask(json!({"dry_run": false})).await;
    assert_eq!(asked.status, 200, "{asked}");
    let due = town.told(&town.web_1, &document, &json!({})).await;
    assert_eq!(due[0]["dry_run"], false, "{due}");
    for _ in 0..2 {
        town.told(&town.web_1, &document, &lie).await;
    }
    let report = town.report().await;
    assert_eq!(of(&report, "web-1")["state"], "removed", "{report}");
    assert_eq!(counts(&report), [3, 3, 1], "{report}");
    assert_eq!(of(&report, "web-2")["removal"]["dry_run"], false);
    let events = town
        .world
        .events(&format!("category=ADMIN&object={ada}"))
        .await;
    let actions: Vec<_> = events
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["remove_data", "ask_removal", "list_data", "ask_removal"]
    );

    // Who is let in again keeps what they have, whatever was asked for before.
    town.world.set_active(true).await;
    let (document, _) = town.web_2.until(Some(other), Some(true)).await;
    let due = town.told(&town.web_2, &document, &json!({})).await;
    assert_eq!(due, json!([]), "she may log in");
    let report = town.report().await;
    assert_eq!(of(&report, "web-2")["state"], "allowed", "{report}");
    assert!(of(&report, "web-2")["removal"].is_null(), "{report}");
    town.world.server.stop().await;
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "it goes through the screens in their order"
)]
async fn the_console_shows_the_fleet_and_the_report_and_makes_tokens() {
    let town = Town::start().await;
    let (document, _) = town.web_1.until(None, Some(true)).await;
    let conflict = json!({"conflicts": [{"account": "backup", "reason": "name_taken", "detail": "number 34"}]});
    town.told(&town.web_1, &document, &conflict).await;
    let mut owner = Browser::of_owner(&town.world.server, "olga").await;

    let fleet = owner.page("/console/hosts/fleet").await;
    let counted = "4 hosts: 1 current, 1 never reported, 1 left, 1 without an agent.";
    assert!(fleet.contains(counted), "{fleet}");
    assert!(fleet.contains("1 conflict"), "{fleet}");
    let never = owner.page("/console/hosts/fleet?state=never").await;
    assert!(
        never.contains(">web-2<") && !never.contains(">web-1<"),
        "{never}"
    );

    let host = owner
        .page(&format!("/console/hosts/{}", town.web_1.id))
        .await;
    for said in [
        "Not done there",
        "account of that name",
        "Policy in force",
        "Debian",
    ] {
        assert!(host.contains(said), "{said}: {host}");
    }

    let here = "/console/hosts/enrolment";
    let fields = [
        ("name", "Web"),
        ("name_pattern", "web-*"),
        ("tags", "role=web"),
        ("uses", "3"),
        ("hours", "24"),
    ];
    let made = owner.submit(here, &fields).await;
    assert_eq!(made.status, 201, "{made}");
    let page = crate::browser::html(&made);
    let (_, command) = page
        .split_once("portreeve-host enroll --token pe_")
        .expect("a command");
    let secret = command.split_once('"').unwrap().0.to_owned();
    let page = owner.page(here).await;
    assert!(page.contains("0 of 3") && page.contains("web-*"), "{page}");
    assert!(!page.contains(&secret), "it is shown once");
    let wrong = owner.not_done(here, &[("uses", "x"), ("hours", "1")]).await;
    assert!(
        wrong.contains("how many may enrol is a number") || wrong.contains("How many"),
        "{wrong}"
    );

    town.world.set_active(false).await;
    let user = format!(
        "/console/users/{}/{}",
        town.path.split('/').nth(2).unwrap(),
        town.world.ada
    );
    town.web_2.until(None, Some(false)).await;
    let report = owner.page(&format!("{user}/offboarding")).await;
    for said in ["Denied on 3 of 3 hosts", "had sudo", "Remove data…"] {
        assert!(report.contains(said), "{said}: {report}");
    }
    let nothing = owner.not_done(&format!("{user}/removal"), &[]).await;
    assert!(nothing.contains("Choose a host"), "{nothing}");
    let asked = owner
        .done(
            &format!("{user}/removal"),
            &[("hosts", &town.web_1.id), ("dry_run", "true")],
        )
        .await;
    assert!(asked.contains("Asked what would be"), "{asked}");
    town.world.server.stop().await;
}
