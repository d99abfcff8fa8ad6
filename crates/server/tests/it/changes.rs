//! The feed of changes from outside: page by page, after a wait, and as server-sent events.

use crate::events::{Work, World};
use http::Method;
use portreeve_directory::events::{self, Category, Log, New, Outcome};
use portreeve_server::Config;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const EVENT_STREAM: &str = "text/event-stream";

async fn user(provider: &Client, name: &str) -> Answer {
    let body = json!({"schemas": [USER], "userName": name});
    let made = provider.post("/Users", body).await;
    assert_eq!(made.status, 201, "{made}");
    made
}

/// The names of what has changed.
fn names(answer: &Answer) -> Vec<String> {
    let changes = answer.json["changes"].as_array().cloned();
    let changes = changes.unwrap_or_else(|| panic!("{answer}"));
    let name = |change: &Value| change["object"]["name"].as_str().unwrap().to_owned();
    changes.iter().map(name).collect()
}

#[tokio::test]
async fn a_change_is_told_as_its_event() {
    let server = TestServer::start().await;
    let provider = server.directory("generic").await;
    let made = user(&provider, "ada").await;
    let answer = server.admin().get("/changes?after=2").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let change = &answer.json["changes"][0];
    assert_eq!(
        answer.json,
        json!({
            "changes": [{
                "id": change["id"],
                "position": 3,
                "time": "2026-01-05T08:00:00.000000Z",
                "category": "SCIM_SYNC",
                "action": "create",
                "outcome": "ok",
                "object": {"type": "User", "id": made.id(), "name": "ada"},
                "actor": change["actor"],
                "directory_id": change["directory_id"],
                "request_id": made.header("x-request-id"),
                "duration_us": 0,
                "version": 1,
                "changes": [
                    {"attribute": "userName", "new": "ada"},
                    {"attribute": "active", "new": true},
                ],
            }],
            "next": 3,
            "more": false,
        })
    );
    let path = format!("/events/{}", change["id"].as_str().unwrap());
    assert_eq!(&server.admin().get(&path).await.json, change);
    server.stop().await;
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_over_restarts_too() {
    let mut server = TestServer::start().await;
    let provider = server.directory("generic").await;
    for name in ["ann", "bob", "eve"] {
        user(&provider, name).await;
        let refused = provider.post("/Users", json!({"userName": name})).await;
        assert_eq!(refused.status, 409, "{refused}");
    }
    let all = names(&server.admin().get("/changes").await);
    assert_eq!(all[2..], ["ann", "bob", "eve"], "after the directory's own");
    let (mut told, mut place) = (Vec::new(), json!(0));
    loop {
        let path = format!("/changes?after={place}&limit=2");
        let page = server.admin().get(&path).await;
        told.extend(names(&page));
        place = page.json["next"].clone();
        if page.json["more"] == false {
            break;
        }
        server = server.restart().await;
    }
    assert_eq!(told, all);
    let end = server.admin().get("/changes?after=now").await;
    assert_eq!(
        end.json,
        json!({"changes": [], "next": place, "more": false})
    );
    server.stop().await;
}

#[tokio::test]
async fn changes_are_told_of_one_team_or_directory() {
    let server = TestServer::start().await;
    let first = server.directory("generic").await;
    let second = server.directory("entra").await;
    user(&first, "ann").await;
    user(&second, "bob").await;
    let admin = server.admin();
    let only = admin.get("/changes?directory=entra%202").await;
    assert_eq!(names(&only).last().map(String::as_str), Some("bob"));
    assert!(!names(&only).contains(&"ann".to_owned()), "{only}");
    assert_eq!(only.json["next"], 6, "what is of others is passed: {only}");

    let theirs = json!({"name": "Theirs", "team": "other"});
    assert_eq!(admin.post("/directories", theirs).await.status, 201);
    let other = admin.get("/changes?team=other").await;
    assert_eq!(other.json["next"], 2, "{other}");
    assert_eq!(
        admin.get("/changes?directory=Theirs").await.json,
        other.json
    );
    for (name, path, status, says) in [
        ("which team", "/changes", 400, "several teams"),
        ("of all", "/events?after=1", 400, "which team"),
        ("wait for all", "/events?after=1&wait=1", 400, "which team"),
        ("no team", "/changes?team=x", 404, "\"x\""),
        (
            "not of this team",
            "/changes?team=main&directory=Theirs",
            404,
            "Theirs",
        ),
        ("no place", "/changes?team=main&after=x", 400, "\"now\""),
        ("before it", "/changes?team=main&after=-1", 400, "\"now\""),
        ("too long", "/changes?team=main&wait=61", 400, "0 to 60"),
        ("too many", "/changes?team=main&limit=1001", 400, "1000"),
        ("no parameter", "/changes?colour=red", 400, "colour"),
    ] {
        let refused = admin.get(path).await;
        assert_eq!(refused.status, status, "{name}: {refused}");
        assert!(refused.text("detail").contains(says), "{name}: {refused}");
    }
    let log = admin.get("/events?team=other&after=0").await;
    assert_eq!(log.json.as_array().map(Vec::len), Some(2), "{log}");
    let both = admin.get("/events?limit=1000").await;
    assert_eq!(both.json.as_array().map(Vec::len), Some(8), "{both}");
    server.stop().await;
}

#[tokio::test]
async fn a_request_waits_for_the_next_change_and_no_longer_than_the_server_runs() {
    let server = TestServer::start().await;
    let provider = server.directory("generic").await;
    let other = server.directory("entra").await;
    let path = "/changes?after=now&wait=60&directory=generic%201";
    let place = server.admin().get("/changes?after=now").await.json["next"].clone();
    let waiting = format!("/changes?after={place}&wait=60&directory=generic%201");
    let (heard, ..) = tokio::join!(
        server.admin().get(&waiting),
        user(&other, "of another directory"),
        user(&provider, "ada")
    );
    assert_eq!(names(&heard), ["ada"]);

    let client = server.admin().clone();
    let (asked, asking) = tokio::sync::oneshot::channel();
    let waiting = tokio::spawn(async move {
        let request = client.get(path);
        let _ = asked.send(());
        request.await
    });
    asking.await.unwrap();
    let stop = tokio::time::timeout(Duration::from_secs(15), server.stop());
    stop.await.expect("who waits does not hold the server up");
    drop(waiting);
}

/// A database in which changes 1 and 3 of 4 are gone.
async fn pruned() -> World {
    let record: Work = |tx, call| {
        for name in ["old", "old", "old", "new"] {
            let event = New {
                category: Category::ScimSync,
                action: "create",
                outcome: Outcome::Ok,
                object_kind: Some("User"),
                object_id: Some("u"),
                object_name: Some(name),
                version: Some(1),
                changes: None,
            };
            events::record(tx, call, &event)?;
        }
        Ok(())
    };
    let prune: Work = |tx, call| {
        let team = &call.directory.team_id;
        let pruned = events::prune(tx, team, Log::Audit, i64::MAX, i64::MAX, 3)?;
        assert_eq!(pruned, 3);
        Ok(())
    };
    World::prepared(|_| {}, [record, prune]).await
}

#[tokio::test]
async fn a_consumer_that_missed_what_is_gone_is_sent_to_read_everything_anew() {
    let world = pruned().await;
    let admin = world.server.admin();
    let end = admin.get("/changes?after=now").await.json["next"].clone();
    let stream = [("accept", EVENT_STREAM)];
    let resumed = [("accept", EVENT_STREAM), ("last-event-id", "2")];
    for (name, path, headers, code) in [
        ("pruned", "/changes?after=2", &[][..], "feed_pruned"),
        ("the beginning", "/changes?after=0", &[], "feed_pruned"),
        ("streamed", "/changes?after=2", &stream, "feed_pruned"),
        ("resumed", "/changes?after=4", &resumed, "feed_pruned"),
        ("not reached", "/changes?after=99", &[], "feed_reset"),
    ] {
        let gone = admin.send(Method::GET, path, headers, None).await;
        assert_eq!(gone.status, 410, "{name}: {gone}");
        let media_type = gone.header("content-type");
        assert_eq!(media_type, Some("application/problem+json"), "{name}");
        assert_eq!(gone.text("code"), code, "{name}");
        assert_eq!(gone.json["position"], end, "{name}: {gone}");
        assert!(gone.text("detail").contains("read everything anew"));
    }
    for (name, path) in [
        ("from the floor", "/changes?after=3"),
        ("what is kept", "/changes"),
    ] {
        let kept = admin.get(path).await;
        assert_eq!(names(&kept)[0], "new", "{name}: {kept}");
        assert_eq!(kept.json["next"], end, "{name}: {kept}");
    }
}

/// A stream that is being read.
struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Self {
        let client = reqwest::Client::builder()
            .unix_socket(Config::socket(server.data()))
            .build()
            .unwrap();
        let mut request = client.get(format!("http://localhost/api/v1{path}"));
        for (name, value) in [("accept", EVENT_STREAM)].iter().chain(headers) {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("content-type", EVENT_STREAM),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next block: an event, or a comment.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let more = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    /// The next change: its position and name.
    async fn change(&mut self) -> (i64, String) {
        loop {
            let block = self.block().await.expect("the stream goes on");
            if block.starts_with(':') {
                continue;
            }
            let lines: Vec<_> = block.lines().collect();
            let [id, "event: change", data] = lines[..] else {
                panic!("{block}");
            };
            let position = id.strip_prefix("id: ").unwrap().parse().unwrap();
            let change: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(change["position"], position);
            let name = change["object"]["name"].as_str().unwrap();
            return (position, name.to_owned());
        }
    }
}

#[tokio::test]
async fn a_stream_tells_what_was_and_what_comes() {
    let server = TestServer::start().await;
    let provider = server.directory("generic").await;
    user(&provider, "ann").await;
    let mut stream = Stream::open(&server, "/changes?after=2", &[]).await;
    assert_eq!(stream.change().await, (3, "ann".to_owned()));
    for (position, name) in [(4, "bob"), (5, "eve")] {
        let (heard, _) = tokio::join!(stream.change(), user(&provider, name));
        assert_eq!(heard, (position, name.to_owned()));
    }
    let resumed = [("last-event-id", "4")];
    let mut again = Stream::open(&server, "/changes?after=2", &resumed).await;
    assert_eq!(again.change().await, (5, "eve".to_owned()));
    let stop = tokio::time::timeout(Duration::from_secs(15), server.stop());
    let (ended, stopped) = tokio::join!(
        async {
            while stream.block().await.is_some() {}
            again.block().await
        },
        stop
    );
    assert_eq!(ended, None, "the stream ends well");
    stopped.expect("who follows does not hold the server up");
}

#[tokio::test]
async fn a_stream_without_changes_says_where_it_is_and_that_it_lives() {
    let silence = |config: &mut Config| config.patience.silence = Duration::from_millis(100);
    let server = TestServer::start_with(silence).await;
    let provider = server.directory("generic").await;
    let other = server.directory("entra").await;
    let path = "/changes?after=now&directory=generic%201";
    let mut stream = Stream::open(&server, path, &[]).await;
    assert_eq!(stream.block().await.as_deref(), Some(":\nid: 4"));
    user(&other, "passed").await;
    // It may have been silent before the change was made, too.
    let mut blocks = Vec::new();
    while blocks.len() < 2 || blocks[blocks.len() - 2] != ":\nid: 5" {
        let block = stream.block().await.unwrap();
        assert!([":", ":\nid: 5"].contains(&block.as_str()), "{block}");
        blocks.push(block);
    }
    assert_eq!(blocks.last().map(String::as_str), Some(":"), "{blocks:?}");
    let (heard, _) = tokio::join!(stream.change(), user(&provider, "ada"));
    assert_eq!(heard, (6, "ada".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_nobody_reads_is_cut_off() {
    let patience = |config: &mut Config| config.patience.write = Duration::from_millis(200);
    let server = TestServer::start_with(patience).await;
    let provider = server.directory("generic").await;
    for number in 0..40 {
        let body = json!({"schemas": [USER], "userName": format!("u{number}"), "title": "x".repeat(60_000)});
        assert_eq!(provider.post("/Users", body).await.status, 201);
    }
    let socket = Config::socket(server.data());
    let writing = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream
            .set_write_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let head =
            format!("GET /api/v1/changes HTTP/1.1\r\nHost: x\r\nAccept: {EVENT_STREAM}\r\n\r\n");
        // Sooner or later nothing fits between server and client any more, in either direction.
        (0..2_000_000).find_map(|_| stream.write_all(head.as_bytes()).err())
    });
    let cut_off = writing.await.unwrap().expect("the connection ends");
    assert!(
        !matches!(
            cut_off.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        ),
        "{cut_off}"
    );
    assert_eq!(server.admin().get("/changes?limit=1").await.status, 200);
    server.stop().await;
}
