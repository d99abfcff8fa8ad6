//! Users, groups and memberships through the admin API: what a provider manages, and what is decided here.

use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const FED: &str = "/directories/entra%201";
const OWN: &str = "/directories/Staff";

async fn native(server: &TestServer) {
    let made = server
        .admin()
        .post(
            "/directories",
            json!({"name": "Staff", "provider": "native"}),
        )
        .await;
    assert_eq!(made.status, 201, "{made}");
}

async fn person(provider: &Client, name: &str) -> String {
    let body = json!({"schemas": [USER], "userName": name, "displayName": name, "active": true});
    provider.post("/Users", body).await.id().to_owned()
}

fn assert_refused(answer: &Answer, status: u16, code: &str, says: &str) {
    assert_eq!(
        (answer.status, answer.text("code")),
        (status, code),
        "{answer}"
    );
    assert!(answer.text("detail").contains(says), "{answer}");
}

/// An API token with these permissions.
async fn with(server: &TestServer, permissions: &[&str]) -> Client {
    let admin = server.admin();
    let name = format!("account for {}", permissions.join(" and "));
    let account = json!({"name": name, "permissions": permissions});
    let account = admin.post("/service-accounts", account).await;
    assert_eq!(account.status, 201, "{account}");
    let token = json!({"service_account": account.id(), "permissions": permissions});
    let token = admin.post("/api-tokens", token).await;
    assert_eq!(token.status, 201, "{token}");
    let stranger = server.stranger();
    let base = format!("{}/api/v1", stranger.base());
    stranger
        .with_base(&base)
        .with_token(Some(token.text("secret")))
}

#[tokio::test]
async fn what_a_provider_manages_is_changed_there() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let ann = person(&provider, "ann").await;
    let group = json!({"schemas": [GROUP], "displayName": "Sales", "members": [{"value": ann}]});
    let sales = provider.post("/Groups", group).await.id().to_owned();
    let admin = server.admin();
    let shown = admin.get(&format!("{FED}/users/ann")).await;
    assert_eq!(
        (
            &shown.json["managed_by"],
            &shown.json["groups"][0]["managed_by"]
        ),
        (
            &json!({"kind": "directory", "name": "entra 1"}),
            &json!({"kind": "directory", "name": "entra 1"})
        )
    );
    let says = "directory \"entra 1\": change it there";
    for refused in [
        admin
            .post(&format!("{FED}/users"), json!({"user_name": "bob"}))
            .await,
        admin
            .patch(
                &format!("{FED}/users/{ann}"),
                json!({"display_name": "Ann"}),
            )
            .await,
        admin.delete(&format!("{FED}/users/{ann}")).await,
        admin
            .post(&format!("{FED}/groups"), json!({"display_name": "New"}))
            .await,
        admin
            .patch(
                &format!("{FED}/groups/{sales}"),
                json!({"display_name": "New"}),
            )
            .await,
        admin.delete(&format!("{FED}/groups/{sales}")).await,
        admin
            .delete(&format!("{FED}/groups/{sales}/members/{ann}"))
            .await,
    ] {
        assert_refused(&refused, 409, "managed_by_directory", says);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_native_directory_is_edited_here() {
    let server = TestServer::start().await;
    native(&server).await;
    let admin = server.admin();
    let new = json!({"user_name": "ann", "email": "ann@contoso.example", "resource": {"title": "Reeve", "name": {"familyName": "Ohm"}}});
    let ann = admin.post(&format!("{OWN}/users"), new).await;
    assert_eq!(ann.status, 201, "{ann}");
    let location = ann.header("location").unwrap();
    assert!(location.ends_with(ann.id()), "{location}");
    assert_eq!(ann.json["managed_by"]["kind"], "portreeve");

    let path = format!("{OWN}/users/ann");
    let change = json!({"display_name": "Ann Ohm", "email": "a@contoso.example", "resource": {"title": null}});
    let changed = admin.patch(&path, change).await;
    assert_eq!(changed.status, 200, "{changed}");
    assert_eq!(
        changed.json["resource"]["emails"][0]["value"],
        "a@contoso.example"
    );
    assert_eq!(changed.json["resource"]["name"]["familyName"], "Ohm");
    assert_eq!(changed.json["resource"].get("title"), None);
    assert_eq!(changed.text("display_name"), "Ann Ohm");

    let bob = admin
        .post(&format!("{OWN}/users"), json!({"user_name": "bob"}))
        .await;
    let group = json!({"display_name": "Night", "members": [ann.id()]});
    let night = admin.post(&format!("{OWN}/groups"), group).await;
    assert_eq!(
        (night.status, &night.json["member_count"]),
        (201, &json!(1)),
        "{night}"
    );
    let members = format!("{OWN}/groups/Night/members");
    let added = admin.post(&members, json!({"id": "bob"})).await;
    assert_eq!(
        (added.status, &added.json.get("local")),
        (201, &None),
        "{added}"
    );
    for (gone, status) in [(bob.id(), 204), (bob.id(), 404)] {
        let removed = admin.delete(&format!("{members}/{gone}")).await;
        assert_eq!(removed.status, status, "{removed}");
    }

    let off = admin.patch(&path, json!({"status": "suspended"})).await;
    assert_eq!(
        (
            off.text("status"),
            &off.json["resource"]["active"],
            off.json.get("suspended_here")
        ),
        ("suspended", &json!(false), None),
        "{off}"
    );
    for (name, path, status) in [
        ("user", format!("{OWN}/users/{}", ann.id()), 204),
        ("user again", format!("{OWN}/users/{}", ann.id()), 404),
        ("group", format!("{OWN}/groups/Night"), 204),
    ] {
        assert_eq!(admin.delete(&path).await.status, status, "{name}");
    }
    server.stop().await;
}

/// Name, method, path below the directory "Staff", body, status, code, and what the problem says.
const MISTAKES: &[(&str, &str, &str, &str, u16, &str, &str)] = &[
    (
        "no user name",
        "POST",
        "/users",
        r#"{"email": "x@y.example"}"#,
        400,
        "invalidValue",
        "userName",
    ),
    (
        "taken",
        "POST",
        "/users",
        r#"{"user_name": "ANN"}"#,
        409,
        "conflict",
        "userName",
    ),
    (
        "attribute that nobody knows",
        "POST",
        "/users",
        r#"{"user_name": "b", "resource": {"colour": "red"}}"#,
        400,
        "invalid",
        "colour",
    ),
    (
        "wrong type",
        "PATCH",
        "/users/ann",
        r#"{"resource": {"title": 5}}"#,
        400,
        "invalidValue",
        "title",
    ),
    (
        "no level",
        "PATCH",
        "/users/ann",
        r#"{"level": "king"}"#,
        400,
        "invalid",
        "king",
    ),
    (
        "no status",
        "PATCH",
        "/users/ann",
        r#"{"status": "hidden"}"#,
        400,
        "invalid",
        "hidden",
    ),
    (
        "nobody",
        "PATCH",
        "/users/zoe",
        r#"{"level": "admin"}"#,
        404,
        "not_found",
        "zoe",
    ),
    (
        "members in the resource",
        "POST",
        "/groups",
        r#"{"display_name": "A", "resource": {"members": [{"value": "x"}]}}"#,
        400,
        "invalid",
        "members",
    ),
    (
        "no such member",
        "POST",
        "/groups",
        r#"{"display_name": "A", "members": ["x"]}"#,
        400,
        "invalidValue",
        "\"x\"",
    ),
    (
        "end in the past",
        "POST",
        "/groups/G/members",
        r#"{"id": "ann", "expires_at": "2001-01-01T00:00:00Z"}"#,
        400,
        "invalid",
        "future",
    ),
    (
        "end that is none",
        "POST",
        "/groups/G/members",
        r#"{"id": "ann", "expires_at": "soon"}"#,
        400,
        "invalid",
        "soon",
    ),
    (
        "search and filter",
        "GET",
        "/users?search=a&filter=active%20eq%20true",
        "",
        400,
        "invalid",
        "search",
    ),
    (
        "level and more",
        "GET",
        "/users?level=admin&count=3",
        "",
        400,
        "invalid",
        "level",
    ),
];

#[tokio::test]
async fn mistakes_are_named() {
    let server = TestServer::start().await;
    native(&server).await;
    let admin = server.admin();
    admin
        .post(&format!("{OWN}/users"), json!({"user_name": "ann"}))
        .await;
    admin
        .post(&format!("{OWN}/groups"), json!({"display_name": "G"}))
        .await;
    for (name, method, path, body, status, code, says) in MISTAKES {
        let body = (!body.is_empty()).then(|| (*body).to_owned());
        let path = format!("{OWN}{path}");
        let answer = admin.send(method.parse().unwrap(), &path, &[], body).await;
        assert_eq!(
            (answer.status, answer.text("code")),
            (*status, *code),
            "{name}: {answer}"
        );
        assert!(answer.text("detail").contains(says), "{name}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn only_those_who_may_make_admins_change_them() {
    let server = TestServer::start().await;
    native(&server).await;
    let owner = server.admin();
    for name in ["ann", "boss"] {
        owner
            .post(&format!("{OWN}/users"), json!({"user_name": name}))
            .await;
    }
    let made = owner
        .patch(&format!("{OWN}/users/boss"), json!({"level": "owner"}))
        .await;
    assert_eq!((made.status, made.text("level")), (200, "owner"), "{made}");
    let admin = with(&server, &["user:read", "user:write"]).await;
    for (name, path, body, may) in [
        ("auditor", "ann", json!({"level": "auditor"}), true),
        ("name", "ann", json!({"display_name": "Ann"}), true),
        ("admin", "ann", json!({"level": "admin"}), false),
        ("owner", "ann", json!({"level": "owner"}), false),
        ("level of an owner", "boss", json!({"level": "user"}), false),
        (
            "suspension of an owner",
            "boss",
            json!({"status": "suspended"}),
            false,
        ),
        (
            "address of an owner",
            "boss",
            json!({"email": "mine@evil.example"}),
            false,
        ),
    ] {
        let answer = admin.patch(&format!("{OWN}/users/{path}"), body).await;
        match may {
            true => assert_eq!(answer.status, 200, "{name}: {answer}"),
            false => assert_refused(&answer, 403, "forbidden", "level:write"),
        }
    }
    let gone = admin.delete(&format!("{OWN}/users/boss")).await;
    assert_refused(&gone, 403, "forbidden", "level:write");
    let listed = owner.get(&format!("{OWN}/users?level=owner")).await;
    assert_eq!(listed.json.as_array().unwrap().len(), 1, "{listed}");

    for last in [json!({"level": "user"}), json!({"status": "suspended"})] {
        let refused = owner.patch(&format!("{OWN}/users/boss"), last).await;
        assert_refused(&refused, 400, "invalid", "last owner");
    }
    for gone in [format!("{OWN}/users/boss"), OWN.to_owned()] {
        let refused = owner.delete(&gone).await;
        assert_refused(&refused, 400, "invalid", "last owner");
    }
    let keeper = with(&server, &["directory:write"]).await;
    let refused = keeper.delete(OWN).await;
    assert_refused(&refused, 403, "forbidden", "level:write");
    server.stop().await;
}

#[tokio::test]
async fn whom_an_admin_suspends_stays_out_whatever_the_provider_sends() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let ann = person(&provider, "ann").await;
    let admin = server.admin();
    let path = format!("{FED}/users/{ann}");
    let status = async || {
        let shown = admin.get(&path).await;
        (
            shown.text("status").to_owned(),
            shown.json["suspended_here"] == true,
        )
    };
    admin.patch(&path, json!({"level": "auditor"})).await;
    let off = admin.patch(&path, json!({"status": "suspended"})).await;
    assert_eq!((off.status, off.text("level")), (200, "auditor"), "{off}");
    for active in [false, true] {
        let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": active}]});
        let answer = provider.patch(&format!("/Users/{ann}"), body).await;
        assert_eq!(
            answer.json["active"], active,
            "the provider sees what it sent"
        );
        assert_eq!(status().await, ("suspended".to_owned(), true));
    }
    let back = admin.patch(&path, json!({"status": "active"})).await;
    assert_eq!(
        (back.text("status"), back.text("level")),
        ("active", "user"),
        "{back}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_local_membership_counts_until_it_ends() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let (ann, bob) = (
        person(&provider, "ann").await,
        person(&provider, "bob").await,
    );
    let group = json!({"schemas": [GROUP], "displayName": "Night", "members": [{"value": bob}]});
    let night = provider.post("/Groups", group).await.id().to_owned();
    let admin = server.admin();
    let members = format!("{FED}/groups/Night/members");
    let end = "2100-01-01T00:00:00Z";
    let added = admin
        .post(&members, json!({"id": "ann", "expires_at": end}))
        .await;
    assert_eq!(added.status, 201, "{added}");
    assert_eq!(added.json["managed_by"]["kind"], "portreeve", "{added}");
    let told = added.json["local"]["expires_at"].clone();
    assert!(
        told.as_str().unwrap().starts_with("2100-01-01T00:00:00"),
        "{added}"
    );
    let kinds = |answer: Answer| -> Vec<Value> {
        let list = answer.json.as_array().unwrap();
        list.iter()
            .map(|one| one["managed_by"]["kind"].clone())
            .collect()
    };
    assert_eq!(kinds(admin.get(&members).await), ["portreeve", "directory"]);
    let groups = admin.get(&format!("{FED}/users/ann")).await.json["groups"].clone();
    assert_eq!(
        (&groups[0]["display"], &groups[0]["expires_at"]),
        (&json!("Night"), &told)
    );
    let seen = provider.get(&format!("/Groups/{night}")).await;
    assert_eq!(seen.json["members"].as_array().unwrap().len(), 1, "{seen}");
    let seen = provider.get(&format!("/Users/{ann}")).await;
    assert_eq!(seen.json.get("groups"), None, "{seen}");

    server
        .clock()
        .advance(Duration::from_secs(100 * 366 * 86_400));
    assert_eq!(kinds(admin.get(&members).await), ["directory"]);
    let groups = admin.get(&format!("{FED}/users/ann")).await.json["groups"].clone();
    assert_eq!(groups, json!([]));
    server.stop().await;
}

#[tokio::test]
async fn search_has_the_likeliest_first() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    for name in ["joanna", "anna", "bert"] {
        person(&provider, name).await;
    }
    let admin = server.admin();
    let names = async |query: &str| -> Vec<String> {
        let found = admin.get(&format!("{FED}/users?{query}")).await;
        assert_eq!(found.status, 200, "{found}");
        let list = found.json.as_array().unwrap().clone();
        list.iter()
            .map(|one| one["user_name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("search=ANN").await, ["anna", "joanna"]);
    assert_eq!(names("search=ann&count=1").await, ["anna"]);
    assert_eq!(names("search=zz").await, Vec::<String>::new());
    server.stop().await;
}
