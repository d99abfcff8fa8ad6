//! Letting the command line in: with a code that the browser brings it, and with one that somebody types.

use crate::browser::Browser;
use http::Method;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:4711/callback";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Somebody with a browser and, elsewhere, a command line.
pub(crate) struct Person {
    http: Client,
    cookie: String,
}

impl Person {
    /// A local owner who is signed in.
    async fn signed_in(server: &TestServer) -> Self {
        let made = server.admin().post("/owners/link", json!({})).await;
        let url = made.text("url").to_owned();
        let http = server.stranger();
        let followed = http.get(&url[url.find("/auth/").unwrap()..]).await;
        let set = followed.header("set-cookie").expect("a cookie");
        let cookie = set.split(';').next().unwrap().to_owned();
        Self { http, cookie }
    }

    /// Whoever is signed in with a browser.
    pub(crate) fn of(server: &TestServer, browser: &Browser) -> Self {
        let (http, cookie) = (server.stranger(), browser.session());
        Self { http, cookie }
    }

    /// A session of the command line that they let in: what it is known by.
    pub(crate) async fn command_line(&self) -> String {
        let granted = self.exchange(&self.code().await).await;
        assert_eq!(granted.status, 200, "{granted}");
        granted.text("access_token").to_owned()
    }

    async fn opens(&self, path: &str) -> Answer {
        let headers = [("cookie", self.cookie.as_str())];
        self.http.send(Method::GET, path, &headers, None).await
    }

    /// Posts a form of a page.
    async fn posts(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let own = ("sec-fetch-site", "same-origin");
        self.posts_with(path, fields, &[("cookie", &self.cookie), own])
            .await
    }

    async fn posts_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = headers.iter().copied().chain([form]).collect();
        let body = Some(encoded(fields));
        self.http.send(Method::POST, path, &headers, body).await
    }

    /// What the command line posts, which has no cookie.
    async fn program(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let client = [("client_id", "portreeve-cli")];
        let fields: Vec<_> = fields.iter().copied().chain(client).collect();
        self.posts_with(path, &fields, &[]).await
    }

    /// Lets a command line in with the browser; the code.
    async fn code(&self) -> String {
        let mut fields = request();
        fields.push(("decision", "approve"));
        let answer = self.posts("/auth/cli/authorize", &fields).await;
        assert_eq!(answer.status, 303, "{answer}");
        let location = answer.header("location").unwrap();
        let (_, code) = location.split_once("?code=").expect(location);
        let (code, state) = code.split_once('&').unwrap();
        assert!(location.starts_with(REDIRECT), "{location}");
        assert_eq!(state, "state=0123456789");
        code.to_owned()
    }

    async fn exchange(&self, code: &str) -> Answer {
        self.program("/auth/cli/token", &exchange(code)).await
    }

    async fn begin_device(&self) -> Value {
        let begun = self
            .program("/auth/device/code", &[("device", "build-7")])
            .await;
        assert_eq!(begun.status, 200, "{begun}");
        begun.json
    }

    async fn poll(&self, device: &Value) -> Answer {
        let code = device["device_code"].as_str().unwrap();
        let fields = [("grant_type", DEVICE_GRANT), ("device_code", code)];
        self.program("/auth/cli/token", &fields).await
    }

    async fn me(&self, token: &str) -> Answer {
        let token = Some(token);
        self.http.with_token(token).get("/api/v1/me").await
    }
}

fn request() -> Vec<(&'static str, &'static str)> {
    vec![
        ("client_id", "portreeve-cli"),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("state", "0123456789"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("device", "ada's <laptop>"),
    ]
}

fn exchange(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ]
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let escaped =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("error"))
}

async fn auth_events(server: &TestServer) -> Vec<String> {
    let events = server.admin().get("/events?category=AUTH").await;
    let events = events.json.as_array().unwrap().clone();
    let named = |event: &Value| {
        let reason = event["reason"].as_str().unwrap_or_default();
        format!("{} {reason}", event["action"].as_str().unwrap())
            .trim()
            .to_owned()
    };
    events.iter().rev().map(named).collect()
}

#[tokio::test]
async fn the_browser_brings_a_code_that_is_good_for_one_session() {
    let server = TestServer::start().await;
    let ada = Person::signed_in(&server).await;
    let path = format!("/auth/cli/authorize?{}", encoded(&request()));

    let stranger = ada.http.get(&path).await;
    assert_eq!(stranger.status, 303, "{stranger}");
    let to = stranger.header("location").unwrap();
    assert!(
        to.starts_with("/sign-in?return_to=%2Fauth%2Fcli%2Fauthorize"),
        "{to}"
    );

    let page = ada.opens(&path).await;
    let html = page.json.as_str().unwrap();
    assert!(html.contains("ada&#39;s &#60;laptop&#62;"), "{html}");
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:4711;"),
        "{policy}"
    );

    let code = ada.code().await;
    let granted = ada.exchange(&code).await;
    assert_eq!(granted.status, 200, "{granted}");
    assert_eq!(granted.header("cache-control"), Some("no-store"));
    assert_eq!(granted.json["expires_in"], 30 * 24 * 3600);
    let token = granted.text("access_token");
    let me = ada.me(token).await;
    assert_eq!((me.status, me.text("level")), (200, "owner"), "{me}");

    let again = ada.exchange(&code).await;
    assert_eq!(error(&again), (400, "invalid_grant"), "{again}");

    let revoked = ada.program("/auth/cli/revoke", &[("token", token)]).await;
    assert_eq!(revoked.status, 200, "{revoked}");
    assert_eq!(ada.me(token).await.status, 401);
    let twice = ada.program("/auth/cli/revoke", &[("token", token)]).await;
    assert_eq!(twice.status, 200, "{twice}");
    assert_eq!(
        auth_events(&server).await,
        [
            "link_made",
            "sign_in",
            "device_let_in",
            "sign_in",
            "sign_in_refused used",
            "sign_out"
        ]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_code_is_of_no_use_to_anybody_else() {
    let server = TestServer::start().await;
    let ada = Person::signed_in(&server).await;
    for (name, change, expected) in [
        (
            "another proof",
            ("code_verifier", CHALLENGE),
            "invalid_grant",
        ),
        ("no proof", ("code_verifier", ""), "invalid_grant"),
        (
            "another port",
            ("redirect_uri", "http://127.0.0.1:4712/callback"),
            "invalid_grant",
        ),
        (
            "another grant",
            ("grant_type", "password"),
            "unsupported_grant_type",
        ),
        ("no code", ("code", "prv_once_AAAA"), "invalid_grant"),
    ] {
        let code = ada.code().await;
        let mut fields = exchange(&code);
        fields.retain(|(name, _)| *name != change.0);
        fields.push(change);
        let refused = ada.program("/auth/cli/token", &fields).await;
        assert_eq!(error(&refused), (400, expected), "{name}: {refused}");
    }
    let code = ada.code().await;
    let mut twice = exchange(&code);
    twice.push(("code_verifier", VERIFIER));
    let refused = ada.program("/auth/cli/token", &twice).await;
    assert_eq!(error(&refused), (400, "invalid_request"), "{refused}");
    let other = ada
        .posts_with("/auth/cli/token", &exchange(&code), &[])
        .await;
    assert_eq!(error(&other), (400, "invalid_client"), "{other}");
    server.clock().advance(Duration::from_secs(61));
    let late = ada.exchange(&code).await;
    assert_eq!(error(&late), (400, "invalid_grant"), "{late}");
    server.stop().await;
}

#[tokio::test]
async fn only_a_person_at_the_page_lets_a_command_line_in() {
    let server = TestServer::start().await;
    let ada = Person::signed_in(&server).await;
    let mut fields = request();
    fields.push(("decision", "approve"));
    let path = "/auth/cli/authorize";
    let elsewhere = [
        ("cookie", ada.cookie.as_str()),
        ("sec-fetch-site", "cross-site"),
    ];
    let refused = ada.posts_with(path, &fields, &elsewhere).await;
    assert_eq!(refused.status, 403, "{refused}");

    // A program with a session of its own does not make another one.
    let granted = ada.exchange(&ada.code().await).await;
    let bearer = format!("Bearer {}", granted.text("access_token"));
    let program = [("authorization", bearer.as_str())];
    for (path, fields) in [
        (path, fields.clone()),
        (
            "/auth/device",
            vec![("user_code", "BCDF-GHJK"), ("decision", "approve")],
        ),
    ] {
        let refused = ada.posts_with(path, &fields, &program).await;
        assert_eq!(refused.status, 403, "{path}: {refused}");
    }

    fields.retain(|(name, _)| *name != "decision");
    fields.push(("decision", "deny"));
    let denied = ada.posts(path, &fields).await;
    let expected = format!("{REDIRECT}?error=access_denied&state=0123456789");
    assert_eq!(
        denied.header("location"),
        Some(expected.as_str()),
        "{denied}"
    );

    fields.retain(|(name, _)| *name != "redirect_uri");
    fields.push(("redirect_uri", "https://evil.example/callback"));
    let unusable = ada.posts(path, &fields).await;
    assert_eq!(
        (unusable.status, unusable.header("location")),
        (400, None),
        "{unusable}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_device_waits_until_somebody_has_typed_its_code() {
    let server = TestServer::start().await;
    let ada = Person::signed_in(&server).await;
    let device = ada.begin_device().await;
    assert_eq!(
        error(&ada.poll(&device).await),
        (400, "authorization_pending")
    );
    assert_eq!(error(&ada.poll(&device).await), (400, "slow_down"));

    let complete = device["verification_uri_complete"].as_str().unwrap();
    let page = ada
        .opens(&complete[complete.find("/auth/").unwrap()..])
        .await;
    let html = page.json.as_str().unwrap();
    let code = device["user_code"].as_str().unwrap();
    assert!(
        html.contains(code) && html.contains("portreeve on build-7"),
        "{html}"
    );

    let fields = [("user_code", code), ("decision", "approve")];
    let let_in = ada.posts("/auth/device", &fields).await;
    assert_eq!(let_in.status, 200, "{let_in}");
    let granted = ada.poll(&device).await;
    let me = ada.me(granted.text("access_token")).await;
    assert_eq!((me.status, me.text("kind")), (200, "owner"), "{me}");
    assert_eq!(error(&ada.poll(&device).await), (400, "invalid_grant"));
    let again = ada.posts("/auth/device", &fields).await;
    assert_eq!(again.status, 422, "{again}");

    let refused = ada.begin_device().await;
    let code = refused["user_code"].as_str().unwrap();
    ada.posts("/auth/device", &[("user_code", code), ("decision", "deny")])
        .await;
    assert_eq!(error(&ada.poll(&refused).await), (400, "access_denied"));

    let late = ada.begin_device().await;
    server.clock().advance(Duration::from_secs(15 * 60));
    assert_eq!(error(&ada.poll(&late).await), (400, "expired_token"));
    server.stop().await;
}

#[tokio::test]
async fn codes_are_not_guessed_and_not_made_without_end() {
    let server = TestServer::start().await;
    let ada = Person::signed_in(&server).await;
    let device = ada.begin_device().await;
    let statuses = async |count: usize| {
        let mut statuses = Vec::new();
        for _ in 0..count {
            let guessed = ada.opens("/auth/device?user_code=BCDF-GHJK").await;
            statuses.push(guessed.status);
        }
        statuses
    };
    assert_eq!(statuses(11).await, [vec![422; 10], vec![429]].concat());
    let code = device["user_code"].as_str().unwrap();
    let fields = [("user_code", code), ("decision", "approve")];
    let refused = ada.posts("/auth/device", &fields).await;
    assert_eq!(refused.status, 429, "{refused}");
    server.clock().advance(Duration::from_secs(30));
    assert_eq!(ada.posts("/auth/device", &fields).await.status, 200);

    let mut made = 0;
    while ada.program("/auth/device/code", &[]).await.status == 200 {
        made += 1;
        assert!(made < 100, "without end");
    }
    server.stop().await;
}
