//! Without the master key that seals them the keys of an authority are lost: that is said, nothing takes their place by
//! itself, and an admin can put new ones there.

use super::*;
use portreeve_server::Config;

/// A service account that may log in to a host; its token.
async fn robot(admin: &Client) -> String {
    let robot = json!({"name": "build", "permissions": ["self"]});
    made(admin, "/service-accounts", robot).await;
    made(admin, "/hosts", json!({"name": "web-1"})).await;
    let until = "2026-01-06T00:00:00Z";
    let grant = json!({"user": "build", "hosts": "*", "until": until});
    made(admin, "/grants", grant).await;
    let token = json!({"service_account": "build", "permissions": ["self"]});
    let token = made(admin, "/api-tokens", token).await;
    token.text("secret").to_owned()
}

/// The same robot at a server.
fn at(server: &TestServer, token: &str) -> Client {
    let stranger = server.stranger();
    let base = format!("{}/api/v1", stranger.base());
    stranger.with_base(&base).with_token(Some(token))
}

/// The fingerprints of all keys, in their order.
async fn keys(server: &TestServer) -> Vec<Value> {
    let status = server.admin().get("/ca").await;
    assert_eq!(status.status, 200, "{status}");
    let keys = status.json["keys"].as_array().unwrap().iter();
    keys.map(|key| key["fingerprint"].clone()).collect()
}

#[tokio::test]
async fn a_lost_key_is_said_and_nothing_takes_its_place_until_an_admin_says_so() {
    let kept = TempDir::new().unwrap();
    let database = Config::local(kept.path().to_owned()).database;
    let desk = Desk::new();
    let key = desk.read(&desk.key("ed25519", &[]));

    // The folder with the master key goes with the first server; the database stays.
    let (on, of) = (database.clone(), database);
    let first = TestServer::start_with(|config| config.database = on).await;
    let token = robot(first.admin()).await;
    let issued = certificate(&at(&first, &token), &key).await;
    assert_eq!(issued.status, 200, "{issued}");
    let before = keys(&first).await;
    first.stop().await;

    let server = TestServer::start_with(|config| {
        config.database = of;
        config.replace_master_key = true;
    })
    .await;
    let robot = at(&server, &token);
    assert_eq!(keys(&server).await, before);
    let refused = certificate(&robot, &key).await;
    assert!(refused.status >= 500, "{refused}");
    for part in ["another master key", "portreeve ca rotate user --now"] {
        assert!(refused.text("detail").contains(part), "{refused}");
    }
    let client = server.step_trusting();
    let asked = tokio::spawn(async move { client.get("/health").await });
    assert!(asked.await.is_err(), "there is no certificate for TLS");
    assert_eq!(keys(&server).await, before, "nothing was made");

    for purpose in ["user", "host", "root"] {
        let new = json!({"purpose": purpose, "overlap_seconds": 0});
        let done = server.admin().post("/ca/rotate", new).await;
        assert_eq!(done.status, 200, "{purpose}: {done}");
    }
    let issued = certificate(&robot, &key).await;
    assert_eq!(issued.status, 200, "{issued}");
    let roots = raw(&server, "/ca/roots.pem", &[]).await;
    let roots = String::from_utf8(roots.bytes).unwrap();
    let root = roots.split_inclusive("-----END CERTIFICATE-----\n").next();
    assert!(root.is_some_and(|root| root.contains("BEGIN")), "{roots}");
    assert_eq!(server.step_trusting().get("/health").await.status, 200);
    server.stop().await;
}
