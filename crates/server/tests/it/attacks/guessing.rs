//! Guessing links, codes and tokens.

use crate::browser::Browser;
use http::Method;
use portreeve_server::Config;
use portreeve_testbed::{Answer, TestServer};
use serde_json::json;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// One request a second from an address, and four seconds' worth at once.
fn strict(config: &mut Config) {
    config.load.address_rate = 1;
}

const AT_ONCE: usize = 4;

/// A way to guess something.
struct Guess {
    name: &'static str,
    method: Method,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: Option<&'static str>,
}

const fn guess(
    name: &'static str,
    method: Method,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: Option<&'static str>,
) -> Guess {
    Guess {
        name,
        method,
        path,
        headers,
        body,
    }
}

const GUESSES: &[Guess] = &[
    guess("a link", Method::GET, "/auth/link/prv_once_AAAA", &[], None),
    guess(
        "a state",
        Method::GET,
        "/auth/openid/callback?state=prv_once_AAAA&code=x",
        &[],
        None,
    ),
    guess(
        "an API token",
        Method::GET,
        "/api/v1/me",
        &[("authorization", "Bearer prv_api_AAAA")],
        None,
    ),
    guess(
        "a session of the command line",
        Method::GET,
        "/api/v1/me",
        &[("authorization", "Bearer prv_cli_AAAA")],
        None,
    ),
    guess(
        "a session",
        Method::GET,
        "/api/v1/me",
        &[("cookie", "__Host-portreeve=prv_sess_AAAA")],
        None,
    ),
    guess(
        "a session, for a page",
        Method::GET,
        "/console",
        &[("cookie", "__Host-portreeve=prv_sess_AAAA")],
        None,
    ),
    guess(
        "a device code",
        Method::POST,
        "/auth/cli/token",
        &[FORM],
        Some(
            "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=portreeve-cli&device_code=prv_once_AAAA",
        ),
    ),
    guess(
        "a code of the command line",
        Method::POST,
        "/auth/cli/token",
        &[FORM],
        Some(
            "grant_type=authorization_code&client_id=portreeve-cli&code=prv_once_AAAA&code_verifier=x&redirect_uri=http://127.0.0.1:1/callback",
        ),
    ),
];

#[tokio::test]
async fn whoever_guesses_is_slowed_down_by_address() {
    for guess in GUESSES {
        let server = TestServer::start_with(strict).await;
        let stranger = server.stranger();
        for attempt in 0..AT_ONCE + 3 {
            // A made-up address of a proxy that nobody trusts changes nothing.
            let made_up = format!("192.0.2.{attempt}");
            let headers = [guess.headers, &[("x-forwarded-for", made_up.as_str())]].concat();
            let body = guess.body.map(str::to_owned);
            let answer = stranger
                .send(guess.method.clone(), guess.path, &headers, body)
                .await;
            let is_told = attempt < AT_ONCE;
            assert_eq!(
                answer.status != 429,
                is_told,
                "{} {attempt}: {answer}",
                guess.name
            );
            assert!(
                is_told || answer.header("retry-after").is_some(),
                "{}: {answer}",
                guess.name
            );
            let let_in = answer.headers.get("set-cookie").is_some_and(|set| {
                set.to_str()
                    .is_ok_and(|set| set.starts_with("__Host-portreeve=prv_sess_"))
            });
            assert!(
                !(200..300).contains(&answer.status) && !let_in,
                "{}: {answer}",
                guess.name
            );
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn devices_that_ask_and_challenges_that_are_begun_are_few_per_address() {
    let asks: [(&str, (&str, &str), &str); 2] = [
        ("/auth/device/code", FORM, "client_id=portreeve-cli"),
        (
            "/auth/passkey/options",
            ("content-type", "application/json"),
            r#"{"purpose":"sign-in"}"#,
        ),
    ];
    for (path, kind, body) in asks {
        let server = TestServer::start_with(strict).await;
        let mut browser = Browser::new(&server);
        let mut last = None;
        for _ in 0..20 {
            last = Some(
                browser
                    .send(Method::POST, path, &[kind], Some(body.to_owned()))
                    .await,
            );
        }
        let last: Answer = last.unwrap();
        assert_eq!(last.status, 429, "{path}: {last}");
        server.stop().await;
    }
}

#[tokio::test]
async fn whoever_is_signed_in_types_few_codes_of_devices() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut typed = 0;
    for attempt in 0..200 {
        let code = format!("user_code=BCDF-GH{:02}&decision=approve", attempt % 100);
        let answer = owner
            .send(Method::POST, "/auth/device", &[FORM], Some(code))
            .await;
        if answer.status == 429 {
            break;
        }
        assert_eq!(answer.status, 422, "{answer}");
        typed += 1;
    }
    assert!((3..30).contains(&typed), "{typed} codes at once");
    let shown = owner.get("/auth/device?user_code=BCDF-GHJK").await;
    assert_eq!(shown.status, 429, "looking is guessing, too: {shown}");
    assert_eq!(
        owner.get("/api/v1/me").await.status,
        200,
        "everything else goes on"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_secret_that_is_nearly_right_is_as_wrong_as_any() {
    let server = TestServer::start().await;
    let made = server.admin().post("/owners/link", json!({})).await;
    let url = made.text("url");
    let path = url[url.find("/auth/").unwrap()..].to_owned();
    let stranger = server.stranger();
    let nothing = stranger.get("/auth/link/prv_once_AAAA").await;
    for place in [1, 10, 40] {
        let at = path.len() - place;
        let other = if path.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        let wrong = format!("{}{other}{}", &path[..at], &path[at + 1..]);
        let answer = stranger.get(&wrong).await;
        assert_eq!(
            (answer.status, &answer.json),
            (nothing.status, &nothing.json),
            "{place}"
        );
    }
    assert_eq!(
        stranger.get(&path).await.status,
        303,
        "and the right one is still good"
    );
    server.stop().await;
}

#[tokio::test]
async fn people_are_told_to_slow_down_on_a_page_and_programs_in_json() {
    let server = TestServer::start_with(strict).await;
    let stranger = server.stranger();
    for _ in 0..AT_ONCE {
        stranger.get("/sign-in").await;
    }
    let accept = [("accept", "text/html,application/xhtml+xml")];
    for (path, headers, kind) in [
        ("/sign-in", &accept[..], "text/html; charset=utf-8"),
        ("/auth/device/code", &[], "application/problem+json"),
        ("/api/v1/me", &accept, "application/problem+json"),
        ("/scim/x/v2/Users", &accept, "application/scim+json"),
    ] {
        let answer = stranger.send(Method::GET, path, headers, None).await;
        assert_eq!(answer.status, 429, "{path}: {answer}");
        assert_eq!(
            answer.header("content-type"),
            Some(kind),
            "{path}: {answer}"
        );
        assert_eq!(answer.header("retry-after"), Some("1"), "{path}: {answer}");
    }
    server.stop().await;
}
