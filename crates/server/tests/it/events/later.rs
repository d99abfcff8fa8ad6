//! Requests that are answered before they are carried out (`Prefer: respond-async`).

use super::*;
use http::Method;
use portreeve_directory::{leases, outcomes};
use portreeve_testbed::embedded;
use std::time::Duration;

const ANSWER: &str = "urn:ietf:params:scim:event:misc:asyncresp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

impl World {
    async fn later(&self, method: Method, path: &str, prefer: &str, body: Option<Value>) -> Answer {
        let headers = [("prefer", prefer)];
        let body = body.map(|body| body.to_string());
        self.provider.send(method, path, &headers, body).await
    }
}

/// The name under which the outcome is told, and where it can be read below the tenant URL.
fn accepted(world: &World, answer: &Answer) -> (String, String) {
    assert_eq!(
        (answer.status, &answer.json),
        (202, &Value::Null),
        "{answer}"
    );
    assert_eq!(answer.header("preference-applied"), Some("respond-async"));
    let txn = answer.header("set-txn").expect("a Set-Txn").to_owned();
    let location = answer.header("location").expect("a Location");
    let path = location.strip_prefix(world.provider.base());
    (txn, path.expect("below the tenant URL").to_owned())
}

/// The completions that a receiver is told of, as (txn, uri, payload), once there are so many.
async fn completions(world: &World, poller: &Poller, count: usize) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    while found.len() < count {
        let told = poller.wait(world).await;
        let acks: Vec<_> = told.iter().map(|claims| &claims["jti"]).collect();
        let ack = json!({"ack": acks, "maxEvents": 0});
        poller.ask(&world.server, ack).await;
        for claims in told {
            if let Some(payload) = claims["events"].get(ANSWER) {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let (txn, uri) = (text(&claims["txn"]), text(&claims["sub_id"]["uri"]));
                found.push((txn, uri, payload.clone()));
            }
        }
    }
    found
}

#[tokio::test]
async fn an_accepted_request_is_carried_out_and_its_outcome_told() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    let ann = world.user("ann").await;
    let path = format!("/Users/{ann}");
    let title = json!([{"op": "add", "path": "title", "value": "Dr."}]);
    let patch = json!({"schemas": [PATCH_OP], "Operations": title});
    let put = json!({"schemas": [USER], "userName": "ann"});
    let new = json!({"schemas": [USER], "userName": "bob"});
    let taken = json!({"schemas": [USER], "userName": "ANN"});
    for (name, method, path, body, status, uri) in [
        ("create", Method::POST, "/Users", Some(new), "201", None),
        (
            "conflict",
            Method::POST,
            "/Users",
            Some(taken),
            "409",
            Some("/Users"),
        ),
        (
            "patch",
            Method::PATCH,
            &*path,
            Some(patch),
            "200",
            Some(&*path),
        ),
        (
            "replace",
            Method::PUT,
            &*path,
            Some(put),
            "200",
            Some(&*path),
        ),
        ("delete", Method::DELETE, &*path, None, "204", Some(&*path)),
        ("again", Method::DELETE, &*path, None, "404", Some(&*path)),
    ] {
        let answer = world
            .later(method.clone(), path, "respond-async", body)
            .await;
        let (txn, location) = accepted(&world, &answer);
        let told = completions(&world, &poller, 1).await.remove(0);
        assert_eq!(told.0, txn, "{name}");
        if let Some(uri) = uri {
            assert_eq!(told.1, uri, "{name}");
        }
        assert_eq!(told.2["status"], status, "{name}: {told:?}");
        assert_eq!(told.2["method"], method.as_str(), "{name}");
        let failed = status.starts_with('4');
        assert_eq!(told.2.get("response").is_some(), failed, "{name}: {told:?}");
        if failed {
            assert_eq!(told.2["response"]["status"], status, "{name}");
        }

        check_outcome(&world, &location, &txn, &told.2).await;
    }
    let list = world.provider.get("/Users").await;
    assert_eq!(list.json["totalResults"], 1);
    assert_eq!(list.json["Resources"][0]["userName"], "bob");
}

/// What can be read is what was told.
async fn check_outcome(world: &World, location: &str, txn: &str, payload: &Value) {
    let token = world.provider.get(location).await;
    let media_type = token.header("content-type");
    assert_eq!(media_type, Some("application/secevent+jwt"), "{token}");
    let claims = world
        .verified(token.json.as_str().unwrap_or_default(), None)
        .await;
    assert_eq!(claims["txn"], json!(txn));
    assert_eq!(&claims["events"][ANSWER], payload);
    let headers = [("accept", "application/scim+json")];
    let list = world
        .provider
        .send(Method::GET, location, &headers, None)
        .await;
    assert_eq!(list.json["Operations"], json!([payload]), "{list}");
}

#[tokio::test]
async fn each_operation_of_a_bulk_request_is_told_for_itself() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    let user = |name: &str| json!({"schemas": [USER], "userName": name});
    let body = json!({"schemas": [BULK], "failOnErrors": 1, "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": user("ann")},
        {"method": "PATCH", "path": "/Users/none", "data": {"schemas": [PATCH_OP], "Operations": []}},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": user("bob")},
    ]});
    let answer = world
        .later(Method::POST, "/Bulk", "respond-async", Some(body))
        .await;
    let (txn, location) = accepted(&world, &answer);
    let told = completions(&world, &poller, 3).await;
    let seen: Vec<_> = told
        .iter()
        .map(|(txn, _, payload)| {
            (
                txn.clone(),
                payload["status"].clone(),
                payload["bulkId"].clone(),
            )
        })
        .collect();
    assert_eq!(seen[0], (format!("{txn}:0"), json!("201"), json!("a")));
    assert!(
        seen[1]
            .1
            .as_str()
            .is_some_and(|status| status.starts_with('4')),
        "{told:?}"
    );
    assert_eq!(
        seen[2],
        (format!("{txn}:2"), json!("424"), json!("b")),
        "failOnErrors"
    );
    let list = world.provider.get(&location).await;
    let payloads: Vec<_> = told.into_iter().map(|(_, _, payload)| payload).collect();
    assert_eq!(list.json["Operations"], json!(payloads), "{list}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_at_once() {
    let world = World::new().await;
    let headers = [("prefer", "respond-async")];
    for (path, body) in [("/Users", "{"), ("/Bulk", "{}"), ("/Bulk", "[")] {
        let body = Some(body.to_owned());
        let answer = world
            .provider
            .send(Method::POST, path, &headers, body)
            .await;
        assert_eq!(answer.status, 400, "{path}: {answer}");
        assert_eq!(answer.header("set-txn"), None);
    }
    let stranger = world.provider.with_token(None);
    let body = json!({"schemas": [USER], "userName": "x"}).to_string();
    let answer = stranger
        .send(Method::POST, "/Users", &headers, Some(body))
        .await;
    assert_eq!(answer.status, 401, "{answer}");
}

#[tokio::test]
async fn a_client_that_waits_long_enough_is_answered_as_usual() {
    let world = World::new().await;
    let poller = world.poller("notice").await;
    let body = json!({"schemas": [USER], "userName": "ann"});
    let answer = world
        .later(Method::POST, "/Users", "respond-async, wait=20", Some(body))
        .await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(answer.json["userName"], "ann");
    assert_eq!(answer.header("set-txn"), None);
    let told = poller.look(&world).await;
    assert_eq!(
        told.iter().flat_map(names).collect::<Vec<_>>(),
        ["prov:create:notice"]
    );
}

#[tokio::test]
async fn a_stop_finishes_what_was_accepted() {
    let mut world = World::new().await;
    let mut locations = Vec::new();
    for n in 0..20 {
        let body = json!({"schemas": [USER], "userName": format!("user{n}")});
        let answer = world
            .later(Method::POST, "/Users", "respond-async", Some(body))
            .await;
        locations.push(accepted(&world, &answer).1);
    }
    world = world.restart().await;
    for location in locations {
        let headers = [("accept", "application/scim+json")];
        let outcome = world
            .provider
            .send(Method::GET, &location, &headers, None)
            .await;
        assert_eq!(outcome.json["Operations"][0]["status"], "201", "{outcome}");
    }
    let list = world.provider.get("/Users?count=0").await;
    assert_eq!(list.json["totalResults"], 20);
}

#[tokio::test]
async fn an_outcome_is_for_its_directory_and_for_a_day() {
    let world = World::new().await;
    let body = json!({"schemas": [USER], "userName": "ann"});
    let answer = world
        .later(Method::POST, "/Users", "respond-async", Some(body))
        .await;
    let (_, path) = accepted(&world, &answer);
    let other = world.server.directory("generic").await;
    assert_eq!(other.get(&path).await.status, 404);
    let foreign = world.provider.with_token(other.token());
    assert_eq!(foreign.get(&path).await.status, 401);
    assert_eq!(world.provider.with_token(None).get(&path).await.status, 401);
    assert!(world.provider.get(&path).await.status < 300);
    world.server.clock().advance(Duration::from_secs(24 * 3600));
    assert_eq!(world.provider.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_was_accepted_before_a_kill_is_told_as_failed() {
    // What a server leaves that is killed in the middle of an accepted request: the request and no outcome.
    let left: Work = |tx, call| {
        leases::register(tx, "killed", 1)?;
        let new = outcomes::New {
            id: "t",
            replica_id: "killed",
            bulk: false,
            asked: &[json!({"method": "PUT", "uri": "/Users/u"})],
        };
        outcomes::accept(tx, call, &new).map(|accepted| assert!(accepted))
    };
    // Only a database that has one server at a time lets it know at once that the other one is gone.
    let world = World::prepared_on(embedded, |_| {}, [left]).await;
    let outcome = world.provider.get("/Outcomes/t").await;
    assert_eq!(outcome.status, 200, "{outcome}");
    let token = outcome.json.as_str().unwrap_or_default();
    let claims = world.verified(token, None).await;
    let payload = &claims["events"][ANSWER];
    assert_eq!(claims["txn"], "t");
    assert_eq!(claims["sub_id"]["uri"], "/Users/u");
    assert_eq!(
        (&payload["method"], &payload["status"]),
        (&json!("PUT"), &json!("503"))
    );
    let said = payload["response"]["detail"].as_str().unwrap_or_default();
    assert!(said.contains("send the request again"), "{payload}");
}
