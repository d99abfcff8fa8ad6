//! What everybody is told, and how refusals look.

use super::world::{World, refused};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn clients_find_their_way_as_with_step_ca() {
    let world = World::start().await;
    let status = world.sso.server.admin().get("/ca").await;
    let print = status.text("fingerprint");
    assert_eq!(status.text("url"), world.ca.base());
    // Clients ask for the root before they trust anybody, with dashes or without.
    let stranger = world.sso.server.step_trusting();
    for path in [
        format!("/root/{print}"),
        format!("/1.0/root/{}-{}", &print[..8], print[8..].to_uppercase()),
    ] {
        let root = stranger.get(&path).await;
        assert_eq!(
            (root.status, root.text("ca")),
            (200, world.root.as_str()),
            "{path}"
        );
    }
    for (path, status, body) in [
        ("/health", 200, json!({"status": "ok"})),
        ("/1.0/health", 200, json!({"status": "ok"})),
        (
            "/version",
            200,
            json!({"version": env!("CARGO_PKG_VERSION")}),
        ),
        ("/roots", 201, json!({"crts": [world.root]})),
        ("/federation", 201, json!({"crts": [world.root]})),
    ] {
        let answer = world.ca.get(path).await;
        assert_eq!((answer.status, &answer.json), (status, &body), "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{path}"
        );
        let head = world.ca.send(Method::HEAD, path, &[], None).await;
        assert_eq!(head.status, status, "{path}");
    }
    let between = world.ca.get("/intermediates").await;
    assert_eq!(
        (
            between.status,
            between.json["crts"].as_array().map(Vec::len)
        ),
        (201, Some(1))
    );
    let keys = world.ca.get("/ssh/roots").await;
    let line = status.json["user_keys"][0].as_str().unwrap();
    assert!(
        line.contains(keys.json["userKey"][0].as_str().unwrap()),
        "{keys} {line}"
    );
    assert_eq!(world.ca.get("/ssh/federation").await.json, keys.json);
    let list = world.ca.get("/crl").await;
    assert_eq!(
        (list.status, list.header("content-type")),
        (200, Some("application/pkix-crl"))
    );
    world.sso.server.stop().await;
}

#[tokio::test]
async fn refusals_are_worded_as_step_ca_words_them() {
    let world = World::start().await;
    let bad = "The request could not be completed: ";
    let plain = "The requested resource could not be found. Please see the certificate authority logs for more info.";
    for (path, body, status, message) in [
        ("/ssh/sign", "{bad", 400, format!("{bad}error decoding json.")),
        ("/ssh/sign", r#"{"publicKey":"AAAA","ott":""}"#, 400, format!("{bad}missing or empty ott.")),
        ("/ssh/sign", r#"{"publicKey":"","ott":"x"}"#, 400, format!("{bad}missing or empty publicKey.")),
        ("/ssh/sign", r#"{"publicKey":"AAAA","ott":"x","certType":"admin"}"#, 400, format!("{bad}invalid certType 'admin'.")),
        ("/ssh/sign", r#"{"publicKey":"AAAA","ott":"x","principals":[""]}"#, 400, format!("{bad}ssh certificate principals cannot be empty.")),
        ("/ssh/check-host", r#"{"type":"user","principal":"x"}"#, 400, format!("{bad}unsupported type 'user'.")),
        ("/ssh/check-host", r#"{"type":"host"}"#, 400, format!("{bad}missing or empty principal.")),
        ("/ssh/bastion", r#"{"user":"joe"}"#, 400, format!("{bad}missing or empty hostname.")),
        ("/ssh/config", r#"{"type":"host","data":{"GOOS":"linux"}}"#, 400, format!("{bad}required variable 'Certificate' is missing, please use `--set <key=value>` flag.")),
        ("/ssh/config", r#"{"type":"x"}"#, 400, format!("{bad}invalid type 'x'.")),
        ("/ssh/revoke", r#"{"serial":"1","ott":"x","passive":false}"#, 501, "The requested method is not implemented by the certificate authority. Please see the certificate authority logs for more info.".to_owned()),
        ("/ssh/revoke", r#"{"serial":"1","ott":"x","reasonCode":11,"passive":true}"#, 400, format!("{bad}reasonCode out of bounds.")),
    ] {
        let answer = world.ca.send(Method::POST, path, &[], Some(body.to_owned())).await;
        assert_eq!(refused(&answer), (status, message.as_str()), "{path} {body}");
    }
    for (path, status, message) in [
        ("/root/00", 404, plain),
        ("/provisioners/none/encrypted-key", 404, plain),
        (
            "/provisioners?limit=x",
            400,
            "The request could not be completed: limit 'x' is not an integer.",
        ),
    ] {
        assert_eq!(
            refused(&world.ca.get(path).await),
            (status, message),
            "{path}"
        );
    }
    let nowhere = world.ca.get("/nope").await;
    assert_eq!(
        (nowhere.status, nowhere.json),
        (404, json!("404 page not found\n"))
    );
    assert_eq!(nowhere.headers["content-type"], "text/plain; charset=utf-8");
    let id = "4f0c5a52-9e3c-4f0a-8c55-3a1f0a2d9d11";
    let answer = world
        .ca
        .send(Method::GET, "/root/00", &[("x-request-id", id)], None)
        .await;
    assert_eq!(answer.header("x-request-id"), Some(id));
    world.sso.server.stop().await;
}

#[tokio::test]
async fn hosts_are_told_with_their_tags_and_bastions() {
    let world = World::start().await;
    let listed = world.ca.get("/ssh/hosts").await;
    let hosts = listed.json["hosts"].as_array().unwrap();
    let names: Vec<&Value> = hosts.iter().map(|host| &host["hostname"]).collect();
    assert_eq!(names, ["db-1", "jump", "web-1"]);
    assert_eq!(
        hosts[2]["host_tags"],
        json!([{"ID": "role", "Name": "role", "Value": "web"}])
    );
    assert_eq!(hosts[1]["host_tags"], Value::Null);
    assert_eq!(world.ca.get("/ssh/get-hosts").await.json, listed.json);
    for (name, exists) in [("web-1", true), ("WEB-1", true), ("nope", false)] {
        let asked = json!({"type": "host", "principal": name});
        let answer = world.ca.post("/ssh/check-host", asked).await;
        assert_eq!(answer.json, json!({"exists": exists}), "{name}");
    }
    for (name, expected) in [
        (
            "db-1",
            json!({"hostname": "db-1", "bastion": {"hostname": "jump"}}),
        ),
        ("jump", json!({"hostname": "jump"})),
        (
            "elsewhere.example",
            json!({"hostname": "elsewhere.example"}),
        ),
    ] {
        let asked = json!({"user": "ada", "hostname": name});
        let answer = world.ca.post("/ssh/bastion", asked).await;
        assert_eq!((answer.status, answer.json), (200, expected), "{name}");
    }
    world.sso.server.stop().await;
}

#[tokio::test]
async fn machines_of_people_and_hosts_are_configured() {
    let world = World::start().await;
    let data = json!({"GOOS": "linux", "StepPath": "/s", "StepBasePath": "/s", "StepSSHTemplateVersion": "v2", "User": "ada"});
    let answer = world
        .ca
        .post("/ssh/config", json!({"type": "user", "data": data}))
        .await;
    let content = |answer: &Value, n: usize| {
        let files = answer.as_object().unwrap().values().next().unwrap();
        let encoded = files[n]["content"].as_str().unwrap();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    };
    let config = content(&answer.json, 2);
    // One provider signs people in, so nobody has to choose.
    assert!(
        config.contains("ProxyCommand step ssh proxycommand --provisioner 'entra 1' %r %h %p"),
        "{config}"
    );
    let known = content(&answer.json, 3);
    assert!(
        known.starts_with("@cert-authority * ssh-ed25519 AAAA"),
        "{known}"
    );
    let data = json!({"Certificate": "k-cert.pub", "Key": "k"});
    let answer = world
        .ca
        .post("/ssh/config/host", json!({"data": data}))
        .await;
    assert!(
        content(&answer.json, 1).starts_with("ssh-ed25519 AAAA"),
        "{answer}"
    );
    world.sso.server.stop().await;
}

#[tokio::test]
async fn the_name_of_a_team_is_enough_to_begin_with() {
    let world = World::start().await;
    let status = world.sso.server.admin().get("/ca").await;
    for (client, authority, provisioner) in [
        (world.sso.server.stranger(), "ssh", json!("entra 1")),
        (world.ca.with_base(world.ca.base()), "hosts", Value::Null),
    ] {
        let path = format!("/v1/teams/main/authorities/{authority}");
        let answer = client.get(&path).await;
        assert_eq!(answer.text("url"), world.ca.base(), "{answer}");
        assert_eq!(answer.text("fingerprint"), status.text("fingerprint"));
        assert!(answer.text("redirect-url").starts_with("http://127.0.0.1"));
        assert_eq!(answer.json["provisioner"], provisioner, "{authority}");
        let missing = client.get("/v1/teams/nobody/authorities/ssh").await;
        assert_eq!(
            (missing.status, missing.json),
            (
                404,
                json!({"statusCode": 404, "error": "Not Found", "message": "authority not found"})
            )
        );
    }
    world.sso.server.stop().await;
}
