//! Declaring connections through the API.

use super::world::World;
use crate::browser::Browser;
use portreeve_testbed::openid::CLIENT_SECRET;
use serde_json::json;

#[tokio::test]
async fn a_connection_is_declared_shown_without_its_secret_and_removed() {
    let world = World::start().await;
    let (admin, path) = (world.server.admin(), world.path());
    let shown = admin.get(&path).await;
    assert_eq!(shown.status, 200, "{shown}");
    assert_eq!(shown.json["has_client_secret"], true);
    assert_eq!(shown.text("redirect_uri"), world.redirect_uri());
    assert!(shown.text("sign_in_url").ends_with("/t/main"));
    assert!(!shown.to_string().contains(CLIENT_SECRET), "{shown}");
    let event = world.last_event("ADMIN").await;
    assert_eq!(
        (event["action"].as_str(), event["object"]["type"].as_str()),
        (Some("create"), Some("Connection"))
    );
    assert!(!event.to_string().contains(CLIENT_SECRET), "{event}");

    let mut kept = world.declaration(&json!({"label": "Other"}));
    kept.as_object_mut().unwrap().remove("client_secret");
    let put = admin.put(&path, kept.clone()).await;
    assert_eq!(
        (put.status, &put.json["has_client_secret"]),
        (200, &json!(true)),
        "{put}"
    );
    let mut browser = Browser::new(&world.server);
    assert_eq!(
        world.sign_in(&mut browser, "/console").await.status,
        303,
        "with the secret that stayed"
    );

    let put = admin
        .put(&path, world.declaration(&json!({"client_secret": null})))
        .await;
    assert_eq!(
        (put.status, &put.json["has_client_secret"]),
        (200, &json!(false)),
        "{put}"
    );

    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.get(&path).await.status, 404);
    assert_eq!(admin.delete(&path).await.status, 404);
    assert_eq!(world.begin(&mut browser, "/console").await.status, 403);
    world.server.stop().await;
}

#[tokio::test]
async fn a_secret_does_not_go_to_another_server_than_it_was_given_for() {
    let world = World::start().await;
    for members in [
        json!({"metadata_url": "https://evil.example/.well-known/openid-configuration"}),
        json!({"client_id": "other"}),
    ] {
        let mut moved = world.declaration(&members);
        moved.as_object_mut().unwrap().remove("client_secret");
        let put = world.server.admin().put(&world.path(), moved).await;
        assert_eq!(put.status, 400, "{put}");
        assert!(put.text("detail").contains("client_secret"), "{put}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_declaration_that_cannot_work_is_refused_by_name() {
    let world = World::start().await;
    for (members, named) in [
        (
            json!({"metadata_url": "http://id.example/.well-known/openid-configuration"}),
            "metadata_url",
        ),
        (
            json!({"metadata_url": "https://id.example/"}),
            "metadata_url",
        ),
        (json!({"metadata_url": ""}), "metadata_url"),
        (json!({"client_id": " "}), "client_id"),
        (json!({"domains": ["contoso"]}), "domains"),
        (json!({"match_by": ["shoe_size"]}), "shoe_size"),
        (json!({"colour": "blue"}), "colour"),
    ] {
        let put = world
            .server
            .admin()
            .put(&world.path(), world.declaration(&members))
            .await;
        assert_eq!(put.status, 400, "{put}");
        assert!(put.text("detail").contains(named), "{put}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn whoever_read_an_older_connection_does_not_overwrite_a_newer_one() {
    let world = World::start().await;
    let (admin, path) = (world.server.admin(), world.path());
    let read = admin.get(&path).await;
    let tag = read.header("etag").expect("a tag").to_owned();
    world
        .server
        .clock()
        .advance(std::time::Duration::from_secs(1));
    world.connect(json!({"label": "Newer"})).await;
    let body = world.declaration(&json!({})).to_string();
    let put = admin
        .send(http::Method::PUT, &path, &[("if-match", &tag)], Some(body))
        .await;
    assert_eq!(put.status, 412, "{put}");
    world.server.stop().await;
}
