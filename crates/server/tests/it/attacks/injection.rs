//! Text from outside in headers of answers and in addresses.

use crate::browser::Browser;
use http::Method;
use portreeve_testbed::{Answer, TestServer};
use serde_json::json;

/// No header of the answer has anything in it that somebody smuggled in.
fn is_clean(name: &str, answer: &Answer) {
    for (header, value) in &answer.headers {
        let value = value.to_str().unwrap_or_default();
        assert!(
            header != "x-injected" && !value.contains("evil"),
            "{name}: {header}: {value}"
        );
    }
}

#[tokio::test]
async fn a_request_id_is_repeated_only_when_it_is_one() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let long = "a".repeat(129);
    for (sent, is_kept) in [
        ("4b3c-11", true),
        ("a b", false),
        ("a\tb", false),
        ("é", false),
        ("", false),
        (long.as_str(), false),
    ] {
        let headers = [("x-request-id", sent)];
        let answer = stranger.send(Method::GET, "/sign-in", &headers, None).await;
        let found = answer.header("x-request-id").unwrap();
        assert_eq!(found == sent, is_kept, "{sent:?}: {found}");
    }
    server.stop().await;
}

#[tokio::test]
async fn one_comes_back_to_this_server_only() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server);
    for place in [
        "https://evil.example/",
        "//evil.example/",
        "/%5Cevil.example/",
        "/%09/evil.example/",
        "/%0d%0aX-Injected:%20evil",
        "%0d%0aX-Injected:%20evil",
        "javascript:evil()",
        "data:text/html,evil",
    ] {
        for way in [
            "/sign-in?return_to=",
            "/t/main?return_to=",
            "/auth/openid/start?connection=x&return_to=",
        ] {
            let path = format!("{way}{place}");
            let answer = browser.get(&path).await;
            is_clean(&path, &answer);
            let page = answer.json.as_str().unwrap_or_default();
            assert!(
                !page.contains("evil.example") && !page.contains("evil()"),
                "{path}: {page}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_name_that_a_client_calls_the_server_by_leads_nobody_astray() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut stranger = Browser::new(&server);
    let names: [&[(&str, &str)]; 3] = [
        &[("host", "evil.example")],
        &[
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
        ],
        &[("forwarded", "host=evil.example")],
    ];
    for headers in names {
        for path in [
            "/",
            "/console",
            "/sign-in",
            "/auth/openid/callback?state=x",
            "/api/v1/directories",
        ] {
            for browser in [&mut owner, &mut stranger] {
                let answer = browser.send(Method::GET, path, headers, None).await;
                is_clean(&format!("{path} {headers:?}"), &answer);
                assert!(
                    !answer.json.to_string().contains("evil.example"),
                    "{path} {headers:?}: {answer}"
                );
            }
        }
        let form = [
            headers,
            &[("content-type", "application/x-www-form-urlencoded")],
        ]
        .concat();
        let body = Some("client_id=portreeve-cli".to_owned());
        let codes = stranger
            .send(Method::POST, "/auth/device/code", &form, body)
            .await;
        assert!(
            !codes.json.to_string().contains("evil.example"),
            "{headers:?}: {codes}"
        );
        let made = server
            .admin()
            .send(
                Method::POST,
                "/owners/link",
                headers,
                Some(json!({}).to_string()),
            )
            .await;
        assert!(
            !made.json.to_string().contains("evil.example"),
            "{headers:?}: {made}"
        );
    }
    server.stop().await;
}
