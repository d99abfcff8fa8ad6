//! A new root: clients that know only the one before it trust what is below it, and those who come later know only it.

use super::world::World;
use portreeve_testbed::Client;
use serde_json::json;

async fn healthy(client: &Client) -> bool {
    let client = client.clone();
    // A client that does not trust the certificate gets no answer at all.
    let asked = tokio::spawn(async move { client.get("/health").await });
    asked.await.is_ok_and(|answer| answer.status == 200)
}

#[tokio::test]
async fn who_knows_only_the_root_before_trusts_the_new_one() {
    let world = World::start().await;
    let server = &world.sso.server;
    let rotate = json!({"purpose": "root", "overlap_seconds": 0});
    let done = server.admin().post("/ca/rotate", rotate).await;
    assert_eq!(done.status, 200, "{done}");
    let print = done.text("fingerprint");
    let new = server.step_trusting().get(&format!("/root/{print}")).await;
    let new = new.text("ca");
    assert_ne!(new, world.root);
    let foreign = rcgen::KeyPair::generate().unwrap();
    let foreign = rcgen::CertificateParams::new(vec![])
        .unwrap()
        .self_signed(&foreign)
        .unwrap();
    for (name, root, is_trusted) in [
        ("the one before", world.root.as_str(), true),
        ("the new one", new, true),
        ("another one", &foreign.pem(), false),
    ] {
        // Connections begin anew, and with them what a client is shown.
        let client = server.step(root, None);
        assert_eq!(healthy(&client).await, is_trusted, "{name}");
    }
    let roots = world.ca.get("/roots").await;
    assert_eq!(
        roots.json,
        json!({"crts": [new, world.root]}),
        "who asks is told of both"
    );
    world.sso.server.stop().await;
}
