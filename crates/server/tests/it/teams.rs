//! Teams, owners, sessions, service accounts and API tokens through the admin API.

use http::Method;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

fn api(server: &TestServer, secret: &str) -> Client {
    let stranger = server.stranger();
    let base = format!("{}/api/v1", stranger.base());
    stranger.with_base(&base).with_token(Some(secret))
}

fn assert_refused(answer: &Answer, status: u16, code: &str, says: &str) {
    assert_eq!(
        (answer.status, answer.text("code")),
        (status, code),
        "{answer}"
    );
    assert!(answer.text("detail").contains(says), "{answer}");
}

/// Makes a service account, and an API token for it with all that it may.
async fn account(server: &TestServer, name: &str, permissions: &[&str]) -> (String, Client) {
    let admin = server.admin();
    let made = json!({"name": name, "permissions": permissions});
    let made = admin.post("/service-accounts", made).await;
    assert_eq!(made.status, 201, "{made}");
    let token = json!({"service_account": name, "permissions": permissions});
    let token = admin.post("/api-tokens", token).await;
    assert_eq!(token.status, 201, "{token}");
    (made.id().to_owned(), api(server, token.text("secret")))
}

/// Follows a link of an owner; the cookie of the session.
async fn signed_in(server: &TestServer, name: &str) -> String {
    let link = server
        .admin()
        .post("/owners/link", json!({"name": name}))
        .await;
    let url = link.text("url");
    let followed = server
        .stranger()
        .get(&url[url.find("/auth/").unwrap()..])
        .await;
    let cookie = followed.header("set-cookie").expect("a cookie");
    cookie.split(';').next().unwrap().to_owned()
}

async fn ask(server: &TestServer, method: Method, path: &str, cookie: &str) -> Answer {
    let headers = [("cookie", cookie), ("sec-fetch-site", "same-origin")];
    let path = format!("/api/v1{path}");
    server.stranger().send(method, &path, &headers, None).await
}

async fn actions(server: &TestServer, object: &str) -> Vec<String> {
    let events = server
        .admin()
        .get(&format!("/events?after=&object={object}"))
        .await;
    let list = events.json.as_array().unwrap();
    list.iter()
        .map(|one| one["action"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_team_is_made_here_and_renamed_by_its_owners() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let made = admin.post("/teams", json!({"name": "acme"})).await;
    assert_eq!(made.status, 201, "{made}");
    let again = admin.post("/teams", json!({"name": "ACME"})).await;
    assert_refused(&again, 409, "conflict", "name");
    let (_, settings) = account(&server, "settings", &["settings:read", "settings:write"]).await;
    let own = settings.get("/teams").await;
    assert_eq!(own.json.as_array().unwrap().len(), 1, "{own}");
    assert_eq!(settings.get("/teams/acme").await.status, 404);
    let renamed = settings
        .patch("/teams/main", json!({"name": "contoso"}))
        .await;
    assert_refused(&renamed, 403, "forbidden", "team:write");
    let renamed = admin.patch("/teams/main", json!({"name": "contoso"})).await;
    assert_eq!(
        (renamed.status, renamed.text("name")),
        (200, "contoso"),
        "{renamed}"
    );
    let told = admin.get("/events?after=&team=acme").await;
    assert_eq!(told.json[0]["action"], "create", "{told}");
    server.stop().await;
}

#[tokio::test]
async fn a_switch_of_the_active_directory_says_beforehand_who_loses_and_who_gains() {
    let server = TestServer::start().await;
    let admin = server.admin();
    for (directory, people) in [("Old", ["ann", "bob"]), ("New", ["BOB", "zoe"])] {
        let made = json!({"name": directory, "provider": "native"});
        assert_eq!(admin.post("/directories", made).await.status, 201);
        for name in people {
            let path = format!("/directories/{directory}/users");
            admin.post(&path, json!({"user_name": name})).await;
        }
    }
    let set = admin
        .patch("/teams/main", json!({"active_directory_id": "Old"}))
        .await;
    assert_eq!(set.json["active_directory"]["name"], "Old", "{set}");
    let preview = async |to: &str| {
        let path = format!("/teams/main/preview?active_directory_id={to}");
        admin.get(&path).await.json
    };
    assert_eq!(
        preview("New").await,
        json!({"losing": {"count": 1, "names": ["ann"]}, "gaining": {"count": 1, "names": ["zoe"]}})
    );
    admin
        .patch("/directories/New/users/bob", json!({"status": "suspended"}))
        .await;
    assert_eq!(
        preview("New").await["losing"]["names"],
        json!(["ann", "bob"])
    );
    assert_eq!(preview("Old").await["losing"]["count"], 0);
    assert_eq!(preview("").await["losing"]["count"], 2);
    assert_eq!(admin.delete("/directories/Old").await.status, 204);
    let team = admin.get("/teams/main").await;
    assert_eq!(team.json.get("active_directory"), None, "{team}");
    let none = admin
        .patch("/teams/main", json!({"active_directory_id": "Nowhere"}))
        .await;
    assert_eq!(none.status, 404, "{none}");
    server.stop().await;
}

#[tokio::test]
async fn nobody_gives_more_than_they_may_themselves() {
    let server = TestServer::start().await;
    let all = [
        "api_token:read",
        "api_token:write",
        "service_account:read",
        "service_account:write",
        "user:read",
    ];
    let (_, maker) = account(&server, "maker", &all).await;
    let (_, strong) = account(&server, "strong", &["settings:write"]).await;
    let more = json!({"name": "x", "permissions": ["user:write"]});
    let refused = maker.post("/service-accounts", more).await;
    assert_refused(&refused, 403, "forbidden", "user:write");
    let less = maker
        .post(
            "/service-accounts",
            json!({"name": "x", "permissions": ["user:read"]}),
        )
        .await;
    assert_eq!(less.status, 201, "{less}");
    let path = format!("/service-accounts/{}", less.id());
    let raised = maker
        .patch(&path, json!({"permissions": ["user:read", "level:write"]}))
        .await;
    assert_refused(&raised, 403, "forbidden", "level:write");
    for (name, body, says) in [
        (
            "more than oneself",
            json!({"permissions": ["group:read"]}),
            "group:read",
        ),
        (
            "for a stronger account",
            json!({"service_account": "strong", "permissions": ["settings:write"]}),
            "settings:write",
        ),
    ] {
        let refused = maker.post("/api-tokens", body).await;
        assert!(refused.text("detail").contains(says), "{name}: {refused}");
        assert_eq!(refused.status, 403, "{name}: {refused}");
    }
    let wide = json!({"service_account": "x", "permissions": ["api_token:read"]});
    let refused = maker.post("/api-tokens", wide).await;
    assert_refused(&refused, 400, "invalid", "may not do api_token:read itself");
    let tokens = maker.get("/api-tokens?service_account=strong").await;
    let id = tokens.json[0]["id"].as_str().unwrap().to_owned();
    let taken = maker
        .post(&format!("/api-tokens/{id}/rotate"), json!({}))
        .await;
    assert_refused(&taken, 403, "forbidden", "settings:write");
    let unknown = maker
        .post("/api-tokens", json!({"permissions": ["root"]}))
        .await;
    assert_refused(&unknown, 400, "invalid", "no permission \"root\"");
    assert_eq!(strong.get("/users").await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn an_api_token_is_shown_once_rotated_with_an_overlap_and_revoked() {
    let server = TestServer::start().await;
    let (id, reader) = account(&server, "reader", &["directory:read"]).await;
    let admin = server.admin();
    assert_eq!(reader.get("/directories").await.status, 200);
    let listed = admin.get("/api-tokens?service_account=reader").await;
    assert_eq!(
        listed.json[0]["holder"],
        json!({"kind": "service", "id": id, "name": "reader"})
    );
    assert!(!listed.to_string().contains("prv_api_"), "{listed}");
    let path = format!("/api-tokens/{}", listed.json[0]["id"].as_str().unwrap());
    let rotated = admin
        .post(&format!("{path}/rotate"), json!({"overlap_seconds": 60}))
        .await;
    assert_eq!(rotated.status, 201, "{rotated}");
    let next = api(&server, rotated.text("secret"));
    for (name, client) in [("the old one", &reader), ("the new one", &next)] {
        assert_eq!(client.get("/directories").await.status, 200, "{name}");
    }
    server.clock().advance(Duration::from_secs(61));
    assert_eq!(reader.get("/directories").await.status, 401);
    assert_eq!(admin.get(&path).await.text("status"), "expired");
    assert_eq!(next.get("/directories").await.status, 200);

    let suspended = json!({"status": "suspended"});
    admin.patch("/service-accounts/reader", suspended).await;
    assert_eq!(next.get("/directories").await.status, 401);
    admin
        .patch("/service-accounts/reader", json!({"status": "active"}))
        .await;
    assert_eq!(next.get("/directories").await.status, 200);
    let revoked = admin.delete(&format!("/api-tokens/{}", rotated.id())).await;
    assert_eq!(
        (revoked.status, revoked.text("status")),
        (200, "revoked"),
        "{revoked}"
    );
    assert_eq!(next.get("/directories").await.status, 401);
    assert_eq!(actions(&server, rotated.id()).await, ["create", "revoke"]);
    assert_eq!(admin.delete("/service-accounts/reader").await.status, 204);
    assert_eq!(
        actions(&server, &id).await,
        ["create", "update", "update", "delete"]
    );
    server.stop().await;
}

#[tokio::test]
async fn an_owner_makes_tokens_of_their_own() {
    let server = TestServer::start().await;
    let cookie = signed_in(&server, "owner").await;
    let headers = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let body =
        json!({"name": "mine", "permissions": ["user:read"], "expires_at": "2100-01-01T00:00:00Z"});
    let made = server
        .stranger()
        .send(
            Method::POST,
            "/api/v1/api-tokens",
            &headers,
            Some(body.to_string()),
        )
        .await;
    assert_eq!(
        (made.status, &made.json["holder"]["kind"]),
        (201, &json!("owner")),
        "{made}"
    );
    let me = api(&server, made.text("secret")).get("/me").await;
    assert_refused(&me, 403, "forbidden", "self");
    let no_one = server
        .admin()
        .post("/api-tokens", json!({"permissions": ["user:read"]}))
        .await;
    assert_refused(&no_one, 400, "invalid", "service_account");
    server.stop().await;
}

#[tokio::test]
async fn sessions_are_seen_and_ended() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let (first, second) = (
        signed_in(&server, "owner").await,
        signed_in(&server, "owner").await,
    );
    let other = signed_in(&server, "deputy").await;
    let own = ask(&server, Method::GET, "/me/sessions", &first).await;
    let list = own.json.as_array().unwrap().clone();
    let current: Vec<&Value> = list.iter().map(|one| &one["current"]).collect();
    assert_eq!(current, [&json!(false), &json!(true)], "{own}");
    let (newer, owner) = (
        list[0]["id"].as_str().unwrap(),
        list[0]["holder"]["id"].as_str().unwrap(),
    );

    let theirs = format!("/me/sessions/{newer}");
    assert_eq!(
        ask(&server, Method::DELETE, &theirs, &other).await.status,
        404
    );
    assert_eq!(
        ask(&server, Method::DELETE, &theirs, &first).await.status,
        204
    );
    assert_eq!(ask(&server, Method::GET, "/me", &second).await.status, 401);
    assert_eq!(actions(&server, newer).await, ["end"]);

    let all = admin.get("/sessions?count=1").await;
    assert_eq!(all.json[0]["holder"]["name"], "deputy", "{all}");
    assert!(
        all.header("link")
            .is_some_and(|link| link.contains("cursor=")),
        "{all}"
    );
    assert_eq!(admin.delete("/sessions").await.status, 400, "of whom?");
    let ended = admin.delete(&format!("/sessions?user={owner}")).await;
    assert_eq!(ended.json, json!({"ended": 1}));
    assert_eq!(ask(&server, Method::GET, "/me", &first).await.status, 401);
    assert_eq!(ask(&server, Method::GET, "/me", &other).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_removed_owner_is_out_and_the_last_one_stays() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let cookie = signed_in(&server, "owner").await;
    let last = admin.delete("/owners/owner").await;
    assert_refused(&last, 400, "invalid", "last owner");
    assert_eq!(ask(&server, Method::GET, "/me", &cookie).await.status, 200);
    let made = admin.post("/owners", json!({"name": "deputy"})).await;
    assert_eq!(made.status, 201, "{made}");
    let again = admin.post("/owners", json!({"name": "Deputy"})).await;
    assert_refused(&again, 409, "conflict", "name");
    assert_eq!(admin.delete("/owners/owner").await.status, 204);
    assert_eq!(ask(&server, Method::GET, "/me", &cookie).await.status, 401);
    assert_eq!(admin.get("/owners").await.json.as_array().unwrap().len(), 1);
    server.stop().await;
}
