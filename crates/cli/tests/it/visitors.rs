//! Locations, tablets and visits on the command line.

use crate::program::Server;
use serde_json::{Value, json};

/// A directory for visitors with Ada, who is in a group, and a location.
fn house() -> Server {
    let server = Server::start();
    for line in [
        "directory create People --provider native --visitors true",
        "user create ada@contoso.example --display-name 'Ada King' -d People",
        "group create engineers -d People",
        "group add engineers ada@contoso.example -d People",
        "visit-location create Vienna --time-zone Europe/Vienna",
    ] {
        let done = server.run_line(line);
        assert_eq!(done.code, 0, "{line}: {done:?}");
    }
    server
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_location_is_changed_piece_by_piece() {
    let server = house();
    let change = |line: &str| {
        let line = format!("visit-location update Vienna -o json {line}");
        server.run_line(&line).json()
    };
    let hours = json!([
        {"days": ["mon", "tue"], "from": "08:00", "until": "18:00"},
        {"days": ["sat", "sun"], "from": "10:00", "until": "12:00"},
    ]);
    let desk = json!({"name": "The desk", "email": "desk@contoso.example"});
    for (line, member, value) in [
        (
            "--open 'mon-tue 08:00-18:00' --open 'sat,sun 10:00-12:00'",
            "hours",
            hours,
        ),
        ("--group engineers", "group_names", json!(["engineers"])),
        (
            "--fallback 'The desk <desk@contoso.example>'",
            "fallback",
            desk,
        ),
        ("--names short", "names", json!("short")),
        (
            "--language de --language en",
            "languages",
            json!(["de", "en"]),
        ),
        ("--departments false", "departments", json!(false)),
        (
            "--photo-consent 'May we?'",
            "photo_consent",
            json!("May we?"),
        ),
        ("--open ''", "hours", json!([])),
        ("--group ''", "groups", json!([])),
        ("--fallback ''", "fallback", Value::Null),
        ("--photo-consent ''", "photo_consent", Value::Null),
        ("--name Graz", "name", json!("Graz")),
    ] {
        let changed = change(line);
        assert_eq!(changed[member], value, "{line}: {changed}");
    }
    let table = server.run_line("visit-location list");
    assert!(table.out.contains("Graz"), "{table:?}");
    assert!(table.out.contains("always"), "{table:?}");
    for (line, said) in [
        ("visit-location update Graz", "nothing to change"),
        (
            "visit-location update Graz --open never",
            "no opening hours",
        ),
        (
            "visit-location update Graz --fallback desk",
            "no name with an address",
        ),
        ("visit-location get Linz", "portreeve visit-location list"),
        ("visit-location delete Graz", "will be lost"),
    ] {
        let failed = server.run_line(line);
        assert_ne!(failed.code, 0, "{line}: {failed:?}");
        assert!(failed.err.contains(said), "{line}: {failed:?}");
    }
    let tried = server.run_line("visit-location update Graz --names full --dry-run -o json");
    let difference = json!([{"attribute": "names", "old": "short", "new": "full"}]);
    assert_eq!(tried.json(), difference);
    let secret = server.run_line("visit-location webhook-secret Graz -o name");
    assert!(secret.out.starts_with("whsec_"), "{secret:?}");
    assert_eq!(server.run_line("visit-location delete Graz --yes").code, 0);
    assert_eq!(server.json(&["visit-location", "list"]), json!([]));
}

#[test]
fn a_tablet_is_let_in_and_sent_away() {
    let server = house();
    let made = server.run_line("visit-device create Door");
    assert!(made.out.contains("prv_"), "the token: {made:?}");
    assert!(made.err.contains("/setup#prv_"), "what to open: {made:?}");
    let all = server.json(&["visit-device", "list", "--location", "vienna"]);
    assert_eq!(all[0]["name"], "Door", "{all}");
    assert!(!all.to_string().contains("prv_"), "{all}");
    let id = all[0]["id"].as_str().unwrap();
    let revoked = server.json(&["visit-device", "revoke", id]);
    assert_eq!(revoked["status"], "revoked", "{revoked}");
    // Another one with that name, since the first is gone, and then a third.
    assert_eq!(server.run_line("visit-device create Door").code, 0);
    let revoked = server.json(&["visit-device", "revoke", "Door"]);
    assert_eq!(revoked["status"], "revoked", "{revoked}");
    assert_ne!(revoked["id"], id, "{revoked}");
    for _ in 0..2 {
        assert_eq!(server.run_line("visit-device create Door").code, 0);
    }
    let both = server.run_line("visit-device revoke Door");
    assert!(both.err.contains("give the id"), "{both:?}");
    let none = server.run_line("visit-device revoke Window");
    assert!(none.err.contains("visit-device list"), "{none:?}");
    assert_eq!(server.run_line("visit-location create Graz").code, 0);
    let several = server.run_line("visit-device list");
    assert!(several.err.contains("Graz, Vienna"), "{several:?}");
}

#[test]
fn visitors_are_announced_listed_signed_out_and_exported() {
    let server = house();
    let expect = |line: &str| {
        server
            .run_line(&format!("visit expect -o json {line}"))
            .json()
    };
    let grace = "'Grace Hopper' --at 2h --visitor-host ada@contoso.example --company Navy";
    let grace = expect(grace);
    assert_eq!(grace["visitor_host"]["name"], "Ada King", "{grace}");
    expect("=1+1 --at 3h --purpose Sums");
    let id = grace["id"].as_str().unwrap();
    let gone = server.json(&["visit", "sign-out", id]);
    assert_eq!(gone["state"], "gone", "{gone}");
    let names = |line: &str| {
        let all = server
            .run_line(&format!("visit list -o json {line}"))
            .json();
        let all = all.as_array().unwrap().iter();
        let name = |visit: &Value| visit["visitor_name"].as_str().unwrap().to_owned();
        all.map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("--limit 2"), ["=1+1", "Grace Hopper"]);
    assert_eq!(names("--state gone --location Vienna"), ["Grace Hopper"]);
    assert_eq!(
        names("--visitor-host ada@contoso.example"),
        ["Grace Hopper"]
    );
    assert_eq!(names("--limit 1"), ["=1+1"]);
    assert!(names("--until 1d").is_empty(), "they come today");

    let csv = server.run_line("visit export -o csv").out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    assert!(lines[1].contains(",'=1+1,"), "no formula: {csv}");
    let json = server.run_line("visit export").out;
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["purpose"], "Sums", "{json}");
    let ids = server.run_line("visit export -o name --state gone").out;
    assert_eq!(ids, format!("{id}\n"));
    let waiting = server.run_line("visit notices -o json").json();
    assert_eq!(waiting["mails"]["waiting"], 0, "{waiting}");
    for (line, said) in [
        ("visit get none", "portreeve visit list"),
        (
            "visit export --location Linz",
            "portreeve visit-location list",
        ),
        ("visit expect Eve --at later", "no time"),
        ("visit expect Eve --at 2027-01-31T09:30", "09:30+01:00"),
        ("visit list --from someday", "no time"),
    ] {
        let failed = server.run_line(line);
        assert_ne!(failed.code, 0, "{line}: {failed:?}");
        assert!(failed.err.contains(said), "{line}: {failed:?}");
    }
}

#[test]
fn a_preview_says_what_is_seen_or_why_nothing_is() {
    let server = house();
    let preview = || server.run_line("visitor-host preview ada@contoso.example");
    assert!(preview().out.contains("Ada King"), "{:?}", preview());
    let hide = "visitor-host update ada@contoso.example --hidden true";
    assert_eq!(server.run_line(hide).code, 0);
    let hidden = preview();
    assert!(hidden.out.contains("hidden here"), "{hidden:?}");
    assert!(!hidden.out.contains("Ada King"), "{hidden:?}");
}
