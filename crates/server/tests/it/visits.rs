//! Locations, their devices, and visits, as admins see and change them.

use crate::sink::Sink;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_testbed::{Answer, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const WORK: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const HOUR: Duration = Duration::from_secs(3600);

/// A server with people in a directory for visitors, one of them in a group.
struct House {
    server: TestServer,
    directory: String,
    group: String,
}

impl House {
    async fn new() -> Self {
        Self::of(TestServer::start().await).await
    }

    async fn of(server: TestServer) -> Self {
        let people = json!({"name": "People", "provider": "native", "visitors": true});
        let directory = made(&server, "/directories", people).await;
        let inside = |what: &str| format!("/directories/{directory}/{what}");
        let mut first = String::new();
        for (name, given, family) in [
            ("ada", "Ada", "King"),
            ("bob", "Bob", "Núñez"),
            ("eve", "Eve", "Doe"),
        ] {
            let resource = json!({"name": {"givenName": given, "familyName": family}, WORK: {"department": "Engines"}});
            let user = json!({
                "user_name": name,
                "display_name": format!("{given} {family}"),
                "email": format!("{name}@contoso.example"),
                "resource": resource,
            });
            let id = made(&server, &inside("users"), user).await;
            if first.is_empty() {
                first = id;
            }
        }
        let group = json!({"display_name": "Engineers"});
        let group = made(&server, &inside("groups"), group).await;
        let members = format!("{}/{group}/members", inside("groups"));
        let added = server.admin().post(&members, json!({"id": first})).await;
        assert_eq!(added.status, 201, "{added}");
        Self {
            server,
            directory,
            group,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.server.admin().get(path).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.server.admin().post(path, body).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.server.admin().patch(path, body).await
    }

    async fn location(&self, body: Value) -> String {
        made(&self.server, "/visit-locations", body).await
    }

    /// A visitor who is expected in so many hours.
    async fn expect(&self, hours: i64, body: Value) -> Answer {
        let mut body = body;
        body["expected_at"] = json!(format!("2026-01-05T{:02}:00:00Z", 8 + hours));
        self.post("/visits", body).await
    }

    /// The names of the visitors whom a query finds, in its order.
    async fn visitors(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/visits?{query}")).await;
        let list = answer.json.as_array();
        let list = list.unwrap_or_else(|| panic!("{query}: {answer}"));
        let name = |visit: &Value| visit["visitor_name"].as_str().unwrap().to_owned();
        list.iter().map(name).collect()
    }
}

async fn made(server: &TestServer, path: &str, body: Value) -> String {
    let made = server.admin().post(path, body).await;
    assert_eq!(made.status, 201, "{path}: {made}");
    made.id().to_owned()
}

#[tokio::test]
async fn a_location_is_what_is_said_of_it_and_else_as_usual() {
    let house = House::new().await;
    let plain = house
        .post("/visit-locations", json!({"name": "Lobby"}))
        .await;
    let expected = json!({
        "name": "Lobby", "time_zone": "UTC", "hours": [], "groups": [], "group_names": [], "names": "full",
        "departments": true, "fallback": null, "languages": ["en", "de", "fr", "es"], "ask_company": true,
        "ask_purpose": false, "photo_consent": null, "webhook": null, "is_open": true, "version": 1, "team": "main",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(plain.json[name], *value, "{name}: {plain}");
    }
    let end = format!("/visit/{}", plain.id());
    assert!(plain.text("url").ends_with(&end), "{plain}");

    let all = json!({
        "time_zone": "Europe/Vienna",
        "hours": [{"days": ["mon"], "from": "09:30", "until": "17:00"}],
        "groups": ["engineers"],
        "names": "short",
        "departments": false,
        "fallback": {"name": "Reception", "email": "desk@contoso.example"},
        "languages": ["de"],
        "ask_company": false,
        "ask_purpose": true,
        "photo_consent": "May we?",
        "webhook": "https://hooks.example/visits",
    });
    let changed = house.patch("/visit-locations/LOBBY", all.clone()).await;
    assert_eq!(changed.status, 200, "{changed}");
    for (name, value) in all.as_object().unwrap() {
        let expected = match name.as_str() {
            "groups" => json!([house.group]),
            _ => value.clone(),
        };
        assert_eq!(changed.json[name], expected, "{name}: {changed}");
    }
    assert_eq!(changed.json["group_names"], json!(["Engineers"]));
    assert_eq!(changed.json["is_open"], false, "it is nine in Vienna");
    house.server.clock().advance(HOUR);
    let path = format!("/visit-locations/{}", plain.id());
    assert_eq!(house.get(&path).await.json["is_open"], true, "it is ten");

    let none = json!({"fallback": null, "photo_consent": null, "webhook": null, "hours": [], "groups": []});
    let taken = house.patch(&path, none.clone()).await;
    for (name, value) in none.as_object().unwrap() {
        assert_eq!(taken.json[name], *value, "{name}: {taken}");
    }
    assert_eq!(
        taken.text("time_zone"),
        "Europe/Vienna",
        "it stays: {taken}"
    );
    let same = house.patch(&path, none).await;
    assert_eq!(same.json["version"], taken.json["version"], "{same}");
    let events = house.get("/events?category=ADMIN&action=update").await;
    assert_eq!(events.json.as_array().map(Vec::len), Some(2), "{events}");
    house.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_makes_no_sense_of_a_location_is_refused_by_name() {
    let house = House::new().await;
    house.location(json!({"name": "Lobby"})).await;
    let other = json!({"name": "Others", "provider": "native", "visitors": true});
    let other = made(&house.server, "/directories", other).await;
    for directory in [&house.directory, &other] {
        let path = format!("/directories/{directory}/groups");
        made(&house.server, &path, json!({"display_name": "Everybody"})).await;
    }
    for (name, body, status, named) in [
        ("the same name", json!({"name": "lobby"}), 409, "name"),
        ("no name", json!({"name": " "}), 400, "location"),
        (
            "no such clock",
            json!({"time_zone": "Mars/Base"}),
            400,
            "time_zone",
        ),
        (
            "no hours",
            json!({"hours": [{"days": [], "from": "08:00", "until": "09:00"}]}),
            400,
            "hours",
        ),
        (
            "nobody's group",
            json!({"groups": ["Nobody"]}),
            404,
            "Nobody",
        ),
        (
            "two groups of a name",
            json!({"groups": ["Everybody"]}),
            400,
            "groups",
        ),
        (
            "no address",
            json!({"fallback": {"name": "Desk", "email": "desk"}}),
            400,
            "fallback",
        ),
        ("no language", json!({"languages": []}), 400, "languages"),
        (
            "a language twice",
            json!({"languages": ["de", "de"]}),
            400,
            "languages",
        ),
        (
            "nothing to consent to",
            json!({"photo_consent": " "}),
            400,
            "photo_consent",
        ),
        (
            "a webhook in the clear",
            json!({"webhook": "http://hooks.example"}),
            400,
            "webhook",
        ),
        (
            "a member that is none",
            json!({"colour": "red"}),
            400,
            "colour",
        ),
    ] {
        let mut body = body;
        if body.get("name").is_none() {
            body["name"] = json!("Other");
        }
        let refused = house.post("/visit-locations", body).await;
        assert_eq!(refused.status, status, "{name}: {refused}");
        assert!(refused.text("detail").contains(named), "{name}: {refused}");
    }
    house.server.stop().await;
}

#[tokio::test]
async fn the_token_of_a_device_is_shown_once() {
    let house = House::new().await;
    let lobby = house.location(json!({"name": "Lobby"})).await;
    house.location(json!({"name": "Yard"})).await;
    let path = "/visit-locations/lobby/devices";
    let door = house.post(path, json!({"name": "Door"})).await;
    assert_eq!(door.status, 201, "{door}");
    assert_eq!(door.header("cache-control"), Some("no-store"));
    let token = door.text("token").to_owned();
    let setup = format!("/visit/{lobby}/setup#{token}");
    assert!(door.text("setup_url").ends_with(&setup), "{door}");
    let listed = house.get(path).await;
    let events = house.get("/events").await;
    for (name, shown) in [("the list", &listed), ("the log", &events)] {
        assert!(!shown.to_string().contains(&token), "{name}: {shown}");
    }
    assert_eq!(listed.json[0]["status"], "active", "{listed}");

    let one = format!("/{}", door.id());
    let elsewhere = format!("/visit-locations/yard/devices{one}");
    let elsewhere = house.server.admin().delete(&elsewhere).await;
    assert_eq!(elsewhere.status, 404, "{elsewhere}");
    for _ in 0..2 {
        let revoked = house.server.admin().delete(&format!("{path}{one}")).await;
        let is = (revoked.status, revoked.text("status"));
        assert_eq!(is, (200, "revoked"), "{revoked}");
    }
    let events = house.get("/events?category=ADMIN&action=revoke").await;
    assert_eq!(events.json.as_array().map(Vec::len), Some(1), "{events}");
    house.server.stop().await;
}

#[tokio::test]
async fn a_visitor_is_announced_and_signed_out() {
    let house = House::new().await;
    let lobby = house.location(json!({"name": "Lobby"})).await;
    let grace =
        json!({"location": "lobby", "visitor_host": "ada", "name": "Grace", "company": "Navy"});
    let visit = house.expect(2, grace).await;
    assert_eq!(visit.status, 201, "{visit}");
    assert_eq!(
        visit.json["location"],
        json!({"id": lobby, "name": "Lobby"})
    );
    assert_eq!(visit.json["visitor_host"]["name"], "Ada King");
    let seen = (visit.text("state"), visit.text("expected_at"));
    assert_eq!(seen, ("expected", "2026-01-05T10:00:00.000000Z"), "{visit}");
    let path = format!("/visits/{}", visit.id());
    assert_eq!(house.get(&path).await.json, visit.json);
    let photo = house.get(&format!("{path}/photo")).await;
    assert_eq!(photo.status, 404, "{photo}");

    let in_use = house.server.admin().delete("/visit-locations/lobby").await;
    assert_eq!(in_use.status, 400, "somebody is expected: {in_use}");
    for _ in 0..2 {
        let gone = house.post(&format!("{path}/sign-out"), json!({})).await;
        assert_eq!((gone.status, gone.text("state")), (200, "gone"), "{gone}");
    }
    let log = house.get("/events?category=VISITOR").await;
    let actions = log.json.as_array().unwrap().iter();
    let actions: Vec<&str> = actions.map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["cancel", "expect"], "{log}");
    assert!(!log.to_string().contains("Grace"), "the log names nobody");
    let removed = house.server.admin().delete("/visit-locations/lobby").await;
    assert_eq!(removed.status, 204, "{removed}");
    let found = house.visitors(&format!("location={lobby}")).await;
    assert_eq!(found, ["Grace"], "visits stay");
    house.server.stop().await;
}

#[tokio::test]
async fn nobody_is_announced_whom_visitors_would_not_find() {
    let house = House::new().await;
    house.location(json!({"name": "Lobby"})).await;
    let engineers = json!({"name": "Works", "groups": ["Engineers"]});
    house.location(engineers).await;
    let eve = format!("/directories/{}/visitor-hosts/eve", house.directory);
    let hidden = house.patch(&eve, json!({"is_hidden": true})).await;
    assert_eq!(hidden.status, 200, "{hidden}");
    let other = json!({"name": "Others", "provider": "native", "visitors": true});
    let other = made(&house.server, "/directories", other).await;
    let twin = format!("/directories/{other}/users");
    made(&house.server, &twin, json!({"user_name": "bob"})).await;
    for (name, location, host, status, named) in [
        ("hidden", "Lobby", "eve", 400, "hidden"),
        ("in no group", "Works", "eve", 400, "hidden"),
        ("two of a name", "Lobby", "bob", 400, "several"),
        ("nobody", "Lobby", "mallory", 404, "mallory"),
        ("nowhere", "Nowhere", "ada", 404, "Nowhere"),
    ] {
        let body = json!({"location": location, "visitor_host": host, "name": "Grace"});
        let refused = house.expect(1, body).await;
        assert_eq!(refused.status, status, "{name}: {refused}");
        assert!(refused.text("detail").contains(named), "{name}: {refused}");
    }
    let body =
        json!({"location": "Works", "visitor_host": "bob", "directory": "People", "name": "Grace"});
    let refused = house.expect(1, body).await;
    assert_eq!(refused.status, 400, "{refused}");
    assert!(refused.text("detail").contains("groups"), "{refused}");
    for (name, at) in [
        ("no time", "tomorrow"),
        ("long ago", "2026-01-03T08:00:00Z"),
        ("in a long time", "2028-01-03T08:00:00Z"),
    ] {
        let body = json!({"location": "Lobby", "name": "Grace", "expected_at": at});
        let refused = house.post("/visits", body).await;
        assert_eq!(refused.status, 400, "{name}: {refused}");
        let detail = refused.text("detail");
        assert!(detail.contains("expected_at"), "{name}: {refused}");
    }
    let ada = json!({"location": "Works", "visitor_host": "ada", "name": "Grace"});
    assert_eq!(house.expect(1, ada).await.status, 201);
    house.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "tables")]
async fn visits_are_found_page_by_page_and_exported() {
    let house = House::new().await;
    house.location(json!({"name": "Lobby"})).await;
    house.location(json!({"name": "Yard"})).await;
    let mut last = String::new();
    for (hours, location, host, name) in [
        (1, "Lobby", "ada", "Ann"),
        (2, "Yard", "bob", "=1+1"),
        (3, "Lobby", "bob", "Cem, \"C\""),
        (3, "Lobby", "ada", "Dan"),
    ] {
        let body = json!({"location": location, "visitor_host": host, "name": name});
        last = house.expect(hours, body).await.id().to_owned();
    }
    house
        .post(&format!("/visits/{last}/sign-out"), json!({}))
        .await;
    let cem = "Cem, \"C\"";
    for (query, names) in [
        ("", vec!["Dan", cem, "=1+1", "Ann"]),
        ("location=lobby", vec!["Dan", cem, "Ann"]),
        ("state=expected", vec![cem, "=1+1", "Ann"]),
        ("state=gone", vec!["Dan"]),
        ("visitor_host=bob", vec![cem, "=1+1"]),
        ("from=2026-01-05T10:00:00Z", vec!["Dan", cem, "=1+1"]),
        ("until=2026-01-05T10:00:00Z", vec!["Ann"]),
        ("location=yard&visitor_host=ada", vec![]),
    ] {
        assert_eq!(house.visitors(query).await, names, "{query}");
    }
    for (query, status) in [
        ("location=nowhere", 404),
        ("visitor_host=mallory", 404),
        ("state=lost", 400),
        ("cursor=none", 400),
    ] {
        let refused = house.get(&format!("/visits?{query}")).await;
        assert_eq!(refused.status, status, "{query}: {refused}");
    }
    let mut walked = Vec::new();
    let mut query = Some("?limit=3&state=expected".to_owned());
    let mut pages = 0;
    while let Some(asked) = query {
        let page = house.get(&format!("/visits{asked}")).await;
        walked.extend(page.json.as_array().unwrap().clone());
        let link = page.header("link").map(str::to_owned);
        query = link.map(|link| link[1..link.find('>').unwrap()].to_owned());
        pages += 1;
    }
    assert_eq!((walked.len(), pages), (3, 2), "{walked:?}");

    let csv = house.get("/visits/export?format=csv&state=expected").await;
    let disposition = csv.header("content-disposition");
    assert_eq!(disposition, Some("attachment; filename=\"visits.csv\""));
    let lines: Vec<&str> = csv.json.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].starts_with("id,location,state,visitor_name"));
    assert!(lines[1].contains(",\"Cem, \"\"C\"\"\","), "{}", lines[1]);
    assert!(lines[2].contains(",'=1+1,"), "no formula: {}", lines[2]);
    let json = house.get("/visits/export?state=expected").await;
    let lines = json.json.as_str().unwrap().lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(
        lines.collect::<Vec<_>>(),
        walked,
        "the same as on the pages"
    );
    let refused = house.get("/visits/export?location=nowhere").await;
    assert_eq!(refused.status, 404, "{refused}");
    house.server.stop().await;
}

#[tokio::test]
async fn a_picture_is_shown_as_what_it_is() {
    let house = House::new().await;
    let desk = json!({"name": "Desk", "email": "desk@contoso.example"});
    let lobby = json!({"name": "Lobby", "photo_consent": "May we?", "fallback": desk});
    let lobby = house.location(lobby).await;
    let door = json!({"name": "Door"});
    let door = house.post("/visit-locations/lobby/devices", door).await;
    let stranger = house.server.stranger();
    let base = format!("{}/visit/{lobby}", stranger.base());
    let tablet = stranger
        .with_base(&base)
        .with_token(Some(door.text("token")));
    for (media_type, picture) in [
        ("image/png", &b"\x89PNG\r\n\x1A\n"[..]),
        ("image/jpeg", b"\xFF\xD8\xFF\xE0"),
    ] {
        let photo = STANDARD.encode(picture);
        let body = json!({"name": media_type, "photo": photo, "consents": true});
        let visit = tablet.post("/visits", body).await;
        assert_eq!(visit.status, 201, "{visit}");
        let path = format!("/visits/{}", visit.id());
        assert_eq!(house.get(&path).await.json["has_photo"], true);
        let shown = house.get(&format!("{path}/photo")).await;
        assert_eq!(shown.status, 200, "{shown}");
        for (header, value) in [
            ("content-type", media_type),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(shown.header(header), Some(value), "{media_type}");
        }
    }
    house.server.stop().await;
}

#[tokio::test]
async fn a_preview_is_what_visitors_see() {
    let house = House::new().await;
    let all = json!({"name": "Lobby"});
    let little =
        json!({"name": "Works", "groups": ["Engineers"], "names": "short", "departments": false});
    house.location(all).await;
    house.location(little).await;
    let hosts = format!("/directories/{}/visitor-hosts", house.directory);
    let hide = json!({"is_hidden": true});
    assert_eq!(house.patch(&format!("{hosts}/eve"), hide).await.status, 200);
    for (who, location, seen, why_not) in [
        (
            "ada",
            "Lobby",
            json!({"name": "Ada King", "department": "Engines"}),
            None,
        ),
        ("ada", "Works", json!({"name": "Ada K."}), None),
        ("bob", "Works", Value::Null, Some("not_in_groups")),
        ("eve", "Lobby", Value::Null, Some("hidden_by_hand")),
    ] {
        let path = format!("{hosts}/{who}/preview?location={location}");
        let preview = house.get(&path).await;
        let is = (&preview.json["seen"], preview.json["why_not"].as_str());
        assert_eq!(is, (&seen, why_not), "{who} at {location}: {preview}");
        assert_eq!(preview.json["is_found"], why_not.is_none(), "{preview}");
    }
    let nowhere = house.get(&format!("{hosts}/ada/preview")).await;
    assert_eq!(nowhere.status, 400, "{nowhere}");
    house.server.stop().await;
}

#[tokio::test]
async fn what_could_not_be_sent_is_shown() {
    let sink = Sink::start(0).await;
    sink.set_away(true);
    let server = TestServer::start_with(|config| sink.serve(config)).await;
    let house = House::of(server).await;
    house.location(json!({"name": "Lobby"})).await;
    let none = house.get("/visits/notices").await;
    let nothing = json!({"mails": {"waiting": 0}, "webhooks": {"waiting": 0}});
    assert_eq!(none.json, nothing);
    let body = json!({"location": "Lobby", "visitor_host": "ada", "name": "Grace"});
    assert_eq!(house.expect(1, body).await.status, 201);
    let mut waiting = house.get("/visits/notices").await;
    // It is tried at once, and why that fails is known a moment later.
    while waiting.json["mails"]["last_error"].is_null() {
        tokio::task::yield_now().await;
        waiting = house.get("/visits/notices").await;
    }
    assert_eq!(waiting.json["mails"]["waiting"], 1, "{waiting}");
    assert!(waiting.json["mails"]["oldest_at"].is_string(), "{waiting}");
    house.server.stop().await;
}
