//! The connection doctor finds at each step what would keep people out.

use super::world::{ADA, World};
use portreeve_testbed::openid::{Canned, TENANT};
use serde_json::{Value, json};
use std::time::Duration;

/// The verdicts by step, and the whole report.
async fn examine(world: &World) -> (Vec<(String, String)>, Value) {
    let report = world
        .server
        .admin()
        .post(&format!("{}/test", world.path()), json!({}))
        .await;
    assert_eq!(report.status, 200, "{report}");
    assert_eq!(report.header("cache-control"), Some("no-store"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = report.json["steps"].as_array().unwrap().iter();
    let verdicts = steps.map(|step| (text(&step["name"]), text(&step["verdict"])));
    (verdicts.collect(), report.json.clone())
}

fn verdict<'a>(verdicts: &'a [(String, String)], step: &str) -> &'a str {
    let found = verdicts.iter().find(|(name, _)| name == step);
    found.map_or("missing", |(_, verdict)| verdict)
}

#[tokio::test]
async fn a_good_connection_has_only_the_public_address_to_warn_of() {
    let world = World::start().await;
    let (verdicts, report) = examine(&world).await;
    for (step, expected) in [
        ("metadata", "ok"),
        ("issuer", "ok"),
        ("keys", "ok"),
        ("clock", "ok"),
        ("redirect_uri", "warn"),
        ("client", "ok"),
        ("matching", "ok"),
    ] {
        assert_eq!(verdict(&verdicts, step), expected, "{step}: {report:#}");
    }
    assert_eq!(report["verdict"], "warn");
    assert!(
        report.to_string().contains(&world.redirect_uri()),
        "what is to be registered"
    );
    world.server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "most of it is a table of cases")]
async fn each_step_finds_what_is_wrong_with_it() {
    let metadata = |world: &World| {
        world
            .provider
            .metadata_url()
            .replace(world.provider.url(), "")
    };
    type Break = Box<dyn Fn(&World)>;
    let broken = |status| Canned {
        status,
        headers: Vec::new(),
        body: String::new(),
    };
    let breaks: [(&str, Value, Break); 7] = [
        (
            "metadata",
            json!({}),
            Box::new(move |world| world.provider.always(&metadata(world), broken(500))),
        ),
        (
            "issuer",
            json!({}),
            Box::new(|world| {
                world
                    .provider
                    .metadata(json!({"issuer": "https://evil.example"}))
            }),
        ),
        (
            "issuer",
            json!({"tenant_id": null}),
            Box::new(|world| {
                world.provider.metadata(
                    json!({"issuer": format!("{}/{{tenantid}}/v2.0", world.provider.url())}),
                )
            }),
        ),
        (
            "keys",
            json!({}),
            Box::new(move |world| world.provider.always("/keys", broken(404))),
        ),
        (
            "clock",
            json!({}),
            Box::new(|world| {
                let document = json!({
                    "issuer": world.provider.issuer(), "authorization_endpoint": format!("{}/authorize", world.provider.url()),
                    "token_endpoint": format!("{}/token", world.provider.url()), "jwks_uri": format!("{}/keys", world.provider.url()),
                });
                let late = world.server.clock().time() + Duration::from_secs(61);
                let headers = vec![("date", httpdate::fmt_http_date(late))];
                let path = world
                    .provider
                    .metadata_url()
                    .replace(world.provider.url(), "");
                world.provider.always(
                    &path,
                    Canned {
                        status: 200,
                        headers,
                        body: document.to_string(),
                    },
                );
            }),
        ),
        (
            "client",
            json!({"client_secret": "the-id-and-not-the-value"}),
            Box::new(|_| {}),
        ),
        (
            "client",
            json!({}),
            Box::new(move |world| world.provider.always("/token", broken(500))),
        ),
    ];
    for (step, connection, wrong) in breaks {
        let world = World::start().await;
        world.connect(connection).await;
        wrong(&world);
        let (verdicts, report) = examine(&world).await;
        assert_eq!(verdict(&verdicts, step), "fail", "{step}: {report:#}");
        assert_eq!(report["verdict"], "fail", "{step}");
        world.server.stop().await;
    }
}

#[tokio::test]
async fn it_says_before_the_first_sign_in_that_nobody_could_be_found() {
    let world = World::start().await;
    let people = world.server.directory("entra").await;
    let base = people.base().to_owned();
    let directory = base.split('/').nth(4).unwrap();
    let path = format!("/directories/{directory}/connection");
    let admin = world.server.admin();
    let matching = async || {
        let report = admin.post(&format!("{path}/test"), json!({})).await;
        let steps = report.json["steps"].as_array().unwrap().clone();
        let step = steps
            .into_iter()
            .find(|step| step["name"] == "matching")
            .unwrap();
        step["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        admin.put(&path, world.declaration(&json!({}))).await.status,
        200
    );
    assert_eq!(matching().await, "warn", "nobody is there yet");
    let ada = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "externalId": "ada"});
    assert_eq!(people.post("/Users", ada).await.status, 201);
    assert_eq!(matching().await, "fail", "mailNickname is no object id");
    let by_name = world.declaration(&json!({"match_by": ["user_name"]}));
    assert_eq!(admin.put(&path, by_name).await.status, 200);
    assert_eq!(matching().await, "ok");
    world.server.stop().await;
}

#[tokio::test]
async fn a_trial_shows_the_claims_and_the_user_once_and_signs_nobody_in() {
    let world = World::start().await;
    let brought = world.trial().await;
    assert_eq!(brought["status"], "done");
    assert_eq!(brought["claims"]["tid"], TENANT);
    assert_eq!(
        (&brought["user"]["name"], &brought["user"]["by"]),
        (&json!("Ada"), &json!("object_id"))
    );

    world
        .provider
        .person(json!({"oid": null, "email": "eve@evil.example"}));
    let refused = world.trial().await;
    assert_eq!(refused["refused"]["code"], "unknown_user", "{refused}");
    assert_eq!(refused["claims"]["email"], "eve@evil.example");
    assert_eq!(refused["user"], Value::Null);
    assert_ne!(world.last_event("AUTH").await["action"], "sign_in");
    world.provider.person(json!({"oid": ADA}));
    world.server.stop().await;
}

#[tokio::test]
async fn a_trial_is_read_by_its_secret_in_its_own_directory_and_once() {
    let world = World::start().await;
    let admin = world.server.admin();
    let report = admin
        .post(&format!("{}/test", world.path()), json!({}))
        .await;
    let secret = json!({"secret": report.json["trial"]["secret"]});
    let pending = admin
        .post(&format!("{}/trial", world.path()), secret.clone())
        .await;
    assert_eq!(
        (pending.status, &pending.json["status"]),
        (200, &json!("pending")),
        "{pending}"
    );
    for wrong in ["", "x", "prv_once_AAAA"] {
        let answer = admin
            .post(&format!("{}/trial", world.path()), json!({"secret": wrong}))
            .await;
        assert_eq!(answer.status, 400, "{answer}");
    }
    let other = world.server.directory("okta").await;
    let other = other.base().split('/').nth(4).unwrap().to_owned();
    let path = format!("/directories/{other}/connection");
    assert_eq!(
        admin.put(&path, world.declaration(&json!({}))).await.status,
        200
    );
    assert_eq!(
        admin
            .post(&format!("{path}/trial"), secret.clone())
            .await
            .status,
        400
    );
    world.server.clock().advance(Duration::from_secs(15 * 60));
    assert_eq!(
        admin
            .post(&format!("{}/trial", world.path()), secret)
            .await
            .status,
        400,
        "too late"
    );
    world.server.stop().await;
}
