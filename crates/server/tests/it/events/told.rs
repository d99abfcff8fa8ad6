//! What a change is told as.

use super::*;

/// What a provider does, and which events its receiver hears of, in `notice` and in `full` form.
#[tokio::test]
async fn every_kind_of_change_has_its_event() {
    let world = World::with(json!({"users": "delete", "groups": "delete"})).await;
    let (notice, full) = (world.poller("notice").await, world.poller("full").await);
    let ann = world.user("ann").await;
    let path = format!("/Users/{ann}");
    let set = |value: Value| json!([{"op": "replace", "path": "active", "value": value}]);
    world.patch(&path, set(json!(false))).await;
    world.patch(&path, set(json!(true))).await;
    let title = json!([{"op": "add", "path": "title", "value": "Dr."}]);
    world.patch(&path, title).await;
    let put = json!({"schemas": [USER], "userName": "ann", "active": true, "externalId": "4711"});
    assert_eq!(world.provider.put(&path, put).await.status, 200);
    assert_eq!(world.provider.delete(&path).await.status, 204);

    let expect = |form: &str, put: &str| {
        [
            vec![format!("prov:create:{form}")],
            vec![format!("prov:patch:{form}"), "prov:deactivate".into()],
            vec![format!("prov:patch:{form}"), "prov:activate".into()],
            vec![format!("prov:patch:{form}")],
            vec![format!("prov:put:{put}")],
            vec!["prov:delete".into()],
        ]
    };
    let heard = |told: &[Value]| told.iter().map(names).collect::<Vec<_>>();
    assert_eq!(
        heard(&notice.look(&world).await),
        expect("notice", "notice")
    );
    // The resource is gone, so that what the replacement made of it is not known any more.
    assert_eq!(heard(&full.look(&world).await), expect("full", "notice"));
}

#[tokio::test]
async fn a_notice_names_what_changed_and_a_full_event_has_the_values() {
    let world = World::new().await;
    let (notice, full) = (world.poller("notice").await, world.poller("full").await);
    let body = json!({
        "schemas": [USER], "userName": "ann", "externalId": "4711", "password": "not to be told",
        "name": {"givenName": "Ann"}, "emails": [{"value": "ann@contoso.example", "type": "work"}],
    });
    let made = world.provider.post("/Users", body).await;
    let id = made.id();
    let location = format!("{}/Users/{id}", world.provider.base());

    let told = &notice.look(&world).await[0];
    let base = world.provider.base();
    assert_eq!(told["iss"], base);
    assert_eq!(told["iat"], 1_767_600_000);
    assert_eq!(told["txn"], told["jti"]);
    let subject =
        json!({"format": "scim", "uri": format!("/Users/{id}"), "id": id, "externalId": "4711"});
    assert_eq!(told["sub_id"], subject);
    let payload = &told["events"][format!("{EVENT}prov:create:notice")];
    let mut attributes: Vec<_> = payload["attributes"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    attributes.sort_by_key(|name| name.as_str());
    let names = ["active", "emails", "externalId", "id", "name", "userName"];
    assert_eq!(attributes, names, "{payload}");
    assert_eq!(payload["version"], "W/\"1\"");
    assert!(payload.get("data").is_none());

    let told = &full.look(&world).await[0];
    let payload = &told["events"][format!("{EVENT}prov:create:full")];
    assert!(payload.get("attributes").is_none());
    let mut data = payload["data"].clone();
    assert_eq!(data["meta"]["location"], location);
    data.as_object_mut().map(|data| data.remove("meta"));
    assert_eq!(
        data,
        json!({
            "schemas": [USER], "id": id, "userName": "ann", "externalId": "4711", "active": true,
            "name": {"givenName": "Ann"}, "emails": [{"value": "ann@contoso.example", "type": "work"}],
        })
    );
    let whole = format!("{told}");
    assert!(!whole.contains("not to be told"), "{whole}");
}

/// A directory may define attributes that no answer has; no token has them either.
#[tokio::test]
async fn what_is_never_returned_is_never_told() {
    const URN: &str = "urn:example:badge:2.0:User";
    let attribute = |name: &str, returned: &str| {
        json!({"name": name, "type": "string", "multiValued": false, "description": "x", "required": false,
            "caseExact": true, "mutability": "readWrite", "returned": returned, "uniqueness": "none"})
    };
    let schema = json!({"id": URN, "name": "Badge", "description": "x",
        "attributes": [attribute("number", "default"), attribute("pin", "never")]});
    let world = World::prepared(
        move |settings| settings.user_extensions.push(schema.clone()),
        [],
    )
    .await;
    let (notice, full) = (world.poller("notice").await, world.poller("full").await);
    let badge = |pin: &str| json!({"number": "7", "pin": pin});
    let body = json!({"schemas": [USER, URN], "userName": "ann", URN: badge("pin-1")});
    let ann = world.provider.post("/Users", body).await;
    assert_eq!(ann.status, 201, "{ann}");
    let path = format!("/Users/{}", ann.id());
    let pin = json!([{"op": "replace", "path": format!("{URN}:pin"), "value": "pin-2"}]);
    world.patch(&path, pin).await;
    world
        .patch(&path, json!([{"op": "remove", "path": URN}]))
        .await;
    let whole = json!([{"op": "add", "path": URN, "value": badge("pin-3")}]);
    world.patch(&path, whole).await;
    let put =
        json!({"schemas": [USER, URN], "userName": "ann", URN: {"number": "8", "pin": "pin-4"}});
    assert_eq!(world.provider.put(&path, put).await.status, 200);
    for (name, poller) in [("notice", notice), ("full", full)] {
        let told = poller.look(&world).await;
        assert_eq!(told.len(), 5, "{name}");
        let text = json!(told).to_string();
        assert!(!text.contains("pin"), "{name}: {text}");
        assert!(text.contains(URN), "{name}: {text}");
    }
}

#[tokio::test]
async fn a_full_patch_is_a_patch_that_can_be_applied() {
    let world = World::new().await;
    let [ann, bob, eve] = [
        world.user("ann").await,
        world.user("bob").await,
        world.user("eve").await,
    ];
    let group = json!({"schemas": [GROUP], "displayName": "ops", "members": [{"value": ann}, {"value": bob}]});
    let group = world.provider.post("/Groups", group).await.id().to_owned();
    let full = world.poller("full").await;
    let user = json!([
        {"op": "add", "path": "name.familyName", "value": "A"},
        {"op": "replace", "path": "userName", "value": "ann2"},
    ]);
    world.patch(&format!("/Users/{ann}"), user).await;
    let clear = json!([{"op": "remove", "path": "name"}]);
    world.patch(&format!("/Users/{ann}"), clear).await;
    let members = json!([
        {"op": "add", "path": "members", "value": [{"value": eve}]},
        {"op": "remove", "path": format!("members[value eq \"{ann}\"]")},
    ]);
    world.patch(&format!("/Groups/{group}"), members).await;

    let told = full.look(&world).await;
    let operations = |told: &Value| {
        let data = &told["events"][format!("{EVENT}prov:patch:full")]["data"];
        assert_eq!(data["schemas"], json!([PATCH_OP]));
        data["Operations"].clone()
    };
    let all: Vec<_> = told.iter().map(operations).collect();
    assert_eq!(
        all,
        [
            json!([
                {"op": "replace", "path": "userName", "value": "ann2"},
                {"op": "add", "path": "name", "value": {"familyName": "A"}},
            ]),
            json!([{"op": "remove", "path": "name"}]),
            json!([
                {"op": "remove", "path": format!("members[value eq \"{ann}\"]")},
                {"op": "add", "path": "members", "value": [{"value": eve}]},
            ]),
        ]
    );
}

#[tokio::test]
async fn a_replacement_is_told_in_full_as_long_as_it_stands() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let group = json!({"schemas": [GROUP], "displayName": "ops"});
    let group = world.provider.post("/Groups", group).await.id().to_owned();
    let path = format!("/Groups/{group}");
    let full = world.poller("full").await;
    let put = json!({"schemas": [GROUP], "displayName": "operations", "members": [{"value": ann}]});
    assert_eq!(world.provider.put(&path, put).await.status, 200);
    let told = full.look(&world).await;
    let payload = &told[0]["events"][format!("{EVENT}prov:put:full")];
    assert_eq!(payload["data"]["displayName"], "operations", "{payload}");
    assert_eq!(payload["data"]["members"], json!([{"value": ann}]));
    assert_eq!(payload["version"], payload["data"]["meta"]["version"]);

    let clear = json!([{"op": "remove", "path": "members"}]);
    world.patch(&path, clear).await;
    let told = full.look(&world).await;
    let payload = &told[0]["events"][format!("{EVENT}prov:put:notice")];
    assert_eq!(payload["attributes"], json!(["displayName", "members"]));
    assert_eq!(payload["version"], "W/\"2\"", "the version of the change");
}

#[tokio::test]
async fn a_deletion_is_told_as_what_it_was() {
    for (rules, expect) in [
        (json!({"users": "delete"}), vec!["prov:delete".to_owned()]),
        (
            json!({"users": "suspend"}),
            vec!["prov:patch:notice".to_owned(), "prov:deactivate".into()],
        ),
        (
            json!({"users": "hide"}),
            vec!["prov:patch:notice".to_owned(), "prov:deactivate".into()],
        ),
    ] {
        let world = World::with(rules.clone()).await;
        let ann = world.user("ann").await;
        let group = json!({"displayName": "Sales", "members": [{"value": ann}]});
        assert_eq!(world.provider.post("/Groups", group).await.status, 201);
        let notice = world.poller("notice").await;
        let gone = world.provider.delete(&format!("/Users/{ann}")).await;
        assert_eq!(gone.status, 204);
        let told = notice.look(&world).await;
        assert_eq!(
            told.iter().map(names).collect::<Vec<_>>(),
            [expect],
            "{rules}"
        );
    }
}

#[tokio::test]
async fn a_directory_hears_of_its_own_changes_only() {
    let world = World::new().await;
    let other = world
        .server
        .directory_with("generic", json!({"security_events": true}))
        .await;
    let notice = world.poller("notice").await;
    let body = json!({"schemas": [USER], "userName": "foreign"});
    assert_eq!(other.post("/Users", body).await.status, 201);
    let refused = world
        .provider
        .post("/Users", json!({"schemas": [USER]}))
        .await;
    assert_eq!(refused.status, 400);
    let ann = world.user("ann").await;
    let told = notice.look(&world).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["sub_id"]["id"], json!(ann));
}

#[tokio::test]
async fn the_configuration_tells_the_truth() {
    let world = World::new().await;
    let config = world.provider.get("/ServiceProviderConfig").await.json;
    assert_eq!(config["securityEvents"]["asyncRequest"], "request");
    let uris = config["securityEvents"]["eventUris"].as_array().cloned();
    let uris: Vec<_> = uris.unwrap_or_default();
    for name in [
        "prov:create:notice",
        "prov:put:full",
        "prov:delete",
        "misc:asyncresp",
    ] {
        assert!(uris.contains(&json!(format!("{EVENT}{name}"))), "{name}");
    }
    assert_eq!(uris.len(), 10);
}

/// While they are off, nothing of security events can be seen, so that no client stumbles over them.
#[tokio::test]
async fn nothing_can_be_seen_while_they_are_off() {
    let world = World::new().await;
    let notice = world.poller("notice").await;
    let directory = format!("/directories/{}", world.directory);
    let off = world
        .server
        .admin()
        .patch(&directory, json!({"security_events": false}))
        .await;
    assert_eq!(off.json["security_events"], false, "{off}");

    let config = world.provider.get("/ServiceProviderConfig").await.json;
    assert!(config.get("securityEvents").is_none(), "{config}");
    let body = json!({"schemas": [USER], "userName": "ann"}).to_string();
    let headers = [("prefer", "respond-async")];
    let made = world
        .provider
        .send(http::Method::POST, "/Users", &headers, Some(body))
        .await;
    assert_eq!(made.status, 201, "{made}");
    assert_eq!(made.json["userName"], "ann");
    for name in ["set-txn", "preference-applied"] {
        assert_eq!(made.header(name), None);
    }
    let refused = notice.ask(&world.server, json!({})).await;
    assert_eq!(
        (refused.status, refused.text("err")),
        (403, "access_denied")
    );
    let refused = world.stream(json!({"delivery": "poll"})).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text("detail").contains("--security-events true"),
        "{refused}"
    );

    // What happened meanwhile is told when they are on again.
    let on = json!({"security_events": true});
    world.server.admin().patch(&directory, on).await;
    assert_eq!(notice.look(&world).await.len(), 1);
}
