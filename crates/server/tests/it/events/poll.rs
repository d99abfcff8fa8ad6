//! Receivers that fetch their events (RFC 8936).

use super::*;
use std::time::Duration;

#[tokio::test]
async fn events_come_again_until_they_are_acknowledged() {
    let mut world = World::new().await;
    let poller = world.poller("notice").await;
    for name in ["ann", "bob", "eve"] {
        world.user(name).await;
    }
    let ask = |body: Value| {
        let mut body = body;
        body["returnImmediately"] = json!(true);
        body
    };
    let jtis = |answer: &Answer| -> Vec<String> {
        let sets = answer.json["sets"].as_object();
        sets.into_iter()
            .flat_map(|sets| sets.keys().cloned())
            .collect()
    };
    let two = poller
        .ask(&world.server, ask(json!({"maxEvents": 2})))
        .await;
    assert_eq!(two.json["moreAvailable"], true, "{two}");
    let all = poller.ask(&world.server, ask(json!({}))).await;
    assert_eq!(all.json["moreAvailable"], false, "{all}");
    let all = jtis(&all);
    assert_eq!(jtis(&two), all[..2]);

    // The second first; then a restart; then the others.
    let body = ask(json!({"ack": [all[1]]}));
    let rest = poller.ask(&world.server, body).await;
    assert_eq!(jtis(&rest), [all[0].clone(), all[2].clone()]);
    world = world.restart().await;
    let rest = poller.ask(&world.server, ask(json!({}))).await;
    assert_eq!(jtis(&rest), [all[0].clone(), all[2].clone()]);
    let body = json!({"ack": [all[0], all[2], "nonsense"], "maxEvents": 0});
    let none = poller.ask(&world.server, body).await;
    assert_eq!(none.json, json!({"sets": {}}), "{none}");
    world.user("late").await;
    let late = poller.ask(&world.server, ask(json!({}))).await;
    assert_eq!(jtis(&late).len(), 1);
    assert!(!all.contains(&jtis(&late)[0]));
}

#[tokio::test]
async fn a_poll_waits_for_news_and_a_stop_of_the_server_ends_it() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    let (told, _) = tokio::join!(poller.wait(&world), world.user("ann"));
    assert_eq!(told.len(), 1);
    let ack = json!({"ack": [told[0]["jti"]], "maxEvents": 0});
    poller.ask(&world.server, ack).await;

    // The client is made first, because the server is gone with its stop.
    let client = world.server.stranger().with_token(Some(&poller.secret));
    let waiting = tokio::spawn(async move { client.post(&poller.path, json!({})).await });
    let change = world.user("bob").await;
    let answer = waiting.await.expect("the poll ends");
    assert_eq!(
        answer.json["sets"].as_object().map(|sets| sets.len()),
        Some(1),
        "{change}"
    );
    let poller = world.poller("notice").await;
    let client = world.server.stranger().with_token(Some(&poller.secret));
    let (asked, asking) = tokio::sync::oneshot::channel();
    let waiting = tokio::spawn(async move {
        let poll = client.post(&poller.path, json!({}));
        let _ = asked.send(());
        poll.await
    });
    asking.await.expect("the poll begins");
    let stop = tokio::time::timeout(Duration::from_secs(15), world.server.stop());
    stop.await
        .expect("a waiting receiver does not hold the server up");
    drop(waiting);
}

#[tokio::test]
async fn what_a_receiver_cannot_use_is_noted_and_not_sent_again() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    world.user("ann").await;
    let told = poller.look(&world).await;
    let jti = told[0]["jti"].as_str().expect("a jti").to_owned();
    let errors =
        json!({jti.clone(): {"err": "invalid_key", "description": "the key is\u{0} not known"}});
    let body = json!({"setErrs": errors, "returnImmediately": true});
    let answer = poller.ask(&world.server, body).await;
    assert_eq!(answer.json["sets"], json!({}), "{answer}");
    let stream = world.only_stream().await;
    let said = stream["last_error"].as_str().unwrap_or_default();
    assert!(
        said.contains(&jti) && said.contains("invalid_key: the key is not known"),
        "{said}"
    );
    let events = world
        .server
        .admin()
        .get("/events?category=ADMIN&action=skip")
        .await;
    assert_eq!(events.json[0]["reason"], "event_refused", "{events}");
}

#[tokio::test]
async fn bad_polls_are_refused_in_the_words_of_the_standard() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    let other = world.poller("notice").await;
    let own = poller.path.as_str();
    let token = world.provider.token().unwrap_or_default().to_owned();
    let secret = poller.secret.clone();
    let json_type = "application/json";
    for (name, path, secret, media, body, status, err) in [
        (
            "no secret",
            own,
            "",
            json_type,
            "{}",
            401,
            "authentication_failed",
        ),
        (
            "wrong secret",
            own,
            "prv_poll_x",
            json_type,
            "{}",
            401,
            "authentication_failed",
        ),
        (
            "another's secret",
            own,
            &*other.secret,
            json_type,
            "{}",
            401,
            "authentication_failed",
        ),
        (
            "the directory's token",
            own,
            &*token,
            json_type,
            "{}",
            401,
            "authentication_failed",
        ),
        (
            "no such stream",
            "/scim/x/streams/y",
            &*secret,
            json_type,
            "{}",
            401,
            "authentication_failed",
        ),
        (
            "no JSON",
            own,
            &*secret,
            json_type,
            "{",
            400,
            "invalid_request",
        ),
        (
            "a list",
            own,
            &*secret,
            json_type,
            "[1]",
            400,
            "invalid_request",
        ),
        (
            "a negative number",
            own,
            &*secret,
            json_type,
            r#"{"maxEvents": -1}"#,
            400,
            "invalid_request",
        ),
        (
            "a wrong type",
            own,
            &*secret,
            json_type,
            r#"{"ack": "x"}"#,
            400,
            "invalid_request",
        ),
        (
            "a wrong media type",
            own,
            &*secret,
            "text/plain",
            "{}",
            415,
            "invalid_request",
        ),
    ] {
        let client = world
            .server
            .stranger()
            .with_token(Some(secret).filter(|s| !s.is_empty()));
        let headers = [("content-type", media)];
        let body = Some(body.to_owned());
        let answer = client.send(http::Method::POST, path, &headers, body).await;
        assert_eq!(
            (answer.status, answer.text("err")),
            (status, err),
            "{name}: {answer}"
        );
        assert!(!answer.text("description").is_empty(), "{name}");
    }
    let unknown = json!({"returnImmediately": true, "added in a later standard": 1});
    let answer = poller.ask(&world.server, unknown).await;
    assert_eq!(answer.status, 200, "{answer}");
}

#[tokio::test]
async fn a_stream_that_is_deleted_is_closed() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    let id = world.only_stream().await["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let path = format!("/directories/{}/streams/{id}", world.directory);
    let gone = world.server.admin().delete(&path).await;
    assert_eq!((gone.status, gone.id()), (200, id.as_str()), "{gone}");
    assert_eq!(world.server.admin().delete(&path).await.status, 404);
    assert_eq!(poller.ask(&world.server, json!({})).await.status, 401);
}
