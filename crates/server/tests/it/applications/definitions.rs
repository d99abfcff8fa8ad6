//! Definitions over the API: what is refused, what is never shown, and what a change asks of the next cycle.

use super::port::{Port, people};
use http::Method;
use serde_json::{Value, json};

/// A definition with one member (a JSON pointer) changed.
fn with(definition: &Value, pointer: &str, value: Value) -> Value {
    let mut definition = definition.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = definition.pointer_mut(parent).expect("a member");
    parent[name] = value;
    definition
}

/// Name, the member that is changed, its value, and what the problem says.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    (
        "a secret in a file",
        TOKEN,
        r#"{"file": "/etc/shadow"}"#,
        "write the text itself",
    ),
    (
        "in a variable",
        TOKEN,
        r#"{"env": "HOME"}"#,
        "write the text itself",
    ),
    (
        "no secret",
        "/target/authentication",
        r#"{"type": "bearer"}"#,
        "token is missing",
    ),
    (
        "a file of mappings",
        "/mappings",
        r#""/etc/passwd""#,
        "write the text itself",
    ),
    (
        "a whole path",
        "/source/users",
        r#""/etc/passwd""#,
        "not below the folder",
    ),
    (
        "a path upwards",
        "/source/users",
        r#""../people.csv""#,
        "not below the folder",
    ),
    (
        "a link outwards",
        "/source/users",
        r#""link/people.csv""#,
        "not below the folder",
    ),
    ("no such member", "/colour", r#""blue""#, "colour"),
    (
        "no such template",
        "/template",
        r#""smallstop""#,
        "smallstep",
    ),
    ("no URL of the web", "/target/url", r#""ftp://x""#, "http"),
    (
        "a metadata service",
        "/target/url",
        r#""https://169.254.169.254/scim""#,
        "metadata",
    ),
    ("no name", "/name", r#"" ""#, "name"),
    (
        "no mail address",
        "/notify",
        r#"["ada"]"#,
        "no mail address",
    ),
    ("no length of time", "/interval", r#""soon""#, "soon"),
];
const TOKEN: &str = "/target/authentication/token";

#[tokio::test]
async fn what_nobody_may_declare_is_refused_with_the_remedy() {
    let port = Port::start().await;
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("people.csv"), "id\n").expect("a file");
    std::os::unix::fs::symlink(outside.path(), port.files().join("link")).expect("a link");
    let good = port.definition();
    for (name, pointer, value, said) in REFUSED {
        let value = serde_json::from_str(value).expect("JSON");
        let answer = port
            .admin()
            .post("/applications", with(&good, pointer, value))
            .await;
        assert_eq!(answer.status, 400, "{name}: {answer}");
        assert!(answer.text("detail").contains(said), "{name}: {answer}");
    }
    port.server.stop().await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let port = Port::start().await;
    port.declare().await;
    let twice = with(&port.definition(), "/name", json!("TOWN"));
    assert_eq!(port.admin().post("/applications", twice).await.status, 409);
    let restart = "/applications/town/restart";
    for (method, path, body, status) in [
        (Method::GET, "/applications/nobody", "", 404),
        (Method::POST, restart, r#"{"resetScope": "All"}"#, 400),
        (Method::POST, restart, r#"{"scope": "Full"}"#, 400),
        (Method::POST, "/applications/nobody/pause", "{}", 404),
        (Method::PUT, "/applications/town", "[]", 400),
        (
            Method::POST,
            "/applications/town/on-demand",
            r#"{"kind": "dog"}"#,
            400,
        ),
        (Method::GET, "/applications?colour=1", "", 400),
    ] {
        let (json, body) = (("content-type", "application/json"), Some(body.to_owned()));
        let answer = port.admin().send(method.clone(), path, &[json], body).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer}");
    }
    port.server.stop().await;
}

#[tokio::test]
async fn files_and_private_addresses_are_for_the_servers_admin_to_allow() {
    let port = Port::with(|config| {
        config.applications.files = None;
        config.applications.private_addresses = false;
    })
    .await;
    let files = port
        .admin()
        .post(
            "/applications",
            with(
                &port.definition(),
                "/target/allow_private_addresses",
                json!(false),
            ),
        )
        .await;
    assert!(
        files.text("detail").contains("--applications-files"),
        "{files}"
    );
    let definition = with(
        &port.definition(),
        "/source",
        json!({"type": "directory", "directory": "generic 1"}),
    );
    let asked = port.admin().post("/applications", definition.clone()).await;
    assert!(
        asked
            .text("detail")
            .contains("--applications-private-addresses"),
        "{asked}"
    );
    let unasked = with(&definition, "/target/allow_private_addresses", json!(false));
    let inside = port.admin().post("/applications", unasked).await;
    assert_eq!(inside.status, 400, "{inside}");
    assert!(inside.text("detail").contains("127.0.0.1"), "{inside}");
    port.server.stop().await;
}

#[tokio::test]
async fn secrets_are_in_no_answer_and_no_log() {
    let port = Port::start().await;
    let made = port.declare().await;
    port.cycle(1).await;
    let token = port.target.token().expect("a token").to_owned();
    let path = format!("/applications/{}", made.id());
    let mut answers = vec![made];
    let changed = port.admin().patch(&path, json!({"interval": "10m"})).await;
    assert_eq!(changed.status, 200, "{changed}");
    answers.push(changed);
    for path in [
        "/applications",
        &path,
        &format!("{path}/export"),
        &format!("{path}/status"),
        &format!("{path}/logs"),
        "/events?after=0",
        "/changes?after=0",
    ] {
        answers.push(port.admin().get(path).await);
    }
    for answer in &answers {
        assert!(
            answer.status < 300 && !answer.to_string().contains(&token),
            "{answer}"
        );
    }
    assert_eq!(answers[0].json["warnings"], json!([]));
    let notified = port
        .admin()
        .patch(&path, json!({"notify": ["ada@contoso.example"]}))
        .await;
    assert_eq!(
        notified.json["warnings"][0]["code"], "no_mail_server",
        "{notified}"
    );
    assert_eq!(
        answers[0].json["secrets"],
        json!(["target.authentication.token"])
    );
    port.server.stop().await;
}

#[tokio::test]
async fn a_stored_secret_is_sent_to_nobody_else() {
    let port = Port::start().await;
    port.declare().await;
    port.cycle(1).await;
    let exported = port.admin().get("/applications/town/export").await.json;
    let other = port.server.directory("generic").await;
    let moved = with(&exported, "/target/url", json!(other.base()));
    let refused = port.admin().put("/applications/town", moved.clone()).await;
    assert_eq!(refused.status, 400, "{refused}");
    assert!(
        refused.text("detail").contains("give it again"),
        "{refused}"
    );
    let given = with(&moved, "/target/authentication/token", json!(other.token()));
    let taken = port.admin().put("/applications/town", given).await;
    assert_eq!(taken.status, 200, "{taken}");
    let events = port
        .admin()
        .get("/events?category=PROVISIONING&action=update")
        .await
        .json;
    let told = events[0]["changes"].as_array().cloned().unwrap_or_default();
    assert!(
        told.contains(&json!({"attribute": "target.authentication.token"})),
        "{events:#}"
    );
    // The links meant nothing there, so everybody is made.
    let second = port.cycle(2).await;
    assert_eq!(
        second["lastExecution"]["counters"]["created"], 2,
        "{second:#}"
    );
    assert_eq!(people(&other).await, ["ada", "grace"]);
    port.server.stop().await;
}

#[tokio::test]
async fn a_change_asks_for_as_much_as_it_must() {
    let port = Port::start().await;
    port.declare().await;
    port.cycle(1).await;
    let patch = async |body: Value| {
        let answer = port.admin().patch("/applications/town", body).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json
    };
    let status = async || port.admin().get("/applications/town/status").await.json;
    patch(json!({"interval": "1h", "notify": ["ada@contoso.example"]})).await;
    assert_eq!(
        status().await["lastExecution"]["number"],
        1,
        "nothing is to be done"
    );
    let renamed = patch(json!({"name": "Town"})).await;
    assert_eq!(renamed["definition"]["interval"], "1h");
    patch(json!({"template": "generic"})).await;
    let second = port.cycle(2).await;
    assert_eq!(second["lastExecution"]["kind"], "initial", "{second:#}");
    let exported = port.admin().get("/applications/town/export").await.json;
    assert_eq!(
        (&exported["template"], &exported["interval"]),
        (&json!("generic"), &json!("1h"))
    );

    port.admin()
        .post("/applications/town/pause", json!({}))
        .await;
    patch(json!({"template": "portreeve", "interval": null})).await;
    let paused = status().await;
    assert_eq!(
        (&paused["code"], &paused["restart"]),
        (&json!("Paused"), &json!("Watermark"))
    );
    port.server.stop().await;
}
