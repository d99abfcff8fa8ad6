//! Passkeys of owners: adding them, signing in with them, removing them.

use crate::browser::Browser;
use crate::cli_sign_in::Person;
use crate::sso::World;
use http::Method;
use portreeve_authenticator::{Authenticator, Pair};
use portreeve_testbed::{Answer, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

/// An authenticator on which an owner has added a passkey.
async fn added(browser: &mut Browser, name: &str) -> Authenticator {
    let mut authenticator = Authenticator::new(Pair::p256());
    let answer = add(browser, &mut authenticator, name).await;
    assert_eq!(answer.status, 201, "{answer}");
    authenticator
}

async fn add(browser: &mut Browser, authenticator: &mut Authenticator, name: &str) -> Answer {
    let options = asked(browser, "register").await;
    let credential = authenticator.create(&browser.origin, &options).answer();
    let body = json!({"purpose": "register", "credential": credential, "name": name});
    browser.post("/auth/passkey/verify", body).await
}

/// The options for the browser's dialog.
async fn asked(browser: &mut Browser, purpose: &str) -> Value {
    let answer = browser
        .post("/auth/passkey/options", json!({"purpose": purpose}))
        .await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json["publicKey"].clone()
}

async fn signed_in(browser: &mut Browser, authenticator: &mut Authenticator) -> Answer {
    let options = asked(browser, "sign-in").await;
    let credential = authenticator
        .get(&browser.origin, &options)
        .answer(&authenticator.pair);
    verified(browser, &credential).await
}

async fn verified(browser: &mut Browser, credential: &Value) -> Answer {
    let body = json!({"purpose": "sign-in", "credential": credential});
    browser.post("/auth/passkey/verify", body).await
}

/// The log's newest event of an action.
async fn event(server: &TestServer, action: &str) -> Value {
    let events = server
        .admin()
        .get(&format!("/events?action={action}&limit=1"))
        .await;
    assert_eq!(events.status, 200, "{events}");
    events.json[0].clone()
}

#[tokio::test]
async fn an_owner_adds_a_passkey_and_signs_in_with_it() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut authenticator = added(&mut owner, "Key on my ring").await;
    let listed = owner.get("/api/v1/me/passkeys").await;
    assert_eq!(listed.json[0]["name"], "Key on my ring", "{listed}");
    assert_eq!(listed.json[0]["last_used_at"], Value::Null, "{listed}");

    // Another browser, without anything.
    let mut other = Browser::new(&server);
    assert_eq!(other.get("/api/v1/me").await.status, 401);
    for attempt in ["first", "second"] {
        let answer = signed_in(&mut other, &mut authenticator).await;
        assert_eq!(answer.status, 200, "{attempt}: {answer}");
        assert_eq!(answer.text("location"), "/console");
    }
    let me = other.get("/api/v1/me").await;
    assert_eq!(
        (me.text("name"), me.text("level")),
        ("ada", "owner"),
        "{me}"
    );
    let listed = owner.get("/api/v1/me/passkeys").await;
    assert!(listed.json[0]["last_used_at"].is_string(), "{listed}");
    assert_eq!(
        event(&server, "sign_in").await["changes"][0]["new"],
        "passkey"
    );
    assert_eq!(
        event(&server, "passkey_added").await["object"]["name"],
        "Key on my ring"
    );

    let id = listed.json[0]["id"].as_str().unwrap().to_owned();
    let removed = owner
        .send(
            Method::DELETE,
            &format!("/api/v1/me/passkeys/{id}"),
            &[],
            None,
        )
        .await;
    assert_eq!(removed.status, 204, "{removed}");
    assert_eq!(
        event(&server, "passkey_removed").await["object"]["id"],
        id.as_str()
    );
    let answer = signed_in(&mut Browser::new(&server), &mut authenticator).await;
    assert_eq!(
        (answer.status, answer.text("code")),
        (400, "passkey_unknown"),
        "{answer}"
    );
    server.stop().await;
}

/// One who has a copy of a passkey has sessions as well.
#[tokio::test]
async fn the_sessions_of_a_passkey_end_when_it_is_removed_but_for_the_one_that_asks() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut lost = added(&mut owner, "Lost").await;
    let mut kept = Authenticator::new(Pair::p256());
    kept.credential_id = b"another one".to_vec();
    let answer = add(&mut owner, &mut kept, "Kept").await;
    assert_eq!(answer.status, 201, "{answer}");
    let mut sessions = Vec::new();
    for (name, authenticator) in [
        ("of the lost one", Some(&mut lost)),
        ("of the other one", Some(&mut kept)),
        ("of a link", None),
    ] {
        let mut browser = Browser::of_owner(&server, "ada").await;
        if let Some(authenticator) = authenticator {
            let answer = signed_in(&mut browser, authenticator).await;
            assert_eq!(answer.status, 200, "{name}: {answer}");
        }
        let token = Person::of(&server, &browser).command_line().await;
        let token = server.stranger().with_token(Some(&token));
        sessions.push((name, browser, token));
    }
    let mut asking = Browser::new(&server);
    let answer = signed_in(&mut asking, &mut lost).await;
    assert_eq!(answer.status, 200, "{answer}");

    let listed = asking.get("/api/v1/me/passkeys").await;
    assert_eq!(listed.json[0]["name"], "Lost", "{listed}");
    let path = format!(
        "/api/v1/me/passkeys/{}",
        listed.json[0]["id"].as_str().unwrap()
    );
    let removed = asking.send(Method::DELETE, &path, &[], None).await;
    assert_eq!(removed.status, 204, "{removed}");
    for (name, mut browser, token) in sessions {
        let expected = if name == "of the lost one" { 401 } else { 200 };
        let me = browser.get("/api/v1/me").await;
        assert_eq!(me.status, expected, "{name}: {me}");
        let me = token.get("/api/v1/me").await;
        assert_eq!(me.status, expected, "{name}, on the command line: {me}");
    }
    let me = asking.get("/api/v1/me").await;
    assert_eq!(me.status, 200, "the one that asks: {me}");
    let events = server.admin().get("/events?category=SESSION").await;
    let ended = events.json.as_array().unwrap();
    assert_eq!(ended.len(), 2, "{events}");
    assert_eq!(ended[0]["changes"][0]["new"], "passkey_removed", "{events}");
    server.stop().await;
}

#[tokio::test]
async fn a_browser_goes_on_to_a_place_on_this_server_only() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut authenticator = added(&mut owner, "Key").await;
    for (wanted, place) in [
        ("/console/users?q=a", "/console/users?q=a"),
        ("//evil.example", "/console"),
        ("/\\evil.example", "/console"),
        ("/\t/evil.example", "/console"),
        ("https://evil.example", "/console"),
        ("javascript:alert(1)", "/console"),
        ("", "/console"),
    ] {
        let options = asked(&mut owner, "sign-in").await;
        let credential = authenticator
            .get(&owner.origin, &options)
            .answer(&authenticator.pair);
        let body = json!({"purpose": "sign-in", "credential": credential, "return_to": wanted});
        let answer = owner.post("/auth/passkey/verify", body).await;
        assert_eq!(answer.text("location"), place, "{wanted:?}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn each_attempt_is_good_for_one_answer_of_one_browser() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut authenticator = added(&mut owner, "Key").await;
    let mut browser = Browser::new(&server);

    let options = asked(&mut browser, "sign-in").await;
    let attempt = browser.cookies.clone();
    let credential = authenticator
        .get(&browser.origin, &options)
        .answer(&authenticator.pair);
    let mut thief = Browser::new(&server);
    let stolen = verified(&mut thief, &credential).await;
    assert_eq!(
        (stolen.status, stolen.text("code")),
        (400, "passkey_challenge"),
        "{stolen}"
    );
    assert_eq!(verified(&mut browser, &credential).await.status, 200);
    browser.cookies = attempt;
    let replayed = verified(&mut browser, &credential).await;
    assert_eq!(
        (replayed.status, replayed.text("code")),
        (400, "passkey_challenge"),
        "{replayed}"
    );

    let mut late = Browser::new(&server);
    let options = asked(&mut late, "sign-in").await;
    let credential = authenticator
        .get(&late.origin, &options)
        .answer(&authenticator.pair);
    server.clock().advance(Duration::from_secs(301));
    let answer = verified(&mut late, &credential).await;
    assert_eq!(
        (answer.status, answer.text("code")),
        (400, "passkey_challenge"),
        "{answer}"
    );

    // An attempt for one purpose is none for the other.
    let options = asked(&mut owner, "register").await;
    let credential = authenticator.get(
        &owner.origin,
        &json!({"rpId": "localhost", "challenge": options["challenge"]}),
    );
    let answer = verified(&mut owner, &credential.answer(&authenticator.pair)).await;
    assert_eq!(
        (answer.status, answer.text("code")),
        (400, "passkey_ceremony"),
        "{answer}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_refused_sign_in_is_in_the_log_with_its_reason() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let mut authenticator = added(&mut owner, "Key").await;
    let mut browser = Browser::new(&server);
    let foreign = Pair::p256();
    type Change = fn(&mut portreeve_authenticator::Assertion);
    let cases: [(&str, Change, &Pair, &str); 4] = [
        ("another key", |_| {}, &foreign, "passkey_signature"),
        (
            "nobody recognised",
            |it| it.flags = 1,
            &foreign,
            "passkey_not_verified",
        ),
        (
            "another site",
            |it| it.client_data["origin"] = json!("https://evil.example"),
            &foreign,
            "passkey_origin",
        ),
        (
            "another person",
            |it| {
                let handle = it.user_handle.as_mut().unwrap();
                *handle.last_mut().unwrap() ^= 1;
            },
            &foreign,
            "passkey_user_handle",
        ),
    ];
    for (name, change, pair, reason) in cases {
        let options = asked(&mut browser, "sign-in").await;
        let mut assertion = authenticator.get(&browser.origin, &options);
        change(&mut assertion);
        let answer = verified(&mut browser, &assertion.answer(pair)).await;
        assert_eq!(
            (answer.status, answer.text("code")),
            (401, reason),
            "{name}: {answer}"
        );
        let event = event(&server, "sign_in_refused").await;
        assert_eq!(event["reason"], reason, "{name}: {event:#}");
        let reference = event["id"].as_str().unwrap();
        assert!(
            answer.text("detail").contains(reference),
            "{name}: {answer}"
        );
    }

    // A copy of the authenticator from before signs with an old count.
    let options = asked(&mut browser, "sign-in").await;
    let credential = authenticator
        .get(&browser.origin, &options)
        .answer(&authenticator.pair);
    assert_eq!(verified(&mut browser, &credential).await.status, 200);
    authenticator.counter -= 1;
    let answer = signed_in(&mut browser, &mut authenticator).await;
    assert_eq!(answer.text("code"), "passkey_counter", "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn passkeys_are_added_by_owners_in_their_own_session() {
    let server = TestServer::start().await;
    let mut stranger = Browser::new(&server);
    let body = json!({"purpose": "register"});
    let answer = stranger.post("/auth/passkey/options", body.clone()).await;
    assert_eq!(answer.status, 401, "{answer}");

    // The answer to an attempt of one session does not add a passkey to another one.
    let mut ada = Browser::of_owner(&server, "ada").await;
    let options = asked(&mut ada, "register").await;
    let mut authenticator = Authenticator::new(Pair::ed25519());
    let credential = authenticator.create(&ada.origin, &options).answer();
    ada.follow_link(&server, "grace").await;
    let body = json!({"purpose": "register", "credential": credential});
    let answer = ada.post("/auth/passkey/verify", body).await;
    assert_eq!(
        (answer.status, answer.text("code")),
        (400, "passkey_challenge"),
        "{answer}"
    );

    // The same passkey twice, and somebody else's.
    let mut grace = Browser::of_owner(&server, "grace").await;
    assert_eq!(add(&mut grace, &mut authenticator, "One").await.status, 201);
    let twice = add(&mut grace, &mut authenticator, "One").await;
    assert_eq!(twice.status, 409, "{twice}");
    let listed = grace.get("/api/v1/me/passkeys").await;
    let path = format!(
        "/api/v1/me/passkeys/{}",
        listed.json[0]["id"].as_str().unwrap()
    );
    let mut ada = Browser::of_owner(&server, "ada").await;
    assert_eq!(ada.get("/api/v1/me/passkeys").await.json, json!([]));
    assert_eq!(ada.send(Method::DELETE, &path, &[], None).await.status, 404);
    assert_eq!(server.admin().get("/me/passkeys").await.json, json!([]));
    server.stop().await;
}

#[tokio::test]
async fn requests_of_other_sites_and_odd_bodies_are_refused() {
    let server = TestServer::start().await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    for path in ["/auth/passkey/options", "/auth/passkey/verify"] {
        for (name, headers, body, status) in [
            (
                "another site",
                vec![("sec-fetch-site", "cross-site")],
                "{}",
                403,
            ),
            (
                "a form",
                vec![("content-type", "application/x-www-form-urlencoded")],
                "purpose=register",
                415,
            ),
            ("no JSON", vec![], "{", 400),
            ("nothing in it", vec![], "{}", 400),
            (
                "something else in it",
                vec![],
                r#"{"purpose":"sign-in","credential":{},"more":1}"#,
                400,
            ),
        ] {
            let answer = owner
                .send(Method::POST, path, &headers, Some(body.to_owned()))
                .await;
            assert_eq!(answer.status, status, "{path}: {name}: {answer}");
        }
        let large = json!({"purpose": "sign-in", "credential": "x".repeat(40_000)});
        let answer = owner.post(path, large).await;
        assert_eq!(answer.status, 413, "{path}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_a_name_says_where_passkeys_work() {
    let server = TestServer::start().await;
    let port = server.address().port();
    let mut browser = Browser::new(&server);
    browser.origin = format!("http://127.0.0.1:{port}");
    let body = json!({"purpose": "sign-in"});
    let answer = browser.post("/auth/passkey/options", body.clone()).await;
    assert_eq!(
        (answer.status, answer.text("code")),
        (409, "passkey_site"),
        "{answer}"
    );
    let place = format!("open http://localhost:{port} instead");
    assert!(answer.text("detail").contains(&place), "{answer}");
    server.stop().await;

    for (url, status) in [
        ("https://portreeve.contoso.example", 200),
        ("http://portreeve.contoso.example", 409),
        ("https://192.0.2.7", 409),
    ] {
        let server =
            TestServer::start_with(|config| config.public_url = Some(url.to_owned())).await;
        let mut browser = Browser::new(&server);
        browser.origin = url.to_owned();
        let answer = browser.post("/auth/passkey/options", body.clone()).await;
        assert_eq!(answer.status, status, "{url}: {answer}");
        server.stop().await;
    }
}

/// A user of a directory has passkeys while they are an owner.
#[tokio::test]
async fn an_owner_from_a_directory_signs_in_with_a_passkey_while_they_are_one() {
    let world = World::start().await;
    let admin = world.server.admin();
    let linked = admin.post("/owners/link", json!({})).await;
    assert_eq!(linked.status, 201, "the team has another owner: {linked}");
    let users = format!("/directories/{}/users", world.directory_id);
    let found = admin.get(&users).await;
    let ada = format!("{users}/{}", found.json[0]["id"].as_str().unwrap());
    let change = async |change: Value| {
        let changed = admin.patch(&ada, change).await;
        assert_eq!(changed.status, 200, "{changed}");
    };
    let mut browser = Browser::new(&world.server);
    let back = world.sign_in(&mut browser, "/console").await;
    assert_eq!(back.status, 303, "{back}");
    let body = json!({"purpose": "register"});
    for level in ["user", "auditor", "admin"] {
        change(json!({"level": level})).await;
        let answer = browser.post("/auth/passkey/options", body.clone()).await;
        assert_eq!(answer.status, 403, "{level}: {answer}");
    }
    change(json!({"level": "owner"})).await;
    let mut authenticator = added(&mut browser, "Key").await;
    for (name, now, expected) in [
        ("owner", json!({"level": "owner"}), (200, None)),
        ("admin", json!({"level": "admin"}), (401, Some("not_owner"))),
        (
            "suspended",
            json!({"status": "suspended"}),
            (401, Some("suspended")),
        ),
        (
            "restored",
            json!({"status": "active"}),
            (401, Some("not_owner")),
        ),
        ("owner again", json!({"level": "owner"}), (200, None)),
    ] {
        change(now).await;
        let mut other = Browser::new(&world.server);
        let answer = signed_in(&mut other, &mut authenticator).await;
        let code = answer.json["code"].as_str();
        assert_eq!((answer.status, code), expected, "{name}: {answer}");
    }
}
