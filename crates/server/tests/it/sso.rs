//! Signing in at an identity provider, with a provider that really signs and looks closely at what it is sent.

mod attacks;
mod connections;
mod doctor;
mod pages;
mod refusals;
mod world;

use crate::browser::Browser;
use http::Method;
use portreeve_testbed::openid::SigningKey;
use serde_json::json;
pub(crate) use world::{ADA, World};

#[tokio::test]
async fn a_person_signs_in_and_out_again() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    let signed_in = world.sign_in(&mut browser, "/console/me?tab=1").await;
    assert_eq!(signed_in.status, 303, "{signed_in}");
    assert_eq!(signed_in.header("location"), Some("/console/me?tab=1"));
    let me = browser.get("/api/v1/me").await;
    assert_eq!((me.text("kind"), me.text("name")), ("user", "Ada"), "{me}");
    assert_eq!(me.text("level"), "user");
    let event = world.last_event("AUTH").await;
    assert_eq!(
        (event["action"].as_str(), event["outcome"].as_str()),
        (Some("sign_in"), Some("ok"))
    );
    assert_eq!(event["object"]["name"], "Ada", "{event}");

    // Who is signed in is not asked again.
    let again = browser.get("/sign-in?return_to=%2Fconsole%2Fusers").await;
    assert_eq!(
        (again.status, again.header("location")),
        (303, Some("/console/users"))
    );

    let out = browser
        .send(Method::POST, "/auth/sign-out", &[], None)
        .await;
    assert_eq!(out.status, 200, "{out}");
    let onward = out.header("refresh").expect("the provider signs out, too");
    let (_, onward) = onward.split_once("url=").unwrap();
    assert!(
        onward.starts_with(&format!("{}/signed-out?", world.provider.url())),
        "{onward}"
    );
    assert!(onward.contains("id_token_hint=ey") && onward.contains("post_logout_redirect_uri="));
    assert_eq!(browser.get("/api/v1/me").await.status, 401);
    assert_eq!(world.last_event("AUTH").await["action"], "sign_out");
    world.server.stop().await;
}

#[tokio::test]
async fn whatever_key_the_provider_signs_with_and_however_it_wants_the_secret() {
    let world = World::start().await;
    type Make = fn(&str) -> SigningKey;
    let keys: [(_, Make); 3] = [
        ("client_secret_basic", SigningKey::rsa),
        ("client_secret_post", SigningKey::p256),
        ("client_secret_post", SigningKey::ed25519),
    ];
    for (method, key) in keys {
        let provider = &world.provider;
        provider.metadata(json!({"token_endpoint_auth_methods_supported": [method]}));
        provider.rotate(key(method));
        // What was kept of the provider is old by then.
        world
            .server
            .clock()
            .advance(std::time::Duration::from_secs(24 * 3600));
        let mut browser = Browser::new(&world.server);
        let signed_in = world.sign_in(&mut browser, "/console").await;
        assert_eq!(signed_in.status, 303, "{method}: {signed_in}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_person_is_found_by_the_key_that_the_connection_allows() {
    let world = World::start().await;
    let cases = [
        (
            "the object id, without any address",
            json!([]),
            json!({"oid": ADA, "email": null}),
            "object_id",
        ),
        (
            "the address",
            json!(["email"]),
            json!({"oid": null, "sub": "by-email", "email": "ADA@contoso.example"}),
            "email",
        ),
        (
            "the subject that the address has linked",
            json!([]),
            json!({"oid": null, "sub": "by-email"}),
            "linked",
        ),
        (
            "the user name",
            json!(["user_name"]),
            json!({"oid": null, "sub": "by-name", "preferred_username": "ada@contoso.example"}),
            "user_name",
        ),
        (
            "the subject as externalId",
            json!(["subject"]),
            json!({"oid": null, "sub": ADA}),
            "subject",
        ),
    ];
    for (name, match_by, person, by) in cases {
        world.connect(json!({"match_by": match_by})).await;
        world.provider.person(person);
        let trial = world.trial().await;
        assert_eq!(trial["user"]["by"], by, "{name}: {trial}");
        let mut browser = Browser::new(&world.server);
        assert_eq!(
            world.sign_in(&mut browser, "/console").await.status,
            303,
            "{name}"
        );
        assert_eq!(
            browser.get("/api/v1/me").await.text("name"),
            "Ada",
            "{name}"
        );
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_person_who_is_suspended_is_out_at_once_and_does_not_come_back() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    world.sign_in(&mut browser, "/console").await;
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
    world.suspend_ada().await;
    assert_eq!(browser.get("/api/v1/me").await.status, 401);
    let refused = world.sign_in(&mut browser, "/console").await;
    assert_eq!(refused.status, 403, "{refused}");
    assert_eq!(world.last_event("AUTH").await["reason"], "suspended");
    world.server.stop().await;
}
