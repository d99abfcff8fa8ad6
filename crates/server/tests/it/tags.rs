//! Versions as entity tags: what they stand for, and what a condition with them does.

use crate::talk::{Directory, Server};
use serde_json::json;

fn made(directory: &Directory<'_>, path: &str, body: &str) -> String {
    directory.send("POST", path, &[], Some(body)).json["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// `ETag` of a path, which is `meta.version` as well.
fn tag(directory: &Directory<'_>, path: &str) -> String {
    let answer = directory.get(path);
    let tag = answer.header("etag").unwrap().to_owned();
    if answer.json["meta"].is_object() {
        assert_eq!(answer.json["meta"]["version"], tag.as_str(), "{path}");
    }
    tag
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story that is told in one piece")]
fn the_tag_of_a_user_changes_with_the_groups_that_are_shown() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let user = made(&directory, "/Users", r#"{"userName":"ann"}"#);
    let path = format!("/Users/{user}");
    assert_eq!(tag(&directory, &path), "W/\"1\"");
    let inner = made(
        &directory,
        "/Groups",
        &json!({"displayName": "inner", "members": [{"value": user}]}).to_string(),
    );
    let alone = tag(&directory, &path);
    assert!(
        alone.starts_with("W/\"1.") && alone.len() == "W/\"1.12345678\"".len(),
        "{alone}"
    );
    let outer = made(
        &directory,
        "/Groups",
        &json!({"displayName": "outer", "members": [{"value": inner}]}).to_string(),
    );
    let nested = tag(&directory, &path);
    assert_ne!(nested, alone, "a group it is in indirectly");
    directory.patch(
        &format!("/Groups/{outer}"),
        &json!([{"op": "add", "path": "members", "value": [{"value": user}]}]),
    );
    let both = tag(&directory, &path);
    assert_ne!(both, nested, "the same group, directly");
    directory.patch(
        &format!("/Groups/{outer}"),
        &json!([{"op": "replace", "path": "displayName", "value": "around"}]),
    );
    let direct = tag(&directory, &path);
    assert_ne!(direct, both, "a group with another name");
    assert_eq!(
        tag(&directory, &format!("{path}?attributes=userName")),
        "W/\"1\""
    );
    assert_eq!(
        tag(&directory, &format!("{path}?excludedAttributes=groups")),
        "W/\"1\""
    );
    assert_eq!(
        directory.get("/Users").json["Resources"][0]["meta"]["version"],
        direct.as_str()
    );

    let fresh = |path: &str, tag: &str| {
        directory
            .send("GET", path, &[("If-None-Match", tag)], None)
            .status
    };
    assert_eq!(fresh(&path, &direct), 304);
    assert_eq!(fresh(&path, &nested), 200, "the groups are others now");
    assert_eq!(
        fresh(&path, "W/\"1\""),
        200,
        "the groups are not in that one"
    );
    assert_eq!(
        fresh(&format!("{path}?excludedAttributes=groups"), "W/\"1\""),
        304
    );
    assert_eq!(fresh(&path, "*"), 304);

    let put = directory.send(
        "PUT",
        &path,
        &[("If-Match", &nested)],
        Some(r#"{"userName":"ann","title":"Dr"}"#),
    );
    assert_eq!(put.status, 200, "the user itself has not changed: {put:?}");
    assert_eq!(
        put.header("etag"),
        Some(direct.replace("1.", "2.").as_str())
    );
    assert_eq!(
        directory
            .send("DELETE", &path, &[("If-Match", &direct)], None)
            .status,
        412
    );
}

#[test]
fn a_condition_that_cannot_be_read_is_refused_and_lines_count_together() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let path = format!(
        "/Users/{}",
        made(&directory, "/Users", r#"{"userName":"ann"}"#)
    );
    for (lines, if_match, if_none_match) in [
        (&["W/\"1\""] as &[&str], 200, 304),
        (&["\"1\""], 200, 304),
        (&["W/\"7\"", "W/\"1\""], 200, 304),
        (&["W/\"7\" , W/\"1\","], 200, 304),
        (&["\"a,b\", \"1\""], 200, 304),
        (&["*"], 200, 304),
        (&["W/\"7\""], 412, 200),
        (&["\"1;gzip\""], 412, 200),
        (&["1"], 400, 400),
        (&["W/1"], 400, 400),
        (&["\"1"], 400, 400),
        (&["\"1\" \"2\""], 400, 400),
        (&[","], 400, 400),
        (&["*", "\"1\""], 400, 400),
        (&["\"1\"", "nonsense"], 400, 400),
    ] {
        let with = |name: &'static str| lines.iter().map(|line| (name, *line)).collect::<Vec<_>>();
        let put = directory.send(
            "PUT",
            &path,
            &with("If-Match"),
            Some(r#"{"userName":"ann"}"#),
        );
        let get = directory.send("GET", &path, &with("If-None-Match"), None);
        assert_eq!(
            (put.status, get.status),
            (if_match, if_none_match),
            "{lines:?}: {put:?} {get:?}"
        );
        if if_match == 400 {
            assert_eq!(put.json["scimType"], "invalidValue");
            for (answer, header) in [(&put, "if-match"), (&get, "if-none-match")] {
                let detail = answer.json["detail"].as_str().unwrap();
                assert!(
                    detail.contains(header) && detail.contains("W/\"3\""),
                    "{detail}"
                );
            }
        }
    }
}

#[test]
fn a_bulk_operation_with_a_version_that_is_none_is_refused() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let path = format!(
        "/Users/{}",
        made(&directory, "/Users", r#"{"userName":"ann"}"#)
    );
    for (version, status) in [("one", "400"), ("W/\"9\"", "412"), ("W/\"1\"", "204")] {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "DELETE", "path": path, "version": version}]});
        let answer = directory
            .send("POST", "/Bulk", &[], Some(&body.to_string()))
            .json;
        assert_eq!(answer["Operations"][0]["status"], status, "{answer}");
    }
}
