//! Every refusal leaves an event with the exact reason, and shows the person a page in their words with its reference.

use super::world::{ADA, World, html};
use crate::browser::Browser;
use portreeve_testbed::openid::{CLIENT_ID, Canned, OpenIdProvider, SigningKey, unsigned};
use serde_json::json;
use std::time::Duration;

/// What goes wrong.
type Wrong = fn(&OpenIdProvider);

const CASES: &[(&str, Wrong, &str)] = &[
    (
        "nobody with that object id",
        |it| it.person(json!({"oid": "6b0b5b8e-7a3a-4a8e-9a53-2f9f3c1d1aff"})),
        "unknown_user",
    ),
    (
        "another tenant",
        |it| it.person(json!({"oid": ADA, "tid": "9188040d-6c67-4c5b-b112-36a304b66dad"})),
        "wrong_tenant",
    ),
    (
        "another issuer",
        |it| it.person(json!({"oid": ADA, "iss": "https://evil.example"})),
        "wrong_issuer",
    ),
    (
        "for another client",
        |it| it.person(json!({"oid": ADA, "aud": "other"})),
        "wrong_audience",
    ),
    (
        "several audiences, and nobody named",
        |it| it.person(json!({"oid": ADA, "aud": [CLIENT_ID, "other"]})),
        "wrong_party",
    ),
    (
        "ended",
        |it| it.person(json!({"oid": ADA, "exp": 1})),
        "token_expired",
    ),
    (
        "of the future",
        |it| it.person(json!({"oid": ADA, "nbf": 4_000_000_000_i64})),
        "token_from_future",
    ),
    (
        "another nonce",
        |it| it.person(json!({"oid": ADA, "nonce": "of-somebody-else"})),
        "nonce_mismatch",
    ),
    (
        "another access token",
        |it| it.person(json!({"oid": ADA, "at_hash": "d29yZHM"})),
        "at_hash_mismatch",
    ),
    (
        "unsigned",
        |it| it.forge(|_, claims| format!("{}.", unsigned(&json!({"alg": "none"}), claims))),
        "algorithm",
    ),
    (
        "signed by somebody else",
        |it| it.forge(|_, claims| SigningKey::p256("first").token(claims)),
        "signature",
    ),
    (
        "signed with a key that is not published",
        |it| it.forge(|_, claims| SigningKey::p256("secret").token(claims)),
        "unknown_key",
    ),
    (
        "the person cancels",
        |it| it.refuse("access_denied", "AADSTS65004: User declined to consent."),
        "access_denied",
    ),
    (
        "the provider fails",
        |it| it.refuse("server_error", "line\r\nbreak"),
        "provider_error",
    ),
    (
        "the secret has expired",
        |it| {
            it.always("/token", Canned { status: 401, headers: Vec::new(), body: json!({"error": "invalid_client", "error_description": "AADSTS7000222: expired"}).to_string() })
        },
        "client_refused",
    ),
    (
        "the token endpoint is down",
        |it| {
            it.always(
                "/token",
                Canned {
                    status: 503,
                    headers: Vec::new(),
                    body: String::new(),
                },
            )
        },
        "provider_unreachable",
    ),
    (
        "the keys are gone",
        |it| it.publish(json!({"keys": []})),
        "keys_unusable",
    ),
];

#[tokio::test]
async fn every_refusal_has_its_reason_in_the_log_and_its_reference_on_the_page() {
    for (name, wrong, code) in CASES {
        let world = World::start().await;
        wrong(&world.provider);
        refused(&world, name, code).await;
        world.server.stop().await;
    }
}

#[tokio::test]
async fn who_is_let_in_by_address_needs_one_of_an_allowed_domain() {
    let world = World::start().await;
    let cases = [
        (
            "no address, and nothing else to go by",
            json!({"match_by": ["email"]}),
            json!({"oid": null, "email": null}),
            "no_email_claim",
        ),
        (
            "an address that is not verified",
            json!({"match_by": ["email"]}),
            json!({"oid": null, "email": "ada@contoso.example", "email_verified": false}),
            "email_not_verified",
        ),
        (
            "an address that another person has now",
            json!({"match_by": ["email"]}),
            json!({"oid": "6b0b5b8e-7a3a-4a8e-9a53-2f9f3c1d1aff", "email": "ada@contoso.example"}),
            "different_user",
        ),
        (
            "an address that would match, if that were allowed",
            json!({}),
            json!({"oid": null, "email": "ada@contoso.example"}),
            "unknown_user",
        ),
        (
            "a foreign domain",
            json!({"domains": ["fabrikam.example"]}),
            json!({"oid": ADA, "email": "ada@contoso.example"}),
            "domain_not_allowed",
        ),
        (
            "no domain at all",
            json!({"domains": ["contoso.example"]}),
            json!({"oid": ADA}),
            "domain_not_allowed",
        ),
    ];
    for (name, connection, person, code) in cases {
        world.connect(connection).await;
        world.provider.person(person);
        refused(&world, name, code).await;
    }
    world.server.stop().await;
}

async fn refused(world: &World, name: &str, code: &str) {
    let mut browser = Browser::new(&world.server);
    let refused = world.sign_in(&mut browser, "/console").await;
    assert_eq!(refused.status, 403, "{name}: {refused}");
    let event = world.last_event("AUTH").await;
    assert_eq!(event["action"], "sign_in_refused", "{name}: {event}");
    assert_eq!(event["reason"], code, "{name}: {event}");
    let detail = event["detail"].as_str().unwrap();
    assert!(
        detail.len() > 20 && !detail.contains('\n'),
        "{name}: {detail}"
    );
    let page = html(&refused);
    assert!(
        page.contains(event["id"].as_str().unwrap()),
        "{name}: the reference"
    );
    assert!(
        !page.contains(detail),
        "{name}: the exact reason is for the admin"
    );
    assert!(!browser.cookies.contains_key("__Host-portreeve"), "{name}");
    assert_eq!(browser.get("/api/v1/me").await.status, 401, "{name}");
}

#[tokio::test]
async fn a_missing_address_is_named_with_what_to_do() {
    let world = World::start().await;
    world.connect(json!({"match_by": ["email"]})).await;
    world.provider.person(json!({"oid": null, "email": null}));
    refused(&world, "no e-mail", "no_email_claim").await;
    let event = world.last_event("AUTH").await;
    let detail = event["detail"].as_str().unwrap();
    for part in ["no email", "optional claim email", "objectId"] {
        assert!(detail.contains(part), "{detail}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_provider_that_is_down_is_said_to_be_before_anybody_is_sent_there() {
    let world = World::start().await;
    let path = world
        .provider
        .metadata_url()
        .replace(world.provider.url(), "");
    world.provider.always(
        &path,
        Canned {
            status: 502,
            headers: Vec::new(),
            body: String::new(),
        },
    );
    refused(&world, "down", "provider_unreachable").await;
    world.server.stop().await;
}

#[tokio::test]
async fn a_key_that_is_changed_is_found_within_a_minute() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    assert_eq!(world.sign_in(&mut browser, "/console").await.status, 303);
    world.provider.rotate(SigningKey::p256("second"));
    refused(&world, "at once", "unknown_key").await;
    world.server.clock().advance(Duration::from_secs(60));
    assert_eq!(world.sign_in(&mut browser, "/console").await.status, 303);
    world.server.stop().await;
}
