//! Several servers on one PostgreSQL.

use crate::events::receiver::Receiver;
use portreeve_cluster::Cluster;
use portreeve_directory::{Actor, Call, Ids, directories, leases, outcomes, roll};
use portreeve_directory::{Clock, Refusal};
use portreeve_server::Config;
use portreeve_store::{Database, Options, Store, Tx};
use portreeve_testbed::{Answer, Client, TestClock, TestServer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Beats of the servers, so that nobody waits long.
const BEAT: Duration = Duration::from_millis(20);
/// Longer than a replica lives without a beat.
const LONG: Duration = Duration::from_secs(20);

/// A database that servers come to and go from.
struct Harbour(String);

impl Harbour {
    fn new() -> Self {
        Self(Cluster::shared().fresh_url())
    }

    fn database(&self) -> Database {
        Database::parse(&self.0, |_| None).expect("a URL")
    }

    async fn server(&self) -> TestServer {
        let database = self.database();
        TestServer::start_with(move |config: &mut Config| {
            config.database = database;
            config.pace.beat = BEAT;
        })
        .await
    }

    /// A server that can be ended as by `kill -9`: nothing of it goes on, and nothing is tidied up.
    fn mortal(&self) -> Mortal {
        let runtime = Runtime::new().expect("a runtime");
        let database = self.database();
        // On a thread of its own, because this one is busy with the test's runtime.
        std::thread::scope(|scope| {
            let starting = scope.spawn(|| {
                let server = runtime.block_on(TestServer::start_with(move |config| {
                    config.database = database;
                    config.pace.beat = BEAT;
                }));
                (server, runtime)
            });
            let (server, runtime) = starting.join().expect("it starts");
            Mortal { server, runtime }
        })
    }

    /// Writes as a server does that has no other part in the test.
    async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> R {
        let options = Options::new(self.database(), roll::MIGRATIONS, 0);
        let opened = tokio::task::spawn_blocking(move || Store::open(&options));
        let store = opened.await.expect("no panic").expect("the database");
        let written = store.write(portreeve_store::Scope::ALL, work).await;
        let closed = tokio::task::spawn_blocking(move || store.close());
        closed.await.expect("no panic");
        written.expect("it is written")
    }
}

struct Mortal {
    server: TestServer,
    runtime: Runtime,
}

impl Mortal {
    fn kill(self) {
        self.runtime.shutdown_background();
        drop(self.server);
    }
}

/// The same provider at another server.
fn at(provider: &Client, server: &TestServer) -> Client {
    let (_, path) = provider.base().split_once("/scim/").expect("a tenant URL");
    provider.with_base(&format!("http://{}/scim/{path}", server.address()))
}

fn directory_id(provider: &Client) -> String {
    let (_, path) = provider.base().split_once("/scim/").expect("a tenant URL");
    path.split('/').next().unwrap_or_default().to_owned()
}

async fn create(provider: &Client, name: &str) -> String {
    let body = json!({"schemas": [USER], "userName": name});
    let made = provider.post("/Users", body).await;
    assert_eq!(made.status, 201, "{made}");
    made.id().to_owned()
}

/// Asks until the answer is as wanted.
async fn until(
    what: &str,
    client: &Client,
    path: &str,
    wanted: impl Fn(&Answer) -> bool,
) -> Answer {
    for _ in 0..1000 {
        let answer = client.get(path).await;
        if wanted(&answer) {
            return answer;
        }
        tokio::time::sleep(BEAT).await;
    }
    panic!("{what} did not happen");
}

/// The subject of a pushed token, without a look at its signature.
fn subject(token: &str) -> String {
    use base64::Engine;
    let part = token.split('.').nth(1).unwrap_or_default();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
    let claims: Value = serde_json::from_slice(&bytes.expect("base64")).expect("JSON");
    claims["sub_id"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn servers_of_one_database_answer_alike_and_hear_of_revoked_tokens() {
    let harbour = Harbour::new();
    let (one, two) = (harbour.server().await, harbour.server().await);
    let here = one.directory("generic").await;
    let there = at(&here, &two);
    let ann = create(&here, "ann").await;
    assert_eq!(there.get(&format!("/Users/{ann}")).await.status, 200);

    let path = format!("/directories/{}/tokens", directory_id(&here));
    let tokens = one.admin().get(&path).await;
    let revoke = format!(
        "{path}/{}",
        tokens.json[0]["id"].as_str().unwrap_or_default()
    );
    assert!(one.admin().delete(&revoke).await.status < 300);
    assert_eq!(here.get("/Users").await.status, 401);
    // Its clock stands still, so that only the notice can make it forget.
    until("the notice", &there, "/Users", |answer| {
        answer.status == 401
    })
    .await;
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn events_are_pushed_by_one_server_and_by_another_when_it_is_gone() {
    let harbour = Harbour::new();
    let mortal = harbour.mortal();
    let mut receiver = Receiver::start().await;
    let provider = mortal
        .server
        .directory_with("generic", json!({"security_events": true}))
        .await;
    let streams = format!("/directories/{}/streams", directory_id(&provider));
    let stream = json!({"delivery": "push", "endpoint": receiver.url, "audience": "r"});
    assert_eq!(
        mortal.server.admin().post(&streams, stream).await.status,
        201
    );
    let first = create(&provider, "first").await;
    assert_eq!(subject(&receiver.next(&mortal.server).await.token), first);

    // The heir writes, and the first server, which has the lease, pushes.
    let heir = harbour.server().await;
    let there = at(&provider, &heir);
    let mut pushed = String::new();
    for n in 0..20 {
        let id = create(&there, &format!("user{n}")).await;
        pushed = receiver.next_soon().await.token;
        assert_eq!(subject(&pushed), id);
    }
    mortal.kill();
    let last = create(&there, "last").await;
    // Its clock goes on until it holds the other one to be dead.
    let mut next = receiver.next(&heir).await;
    if subject(&next.token) == subject(&pushed) {
        // The first server was killed before it could write down that this one was taken.
        next = receiver.next(&heir).await;
    }
    assert_eq!(subject(&next.token), last);
    assert!(receiver.is_quiet(), "nothing else twice");
    heir.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_hands_its_work_over_at_once() {
    let harbour = Harbour::new();
    let (one, two) = (harbour.server().await, harbour.server().await);
    let mut receiver = Receiver::start().await;
    let provider = one
        .directory_with("generic", json!({"security_events": true}))
        .await;
    let streams = format!("/directories/{}/streams", directory_id(&provider));
    let stream = json!({"delivery": "push", "endpoint": receiver.url, "audience": "r"});
    assert_eq!(one.admin().post(&streams, stream).await.status, 201);
    let first = create(&provider, "first").await;
    assert_eq!(subject(&receiver.next_soon().await.token), first);
    let there = at(&provider, &two);
    one.stop().await;
    // No clock moves.
    let second = create(&there, "second").await;
    assert_eq!(subject(&receiver.next_soon().await.token), second);
    two.stop().await;
}

#[tokio::test]
async fn only_the_requests_of_dead_servers_are_told_as_interrupted() {
    let harbour = Harbour::new();
    let server = harbour.server().await;
    let provider = server
        .directory_with("generic", json!({"security_events": true}))
        .await;
    let id = directory_id(&provider);
    harbour
        .write(move |tx| {
            let call = Call {
                directory: Arc::new(directories::by_id(tx, &id)?),
                actor: Actor::System,
                request_id: "r".into(),
                at: TestClock::default().now(),
                clock: Arc::new(TestClock::default()),
                ids: Arc::new(Ids::new()),
            };
            leases::register(tx, "other", 0)?;
            let new = outcomes::New {
                id: "t",
                replica_id: "other",
                bulk: false,
                asked: &[json!({"method": "PUT", "uri": "/Users/u"})],
            };
            outcomes::accept(tx, &call, &new).map(|accepted| assert!(accepted))
        })
        .await;
    // A server that starts holds nobody to be dead whom it has not watched.
    let late = harbour.server().await;
    for server in [&server, &late] {
        let answer = at(&provider, server).get("/Outcomes/t").await;
        assert_eq!(answer.status, 202, "{answer}");
    }
    late.stop().await;
    // It looks at least once before its clock goes on.
    let told = async {
        loop {
            server.clock().advance(LONG);
            let answer = provider.get("/Outcomes/t").await;
            if answer.status == 200 {
                return answer;
            }
            tokio::time::sleep(BEAT).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    let token = told.expect("it is told").json;
    assert!(token.is_string(), "{token}");
    server.stop().await;
}
