//! Pages of other sites that have the browser send requests with the cookie of its session.

use super::{api, filled};
use crate::browser::Browser;
use http::Method;
use portreeve_server::pages;
use portreeve_testbed::TestServer;

/// Where forms go that are no part of the console, and act for whoever is signed in.
const FORMS: &[&str] = &[
    "/auth/sign-out",
    "/auth/cli/authorize",
    "/auth/device",
    "/auth/passkey/options",
    "/auth/passkey/verify",
];

/// What a page of another site cannot keep a browser from saying, or can.
const SENDERS: &[(&str, &[(&str, &str)])] = &[
    ("another site", &[("sec-fetch-site", "cross-site")]),
    (
        "another host of the site",
        &[("sec-fetch-site", "same-site")],
    ),
    (
        "an old browser on another site",
        &[("sec-fetch-site", ""), ("origin", "https://evil.example")],
    ),
    (
        "a page without an origin",
        &[("sec-fetch-site", ""), ("origin", "null")],
    ),
];

/// Every route that may change something, of the API and of pages.
async fn changing(server: &TestServer) -> Vec<(Method, String)> {
    let of_api = api(server).await.into_iter();
    let of_api = of_api.filter(|route| route.needs.is_some());
    let of_api = of_api.map(|route| (route.method.clone(), route.with("x")));
    let of_pages = pages().into_iter();
    let of_pages = of_pages.map(|(method, path, _)| (method, filled(path, "x")));
    let forms = FORMS.iter().map(|path| (Method::POST, (*path).to_owned()));
    let all = of_api.chain(of_pages).chain(forms);
    all.filter(|(method, _)| method != Method::GET).collect()
}

#[tokio::test]
async fn nothing_is_changed_for_another_site() {
    // So many refusals would be slowed down.
    let server = TestServer::start_with(|config| config.load.address_rate = 0).await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    for (method, path) in changing(&server).await {
        for (name, headers) in SENDERS {
            let answer = owner.send(method.clone(), &path, headers, None).await;
            assert_eq!(answer.status, 403, "{method} {path} from {name}: {answer}");
        }
    }
    let me = owner.get("/api/v1/me").await;
    assert_eq!(me.status, 200, "still signed in: {me}");
    server.stop().await;
}

#[tokio::test]
async fn what_changes_something_cannot_be_had_by_a_link() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let pages = pages()
        .into_iter()
        .map(|(method, path, _)| (method, filled(path, "x")));
    let readable: Vec<_> = api(&server)
        .await
        .iter()
        .map(|route| (route.method.clone(), route.with("x")))
        .chain(pages)
        .filter(|(method, _)| method == Method::GET)
        .map(|(_, path)| path)
        .collect();
    for (method, path) in changing(&server).await {
        // A page may be at the same address as its action; it is the page that a link leads to.
        if readable.contains(&path)
            || ["/auth/cli/authorize", "/auth/device"].contains(&path.as_str())
        {
            continue;
        }
        let answer = owner.get(&path).await;
        assert!(
            [404, 405].contains(&answer.status),
            "GET instead of {method} {path}: {answer}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_bearer_token_does_not_fall_back_on_the_cookie() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    for value in [
        "Bearer x",
        "Bearer ",
        "Basic b3duZXI6",
        "Bearer prv_api_AAAA",
        "",
    ] {
        let headers = [("authorization", value)];
        let answer = owner.send(Method::GET, "/api/v1/me", &headers, None).await;
        assert_eq!(answer.status, 401, "{value:?}: {answer}");
    }
    server.stop().await;
}
