//! Jobs of applications, each of which one server runs at a time.

use super::{BEAT, Harbour, LONG};
use crate::applications::port::{cycle, definition, people, status, table};
use portreeve_testbed::{Client, TestServer};
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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
    let mut definition = definition(target);
    // Clocks are put forward while the first cycle runs; the second one is none of this.
    definition["interval"] = json!("PT24H");
    let made = server.admin().post("/applications", definition).await;
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

/// A gate before a server: those who come while it is shut wait.
struct Gate {
    address: SocketAddr,
    is_open: watch::Sender<bool>,
    /// How many have come.
    come: watch::Receiver<usize>,
}

impl Gate {
    async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port is known");
        let (is_open, opens) = watch::channel(true);
        let (count, come) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let mut opens = opens.clone();
                tokio::spawn(async move {
                    let _ = opens.wait_for(|is_open| *is_open).await;
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            address,
            is_open,
            come,
        }
    }
}

#[tokio::test]
async fn while_one_server_provisions_somebody_at_once_no_other_does_and_the_job_goes_on_there() {
    let harbour = Harbour::new();
    let file = harbour.files.path().join("people.csv");
    fs::write(&file, table(&["ada"])).expect("the table is written");
    let elsewhere = TestServer::start().await;
    let target = elsewhere.directory("generic").await;
    let mut gate = Gate::before(elsewhere.address()).await;
    let (_, path) = target.base().split_once("/scim/").expect("a tenant URL");
    let gated = target.with_base(&format!("http://{}/scim/{path}", gate.address));
    let (one, two) = (harbour.server().await, harbour.server().await);
    let made = one.admin().post("/applications", definition(&gated)).await;
    assert_eq!(made.status, 201, "{made}");
    cycle(one.admin(), 1).await;

    let ask = async |server: &TestServer, name: &str| {
        let body = json!({"kind": "user", "object": format!("{name}-key")});
        let path = "/applications/town/on-demand";
        server.admin().post(path, body).await
    };
    gate.is_open.send_replace(false);
    let before = *gate.come.borrow();
    let at_two = ask(&two, "ada");
    let meanwhile = async {
        let arrived = gate.come.wait_for(|count| *count > before).await;
        assert!(arrived.is_ok(), "the gate stands");
        let refused = ask(&one, "ada").await;
        assert_eq!(
            (refused.status, refused.text("code")),
            (423, "pending"),
            "{refused}"
        );
        fs::write(&file, table(&["ada", "grace"])).expect("the table is written");
        let running = status(one.admin(), |_| true).await;
        assert_eq!(running["lastExecution"]["number"], 1, "{running:#}");
        gate.is_open.send_replace(true);
    };
    let (done, ()) = tokio::join!(at_two, meanwhile);
    assert_eq!(done.status, 200, "{done}");
    let next = cycle(two.admin(), 2).await;
    assert_eq!(next["lastExecution"]["result"], "Succeeded", "{next:#}");
    assert_eq!(people(&target).await, ["ada", "grace"]);
    let again = async {
        // Until the cycle has left its turn.
        loop {
            let done = ask(&one, "grace").await;
            if done.status != 423 {
                return done;
            }
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(60), again).await;
    assert_eq!(again.expect("it rests").status, 200, "at whichever server");
    for server in [one, two, elsewhere] {
        server.stop().await;
    }
}
