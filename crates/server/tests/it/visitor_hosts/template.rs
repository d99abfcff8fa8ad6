//! The template of the vendor's mapping table provisions into a directory for visitors.

use crate::applications::port::cycle;
use portreeve_testbed::{Client, TestServer};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Nobody waits so long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Somebody as they are at the source, under Entra's names.
fn person(given: &str, family: &str, other_mails: &Value) -> Value {
    let address = format!("{}@contoso.example", given.to_lowercase());
    json!({
        "objectId": format!("{given}-key"), "userPrincipalName": address, "mail": address,
        "givenName": given, "surname": family, "displayName": format!("{given} {family}"),
        "telephoneNumber": "+43 1 1", "mobile": "+43 660 1", "companyName": "Contoso",
        "department": "Engines", "otherMails": other_mails, "accountEnabled": true,
    })
}

fn write(folder: &Path, file: &str, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder.join(file), text).expect("the file is written");
}

async fn users(directory: &Client) -> Vec<Value> {
    let answer = directory.get("/Users?count=100").await;
    let mut users = answer.json["Resources"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    users.sort_by_key(|user| user["userName"].to_string());
    users
}

/// The addresses of somebody with their types, in order.
fn emails(user: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = user["emails"].as_array().into_iter().flatten();
    let mut list: Vec<_> = list
        .map(|email| format!("{} {}", text(&email["type"]), text(&email["value"])))
        .collect();
    list.sort();
    list
}

/// The groups of a directory with the number of their members, in order.
async fn groups(directory: &Client) -> Vec<String> {
    let answer = directory.get("/Groups").await;
    let one = |group: &Value| {
        let members = group["members"].as_array().map_or(0, Vec::len);
        let name = group["displayName"].as_str().unwrap_or_default();
        format!("{name} {members}")
    };
    let list = answer.json["Resources"].as_array().into_iter().flatten();
    let mut list: Vec<_> = list.map(one).collect();
    list.sort();
    list
}

/// Whom admins see of a directory for visitors, and whether visitors find them.
async fn seen(server: &TestServer, directory: &Client) -> Vec<String> {
    let id = directory.base().rsplit('/').nth(1).unwrap_or_default();
    let path = format!("/directories/{id}/visitor-hosts");
    let people = server.admin().get(&path).await.json;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut seen: Vec<_> = people
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| format!("{} {}", text(&one["name"]), text(&one["visibility"])))
        .collect();
    seen.sort();
    seen
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn the_template_of_the_vendor_provisions_into_a_directory_for_visitors() {
    let files = TempDir::new().expect("a temporary folder");
    let server = TestServer::start_with(|config| {
        crate::applications::port::allow(config, files.path());
    })
    .await;
    let target = server
        .directory_with("generic", json!({"preset": "visitor-hosts"}))
        .await;
    let ada = person(
        "Ada",
        "King",
        &json!(["ada@home.example", "king@home.example"]),
    );
    let grace = person("Grace", "Hopper", &json!([]));
    let mut nameless = person("Nobody", "Nameless", &json!([]));
    nameless["surname"] = Value::Null;
    write(
        files.path(),
        "people.jsonl",
        &[ada.clone(), grace.clone(), nameless.clone()],
    );
    let group = |name: &str, members: &[&str]| json!({"objectId": name, "displayName": name, "members": members});
    let graz = group("Graz", &["Ada-key"]);
    let vienna = group("Vienna", &["Ada-key", "Grace-key"]);
    write(files.path(), "groups.jsonl", &[graz.clone(), vienna]);
    let definition = json!({
        "name": "Town",
        "template": "sign-in-enterprise",
        "source": {"type": "jsonl", "users": "people.jsonl", "groups": "groups.jsonl", "key": "objectId", "keep_at_least": 0},
        "target": {
            "url": target.base(),
            "authentication": {"type": "bearer", "token": target.token()},
            "allow_private_addresses": true,
        },
    });
    let made = server.admin().post("/applications", definition).await;
    assert_eq!(made.status, 201, "{made}");
    let first = cycle(server.admin(), 1).await;
    assert_eq!(
        first["lastExecution"]["counters"]["created"], 4,
        "two people and two groups: {first:#}"
    );

    // `Item(Split(Coalesce([otherMails], ","), ","), 1)` is the first of several, and of none empty text.
    let now = users(&target).await;
    let names: Vec<_> = now.iter().map(|user| &user["userName"]).collect();
    assert_eq!(names, ["ada@contoso.example", "grace@contoso.example"]);
    assert_eq!(
        emails(&now[0]),
        ["other ada@home.example", "work ada@contoso.example"]
    );
    assert_eq!(
        emails(&now[1]),
        ["other ", "work grace@contoso.example"],
        "empty text is a value, and nobody is told there"
    );
    assert_eq!(now[0]["active"], true, "Switch: {:#}", now[0]);
    assert_eq!(
        now[0][ENTERPRISE],
        json!({"organization": "Contoso", "department": "Engines"})
    );
    assert_eq!(groups(&target).await, ["Graz 1", "Vienna 2"]);

    // Who is disabled becomes invisible; a group that is gone is deleted. Whoever watches the files looks once a second.
    let mut left = grace;
    left["accountEnabled"] = json!(false);
    write(files.path(), "people.jsonl", &[ada, left, nameless]);
    write(files.path(), "groups.jsonl", &[graz]);
    let expected = ["Ada King visible", "Grace Hopper unassigned"];
    let mut last = Vec::new();
    let gone = async {
        while last != expected || groups(&target).await != ["Graz 1"] {
            last = seen(&server, &target).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, gone).await;
    assert!(waited.is_ok(), "it never came to that: {last:#?}");
    server.stop().await;
}
