//! Jobs of applications, each of which one server runs at a time.

use super::{BEAT, Harbour, LONG};
use crate::applications::port::{cycle, definition, people, status, table};
use portreeve_testbed::{Client, TestServer};
use std::fs;
use std::time::Duration;

/// Enough for a cycle that can be met in its middle.
const PEOPLE: usize = 300;

fn names() -> Vec<String> {
    (0..PEOPLE)
        .map(|number| format!("user{number:03}"))
        .collect()
}

/// A harbour whose people are in a table, and a directory elsewhere that they are provisioned into.
async fn harbour() -> (Harbour, TestServer, Client) {
    let harbour = Harbour::new();
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let file = harbour.files.path().join("people.csv");
    fs::write(file, table(&names)).expect("the table is written");
    let elsewhere = TestServer::start().await;
    let target = elsewhere.directory("generic").await;
    (harbour, elsewhere, target)
}

/// Declares the application at a server, and waits until some people have arrived, and not all.
async fn begun(server: &TestServer, target: &Client) {
    let made = server
        .admin()
        .post("/applications", definition(target))
        .await;
    assert_eq!(made.status, 201, "{made}");
    let some = async { while people(target).await.is_empty() {} };
    let some = tokio::time::timeout(Duration::from_secs(60), some).await;
    assert!(some.is_ok(), "nobody arrives");
}

/// Lets a server's clock go on until the work of those that do not answer is its own and done.
async fn inherits(heir: &TestServer) {
    let (clock, stop) = (heir.clock().clone(), tokio::sync::Notify::new());
    let time = async {
        loop {
            tokio::select! {
                () = stop.notified() => return,
                () = tokio::time::sleep(BEAT) => clock.advance(LONG / 10),
            }
        }
    };
    let work = async {
        let first = cycle(heir.admin(), 1).await;
        stop.notify_one();
        first
    };
    let ((), first) = tokio::join!(time, work);
    assert_eq!(first["lastExecution"]["result"], "Succeeded", "{first:#}");
}

#[tokio::test]
async fn a_cycle_goes_on_at_another_server_when_its_own_is_killed() {
    let (harbour, elsewhere, target) = harbour().await;
    let mortal = harbour.mortal().await;
    let heir = harbour.server().await;
    begun(&mortal.server, &target).await;
    let here = mortal
        .server
        .admin()
        .get("/applications/town/status")
        .await
        .json;
    assert!(here["lastExecution"]["ended"].is_null(), "{here:#}");
    mortal.kill();
    inherits(&heir).await;
    assert_eq!(people(&target).await, names(), "each of them once");
    heir.stop().await;
    elsewhere.stop().await;
}

#[tokio::test]
async fn a_server_that_stood_still_leaves_the_cycle_to_the_one_that_has_it_now() {
    let (harbour, elsewhere, target) = harbour().await;
    let mortal = harbour.mortal().await;
    begun(&mortal.server, &target).await;
    let pause = mortal.pause().await;
    let heir = harbour.server().await;
    inherits(&heir).await;
    drop(pause);
    // It learns that it was buried, and lives under another id.
    let back = status(mortal.server.admin(), |status| status["progress"].is_null()).await;
    assert_eq!(back["lastExecution"]["number"], 1, "{back:#}");
    assert_eq!(back["lastExecution"]["result"], "Succeeded", "{back:#}");
    assert_eq!(people(&target).await, names(), "each of them once");
    mortal.kill();
    heir.stop().await;
    elsewhere.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_leaves_its_cycle_where_another_one_goes_on_at_once() {
    let (harbour, elsewhere, target) = harbour().await;
    let one = harbour.server().await;
    let two = harbour.server().await;
    begun(&one, &target).await;
    one.stop().await;
    // No clock moves.
    let first = cycle(two.admin(), 1).await;
    assert_eq!(first["lastExecution"]["result"], "Succeeded", "{first:#}");
    assert_eq!(people(&target).await, names(), "each of them once");
    two.stop().await;
    elsewhere.stop().await;
}
