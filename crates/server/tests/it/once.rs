//! Requests that are sent again (`Idempotency-Key`), and requests that depend on what their sender has read (entity tags).

use portreeve_testbed::{Answer, Client, TestServer};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn post(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let headers = [("idempotency-key", key)];
    client
        .send(Method::POST, path, &headers, Some(body.to_string()))
        .await
}

async fn names(admin: &Client) -> Vec<String> {
    let list = admin.get("/directories").await;
    let all = list.json.as_array().expect("a list").iter();
    all.map(|it| it["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_sent_again_is_made_once_and_answered_as_before() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let body = json!({"name": "Contoso"});
    let first = post(admin, "/directories", "k1", &body).await;
    assert_eq!(first.status, 201, "{first}");
    let again = post(admin, "/directories", "k1", &body).await;
    assert_eq!(again.status, 201, "{again}");
    // With its secret: whoever lost the answer has lost that, too.
    assert_eq!(again.json, first.json);
    for name in ["location", "cache-control", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(names(admin).await, ["Contoso"]);
    server.stop().await;
}

#[tokio::test]
async fn an_answer_outlives_the_server_and_is_forgotten_after_a_day() {
    let server = TestServer::start().await;
    let body = json!({"name": "Contoso"});
    let first = post(server.admin(), "/directories", "k1", &body).await;
    let server = server.restart().await;
    let again = post(server.admin(), "/directories", "k1", &body).await;
    assert_eq!(again.id(), first.id());
    server.clock().advance(Duration::from_secs(25 * 3600));
    let anew = post(server.admin(), "/directories", "k1", &body).await;
    assert_eq!(anew.status, 409, "the name is taken: {anew}");
    assert_eq!(anew.text("code"), "conflict");
    server.stop().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_sender() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let made = post(admin, "/directories", "k1", &json!({"name": "one"})).await;
    let other = post(admin, "/directories", "k1", &json!({"name": "two"})).await;
    assert_eq!(
        (other.status, other.text("code")),
        (422, "idempotency_mismatch"),
        "{other}"
    );
    let path = format!("/directories/{}/tokens", made.id());
    let elsewhere = post(admin, &path, "k1", &json!({})).await;
    assert_eq!(elsewhere.status, 201, "another address: {elsewhere}");
    assert_eq!(names(admin).await, ["one"]);
    server.stop().await;
}

#[tokio::test]
async fn a_key_of_a_refused_request_is_free() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let refused = post(admin, "/directories", "k1", &json!({"name": ""})).await;
    assert_eq!(refused.status, 400, "{refused}");
    let made = post(admin, "/directories", "k1", &json!({"name": "one"})).await;
    assert_eq!(made.status, 201, "{made}");
    server.stop().await;
}

#[tokio::test]
async fn of_requests_with_one_key_at_the_same_time_one_is_carried_out() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let body = json!({"name": "Contoso"});
    let all = (0..8).map(|_| post(admin, "/directories", "k1", &body));
    let answers = futures_util::future::join_all(all).await;
    for answer in &answers {
        let known = match answer.status {
            201 => true,
            409 => answer.text("code") == "idempotency_in_progress",
            _ => false,
        };
        assert!(known, "{answer}");
    }
    assert!(answers.iter().any(|it| it.status == 201));
    assert_eq!(names(admin).await, ["Contoso"]);
    server.stop().await;
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let server = TestServer::start().await;
    for (name, key) in [("empty", ""), ("too long", &*"k".repeat(256))] {
        let answer = post(server.admin(), "/directories", key, &json!({"name": "x"})).await;
        assert_eq!(answer.status, 400, "{name}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_object_is_changed_as_it_was_read_or_not_at_all() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let made = admin.post("/directories", json!({"name": "one"})).await;
    let path = format!("/directories/{}", made.id());
    let read = admin.get(&path).await;
    let tag = read.header("etag").expect("a tag").to_owned();
    let change = async |tag: &str, name: &str| {
        let headers = [("if-match", tag)];
        let body = json!({"name": name}).to_string();
        admin.send(Method::PATCH, &path, &headers, Some(body)).await
    };
    let changed = change(&tag, "two").await;
    assert_eq!(changed.status, 200, "{changed}");
    let late = change(&tag, "three").await;
    assert_eq!((late.status, late.text("code")), (412, "changed"), "{late}");
    let gone = admin
        .send(Method::DELETE, &path, &[("if-match", &tag)], None)
        .await;
    assert_eq!(gone.status, 412, "{gone}");
    for (name, tag) in [
        ("anything", "*"),
        (
            "one of several",
            &*format!("\"x\", {}", changed.header("etag").expect("a tag")),
        ),
    ] {
        let again = change(tag, "two").await;
        assert_eq!(again.status, 200, "{name}: {again}");
    }
    let malformed = change("nonsense", "two").await;
    assert_eq!(malformed.status, 400, "{malformed}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let made = admin.post("/directories", json!({"name": "one"})).await;
    let path = format!("/directories/{}", made.id());
    for path in [path.as_str(), "/openapi.json"] {
        let read = admin.get(path).await;
        let tag = read.header("etag").expect("a tag");
        let known = admin
            .send(Method::GET, path, &[("if-none-match", tag)], None)
            .await;
        assert_eq!((known.status, &known.json), (304, &Value::Null), "{path}");
        assert_eq!(known.header("etag"), Some(tag), "{path}");
        let headers = [("if-none-match", "\"another\"")];
        let other = admin.send(Method::GET, path, &headers, None).await;
        assert_eq!(other.status, 200, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_condition_on_what_has_no_tag_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let headers = [("if-match", "\"x\"")];
    let body = json!({"name": "one"}).to_string();
    let answer = admin
        .send(Method::POST, "/directories", &headers, Some(body))
        .await;
    assert_eq!(answer.status, 400, "{answer}");
    assert!(names(admin).await.is_empty());
    server.stop().await;
}
