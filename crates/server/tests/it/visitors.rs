//! Directories of people whom visitors come to see.

use portreeve_testbed::TestServer;
use serde_json::{Value, json};

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@contoso.example",
        "name": {"givenName": "Ada", "familyName": "King"},
        "emails": [{"type": "work", "value": "ada@contoso.example"}, {"type": "other", "value": "desk@contoso.example"}],
        "phoneNumbers": [{"type": "work", "value": "+44 1"}, {"type": "mobile", "value": "+44 2"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"organization": "Contoso", "department": "Engines"},
    })
}

fn without(pointer: &str) -> Value {
    let mut user = ada();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = user.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(place) => drop(parent.as_array_mut().unwrap().remove(place)),
        Err(_) => drop(parent.as_object_mut().unwrap().remove(name)),
    }
    user
}

#[tokio::test]
async fn the_preset_decides_what_is_left_out() {
    let server = TestServer::start().await;
    let make = async |more: Value| {
        let mut wanted =
            json!({"name": more.to_string(), "provider": "entra", "preset": "visitor-hosts"});
        for (name, value) in more.as_object().unwrap() {
            wanted[name] = value.clone();
        }
        server.admin().post("/directories", wanted).await.json
    };
    let plain = make(json!({})).await;
    assert_eq!(
        [
            &plain["users"],
            &plain["groups"],
            &plain["visitors"],
            &plain["profile"]
        ],
        [
            &json!("hide"),
            &json!("delete"),
            &json!(true),
            &json!("entra")
        ],
        "{plain}"
    );
    assert_eq!(plain["required_attributes"].as_array().unwrap().len(), 4);
    let own = make(json!({"users": "suspend", "required_attributes": ["title"]})).await;
    assert_eq!(
        (&own["users"], &own["required_attributes"]),
        (&json!("suspend"), &json!(["title"]))
    );
    for (name, wrong) in [
        ("no such preset", json!({"preset": "cinema"})),
        (
            "no such attribute",
            json!({"required_attributes": ["shoeSize"]}),
        ),
        ("no path", json!({"required_attributes": ["emails["]})),
        (
            "too many",
            json!({"required_attributes": vec!["title"; 21]}),
        ),
    ] {
        let answer = make(wrong).await;
        assert_eq!(answer["status"], 400, "{name}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_required_attribute_that_is_missing_is_named() {
    let server = TestServer::start().await;
    let directory = server
        .directory_with("entra", json!({"preset": "visitor-hosts"}))
        .await;
    for (pointer, named) in [
        ("/userName", "userName"),
        ("/emails/0", r#"emails[type eq "work"].value"#),
        ("/emails", r#"emails[type eq "work"].value"#),
        ("/name/givenName", "name.givenName"),
        ("/name/familyName", "name.familyName"),
        ("/name", "name.givenName, name.familyName are required"),
    ] {
        let answer = directory.post("/Users", without(pointer)).await;
        assert_eq!(
            (answer.status, answer.text("scimType")),
            (400, "invalidValue"),
            "{pointer}: {answer}"
        );
        assert!(answer.text("detail").contains(named), "{pointer}: {answer}");
    }
    let made = directory.post("/Users", ada()).await;
    assert_eq!(made.status, 201, "{made}");
    let path = format!("/Users/{}", made.id());
    let put = directory.put(&path, without("/emails/0")).await;
    assert_eq!(put.status, 400, "{put}");
    let remove = |path: &str| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "remove", "path": path}]});
    let patched = directory.patch(&path, remove("name.familyName")).await;
    assert_eq!(patched.status, 400, "{patched}");
    let patched = directory.patch(&path, remove("phoneNumbers")).await;
    assert!(patched.status < 300, "it is not required: {patched}");
    assert_eq!(
        directory.get(&path).await.json["name"]["familyName"],
        "King"
    );
    server.stop().await;
}

/// Whoever was there before the rule came can still be changed and leave.
#[tokio::test]
async fn what_somebody_never_had_stops_no_change() {
    let server = TestServer::start().await;
    let directory = server.directory("generic").await;
    let made = directory.post("/Users", without("/name")).await;
    let id = directory.base().rsplit('/').nth(1).unwrap().to_owned();
    let rule = json!({"required_attributes": ["name.givenName"]});
    let changed = server
        .admin()
        .patch(&format!("/directories/{id}"), rule)
        .await;
    assert_eq!(changed.status, 200, "{changed}");
    let out = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "active", "value": false}]});
    let path = format!("/Users/{}", made.id());
    let patched = directory.patch(&path, out).await;
    assert!(patched.status < 300, "{patched}");
    assert_eq!(directory.get(&path).await.json["active"], false);
    server.stop().await;
}

/// Somebody of a directory for visitors, by name.
fn person(name: &str, department: &str) -> Value {
    let mut user = ada();
    user["userName"] = json!(format!("{}@contoso.example", name.replace(' ', ".")));
    user["displayName"] = json!(name);
    user["emails"][0]["value"] = user["userName"].clone();
    user["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["department"] =
        json!(department);
    user
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn visitors_find_who_is_there_and_admins_see_why_others_are_not() {
    let server = TestServer::start().await;
    let directory = server
        .directory_with("entra", json!({"preset": "visitor-hosts"}))
        .await;
    let id = directory.base().rsplit('/').nth(1).unwrap().to_owned();
    let hosts = format!("/directories/{id}/visitor-hosts");
    let mut made = Vec::new();
    for (name, department) in [
        ("Jürgen Núñez", "Engines"),
        ("Jane Doe", "Engines"),
        ("Jan Klein", "Law"),
    ] {
        made.push(
            directory
                .post("/Users", person(name, department))
                .await
                .id()
                .to_owned(),
        );
    }
    let found = async |text: &str| {
        let answer = server.admin().get(&format!("{hosts}?search={text}")).await;
        let mut names: Vec<String> = answer
            .json
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .iter()
            .map(|host| host["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(found("jurg").await, ["Jürgen Núñez"]);
    assert_eq!(found("ja").await, ["Jan Klein", "Jane Doe"]);
    assert_eq!(found("ja engines").await, ["Jane Doe"]);
    assert!(found("j").await.is_empty(), "that would be everybody");
    let out = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
    let patched = directory.patch(&format!("/Users/{}", made[1]), out).await;
    assert!(patched.status < 300, "{patched}");
    assert_eq!(found("ja").await, ["Jan Klein"]);
    let path = format!("{hosts}/{}", made[2]);
    let hidden =
        json!({"is_hidden": true, "alternates": ["desk@contoso.example"], "nicknames": "Johnny"});
    let changed = server.admin().patch(&path, hidden).await;
    assert_eq!(
        (
            changed.status,
            changed.text("visibility"),
            &changed.json["told"]
        ),
        (
            200,
            "hidden_by_hand",
            &json!(["Jan.Klein@contoso.example", "desk@contoso.example"])
        ),
        "{changed}"
    );
    assert!(found("johnny").await.is_empty());
    server
        .admin()
        .patch(&path, json!({"is_hidden": false}))
        .await;
    assert_eq!(found("johnny").await, ["Jan Klein"]);
    let all = server.admin().get(&hosts).await;
    let all: Vec<_> = all
        .json
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host["visibility"].as_str().unwrap())
        .collect();
    assert_eq!(
        all.iter().filter(|one| **one == "unassigned").count(),
        1,
        "{all:?}"
    );
    let only = server
        .admin()
        .patch(&path, json!({"only_alternates": true, "alternates": []}))
        .await;
    assert_eq!(only.status, 400, "nobody would be told: {only}");
    let events = server
        .admin()
        .get("/events?category=ADMIN&action=visitors")
        .await;
    assert_eq!(events.json.as_array().map(Vec::len), Some(2), "{events}");
    server.stop().await;
}

#[tokio::test]
async fn a_directory_is_for_visitors_only_where_that_was_said() {
    let server = TestServer::start().await;
    let directory = server.directory("generic").await;
    directory.post("/Users", person("Jane Doe", "Law")).await;
    let id = directory.base().rsplit('/').nth(1).unwrap().to_owned();
    let hosts = format!("/directories/{id}/visitor-hosts?search=jane");
    let none = server.admin().get(&hosts).await;
    assert_eq!(none.status, 400, "{none}");
    let on = json!({"visitors": true});
    let changed = server
        .admin()
        .patch(&format!("/directories/{id}"), on)
        .await;
    assert_eq!(changed.status, 200, "{changed}");
    let mut found = server.admin().get(&hosts).await;
    // Whoever was there before is found as soon as the server has come by.
    while found.json.as_array().is_some_and(Vec::is_empty) {
        tokio::task::yield_now().await;
        found = server.admin().get(&hosts).await;
    }
    assert_eq!(found.json[0]["name"], "Jane Doe", "{found}");
    server.stop().await;
}
