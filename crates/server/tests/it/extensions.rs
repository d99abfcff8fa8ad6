//! Schemas that a directory defines for itself (RFC 7643 section 7).

use crate::talk::Server;
use http::Method;
use serde_json::{Value, json};

const URN: &str = "urn:example:params:scim:schemas:extension:port:2.0:User";

fn schema() -> Value {
    json!({"id": URN, "name": "Port", "attributes": [
        {"name": "berth", "type": "string"},
        {"name": "note", "type": "string", "returned": "request"},
        {"name": "pin", "type": "string", "returned": "never", "mutability": "writeOnly"},
    ]})
}

#[test]
fn attributes_of_an_extension_are_as_good_as_others() {
    let server = Server::start();
    let directory =
        server.directory_with(json!({"provider": "generic", "user_extensions": [schema()]}));
    assert_eq!(
        directory.get(&format!("/Schemas/{URN}")).json["attributes"][0]["name"],
        "berth"
    );
    assert!(
        directory.get("/Schemas").json["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .any(|schema| schema["id"] == URN)
    );
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", URN], "userName": "ann", URN: {"berth": "A1", "note": "whispered", "pin": "0000-secret"}});
    let made = directory.send("POST", "/Users", &[], Some(&body.to_string()));
    assert_eq!(
        (made.status, &made.json[URN]),
        (201, &json!({"berth": "A1"})),
        "{made:?}"
    );
    let path = format!("/Users/{}", made.json["id"].as_str().unwrap());
    let patched = directory.patch(
        &path,
        &json!([{"op": "replace", "path": format!("{URN}:berth"), "value": "B2"}]),
    );
    assert_eq!(
        (patched.status, &patched.json[URN]["berth"]),
        (200, &json!("B2")),
        "{patched:?}"
    );
    let found = directory.get(&format!("/Users?filter={URN}:berth eq \"b2\""));
    assert_eq!(
        (
            &found.json["totalResults"],
            &found.json["Resources"][0][URN]
        ),
        (&json!(1), &json!({"berth": "B2"})),
        "{found:?}"
    );
    let asked = directory.get(&format!("{path}?attributes={URN}:note,{URN}:pin"));
    assert_eq!(asked.json[URN], json!({"note": "whispered"}), "{asked:?}");
    assert_eq!(directory.get(&path).json[URN], json!({"berth": "B2"}));
    let admin = server.admin(
        Method::GET,
        &format!("/directories/{}/users/ann", directory.id),
        None,
    );
    assert_eq!(admin["resource"][URN], json!({"berth": "B2"}), "{admin}");
}

#[test]
fn a_schema_that_is_none_is_refused_and_a_good_one_can_come_later() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let path = format!("/directories/{}", directory.id);
    for (name, rules, says) in [
        (
            "no object",
            json!({"user_extensions": ["x"]}),
            "JSON object",
        ),
        (
            "no id",
            json!({"user_extensions": [{"attributes": [{"name": "a"}]}]}),
            "`id`",
        ),
        (
            "no attributes",
            json!({"group_extensions": [{"id": URN, "attributes": []}]}),
            "attributes",
        ),
        (
            "the core schema again",
            json!({"user_extensions": [{"id": "urn:ietf:params:scim:schemas:core:2.0:User", "attributes": [{"name": "a"}]}]}),
            "core:2.0:User",
        ),
    ] {
        let answer = server.admin(Method::PATCH, &path, Some(&rules));
        assert!(
            answer["status"] == 400 && answer["detail"].as_str().unwrap().contains(says),
            "{name}: {answer}"
        );
    }
    assert_eq!(directory.get(&format!("/Schemas/{URN}")).status, 404);
    let changed = server.admin(
        Method::PATCH,
        &path,
        Some(&json!({"user_extensions": [schema()]})),
    );
    assert_eq!(changed["user_extensions"][0]["id"], URN, "{changed}");
    assert_eq!(
        directory.get(&format!("/Schemas/{URN}")).status,
        200,
        "at once"
    );
}
