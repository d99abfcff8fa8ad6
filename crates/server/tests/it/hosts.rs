//! Hosts and accounts on them, through the admin API.

use crate::estate::{Estate, STAFF, assert_refused, column};
use portreeve_testbed::TestServer;
use serde_json::json;

#[tokio::test]
async fn hosts_are_made_listed_changed_and_removed_with_an_event_each() {
    let estate = Estate::start().await;
    let admin = estate.admin();
    let jump = json!({"name": "jump", "is_bastion": true});
    estate.make("/hosts", jump).await;
    let behind = json!({"name": "web-2", "tags": {"role": "web"}, "bastion": "jump"});
    let made = estate.make("/hosts", behind).await;
    assert_eq!(made.text("bastion"), "jump");
    assert!(made.header("location").unwrap().ends_with(made.id()));

    let names = |found| column(&found, "name");
    assert_eq!(
        names(admin.get("/hosts").await),
        ["db-1", "jump", "web-1", "web-2"]
    );
    let chosen = "/hosts?hosts=role%3Dweb%20and%20not%20env%3Dtest";
    assert_eq!(names(admin.get(chosen).await), ["web-1", "web-2"]);
    assert_eq!(
        names(admin.get("/hosts?search=WEB").await),
        ["web-1", "web-2"]
    );
    let first = admin.get("/hosts?count=3").await;
    assert_eq!(
        first.header("link"),
        Some("<?count=3&cursor=web-1>; rel=\"next\"")
    );
    let wrong = admin.get("/hosts?hosts=role%3D").await;
    assert_refused(&wrong, 400, "invalid", "at character");

    let change = json!({"tags": {"role": "web", "env": "test"}, "bastion": null});
    let changed = admin.patch("/hosts/web-2", change).await;
    assert_eq!(
        changed.json["tags"],
        json!({"env": "test", "role": "web"}),
        "{changed}"
    );
    assert_eq!(changed.json.get("bastion"), None, "{changed}");
    assert_eq!(changed.json["version"], 2, "{changed}");
    assert_eq!(admin.delete("/hosts/web-2").await.status, 204);
    assert_refused(&admin.get("/hosts/web-2").await, 404, "not_found", "host");

    let told = admin
        .get(&format!("/events?after=&object={}", made.id()))
        .await;
    assert_eq!(column(&told, "action"), ["create", "update", "delete"]);
    let changes = &told.json[1]["changes"];
    assert_eq!(
        changes,
        &json!([
            {"attribute": "tags.env", "new": "test"},
            {"attribute": "bastion", "old": "jump"},
            {"attribute": "version", "old": 1, "new": 2},
        ]),
    );
    estate.server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_a_host_is_refused_by_name() {
    let estate = Estate::start().await;
    for (name, body, status, says) in [
        (
            "a name for ssh",
            json!({"name": "-oProxyCommand=x"}),
            400,
            "name of a host",
        ),
        ("taken", json!({"name": "WEB-1"}), 409, "name"),
        (
            "a key",
            json!({"name": "x", "tags": {"a b": "c"}}),
            400,
            "key of a tag",
        ),
        (
            "a word of the language",
            json!({"name": "x", "tags": {"and": "c"}}),
            400,
            "expressions use it",
        ),
        (
            "a number",
            json!({"name": "x", "tags": {"a": 1}}),
            400,
            "expected a string",
        ),
        (
            "no bastion",
            json!({"name": "x", "bastion": "web-1"}),
            400,
            "no bastion",
        ),
        (
            "nowhere",
            json!({"name": "x", "bastion": "away"}),
            404,
            "away",
        ),
        (
            "unknown",
            json!({"name": "x", "color": "red"}),
            400,
            "color",
        ),
    ] {
        let refused = estate.admin().post("/hosts", body).await;
        assert_eq!(refused.status, status, "{name}: {refused}");
        assert!(refused.text("detail").contains(says), "{name}: {refused}");
    }
    estate.server.stop().await;
}

#[tokio::test]
async fn who_may_log_in_to_a_host_is_listed_with_what_they_may() {
    let estate = Estate::start().await;
    estate.grant("role=web").await;
    let temporary = json!({"user": "bob@contoso.example", "hosts": "*", "sudo": true, "until": "2026-01-06T00:00:00Z"});
    estate.make("/grants", temporary).await;
    let people = estate.admin().get("/hosts/web-1/people").await;
    assert_eq!(column(&people, "account"), ["ada", "bob"], "{people}");
    assert_eq!(column(&people, "sudo"), [false, true], "{people}");
    assert_eq!(people.json[1]["until"], "2026-01-06T00:00:00.000000Z");
    let only = estate.admin().get("/hosts/db-1/people").await;
    assert_eq!(column(&only, "account"), ["bob"], "{only}");
    estate.server.stop().await;
}

#[tokio::test]
async fn the_rule_for_account_names_is_looked_at_before_it_is_used() {
    let estate = Estate::start().await;
    let admin = estate.admin();
    let user = json!({"user_name": "ada.lovelace@contoso.example"});
    estate.make(&format!("{STAFF}/users"), user).await;
    let root = json!({"user_name": "root@contoso.example"});
    estate.make(&format!("{STAFF}/users"), root).await;
    let preview = format!("{STAFF}/accounts/preview");
    let wanted = json!({"posix_names": {"dots": "hyphen"}});
    let then = admin.post(&preview, wanted.clone()).await;
    assert_eq!(
        (&then.json["people"], &then.json["named"]),
        (&json!(4), &json!(3)),
        "{then}"
    );
    assert_eq!(column_of(&then.json["problems"], "code"), ["reserved"]);
    let account = format!("{STAFF}/users/ada.lovelace@contoso.example/account");
    assert_eq!(admin.get(&account).await.text("name"), "adalovelace");
    let saved = admin.patch(STAFF, wanted).await;
    assert_eq!(
        saved.json["posix_names"],
        json!({"part": "local", "dots": "hyphen"}),
        "{saved}"
    );
    assert_eq!(admin.get(&account).await.text("name"), "ada-lovelace");
    let all = admin.get(&format!("{STAFF}/accounts")).await;
    let mut names = column(&all, "name");
    names.sort_by_key(ToString::to_string);
    assert_eq!(
        names,
        [
            json!("ada"),
            json!("ada-lovelace"),
            json!("bob"),
            json!(null)
        ]
    );
    estate.server.stop().await;
}

fn column_of(list: &serde_json::Value, name: &str) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|one| one[name].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn people_have_other_names_on_hosts_that_do_not_take_theirs() {
    let estate = Estate::start().await;
    estate.grant("*").await;
    let admin = estate.admin();
    let path = format!("{STAFF}/users/ada@contoso.example/remote-identities");
    let set = admin
        .put(&path, json!([{"hosts": "role=db", "name": "dba"}]))
        .await;
    assert_eq!(set.status, 200, "{set}");
    let principals = async |host: &str| {
        let path = format!("/explain?user=ada@contoso.example&host={host}");
        admin.get(&path).await.json["principals"].clone()
    };
    assert_eq!(principals("db-1").await, json!(["dba"]));
    assert_eq!(principals("web-1").await, json!(["ada"]));
    let refused = admin
        .put(&path, json!([{"hosts": "*", "name": "root"}]))
        .await;
    assert_refused(&refused, 400, "invalid", "root");
    assert_eq!(admin.get(&path).await.json, set.json);
    estate.server.stop().await;
}

#[tokio::test]
async fn people_reach_hosts_from_the_first_directory_until_somebody_says_otherwise() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let active = async || admin.get("/teams/main").await.json["active_directory"]["name"].clone();
    assert_eq!(active().await, json!(null));
    for name in ["First", "Second"] {
        let made = json!({"name": name, "provider": "native"});
        assert_eq!(admin.post("/directories", made).await.status, 201);
        assert_eq!(active().await, json!("First"));
    }
    server.stop().await;
}
