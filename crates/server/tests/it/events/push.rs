//! Receivers that events are pushed to (RFC 8935).

use super::receiver::{Receiver, Reply};
use super::*;

async fn pushed(world: &World, receiver: &Receiver, more: Value) -> Answer {
    let mut wanted = json!({"delivery": "push", "endpoint": receiver.url, "audience": "receiver"});
    if let (Some(wanted), Value::Object(more)) = (wanted.as_object_mut(), more) {
        wanted.extend(more);
    }
    let made = world.stream(wanted).await;
    assert_eq!(made.status, 201, "{made}");
    made
}

#[tokio::test]
async fn events_are_pushed_in_order_with_the_authorization() {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    let secret = "Bearer receiver-secret";
    let made = pushed(&world, &receiver, json!({"authorization": secret})).await;
    assert!(made.json.get("secret").is_none());
    let mut users = Vec::new();
    for n in 0..30 {
        users.push(world.user(&format!("user{n}")).await);
    }
    for user in users {
        let push = receiver.next(&world.server).await;
        let header = |name: &str| push.headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("content-type"), Some("application/secevent+jwt"));
        assert_eq!(header("accept"), Some("application/json"));
        assert_eq!(header("authorization"), Some(secret));
        let claims = world.verified(&push.token, Some("receiver")).await;
        assert_eq!(claims["sub_id"]["id"], json!(user));
    }
    let shown = [
        world.only_stream().await.to_string(),
        world.server.admin().get("/events").await.json.to_string(),
    ];
    assert!(shown.iter().all(|text| !text.contains("receiver-secret")));
    let files = std::fs::read_dir(world.server.data()).expect("the data folder");
    for file in files
        .filter_map(Result::ok)
        .filter(|file| file.path().is_file())
    {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        let found = bytes.windows(15).any(|window| window == b"receiver-secret");
        assert!(
            !found,
            "{} has the secret in the clear",
            file.path().display()
        );
    }
}

#[tokio::test]
async fn what_fails_is_sent_again_before_anything_else() {
    let replies = [
        Reply::Status(503),
        Reply::Status(401),
        Reply::Status(400),
        Reply::Error("invalid_key"),
        Reply::Error("authentication_failed"),
        Reply::Redirect,
    ];
    // All at once, because each of them waits for pauses to end.
    futures_util::future::join_all(replies.map(sent_again)).await;
}

async fn sent_again(reply: Reply) {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    receiver.replies(&[reply.clone(), reply.clone()]);
    pushed(&world, &receiver, json!({})).await;
    world.user("ann").await;
    world.user("bob").await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(receiver.next(&world.server).await.token);
    }
    assert_eq!(tokens[0], tokens[1], "{reply:?}: the same token again");
    assert_eq!(tokens[0], tokens[2], "{reply:?}: and again");
    assert_ne!(tokens[0], tokens[3], "{reply:?}: then the next one");
    assert!(receiver.is_quiet(), "{reply:?}");
}

#[tokio::test]
async fn an_event_that_is_refused_for_good_is_skipped_with_a_warning() {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    receiver.replies(&[Reply::Error("invalid_request")]);
    pushed(&world, &receiver, json!({})).await;
    world.user("ann").await;
    world.user("bob").await;
    let tokens = [
        receiver.next(&world.server).await.token,
        receiver.next(&world.server).await.token,
    ];
    assert_ne!(tokens[0], tokens[1]);
    let events = world
        .server
        .admin()
        .get("/events?action=skip&category=ADMIN")
        .await;
    let detail = events.json[0]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("invalid_request: because"), "{events}");
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_failing_stream_shows_why_and_goes_on_after_a_restart() {
    let mut world = World::new().await;
    let mut receiver = Receiver::start().await;
    receiver.replies(&[Reply::Status(503)]);
    pushed(&world, &receiver, json!({})).await;
    world.user("ann").await;
    let first = world_claims(&world, &mut receiver).await;
    // The stop waits for the delivery under way, so that its end is written down.
    world = world.restart().await;
    let again = world_claims(&world, &mut receiver).await;
    assert_eq!(first["jti"], again["jti"]);
    world.user("bob").await;
    let next = world_claims(&world, &mut receiver).await;
    assert_ne!(first["jti"], next["jti"]);
    assert!(receiver.is_quiet());
}

async fn world_claims(world: &World, receiver: &mut Receiver) -> Value {
    let push = receiver.next(&world.server).await;
    world.verified(&push.token, Some("receiver")).await
}

#[tokio::test]
async fn a_receiver_that_cannot_be_reached_is_told_to_the_admin() {
    let world = World::new().await;
    // A port that was free a moment ago and that nobody listens on.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!(
        "http://{}/?key=hidden",
        gone.local_addr().expect("its port")
    );
    drop(gone);
    let made = world
        .stream(json!({"delivery": "push", "endpoint": url}))
        .await;
    assert_eq!(made.status, 201, "{made}");
    world.user("ann").await;
    let mut news = world.only_stream().await;
    for _ in 0..200 {
        if news["status"] == "failing" {
            break;
        }
        // A look waits for the log to grow, or for a second.
        let last = world.server.admin().get("/events?limit=1").await.json[0]["id"].clone();
        let path = format!("/events?wait=1&after={}", last.as_str().unwrap_or_default());
        world.server.admin().get(&path).await;
        news = world.only_stream().await;
    }
    assert_eq!(news["status"], "failing", "{news}");
    let said = news["last_error"].as_str().unwrap_or_default();
    assert!(
        said.contains("could not be reached") && !said.contains("hidden"),
        "{said}"
    );
    assert!(news["next_attempt_at"].is_string());
}

#[tokio::test]
async fn a_stream_that_makes_no_sense_is_refused() {
    let world = World::new().await;
    for (name, wanted, says) in [
        ("no delivery", json!({}), "delivery"),
        ("another delivery", json!({"delivery": "mail"}), "mail"),
        ("a push to nowhere", json!({"delivery": "push"}), "endpoint"),
        (
            "no URL",
            json!({"delivery": "push", "endpoint": "here"}),
            "https://",
        ),
        (
            "without TLS",
            json!({"delivery": "push", "endpoint": "http://example.com/"}),
            "https://",
        ),
        (
            "a poll with an endpoint",
            json!({"delivery": "poll", "endpoint": "https://e.example/"}),
            "no endpoint",
        ),
        (
            "a bad header",
            json!({"delivery": "push", "endpoint": "https://e.example/", "authorization": "a\nb"}),
            "authorization",
        ),
        (
            "another content",
            json!({"delivery": "poll", "content": "some"}),
            "some",
        ),
        (
            "no audience",
            json!({"delivery": "poll", "audience": ""}),
            "audience",
        ),
        (
            "an unknown member",
            json!({"delivery": "poll", "colour": 1}),
            "colour",
        ),
    ] {
        let answer = world.stream(wanted).await;
        assert_eq!(answer.status, 400, "{name}: {answer}");
        assert!(answer.text("detail").contains(says), "{name}: {answer}");
    }
}
