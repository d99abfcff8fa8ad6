//! Stolen, planted and outlived sessions.

use crate::browser::Browser;
use http::Method;
use portreeve_testbed::TestServer;
use serde_json::json;
use std::time::Duration;

const SESSION: &str = "__Host-portreeve";

#[tokio::test]
async fn the_cookie_of_a_session_is_for_this_host_and_out_of_reach() {
    let server = TestServer::start().await;
    let made = server.admin().post("/owners/link", json!({})).await;
    let url = made.text("url");
    let followed = server
        .stranger()
        .get(&url[url.find("/auth/").unwrap()..])
        .await;
    let set = followed.header("set-cookie").unwrap();
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-portreeve=prv_sess_"), "{set}");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age="] {
        assert!(attributes.contains(attribute), "{attribute} in {set}");
    }
    assert!(!attributes.contains("Domain"), "{set}");
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_not_the_one_after_a_sign_in() {
    let server = TestServer::start().await;
    let attacker = Browser::of_owner(&server, "mallory").await;
    let planted = attacker.cookies[SESSION].clone();
    for (name, value) in [
        ("the attacker's own", planted.clone()),
        ("made up", "prv_sess_AAAA".to_owned()),
        ("nothing", String::new()),
    ] {
        let mut victim = Browser::new(&server);
        victim.cookies.insert(SESSION.to_owned(), value.clone());
        victim.follow_link(&server, "ada").await;
        assert_ne!(victim.cookies[SESSION], value, "{name}");
        let me = victim.get("/api/v1/me").await;
        assert_eq!(me.text("name"), "ada", "{name}: {me}");
    }
    let mut attacker = attacker;
    assert_eq!(
        attacker.get("/api/v1/me").await.status,
        401,
        "the planted one ended"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_session_is_good_as_a_cookie_only_and_a_secret_for_one_thing_only() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let secret = owner.cookies[SESSION].clone();
    let stranger = server.stranger();
    let bearer = stranger.with_token(Some(&secret)).get("/api/v1/me").await;
    assert_eq!(bearer.status, 401, "as a bearer token: {bearer}");
    for path in [
        "/api/v1/me?session=",
        "/api/v1/me?access_token=",
        "/auth/link/",
    ] {
        let answer = stranger.get(&format!("{path}{secret}")).await;
        assert!([400, 401, 410].contains(&answer.status), "{path}: {answer}");
    }
    let answer = owner
        .post("/auth/passkey/options", json!({"purpose": "sign-in"}))
        .await;
    assert_eq!(answer.status, 200, "{answer}");
    let attempt = owner.cookies["__Host-portreeve-passkey"].clone();
    let answer = stranger.get(&format!("/auth/link/{attempt}")).await;
    assert_eq!(answer.status, 410, "a challenge is no link: {answer}");
    server.stop().await;
}

/// When the session was last seen, as its owner is shown.
async fn last_seen(browser: &mut Browser) -> String {
    let sessions = browser.get("/api/v1/me/sessions").await;
    let at = sessions.json[0]["last_seen_at"].as_str();
    at.unwrap_or_else(|| panic!("{sessions}")).to_owned()
}

/// Lets time go by and then a browser ask something. The time of its request is written down beside the request, so that
/// is waited for.
async fn asks_after(server: &TestServer, browser: &mut Browser, time: Duration) {
    let before = last_seen(browser).await;
    server.clock().advance(time);
    for _ in 0..1_000 {
        if last_seen(browser).await != before {
            return;
        }
    }
    panic!("the request was not written down");
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over_and_when_its_owner_leaves() {
    let server = TestServer::start_with(|config| config.load.token_rate = 0).await;
    let half_a_day = Duration::from_secs(11 * 3_600);
    let mut idle = Browser::of_owner(&server, "grace").await;
    let mut busy = Browser::of_owner(&server, "ada").await;
    for _ in 0..2 {
        asks_after(&server, &mut busy, half_a_day).await;
    }
    assert_eq!(
        idle.get("/api/v1/me").await.status,
        401,
        "22 hours without a request"
    );
    for _ in 2..15 {
        asks_after(&server, &mut busy, half_a_day).await;
    }
    server.clock().advance(half_a_day);
    assert_eq!(busy.get("/api/v1/me").await.status, 401, "after seven days");

    let mut leaving = Browser::of_owner(&server, "ada").await;
    let before = leaving.cookies.clone();
    let left = leaving
        .send(Method::POST, "/auth/sign-out", &[], None)
        .await;
    assert!(left.status < 400, "{left}");
    assert!(
        !leaving.cookies.contains_key(SESSION),
        "the browser forgets it"
    );
    leaving.cookies = before;
    assert_eq!(
        leaving.get("/api/v1/me").await.status,
        401,
        "and so does the server"
    );
    server.stop().await;
}
