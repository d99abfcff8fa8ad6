//! What the product promises beyond the protocol.

use crate::talk::Server;
use serde_json::{Value, json};

#[test]
fn the_request_id_comes_back_and_is_in_the_event() {
    let server = Server::start();
    let directory = server.directory("entra", None);
    let sent = directory.send(
        "POST",
        "/Users",
        &[("X-Request-Id", "abc-123")],
        Some(r#"{"userName":"ann"}"#),
    );
    assert_eq!(sent.header("x-request-id"), Some("abc-123"));
    let made = directory.get("/Users");
    assert_eq!(made.header("x-request-id").map(str::len), Some(36));
    let odd = directory.send("GET", "/Users", &[("X-Request-Id", "two words")], None);
    assert_ne!(odd.header("x-request-id"), Some("two words"));
    let events = directory.events();
    assert_eq!(
        (
            events[0]["request_id"].as_str(),
            events[0]["action"].as_str()
        ),
        (Some("abc-123"), Some("create"))
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story that is told in one piece")]
fn every_change_and_every_refusal_leaves_an_event() {
    let server = Server::start();
    let directory = server.directory("entra", None);
    let ann = directory
        .send("POST", "/Users", &[], Some(r#"{"userName":"ann"}"#))
        .json["id"]
        .as_str()
        .unwrap()
        .to_owned();
    directory.send("POST", "/Users", &[], Some(r#"{"userName":"ANN"}"#));
    directory.send("POST", "/Users", &[], Some("{"));
    directory.get("/Users?filter=userName like 1");
    directory.patch(
        &format!("/Users/{ann}"),
        &json!([{"op": "Replace", "path": "title", "value": "Dr"}]),
    );
    directory.send(
        "GET",
        "/Users",
        &[("Authorization", "Bearer prv_scim_x")],
        None,
    );
    directory.send("DELETE", "/Users/nobody", &[], None);
    directory.get("/Users/nobody");
    directory.send("DELETE", &format!("/Users/{ann}"), &[], None);
    directory.send("GET", "/Users", &[("Authorization", "")], None);
    directory.get("/Roles");
    directory.send("PUT", "/Users", &[], Some("{}"));
    for (method, path) in [("GET", "/Roles"), ("PUT", "/Users")] {
        directory.send(method, path, &[("Authorization", "")], None);
        directory.send(
            method,
            path,
            &[("Authorization", "Bearer prv_scim_x")],
            None,
        );
    }
    let seen: Vec<String> = directory
        .events()
        .iter()
        .map(|e| {
            format!(
                "{} {} {}",
                e["action"].as_str().unwrap(),
                e["outcome"].as_str().unwrap(),
                e["reason"].as_str().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "create ok -",
            "create refused uniqueness",
            "create refused invalidSyntax",
            "query refused invalidFilter",
            "patch ok -",
            "authenticate refused token_malformed",
            "delete refused not_found",
            "delete ok -",
            "authenticate refused token_missing",
            "request refused no_endpoint",
            "request refused method_not_allowed",
        ]
    );
    let asked: Vec<_> = directory
        .events()
        .iter()
        .filter(|e| e["action"] == "request")
        .map(|e| e["object"]["id"].clone())
        .collect();
    assert_eq!(asked, [json!("GET /Roles"), json!("PUT /Users")]);
}

#[test]
fn every_refused_operation_of_a_bulk_request_leaves_an_event() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "DELETE", "path": "/Users/nobody"},
        {"method": "POST", "path": "/Users", "data": {"userName": "no bulkId"}},
        {"method": "GET", "path": "/Users"},
        {"method": "DELETE", "path": "/Roles/x"},
        {"method": "PATCH", "path": "/Users/bulkId:unknown", "data": {}},
        {"method": "DELETE", "path": "/Users/x", "version": "one"},
    ]});
    let answer = directory
        .send("POST", "/Bulk", &[], Some(&bulk.to_string()))
        .json;
    let refused = answer["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|o| o["status"].as_str().unwrap() >= "400")
        .count();
    let mut seen: Vec<String> = directory
        .events()
        .iter()
        .filter(|e| e["outcome"] == "refused")
        .map(|e| {
            format!(
                "{} {}",
                e["action"].as_str().unwrap(),
                e["reason"].as_str().unwrap()
            )
        })
        .collect();
    seen.sort();
    assert_eq!(seen.len(), refused, "{seen:?} {answer}");
    assert_eq!(
        seen,
        [
            "bulk invalidSyntax",
            "bulk method_not_allowed",
            "bulk no_endpoint",
            "delete invalidValue",
            "delete not_found",
            "patch invalidValue"
        ]
    );
}

#[test]
fn what_a_failed_bulk_operation_made_is_gone_for_good_whatever_the_directory_keeps() {
    let server = Server::start();
    let directory =
        server.directory_with(json!({"provider": "generic", "users": "suspend", "groups": "keep"}));
    let group = |name: &str, of: &str| json!({"method": "POST", "path": "/Groups", "bulkId": name, "data": {"displayName": name, "members": [{"value": format!("bulkId:{of}")}]}});
    let user = |name: &str, manager: &str| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {"userName": name, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": format!("bulkId:{manager}")}}}});
    let send = |operations: Value| {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let answer = directory
            .send("POST", "/Bulk", &[], Some(&body.to_string()))
            .json;
        answer["Operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    directory.send("POST", "/Users", &[], Some(r#"{"userName":"taken"}"#));
    directory.send("POST", "/Groups", &[], Some(r#"{"displayName":"taken"}"#));
    // Each pair is a circle: one is made without the other, which then fails, so the first cannot be completed.
    assert_eq!(
        send(json!([user("ann", "taken"), user("taken", "ann")])),
        ["409", "409"]
    );
    assert_eq!(
        send(json!([group("crew", "taken"), group("taken", "crew")])),
        ["409", "409"]
    );
    assert_eq!(
        directory.get("/").json["totalResults"],
        2,
        "only what was there before"
    );
    let last = directory.events();
    assert_eq!(
        last.iter()
            .filter(|e| e["action"] == "create" && e["outcome"] == "refused")
            .count(),
        4,
        "{last:?}"
    );

    // A group from earlier that came back is kept again: nobody asked to remove it.
    let crew = directory
        .send("POST", "/Groups", &[], Some(r#"{"displayName":"crew"}"#))
        .json["id"]
        .clone();
    directory.send(
        "DELETE",
        &format!("/Groups/{}", crew.as_str().unwrap()),
        &[],
        None,
    );
    assert_eq!(
        send(json!([group("crew", "taken"), group("taken", "crew")])),
        ["409", "409"]
    );
    assert_eq!(
        directory
            .send("POST", "/Groups", &[], Some(r#"{"displayName":"crew"}"#))
            .json["id"],
        crew
    );
}

#[test]
fn requests_without_a_token_fill_no_log() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let knock = |times: usize| {
        for i in 0..times {
            let token = if i % 2 == 0 { "" } else { "Bearer prv_scim_x" };
            assert_eq!(
                directory
                    .send("GET", "/Users", &[("Authorization", token)], None)
                    .status,
                401
            );
        }
    };
    knock(70);
    assert_eq!(directory.events().len(), 60);
    directory.send("POST", "/Users", &[], Some("{"));
    assert_eq!(
        directory.events().len(),
        61,
        "who has a token is always heard"
    );
    server.clock().advance_seconds(60);
    knock(2);
    let events = directory.events();
    let details: Vec<_> = events[61..]
        .iter()
        .map(|e| e["detail"].as_str().unwrap())
        .collect();
    assert_eq!(details.len(), 2);
    assert!(
        details[0].contains("10 more like it") && !details[1].contains("more like it"),
        "{details:?}"
    );
    server
        .directory("generic", None)
        .send("GET", "/Users", &[("Authorization", "")], None);
}

#[test]
fn a_deprovisioned_user_stays_readable_where_the_directory_keeps_people() {
    let server = Server::start();
    for removal in ["suspend", "hide"] {
        let directory = server.directory_with(json!({"provider": "entra", "users": removal}));
        let id = directory
            .send("POST", "/Users", &[], Some(r#"{"userName":"ann"}"#))
            .json["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("/Users/{id}");
        let group = directory
            .send(
                "POST",
                "/Groups",
                &[],
                Some(&json!({"displayName": "G", "members": [{"value": id}]}).to_string()),
            )
            .json["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(directory.send("DELETE", &path, &[], None).status, 204);
        assert_eq!(directory.get(&path).json["active"], false, "{removal}");
        assert_eq!(
            directory.get("/Users?filter=userName eq \"ann\"").json["totalResults"],
            1
        );
        assert_eq!(
            directory
                .patch(
                    &path,
                    &json!([{"op": "Replace", "path": "active", "value": "True"}])
                )
                .json["active"],
            true
        );
        assert_eq!(
            directory.get(&format!("/Groups/{group}")).json["members"][0]["value"],
            id.as_str()
        );
    }
}

#[test]
fn a_token_ends_when_it_expires_and_at_once_when_revoked() {
    let server = Server::start();
    let directory = server.directory("entra", None);
    assert_eq!(directory.get("/Users").status, 200);
    let (second, id) = directory.new_token(Some(3600));
    let ask = |token: &str| {
        directory
            .send(
                "GET",
                "/Users",
                &[("Authorization", &format!("Bearer {token}"))],
                None,
            )
            .status
    };
    assert_eq!(ask(&second), 200);
    server.clock().advance_seconds(3599);
    assert_eq!(ask(&second), 200);
    server.clock().advance_seconds(1);
    assert_eq!(ask(&second), 401);
    let (third, third_id) = directory.new_token(None);
    assert_eq!(ask(&third), 200);
    directory.revoke(&third_id);
    assert_eq!(ask(&third), 401);
    assert_ne!(id, third_id);
    assert_eq!(
        directory.get("/Users").status,
        200,
        "the first token still works"
    );
}

#[test]
fn locations_follow_the_host_that_was_asked_unless_configured() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let created = directory.send(
        "POST",
        "/Users",
        &[("Host", "idp.example.com:8443")],
        Some(r#"{"userName":"ann"}"#),
    );
    let expected = format!(
        "http://idp.example.com:8443{}/Users/{}",
        directory.path(),
        created.json["id"].as_str().unwrap()
    );
    assert_eq!(created.header("location"), Some(expected.as_str()));
    assert_eq!(created.json["meta"]["location"], expected.as_str());
    let spoofed = directory.send(
        "GET",
        "/ServiceProviderConfig",
        &[
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Proto", "https"),
        ],
        None,
    );
    assert!(
        !spoofed.json.to_string().contains("evil.example"),
        "only trusted proxies are believed"
    );
}

#[test]
fn unknown_attributes_are_ignored_and_named_once() {
    let server = Server::start();
    let directory = server.directory("entra", None);
    let body = |i: usize| {
        json!({"userName": format!("u{i}"), "shoeSize": 43, "urn:example:unknown:2.0:User": {"x": 1}}).to_string()
    };
    for i in 0..2 {
        let made = directory.send("POST", "/Users", &[], Some(&body(i)));
        assert_eq!(made.status, 201);
        assert!(!made.json.to_string().contains("shoeSize"));
    }
    let seen: Vec<Value> = directory.api()["unknown_attributes"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(
        seen,
        [json!("shoeSize"), json!("urn:example:unknown:2.0:User")]
    );
    let refused = directory.send(
        "POST",
        "/Users",
        &[],
        Some(r#"{"userName":"u0","hatSize":55}"#),
    );
    assert_eq!(refused.status, 409);
    let seen = directory.api()["unknown_attributes"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(
        seen, 2,
        "what comes with a change that is not made is not noted either"
    );
}

#[test]
fn who_has_no_token_may_ask_how_to_authenticate_and_nothing_else() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let none = [("Authorization", "")];
    let open = directory.send("GET", "/ServiceProviderConfig", &none, None);
    assert_eq!(
        (open.status, &open.json["patch"]["supported"]),
        (200, &json!(true)),
        "{open:?}"
    );
    assert_eq!(
        open.json["meta"]["location"],
        format!("{}/ServiceProviderConfig", directory.base).as_str()
    );
    let nowhere = server.elsewhere("00000000-0000-0000-0000-000000000000");
    for (name, answer) in [
        (
            "a wrong token",
            directory.send(
                "GET",
                "/ServiceProviderConfig",
                &[("Authorization", "Bearer x")],
                None,
            ),
        ),
        (
            "an unknown directory",
            nowhere.send("GET", "/ServiceProviderConfig", &none, None),
        ),
        (
            "another endpoint",
            directory.send("GET", "/Schemas", &none, None),
        ),
    ] {
        assert_eq!(
            (answer.status, answer.json["status"].as_str()),
            (401, Some("401")),
            "{name}: {answer:?}"
        );
    }
}

#[test]
fn an_id_that_nothing_can_have_is_not_found() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    for id in ["%ff", "a%00b", "%00", "%c3%28"] {
        for (method, body) in [
            ("GET", None),
            ("PUT", Some(r#"{"userName":"a"}"#)),
            ("DELETE", None),
        ] {
            let answer = directory.send(method, &format!("/Users/{id}"), &[], body);
            assert_eq!(
                (answer.status, answer.json["status"].as_str()),
                (404, Some("404")),
                "{method} {id}: {answer:?}"
            );
        }
    }
}

#[test]
fn the_root_sorts_by_what_only_one_type_has() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    for name in ["bob", "ann"] {
        directory.send(
            "POST",
            "/Users",
            &[],
            Some(&json!({"userName": name}).to_string()),
        );
    }
    for name in ["y", "x"] {
        directory.send(
            "POST",
            "/Groups",
            &[],
            Some(&json!({"displayName": name}).to_string()),
        );
    }
    let order = |by: &str| {
        let answer = directory.get(&format!("/?sortBy={by}"));
        let name = |r: &Value| {
            r["userName"]
                .as_str()
                .or(r["displayName"].as_str())
                .unwrap()
                .to_owned()
        };
        (
            answer.status,
            answer.json["Resources"]
                .as_array()
                .into_iter()
                .flatten()
                .map(name)
                .collect::<Vec<_>>(),
        )
    };
    let names = |names: [&str; 4]| names.map(str::to_owned).to_vec();
    assert_eq!(order("userName"), (200, names(["ann", "bob", "y", "x"])));
    assert_eq!(
        order("members.value"),
        (200, names(["bob", "ann", "y", "x"]))
    );
    assert_eq!(order("displayName"), (200, names(["bob", "ann", "x", "y"])));
    assert_eq!(order("shoeSize").0, 400);
}

#[test]
fn a_data_folder_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (mode, starts) in [
        (0o777, false),
        (0o720, false),
        (0o702, false),
        (0o755, true),
    ] {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let config = portreeve_server::Config::local(folder.path().to_owned());
        let started = runtime.block_on(portreeve_server::start(
            config,
            std::sync::Arc::new(portreeve_server::SystemClock),
        ));
        match started {
            Ok(running) => {
                assert!(starts, "{mode:o}");
                runtime.block_on(running.stop());
            }
            Err(error) => assert!(
                !starts && error.to_string().contains("chmod go-w"),
                "{mode:o}: {error}"
            ),
        }
    }
}
