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

/// Asks and is refused with this status, in the words of RFC 8935.
async fn refused(
    client: &Client,
    path: &str,
    media_type: &str,
    body: &str,
    name: &str,
) -> (u16, String) {
    let headers = [("content-type", media_type)];
    let body = Some(body.to_owned());
    let answer = client.send(http::Method::POST, path, &headers, body).await;
    assert!(!answer.text("description").is_empty(), "{name}: {answer}");
    (answer.status, answer.text("err").to_owned())
}

#[tokio::test]
async fn a_stream_opens_for_its_own_secret_alone() {
    let world = World::new().await;
    let (own, other) = (world.poller("notice").await, world.poller("notice").await);
    for (name, path, secret) in [
        ("no secret", &*own.path, None),
        ("a wrong secret", &*own.path, Some("prv_poll_x")),
        ("another's secret", &*own.path, Some(&*other.secret)),
        ("the directory's token", &*own.path, world.provider.token()),
        ("no such stream", "/scim/x/streams/y", Some(&*own.secret)),
    ] {
        let client = world.server.stranger().with_token(secret);
        let got = refused(&client, path, "application/json", "{}", name).await;
        assert_eq!(got, (401, "authentication_failed".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn a_poll_that_makes_no_sense_is_refused() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    let client = world.server.stranger().with_token(Some(&poller.secret));
    let json_type = "application/json";
    for (name, media_type, body, status) in [
        ("no JSON", json_type, "{", 400),
        ("a list", json_type, "[1]", 400),
        ("a negative number", json_type, r#"{"maxEvents": -1}"#, 400),
        ("a wrong type", json_type, r#"{"ack": "x"}"#, 400),
        ("a wrong media type", "text/plain", "{}", 415),
    ] {
        let got = refused(&client, &poller.path, media_type, body, name).await;
        assert_eq!(got, (status, "invalid_request".to_owned()), "{name}");
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
