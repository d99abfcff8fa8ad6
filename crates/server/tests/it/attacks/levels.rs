//! Rising: from user to auditor, admin and owner, or staying what one was. That every route of the API asks for its
//! permission is tested beside the API (`access.rs`); here are the console's pages, and the ways through values.

use super::filled;
use crate::browser::Browser;
use crate::sso::World;
use http::Method;
use portreeve_directory::permissions::Level;
use portreeve_server::pages;
use portreeve_testbed::{Answer, Client};
use serde_json::{Value, json};
use std::time::Duration;

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Ada, of a directory, signed in at her provider.
struct Ada {
    world: World,
    browser: Browser,
    /// Where she is in the API.
    path: String,
}

impl Ada {
    async fn sign_in() -> Self {
        let world = World::start().await;
        // The team has an owner without her.
        let linked = world.server.admin().post("/owners/link", json!({})).await;
        assert_eq!(linked.status, 201, "{linked}");
        let users = format!("/directories/{}/users", world.directory_id);
        let found = world.server.admin().get(&users).await;
        let path = format!("{users}/{}", found.json[0]["id"].as_str().unwrap());
        let mut ada = Self {
            browser: Browser::new(&world.server),
            world,
            path,
        };
        ada.come_in().await;
        ada
    }

    async fn come_in(&mut self) {
        self.browser.origin = format!("http://{}", self.world.server.address());
        let back = self.world.sign_in(&mut self.browser, "/console").await;
        assert_eq!(back.status, 303, "{back}");
    }

    /// The machine's administrator changes something about her.
    async fn change(&self, change: Value) {
        let changed = self.world.server.admin().patch(&self.path, change).await;
        assert_eq!(changed.status, 200, "{changed}");
    }

    /// She asks the API from a page.
    async fn api(&mut self, method: Method, path: &str, body: Value) -> Answer {
        let path = format!("/api/v1{path}");
        self.browser
            .send(method, &path, &[JSON], Some(body.to_string()))
            .await
    }

    /// Somebody else in her directory.
    async fn other(&self, name: &str, level: &str) -> String {
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
        let made = self
            .world
            .people
            .post(
                "/Users",
                json!({"schemas": schemas, "userName": name, "active": true}),
            )
            .await;
        assert_eq!(made.status, 201, "{made}");
        let path = format!(
            "/directories/{}/users/{}",
            self.world.directory_id,
            made.id()
        );
        let raised = self
            .world
            .server
            .admin()
            .patch(&path, json!({"level": level}))
            .await;
        assert_eq!(raised.status, 200, "{raised}");
        path
    }

    /// An API token of hers.
    async fn token(&mut self, permissions: &[&str]) -> Client {
        let made = self
            .api(
                Method::POST,
                "/api-tokens",
                json!({"name": "t", "permissions": permissions}),
            )
            .await;
        assert_eq!(made.status, 201, "{made}");
        self.world
            .server
            .stranger()
            .with_token(Some(made.text("secret")))
    }
}

fn is_forbidden(name: &str, answer: &Answer) {
    assert_eq!(
        (answer.status, answer.text("code")),
        (403, "forbidden"),
        "{name}: {answer}"
    );
}

/// One session, whose owner rises step by step: what a page needs is asked at each request.
#[tokio::test]
async fn each_level_sees_the_pages_that_the_table_says() {
    let mut ada = Ada::sign_in().await;
    for level in [Level::User, Level::Auditor, Level::Admin, Level::Owner] {
        ada.change(json!({"level": level})).await;
        for (method, path, needs) in pages() {
            let path = filled(path, "x");
            let answer = ada.browser.send(method.clone(), &path, &[FORM], None).await;
            let name = format!("{level:?}: {method} {path}");
            assert!(answer.status < 500, "{name}: {answer}");
            let may = level.permissions().has(needs);
            assert_eq!(
                answer.status != 403,
                may,
                "{name} needs {needs}: {}",
                answer.status
            );
            if answer
                .header("location")
                .is_some_and(|place| place.starts_with("/sign-in"))
            {
                // She has ended her own session.
                ada.come_in().await;
            }
        }
    }
    ada.change(json!({"level": "user"})).await;
    let answer = ada.browser.get("/console/directories").await;
    assert_eq!(answer.status, 403, "down again at once: {}", answer.status);
}

#[tokio::test]
async fn an_admin_makes_no_owner_and_touches_none() {
    let mut ada = Ada::sign_in().await;
    ada.change(json!({"level": "admin"})).await;
    let own = ada.path.clone();
    let user = ada.other("grace", "user").await;
    let owner = ada.other("olga", "owner").await;
    let admin = ada.other("alan", "admin").await;
    for (name, path, change) in [
        ("herself", &own, json!({"level": "owner"})),
        ("another admin", &user, json!({"level": "admin"})),
        ("an owner down", &owner, json!({"level": "user"})),
        ("an owner out", &owner, json!({"status": "suspended"})),
        ("an admin down", &admin, json!({"level": "user"})),
        ("an admin out", &admin, json!({"status": "suspended"})),
    ] {
        is_forbidden(name, &ada.api(Method::PATCH, path, change).await);
    }
    let change = json!({"level": "auditor"});
    let changed = ada.api(Method::PATCH, &user, change).await;
    assert_eq!(changed.status, 200, "what an admin may: {changed}");
}

/// Whoever has a provider's token can give an owner's address to somebody else.
#[tokio::test]
async fn an_admin_decides_where_people_come_from_only_where_nobody_may_more() {
    let mut ada = Ada::sign_in().await;
    ada.change(json!({"level": "admin"})).await;
    let directory = format!("/directories/{}", ada.world.directory_id);
    let of = |what: &str| format!("{directory}/{what}");
    let connection = ada.world.declaration(&json!({}));
    for (name, method, path, body) in [
        ("a token", Method::POST, of("tokens"), json!({})),
        ("another one", Method::POST, of("tokens/rotate"), json!({})),
        ("a connection", Method::PUT, of("connection"), connection),
        ("none", Method::DELETE, of("connection"), Value::Null),
        ("nobody", Method::DELETE, directory.clone(), Value::Null),
    ] {
        let answer = ada.api(method, &path, body).await;
        is_forbidden(name, &answer);
        let detail = answer.text("detail");
        assert!(detail.contains("has admins or owners"), "{name}: {detail}");
    }
    let tested = ada.api(Method::POST, &of("test"), json!({})).await;
    assert_eq!(tested.status, 200, "its token stays here: {tested}");
    let made = json!({"name": "other", "provider": "generic"});
    let made = ada.api(Method::POST, "/directories", made).await;
    assert_eq!(made.status, 201, "{made}");
    let tokens = format!("/directories/{}/tokens", made.id());
    let token = ada.api(Method::POST, &tokens, json!({})).await;
    assert_eq!(token.status, 201, "where nobody may more: {token}");
    let token = ada
        .world
        .server
        .admin()
        .post(&of("tokens"), json!({}))
        .await;
    assert_eq!(token.status, 201, "by whoever may: {token}");
}

#[tokio::test]
async fn an_admin_gives_nobody_more_than_admins_have() {
    let mut ada = Ada::sign_in().await;
    ada.change(json!({"level": "admin"})).await;
    let may_raise = json!({"name": "x", "permissions": ["user:read", "level:write"]});
    for (name, path, body) in [
        ("a local owner", "/owners", json!({"name": "Mallory"})),
        ("a token", "/api-tokens", may_raise.clone()),
        ("a service account", "/service-accounts", may_raise),
    ] {
        is_forbidden(name, &ada.api(Method::POST, path, body).await);
    }
}

#[tokio::test]
async fn a_token_never_may_more_than_its_holder_and_itself() {
    let mut ada = Ada::sign_in().await;
    ada.change(json!({"level": "owner"})).await;
    let user = format!("/api/v1{}", ada.other("grace", "user").await);
    let token = ada
        .token(&[
            "user:read",
            "user:write",
            "api_token:write",
            "service_account:write",
        ])
        .await;
    for (name, path, body) in [
        (
            "a token that may more",
            "/api-tokens",
            json!({"name": "t", "permissions": ["level:write"]}),
        ),
        (
            "an account that may more",
            "/service-accounts",
            json!({"name": "r", "permissions": ["level:write"]}),
        ),
    ] {
        is_forbidden(name, &token.post(&format!("/api/v1{path}"), body).await);
    }
    is_forbidden(
        "more by value",
        &token.patch(&user, json!({"level": "admin"})).await,
    );
    for page in ["/console", "/auth/device", "/auth/cli/authorize"] {
        let answer = token.get(page).await;
        assert_ne!(answer.status, 200, "a token is for programs: {page}");
    }

    assert_eq!(
        token.patch(&user, json!({"level": "auditor"})).await.status,
        200
    );
    ada.change(json!({"level": "auditor"})).await;
    is_forbidden(
        "after its holder came down",
        &token.patch(&user, json!({"level": "user"})).await,
    );
    assert_eq!(token.get(&user).await.status, 200, "what is left of both");
}

#[tokio::test]
async fn whoever_is_suspended_is_out_at_once_and_comes_back_as_a_user() {
    for by_provider in [true, false] {
        let mut ada = Ada::sign_in().await;
        ada.change(json!({"level": "admin"})).await;
        let token = ada.token(&["self"]).await;
        assert_eq!(token.get("/api/v1/me").await.status, 200);
        match by_provider {
            true => ada.world.suspend_ada().await,
            false => ada.change(json!({"status": "suspended"})).await,
        }
        let name = format!("by her provider: {by_provider}");
        assert_eq!(token.get("/api/v1/me").await.status, 401, "{name}");
        assert_eq!(ada.browser.get("/api/v1/me").await.status, 401, "{name}");
        let page = ada.browser.get("/console").await;
        assert_eq!(page.status, 303, "{name}: {page}");
        let back = ada.world.sign_in(&mut ada.browser, "/console").await;
        assert_eq!(back.status, 403, "{name}: {back}");
        if by_provider {
            continue;
        }
        ada.change(json!({"status": "active"})).await;
        let former = ada.browser.get("/api/v1/me").await;
        assert_eq!(former.status, 401, "the session of before: {former}");
        ada.come_in().await;
        let me = ada.browser.get("/api/v1/me").await;
        assert_eq!(me.text("level"), "user", "{me}");
    }
}

#[tokio::test]
async fn an_open_page_of_somebody_suspended_hears_nothing_more() {
    let ada = Ada::sign_in().await;
    let cookies = ada.browser.cookies.iter();
    let cookies: Vec<_> = cookies
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let live = http
        .get(format!("{}/console/live", ada.browser.origin))
        .header("cookie", cookies.join("; "))
        .send()
        .await
        .unwrap();
    assert_eq!(live.status(), 200);
    ada.change(json!({"status": "suspended"})).await;
    let rest = tokio::time::timeout(Duration::from_secs(10), live.bytes());
    rest.await.expect("the stream ends").unwrap();
}
