//! Hosts, grants, accounts and explanations on the command line.

use crate::program::Server;
use serde_json::{Value, json};

/// A directory with Ada in a group, and Bob.
fn crew() -> Server {
    let server = Server::start();
    for line in [
        "directory create Crew --provider native",
        "user create ada@contoso.example -d Crew",
        "user create bob@contoso.example -d Crew",
        "group create web-ops -d Crew",
        "group add web-ops ada@contoso.example -d Crew",
        "host create web-1 --tag role=web --tag env=prod",
        "host create db-1 --tag role=db",
    ] {
        let done = server.run_line(line);
        assert_eq!(done.code, 0, "{line}: {done:?}");
    }
    server
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_grant_is_made_explained_and_revoked() {
    let server = crew();
    let explain = |who: &str, host: &str| server.run(&["explain", who, host, "-o", "json"]);
    let before = explain("ada@contoso.example", "web-1");
    assert_eq!(before.code, 5, "{before:?}");
    assert_eq!(before.err, "", "the last reason says it");
    let told: Value = serde_json::from_str(&before.out).unwrap();
    assert_eq!(told["allowed"], false, "{told}");

    let preview = server.run_line("grant preview --group web-ops --hosts role=web");
    assert!(preview.out.contains("1 person on 1 host"), "{preview:?}");
    let made = server.json(&[
        "grant", "create", "--group", "web-ops", "--hosts", "role=web", "--sudo",
    ]);
    assert_eq!(made["level"], "login+sudo", "{made}");

    let after = explain("ada@contoso.example", "web-1").json();
    for member in ["allowed", "sudo"] {
        assert_eq!(after[member], true, "{after}");
    }
    assert_eq!(after["principals"], json!(["ada"]), "{after}");
    let reason = after["reasons"][0].as_object().unwrap();
    let members: Vec<_> = reason.keys().map(String::as_str).collect();
    assert_eq!(members, ["step", "verdict", "why", "link"]);
    let table = server.run_line("explain ada@contoso.example web-1");
    assert!(
        table.out.contains("may log in to web-1 as ada, with sudo."),
        "{table:?}"
    );
    assert_eq!(table.err, "Names on the certificate: ada\n");
    assert_eq!(
        server
            .run_line("explain ada@contoso.example web-1 -o name")
            .out,
        "ada\n"
    );

    let id = made["id"].as_str().unwrap();
    let refused = server.run(&["grant", "revoke", id]);
    assert_eq!(refused.code, 2, "nobody was asked: {refused:?}");
    assert!(
        refused.err.contains("web-ops will lose login+sudo"),
        "{refused:?}"
    );
    let revoked = server.json(&["grant", "revoke", id, "--yes"]);
    assert_eq!(revoked["state"], "revoked", "{revoked}");
    assert_eq!(explain("ada@contoso.example", "web-1").code, 5);
    assert_eq!(server.json(&["grant", "list"]), json!([]));
    assert_eq!(server.json(&["grant", "list", "--ended"])[0]["id"], *id);
}

#[test]
fn temporary_access_is_given_for_a_length_of_time() {
    let server = crew();
    let words = [
        "grant",
        "create",
        "--user",
        "bob@contoso.example",
        "--hosts",
        "*",
        "--until",
        "8h",
    ];
    let made = server.json(&words);
    assert!(made["until"].is_string(), "{made}");
    let id = made["id"].as_str().unwrap();
    let changed = server.json(&["grant", "update", id, "--note", "on call", "--sudo", "true"]);
    assert_eq!(
        (&changed["note"], &changed["level"]),
        (&json!("on call"), &json!("login+sudo"))
    );
    let people = server.json(&["host", "people", "db-1"]);
    assert_eq!(names(&people), ["bob@contoso.example"]);
}

#[test]
fn hosts_are_tagged_chosen_and_removed() {
    let server = crew();
    server.json(&["host", "create", "jump", "--bastion"]);
    let words = [
        "host", "update", "db-1", "--tag", "env=prod", "--untag", "role", "--via", "jump",
    ];
    let changed = server.json(&words);
    assert_eq!(changed["tags"], json!({"env": "prod"}), "{changed}");
    assert_eq!(changed["bastion"], "jump", "{changed}");
    assert_eq!(
        names(&server.json(&["host", "list", "--hosts", "env=prod"])),
        ["db-1", "web-1"]
    );
    let needed = server.run_line("host delete jump --yes");
    assert!(
        needed.err.contains("db-1 is reached through jump"),
        "{needed:?}"
    );
    assert_eq!(server.run_line("host update db-1 --via ''").code, 0);
    assert_eq!(server.run_line("host delete jump --yes").code, 0);
}

#[test]
fn accounts_are_looked_at_and_the_rule_is_tried_first() {
    let server = crew();
    for name in ["ada.lovelace@contoso.example", "root@contoso.example"] {
        server.json(&["user", "create", name, "-d", "Crew"]);
    }
    let preview = server.json(&["account", "preview", "-d", "Crew", "--dots", "hyphen"]);
    assert_eq!(
        (&preview["people"], &preview["named"]),
        (&json!(4), &json!(3))
    );
    server.json(&["directory", "update", "Crew", "--account-dots", "hyphen"]);
    let updated = server.json(&["directory", "update", "Crew", "--account-part", "local"]);
    assert_eq!(
        updated["posix_names"],
        json!({"part": "local", "dots": "hyphen"})
    );
    let table = server.run_line("account list -d Crew");
    for words in ["ada-lovelace", "\"root\" cannot be an account name"] {
        assert!(table.out.contains(words), "{table:?}");
    }
    let set = [
        "account",
        "remote",
        "ada@contoso.example",
        "-d",
        "Crew",
        "--set",
        "ubuntu=os=ubuntu",
    ];
    assert_eq!(
        server.json(&set),
        json!([{"hosts": "os=ubuntu", "name": "ubuntu"}])
    );
    let clear = [
        "account",
        "remote",
        "ada@contoso.example",
        "-d",
        "Crew",
        "--clear",
    ];
    assert_eq!(server.json(&clear), json!([]));
}

#[test]
fn mistakes_are_answered_with_what_to_do() {
    let server = crew();
    for (line, code, says) in [
        ("grant create --hosts role=web", 2, "--group"),
        (
            "grant create --group away --hosts '*'",
            6,
            "portreeve group list",
        ),
        (
            "grant create --group web-ops --hosts 'role='",
            2,
            "at character",
        ),
        (
            "grant create --user bob@contoso.example --hosts '*'",
            2,
            "needs an end",
        ),
        ("grant get x", 6, "portreeve grant list"),
        ("host get away", 6, "portreeve host list"),
        ("host create x --tag role", 2, "key=value"),
        ("host create WEB-1", 7, "name"),
        ("host update web-1", 2, "--tag"),
        ("explain zoe web-1", 6, "portreeve user list"),
        (
            "account remote ada@contoso.example -d Crew --set x",
            2,
            "NAME=EXPR",
        ),
    ] {
        let done = server.run_line(line);
        assert_eq!(done.code, code, "{line}: {done:?}");
        assert!(done.err.contains(says), "{line}: {}", done.err);
    }
}
