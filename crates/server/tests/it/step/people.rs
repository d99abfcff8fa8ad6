//! People who sign in get certificates that say what the directory and the grants say.

use super::world::{World, certificate, refused};
use crate::browser::Browser;
use portreeve_ssh_cert::policy::Kind;
use portreeve_testbed::openid::SigningKey;
use serde_json::json;

#[tokio::test]
async fn the_directory_says_who_somebody_is() {
    let world = World::start().await;
    let now = u64::try_from(world.now()).unwrap();
    // What `step` asks for in `ssh root@web-1`; an admin of step-ca would have to say more.
    let asked = json!({"certType": "user", "keyID": "ada@contoso.example", "principals": ["root"]});
    let answer = world.sign(&world.id_token(&json!({})), &asked).await;
    let signed = certificate(&answer);
    assert_eq!(signed.kind(), Kind::User);
    assert_eq!(signed.key_id(), "ada@contoso.example");
    let [account, opaque] = signed.principals() else {
        panic!("{:?}", signed.principals())
    };
    assert_eq!(account, "ada");
    assert!(opaque.starts_with("u:"));
    assert!(
        answer.json.get("identityCrt").is_none(),
        "none was asked for"
    );
    // The grant ends after eight hours.
    assert_eq!(signed.valid(), (now - 60, now + 8 * 3600));
    let event = world.last_event().await;
    assert_eq!(
        (&event["action"], &event["outcome"]),
        (&json!("issue"), &json!("ok")),
        "{event}"
    );
    assert!(
        event["changes"].to_string().contains("root"),
        "what was asked for is noted: {event}"
    );
    let serial = signed.serial().to_string();
    let listed = world.sso.server.admin().get("/certificates").await;
    assert_eq!(
        (&listed.json[0]["serial"], &listed.json[0]["provisioner"]),
        (&json!(serial), &json!("entra 1")),
        "{listed}"
    );
    world.sso.server.stop().await;
}

#[tokio::test]
async fn an_address_is_needed_only_where_nothing_better_is_known() {
    let world = World::start().await;
    let nameless = json!({"email": null, "preferred_username": null});
    certificate(&world.sign(&world.id_token(&nameless), &json!({})).await);
    world.sso.connect(json!({"match_by": ["email"]})).await;
    let only_email =
        json!({"email": null, "preferred_username": null, "oid": null, "sub": "other"});
    let answer = world.sign(&world.id_token(&only_email), &json!({})).await;
    let (status, message) = refused(&answer);
    assert_eq!(status, 401);
    assert!(
        message.starts_with("The request lacked necessary authorization to be completed: ")
            && message.contains("email"),
        "{message}"
    );
    let event = world.last_event().await;
    assert_eq!(
        (&event["outcome"], &event["reason"]),
        (&json!("refused"), &json!("no_email_claim")),
        "{event}"
    );
    world.sso.server.stop().await;
}

#[tokio::test]
async fn lifetimes_are_those_of_the_policy() {
    let world = World::start().await;
    let now = u64::try_from(world.now()).unwrap();
    let hour = json!({"validBefore": "1h0m0s"});
    let signed = certificate(&world.sign(&world.id_token(&json!({})), &hour).await);
    assert_eq!(signed.valid(), (now - 60, now + 3600));
    let later = json!({"validAfter": "10m0s", "validBefore": "1h0m0s"});
    let signed = certificate(&world.sign(&world.id_token(&json!({})), &later).await);
    assert_eq!(signed.valid(), (now + 600, now + 3600));
    for (asked, message) in [
        (
            json!({"validBefore": "48h0m0s"}),
            "requested duration of 48h1m0s is greater than maximum accepted duration for selected provisioner of 24h1m0s.",
        ),
        (
            json!({"validBefore": "1m"}),
            "requested duration of 2m0s is less than minimum accepted duration for selected provisioner of 5m0s.",
        ),
    ] {
        let answer = world.sign(&world.id_token(&json!({})), &asked).await;
        let expected = format!("The request was forbidden by the certificate authority: {message}");
        assert_eq!(refused(&answer), (403, expected.as_str()));
    }
    world.sso.server.stop().await;
}

#[tokio::test]
async fn who_is_out_gets_nothing() {
    let world = World::start().await;
    certificate(&world.sign(&world.id_token(&json!({})), &json!({})).await);
    world.sso.suspend_ada().await;
    let answer = world.sign(&world.id_token(&json!({})), &json!({})).await;
    let (status, message) = refused(&answer);
    assert_eq!(status, 401, "{answer}");
    assert!(message.contains("suspended"), "{message}");
    let unknown = json!({"oid": "00000000-0000-0000-0000-000000000000", "sub": "eve"});
    let answer = world.sign(&world.id_token(&unknown), &json!({})).await;
    assert_eq!(refused(&answer).0, 401, "{answer}");
    assert_eq!(world.last_event().await["reason"], "unknown_user");
    world.sso.server.stop().await;
}

/// At sign-out the ID token of a sign-in stands in an address.
#[tokio::test]
async fn the_id_token_of_a_sign_in_to_the_console_gets_no_certificate() {
    let world = World::start().await;
    let begun = world
        .sso
        .begin(&mut Browser::new(&world.sso.server), "/")
        .await;
    let there = url::Url::parse(begun.header("location").unwrap()).unwrap();
    let (_, nonce) = there
        .query_pairs()
        .find(|(name, _)| name == "nonce")
        .unwrap();
    let answer = world
        .sign(&world.id_token(&json!({"nonce": nonce})), &json!({}))
        .await;
    assert_eq!(refused(&answer).0, 401, "{answer}");
    assert_eq!(world.last_event().await["reason"], "foreign_sign_in");
    world.sso.server.stop().await;
}

#[tokio::test]
async fn the_keys_of_a_provider_are_asked_for_again_when_one_is_not_known() {
    let world = World::start().await;
    certificate(&world.sign(&world.id_token(&json!({})), &json!({})).await);
    let new = SigningKey::p256("new");
    world.sso.provider.publish(json!({"keys": [new.jwk()]}));
    world
        .sso
        .server
        .clock()
        .advance(std::time::Duration::from_secs(61));
    let token = new.token(&world.said(&json!({})));
    certificate(&world.sign(&token, &json!({})).await);
    world.sso.server.stop().await;
}
