//! The console over HTTP: what its pages show, what their forms do, and what they say when that cannot be done. Who may open
//! which page, and that nothing of another team is on one, is tested for all pages at once (`attacks`).

mod access;
mod directories;
mod logs;
mod offers;
mod people;
mod settings;
mod visitors;

use portreeve_testbed::{Client, TestServer};
use serde_json::{Value, json};

/// The directory `Staff`, which is edited in the console; its id.
async fn native(server: &TestServer) -> String {
    let wanted = json!({"name": "Staff", "provider": "native"});
    made(server, "/directories", wanted).await
}

/// Makes something by the API; its id.
async fn made(server: &TestServer, path: &str, body: Value) -> String {
    let made = server.admin().post(path, body).await;
    assert_eq!(made.status, 201, "{made}");
    made.id().to_owned()
}

/// Somebody whom a provider sends; their id.
async fn person(provider: &Client, name: &str, active: bool) -> String {
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
    let body = json!({"schemas": schemas, "userName": name, "displayName": name, "active": active});
    let made = provider.post("/Users", body).await;
    assert_eq!(made.status, 201, "{made}");
    made.id().to_owned()
}

/// A group that a provider sends; its id.
async fn group(provider: &Client, name: &str, members: &[&str]) -> String {
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    let body = json!({"schemas": schemas, "displayName": name, "members": members});
    let made = provider.post("/Groups", body).await;
    assert_eq!(made.status, 201, "{made}");
    made.id().to_owned()
}

/// The id of a directory.
async fn directory_id(server: &TestServer, name: &str) -> String {
    let name = name.replace(' ', "%20");
    let found = server.admin().get(&format!("/directories/{name}")).await;
    assert_eq!(found.status, 200, "{found}");
    found.id().to_owned()
}

/// What was done with something, in its order.
async fn actions(server: &TestServer, object: &str) -> Vec<String> {
    let path = format!("/events?after=&object={object}");
    let events = server.admin().get(&path).await;
    let events = events.json.as_array().expect("events").iter();
    events
        .map(|event| event["action"].as_str().expect("an action").to_owned())
        .collect()
}

/// Fails unless a page says all of that, with the cause's name.
fn says(name: &str, page: &str, all: &[&str]) {
    for text in all {
        assert!(
            page.contains(text),
            "{name}: it does not say {text:?}: {page}"
        );
    }
}

/// Fails when a page says any of that.
fn keeps_quiet(name: &str, page: &str, all: &[&str]) {
    for text in all {
        assert!(!page.contains(text), "{name}: it says {text:?}: {page}");
    }
}
