//! The one-time link of a local owner, and the session that it starts.

use http::Method;
use portreeve_testbed::{Answer, TestServer};
use serde_json::json;

async fn link(server: &TestServer) -> String {
    let made = server.admin().post("/owners/link", json!({})).await;
    assert_eq!(made.status, 201, "{made}");
    let url = made.text("url").to_owned();
    url[url.find("/auth/").unwrap()..].to_owned()
}

fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("a cookie");
    for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(set.contains(part), "{set}");
    }
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_signs_its_owner_in_once() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let path = link(&server).await;
    let followed = stranger.get(&path).await;
    assert_eq!(followed.status, 303, "{followed}");
    assert_eq!(followed.header("location"), Some("/console"));
    assert_eq!(followed.header("referrer-policy"), Some("no-referrer"));
    let cookie = cookie(&followed);
    let headers = [("cookie", cookie.as_str())];
    let me = stranger
        .send(Method::GET, "/api/v1/me", &headers, None)
        .await;
    assert_eq!(
        (me.status, me.text("kind"), me.text("level")),
        (200, "owner", "owner"),
        "{me}"
    );

    let again = stranger.get(&path).await;
    assert_eq!(again.status, 410, "{again}");
    for wrong in ["/auth/link/x", "/auth/link/prv_once_AAAA"] {
        assert_eq!(stranger.get(wrong).await.status, 410, "{wrong}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_that_the_browser_had() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let first = cookie(&stranger.get(&link(&server).await).await);
    let headers = [("cookie", first.as_str())];
    let path = link(&server).await;
    let second = cookie(&stranger.send(Method::GET, &path, &headers, None).await);
    assert_ne!(first, second);
    for (name, cookie, status) in [("former", &first, 401), ("new", &second, 200)] {
        let headers = [("cookie", cookie.as_str())];
        let me = stranger
            .send(Method::GET, "/api/v1/me", &headers, None)
            .await;
        assert_eq!(me.status, status, "{name}: {me}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_another_site_sends_with_the_cookie_is_not_carried_out() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    let cookie = cookie(&stranger.get(&link(&server).await).await);
    for (name, header, status) in [
        ("another site", Some(("sec-fetch-site", "cross-site")), 403),
        (
            "another host of the same site",
            Some(("sec-fetch-site", "same-site")),
            403,
        ),
        (
            "an old browser, another origin",
            Some(("origin", "https://evil.example")),
            403,
        ),
        ("nothing said", None, 403),
        ("our own page", Some(("sec-fetch-site", "same-origin")), 201),
    ] {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(header);
        let body = json!({"name": "Contoso"}).to_string();
        let made = stranger
            .send(Method::POST, "/api/v1/directories", &headers, Some(body))
            .await;
        assert_eq!(made.status, status, "{name}: {made}");
    }
    server.stop().await;
}
