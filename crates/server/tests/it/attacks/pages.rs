//! Pages in frames of other sites, scripts in pages, secrets in addresses.

use super::filled;
use crate::browser::Browser;
use http::Method;
use portreeve_server::pages;
use portreeve_testbed::{Answer, TestServer};

/// Pages that are no part of the console.
const OTHERS: &[&str] = &[
    "/",
    "/sign-in",
    "/sign-in?return_to=/console/users",
    "/t/main",
    "/t/nobody",
    "/auth/device",
    "/auth/device?user_code=BCDF-GHJK",
    "/auth/cli/authorize",
    "/auth/openid/start",
    "/auth/openid/callback?state=x&code=y",
    "/auth/link/x",
    "/console/nothing/there",
];

fn is_safe(path: &str, answer: &Answer) {
    let header = |name: &str| answer.header(name).unwrap_or_default();
    let policy = header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(
            policy.contains(directive),
            "{path}: {directive} in {policy}"
        );
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(
        header("cross-origin-opener-policy"),
        "same-origin",
        "{path}"
    );
    assert_eq!(header("cache-control"), "no-store", "{path}");
    assert!(
        ["same-origin", "no-referrer"].contains(&header("referrer-policy")),
        "{path}"
    );
    assert!(header("permissions-policy").contains("camera=()"), "{path}");
}

#[tokio::test]
async fn no_page_can_be_framed_sniffed_kept_or_scripted() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut stranger = Browser::new(&server);
    let of_console = pages().into_iter();
    let of_console = of_console
        .filter(|(method, _, _)| method == Method::GET)
        .map(|(_, path, _)| filled(path, "x"));
    let others = OTHERS.iter().map(|path| (*path).to_owned());
    for path in of_console.chain(others) {
        for (name, browser) in [("owner", &mut owner), ("stranger", &mut stranger)] {
            let answer = browser.get(&path).await;
            assert!(answer.status < 500, "{path} for {name}: {answer}");
            if answer
                .header("content-type")
                .is_none_or(|kind| kind.starts_with("text/html"))
            {
                is_safe(&format!("{path} for {name}"), &answer);
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn an_address_with_a_secret_is_told_to_nobody() {
    let server = TestServer::start().await;
    let answer = Browser::new(&server).get("/auth/link/prv_once_x").await;
    assert_eq!(
        answer.header("referrer-policy"),
        Some("no-referrer"),
        "{answer}"
    );
    server.stop().await;
}

#[tokio::test]
async fn answers_of_the_api_are_no_pages() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    for path in [
        "/api/v1/me",
        "/api/v1/directories",
        "/api/v1/nothing",
        "/api/v1/events/%3Cscript%3E",
    ] {
        let answer = owner.get(path).await;
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(kind.contains("json"), "{path}: {kind}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
    server.stop().await;
}
