//! What somebody might try who is not who they say.

use super::world::{ADA, World, html};
use crate::browser::Browser;
use http::Method;
use serde_json::json;
use std::time::Duration;

const SESSION: &str = "__Host-portreeve";

#[tokio::test]
async fn a_state_is_good_for_once() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    let begun = world.begin(&mut browser, "/console").await;
    let back = world.back(&begun).await;
    let kept = browser.cookies.clone();
    assert_eq!(browser.get(&back).await.status, 303);
    browser.cookies = kept;
    let again = browser.get(&back).await;
    assert_eq!(again.status, 403, "{again}");
    assert!(html(&again).contains("used already"));
    world.server.stop().await;
}

#[tokio::test]
async fn a_code_is_good_for_once() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    let begun = world.begin(&mut browser, "/console").await;
    let first = world.back(&begun).await;
    assert_eq!(browser.get(&first).await.status, 303);
    let stolen = parameter(&first, "code");
    let begun = world.begin(&mut browser, "/console").await;
    let second = world.back(&begun).await;
    let replayed = second.replace(&parameter(&second, "code"), &stolen);
    let refused = browser.get(&replayed).await;
    assert_eq!(refused.status, 403, "{refused}");
    assert_eq!(world.last_event("AUTH").await["reason"], "code_refused");
    world.server.stop().await;
}

#[tokio::test]
async fn a_code_of_another_sign_in_does_not_fit() {
    let world = World::start().await;
    let (mut mine, mut theirs) = (Browser::new(&world.server), Browser::new(&world.server));
    let begun = world.begin(&mut theirs, "/console").await;
    let stolen = world.back(&begun).await;
    let begun = world.begin(&mut mine, "/console").await;
    let own = world.back(&begun).await;
    let injected = own.replace(&parameter(&own, "code"), &parameter(&stolen, "code"));
    assert_eq!(mine.get(&injected).await.status, 403);
    assert_eq!(world.last_event("AUTH").await["reason"], "code_refused");
    world.server.stop().await;
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_link_to_somebody_elses_sign_in() {
    let world = World::start().await;
    let (mut attacker, mut victim) = (Browser::new(&world.server), Browser::new(&world.server));
    let begun = world.begin(&mut attacker, "/console").await;
    let back = world.back(&begun).await;
    for (name, cookie) in [
        ("without a cookie", None),
        ("with one of their own", Some("x".repeat(43))),
    ] {
        if let Some(cookie) = cookie {
            victim
                .cookies
                .insert("__Host-portreeve-signin".into(), cookie);
        }
        let refused = victim.get(&back).await;
        assert_eq!(refused.status, 403, "{name}: {refused}");
        assert!(!victim.cookies.contains_key(SESSION), "{name}");
    }
    assert_eq!(world.last_event("AUTH").await["reason"], "other_browser");
    world.server.stop().await;
}

#[tokio::test]
async fn states_that_are_made_up_or_too_old_are_refused() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    let begun = world.begin(&mut browser, "/console").await;
    let back = world.back(&begun).await;
    let state = parameter(&back, "state");
    let mut altered = state.clone();
    altered.replace_range(state.len() - 6.., "AAAAAA");
    for made_up in ["", "x", "prv_once_AAAA", altered.as_str()] {
        let answer = browser.get(&back.replace(&state, made_up)).await;
        assert_eq!(answer.status, 403, "{made_up}");
    }
    world.server.clock().advance(Duration::from_secs(600));
    assert_eq!(browser.get(&back).await.status, 403, "after ten minutes");
    for path in [
        "/auth/openid/callback",
        "/auth/openid/start",
        "/auth/openid/start?connection=x",
        "/auth/openid/start?trial=x",
    ] {
        assert_eq!(browser.get(path).await.status, 403, "{path}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn one_goes_on_to_places_of_this_server_only() {
    let world = World::start().await;
    for place in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "%2F%2Fevil.example",
        "javascript:alert(1)",
        "/x%0d%0aset-cookie:%20a=b",
        "",
    ] {
        let mut browser = Browser::new(&world.server);
        let path = format!(
            "/auth/openid/start?connection={}&return_to={place}",
            world.directory_id
        );
        let begun = browser.get(&path).await;
        let answer = browser.get(&world.back(&begun).await).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/console")),
            "{place}"
        );
        assert!(!browser.cookies.contains_key("a"), "{place}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_session_that_somebody_has_planted_ends_with_the_sign_in() {
    let world = World::start().await;
    let mut attacker = Browser::of_owner(&world.server, "mallory").await;
    let planted = attacker.cookies[SESSION].clone();
    let mut victim = Browser::new(&world.server);
    victim.cookies.insert(SESSION.into(), planted.clone());
    assert_eq!(world.sign_in(&mut victim, "/console").await.status, 303);
    assert_ne!(victim.cookies[SESSION], planted);
    assert_eq!(victim.get("/api/v1/me").await.text("name"), "Ada");
    assert_eq!(
        attacker.get("/api/v1/me").await.status,
        401,
        "the planted one has ended"
    );
    world.server.stop().await;
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_other_hosts_and_other_sites() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    let begun = world.begin(&mut browser, "/console").await;
    let back = world.back(&begun).await;
    let done = browser.get(&back).await;
    for (answer, name) in [
        (&begun, "__Host-portreeve-signin="),
        (&done, "__Host-portreeve="),
    ] {
        let all = answer.headers.get_all("set-cookie").iter();
        let set = all
            .map(|set| set.to_str().unwrap())
            .find(|set| set.starts_with(name));
        let set = set.unwrap_or_else(|| panic!("{name}: {answer}"));
        for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(set.contains(part), "{set}");
        }
        assert!(!set.contains("Domain"), "{set}");
    }
    world.server.stop().await;
}

#[tokio::test]
async fn nobody_is_signed_out_by_another_site() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.server);
    world.sign_in(&mut browser, "/console").await;
    for headers in [
        [
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ],
        [
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ],
    ] {
        let answer = browser
            .send(Method::POST, "/auth/sign-out", &headers, None)
            .await;
        assert_eq!(answer.status, 403, "{answer}");
    }
    assert_eq!(browser.get("/auth/sign-out").await.status, 405);
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
    world.server.stop().await;
}

#[tokio::test]
async fn another_provider_cannot_answer_for_the_one_that_was_asked() {
    let world = World::start().await;
    world
        .provider
        .metadata(json!({"authorization_response_iss_parameter_supported": true}));
    let mut browser = Browser::new(&world.server);
    let issuer = world.provider.issuer();
    for (iss, status) in [
        ("", 403),
        ("&iss=https://evil.example", 403),
        (&*format!("&iss={issuer}"), 303),
    ] {
        let begun = world.begin(&mut browser, "/console").await;
        let back = world.back(&begun).await;
        assert_eq!(
            browser.get(&format!("{back}{iss}")).await.status,
            status,
            "{iss}"
        );
    }
    world.server.stop().await;
}

#[tokio::test]
async fn what_a_provider_says_is_text_on_our_pages_and_in_our_log() {
    let world = World::start().await;
    let hostile = "<img src=x onerror=alert(1)>";
    world.connect(json!({"label": hostile})).await;
    world.provider.refuse("x\r\nset-cookie: a=b", hostile);
    let mut browser = Browser::new(&world.server);
    let refused = world.sign_in(&mut browser, "/console").await;
    assert_eq!(refused.status, 403);
    assert!(!html(&refused).contains("<img src=x"), "{refused}");
    assert!(!browser.cookies.contains_key("a"));
    let page = browser.get("/sign-in").await;
    assert!(
        !html(&page).contains("<img src=x") && html(&page).contains("&#60;img src=x"),
        "{page}"
    );
    world.provider.person(json!({"oid": ADA}));
    world.server.stop().await;
}

fn parameter(path: &str, name: &str) -> String {
    let (_, query) = path.split_once('?').unwrap();
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.find(|(key, _)| *key == name).unwrap().1.to_owned()
}
