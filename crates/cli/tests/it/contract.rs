//! What scripts rely on: exit codes, messages with a remedy, secrets that are shown once.

use crate::program::{Done, Server, file, portreeve};
use serde_json::json;
use tempfile::TempDir;

/// Name, command, exit code, and what the message says. There are the directories "Contoso" and "Own", which is native.
const FAILURES: &[(&str, &str, i32, &str)] = &[
    ("noun", "directroy list", 2, "'directory'"),
    (
        "provider",
        "directory create x --provider entre",
        2,
        "'entra'",
    ),
    ("name", "directory create ' '", 2, "1 to 100 characters"),
    (
        "filter",
        "user list -d Contoso --filter userName",
        2,
        "expected an operator",
    ),
    (
        "end in the past",
        "token create -d Contoso --expires 2001-01-01",
        2,
        "future",
    ),
    (
        "end that is none",
        "token create -d Contoso --expires soon",
        2,
        "90d",
    ),
    ("change of nothing", "directory update Contoso", 2, "--name"),
    (
        "no schema file",
        "directory update Contoso --user-extension /nowhere/port.json",
        2,
        "/nowhere/port.json",
    ),
    ("one of two directories", "user list", 2, "Contoso, Own"),
    (
        "unconfirmed removal",
        "directory delete Contoso",
        2,
        "--yes",
    ),
    (
        "token for nobody",
        "token create -d Own",
        2,
        "edited in Portreeve",
    ),
    (
        "no directory",
        "directory get Contosso",
        6,
        "portreeve directory list",
    ),
    ("odd letters", "directory get 'a/b c%2F'", 6, "a/b c%2F"),
    (
        "no token",
        "token revoke x -d Contoso",
        6,
        "portreeve token list",
    ),
    (
        "no user",
        "user get 'ada \"x\"' -d Contoso",
        6,
        "portreeve user list",
    ),
    (
        "no group",
        "group members x -d Contoso",
        6,
        "portreeve group list",
    ),
    (
        "no enrolment token",
        "host token revoke x",
        6,
        "portreeve host token list",
    ),
    ("no host", "host sessions x", 6, "portreeve host list"),
    (
        "no file with a key",
        "host certificate x --key /nowhere/key.pub",
        2,
        "/nowhere/key.pub",
    ),
    (
        "pattern that is none",
        "host token create --name-pattern 'web 1'",
        2,
        "web-*",
    ),
    ("no event", "event get x", 6, "portreeve event list"),
    (
        "events of no directory",
        "event list -d x",
        6,
        "portreeve directory list",
    ),
    ("taken name", "directory create contoso", 7, "already used"),
];

#[test]
fn every_failure_has_its_code_and_says_what_to_do() {
    let server = Server::start();
    server.json(&["directory", "create", "Contoso", "--provider", "entra"]);
    server.json(&["directory", "create", "Own", "--provider", "native"]);
    for (name, command, code, says) in FAILURES {
        let done = server.run_line(command);
        assert_eq!(
            (done.code, done.out.as_str()),
            (*code, ""),
            "{name}: {done:?}"
        );
        assert!(done.err.contains(says), "{name}: {}", done.err);
    }
}

#[test]
fn a_server_that_is_not_there_is_told_from_one_that_wants_a_token() {
    let nowhere = TempDir::new().unwrap();
    let path = nowhere.path().to_str().unwrap();
    let done = Done::of(&mut portreeve(&["directory", "list", "--data", path]));
    assert_eq!(done.code, 9, "{done:?}");
    assert!(
        done.err
            .contains(&format!("portreeve serve --data '{path}'")),
        "{}",
        done.err
    );

    let server = Server::start();
    let url = format!("http://{}", server.address);
    let done = Done::of(&mut portreeve(&["directory", "list", "--url", &url]));
    assert_eq!(done.code, 4, "{done:?}");
    assert!(
        done.err.contains("on the machine of the server"),
        "{}",
        done.err
    );
    let with_env = Done::of(
        portreeve(&["directory", "list"])
            .env("PORTREEVE_URL", &url)
            .env("PORTREEVE_TOKEN", "x"),
    );
    assert_eq!(with_env.code, 4, "{with_env:?}");

    server.signal("TERM");
    server.ended();
    let done = Done::of(&mut portreeve(&["directory", "list", "--url", &url]));
    assert_eq!(done.code, 9, "{done:?}");
    for (name, url) in [
        ("no URL", "portreeve"),
        ("another scheme", "ftp://portreeve.example"),
    ] {
        let done = Done::of(&mut portreeve(&["directory", "list", "--url", url]));
        assert_eq!(done.code, 2, "{name}: {done:?}");
    }
}

#[test]
fn a_secret_is_shown_once() {
    let server = Server::start();
    let directory = server.json(&["directory", "create", "Contoso"]);
    let token = server.json(&["token", "create", "--name", "second"]);
    let rotated = server.json(&["token", "rotate", "--overlap", "0s"]);
    let enrolment = server.json(&["host", "token", "create"]);
    let secrets = [
        &directory["secret_token"],
        &token["secret_token"],
        &rotated["secret_token"],
        &enrolment["secret"],
    ]
    .map(|secret| secret.as_str().unwrap());
    for words in [
        &["directory", "get", "Contoso"][..],
        &["directory", "list"],
        &["token", "list"],
        &["host", "token", "list"],
        &["event", "list"],
        &["directory", "update", "Contoso", "--name", "Contoso Ltd"],
        &["config", "show", "--running"],
    ] {
        let printed = server.json(words).to_string();
        assert!(
            secrets.iter().all(|secret| !printed.contains(secret)),
            "{words:?}: {printed}"
        );
    }
    server.signal("TERM");
    let (_, data, log) = server.ended();
    let log = log.join("\n");
    assert!(secrets.iter().all(|secret| !log.contains(secret)), "{log}");
    for file in std::fs::read_dir(data.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "a secret is stored"
        );
    }
}

#[test]
fn tokens_end_when_they_should() {
    let server = Server::start();
    let first = server.json(&["directory", "create", "Contoso"]);
    let works = |token: &serde_json::Value| {
        let mut with = first.clone();
        with["secret_token"] = token["secret_token"].clone();
        server.scim(&with, "GET", "/Users", &json!({})).0
    };
    let second = server.json(&["token", "create", "--name", "second"]);
    assert_eq!((works(&first), works(&second)), (200, 200));

    server.json(&["token", "revoke", second["id"].as_str().unwrap()]);
    assert_eq!((works(&first), works(&second)), (200, 401), "revoked");

    let third = server.json(&["token", "rotate", "--overlap", "1h"]);
    assert_eq!(
        (works(&first), works(&third)),
        (200, 200),
        "the old one overlaps"
    );
    let fourth = server.json(&["token", "rotate", "--overlap", "0s"]);
    assert_eq!(
        (works(&first), works(&third), works(&fourth)),
        (401, 401, 200),
        "no overlap"
    );

    let list = server.json(&["token", "list"]);
    let status: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["status"].as_str().unwrap())
        .collect();
    assert_eq!(status, ["expired", "revoked", "expired", "active"]);
    assert!(list[3]["last_used_at"].is_string(), "{list}");
}

#[test]
fn what_an_admin_does_is_in_the_log_with_what_changed() {
    let server = Server::start();
    server.json(&["directory", "create", "Contoso", "--provider", "entra"]);
    server.json(&[
        "directory",
        "update",
        "Contoso",
        "--users",
        "hide",
        "--name",
        "Contoso Ltd",
    ]);
    let nothing = server.json(&["directory", "update", "Contoso Ltd", "--users", "hide"]);
    assert_eq!(nothing["users"], "hide");
    server.run(&["directory", "delete", "Contoso Ltd", "--yes"]);
    let events = server.json(&["event", "list", "--category", "ADMIN"]);
    let told: Vec<_> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event["action"].as_str().unwrap(),
                event["object"]["type"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "delete Directory",
            "update Directory",
            "create Token",
            "create Directory"
        ]
    );
    assert_eq!(
        events[1]["changes"],
        json!([
            {"attribute": "name", "old": "Contoso", "new": "Contoso Ltd"},
            {"attribute": "users", "old": "delete", "new": "hide"}
        ])
    );
    assert!(events[0]["actor"]["id"].is_string());
}

#[test]
fn the_directory_warns_of_a_provider_that_never_sends_active() {
    let server = Server::start();
    let directory = server.json(&["directory", "create", "Contoso", "--provider", "entra"]);
    let warned = || {
        !server.json(&["directory", "get", "Contoso"])["warnings"]
            .as_array()
            .unwrap()
            .is_empty()
    };
    assert!(!warned(), "nobody is there yet");
    let user = |name: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    assert_eq!(
        server.scim(&directory, "POST", "/Users", &user("ada")).0,
        201
    );
    assert!(warned());
    let shown = server.run(&["directory", "get", "Contoso"]).out;
    assert!(
        shown.contains("Last request from your provider") && shown.contains("Warning: "),
        "{shown}"
    );
    let mut with_active = user("grace");
    with_active["active"] = json!(true);
    assert_eq!(
        server.scim(&directory, "POST", "/Users", &with_active).0,
        201
    );
    assert!(!warned(), "it is sent now");
}

#[test]
fn a_directory_takes_schemas_from_files() {
    let folder = TempDir::new().unwrap();
    let schema = |name: &str| json!({"id": format!("urn:example:params:scim:schemas:{name}:2.0:User"), "attributes": [{"name": "x"}]});
    let [one, two, three, none] = [
        ("one.json", schema("one").to_string()),
        ("two.json", schema("two").to_string()),
        ("three.json", schema("three").to_string()),
        ("none.json", "{".to_owned()),
    ]
    .map(|(name, text)| file(folder.path(), name, &text));
    let server = Server::start();
    let flag = "--user-extension";
    let made = server.json(&["directory", "create", "Contoso", flag, &one, flag, &two]);
    assert_eq!(
        made["user_extensions"],
        json!([schema("one"), schema("two")])
    );
    let changed = server.json(&[
        "directory",
        "update",
        "Contoso",
        "--group-extension",
        &three,
    ]);
    assert_eq!(
        (&changed["user_extensions"], &changed["group_extensions"]),
        (&made["user_extensions"], &json!([schema("three")]))
    );
    let done = server.run(&["directory", "update", "Contoso", flag, &none]);
    assert!(done.code == 2 && done.err.contains("none.json"), "{done:?}");
}
