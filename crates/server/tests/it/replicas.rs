//! Several servers on one PostgreSQL.

mod authority;
mod jobs;
mod policies;

use crate::applications::port::allow;
use crate::events::receiver::{Receiver, Reply};
use portreeve_cluster::Cluster;
use portreeve_directory::events::{self, Category, Outcome};
use portreeve_directory::{Actor, Call, Ids, directories, leases, outcomes, roll};
use portreeve_directory::{Clock, Refusal};
use portreeve_server::Config;
use portreeve_store::{Database, Options, Store, Tx};
use portreeve_testbed::{Answer, Client, TestClock, TestServer};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Beats of the servers, so that nobody waits long.
const BEAT: Duration = Duration::from_millis(20);
/// Longer than a replica lives without a beat.
const LONG: Duration = Duration::from_secs(20);

/// A database that servers come to and go from, and a folder whose files they may read.
struct Harbour {
    url: String,
    files: TempDir,
}

impl Harbour {
    fn new() -> Self {
        Self {
            url: Cluster::shared().fresh_url(),
            files: TempDir::new().expect("a temporary folder"),
        }
    }

    fn database(&self) -> Database {
        Database::parse(&self.url, |_| None).expect("a URL")
    }

    /// What its servers have in common.
    fn settings(&self) -> impl FnOnce(&mut Config) + Send + 'static {
        let (database, files) = (self.database(), self.files.path().to_owned());
        move |config| {
            settle(config, database);
            allow(config, &files);
        }
    }

    async fn server(&self) -> TestServer {
        TestServer::start_with(self.settings()).await
    }

    /// A server that can be stopped and killed.
    async fn mortal(&self) -> Mortal {
        let settings = self.settings();
        let (ready, server) = oneshot::channel();
        let (pauses, asked) = mpsc::unbounded_channel::<Pause>();
        // Its only thread, which stands still while somebody wants it to.
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(live(settings, ready, asked));
            // What it was doing ends in the middle, and nothing is tidied up.
            runtime.shutdown_background();
        });
        Mortal {
            server: server.await.expect("it starts"),
            pauses,
            thread,
        }
    }

    /// Writes as a server does that has no other part in the test.
    async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> R {
        let options = Options::new(self.database(), roll::MIGRATIONS, 0);
        let opened = task::spawn_blocking(move || Store::open(&options));
        let store = opened.await.expect("no panic").expect("the database");
        let written = store.write(portreeve_store::Scope::ALL, work).await;
        let closed = task::spawn_blocking(move || store.close());
        closed.await.expect("no panic");
        written.expect("it is written")
    }
}

/// Servers of one database have one key, which an admin has brought to each of them.
fn settle(config: &mut Config, database: Database) {
    let key = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(config.data.join("master.key"));
    let written = key.and_then(|mut key| key.write_all(&[7; 32]));
    written.expect("the key can be written");
    config.database = database;
    config.pace.beat = BEAT;
}

/// A server on a thread of its own.
struct Mortal {
    server: TestServer,
    pauses: mpsc::UnboundedSender<Pause>,
    thread: JoinHandle<()>,
}

/// Wanted: a standstill from the one message to the other, as by `SIGSTOP` and `SIGCONT`.
type Pause = (oneshot::Sender<()>, std::sync::mpsc::Receiver<()>);

async fn live(
    settings: impl FnOnce(&mut Config),
    ready: oneshot::Sender<TestServer>,
    mut asked: mpsc::UnboundedReceiver<Pause>,
) {
    let server = TestServer::start_with(settings);
    assert!(ready.send(server.await).is_ok(), "somebody waits for it");
    while let Some((stands, go_on)) = asked.recv().await {
        let _ = stands.send(());
        let _ = go_on.recv();
    }
}

impl Mortal {
    /// Lets it stand still until the answer is dropped, while its steady clock goes on.
    async fn pause(&self) -> std::sync::mpsc::Sender<()> {
        let (stands, standing) = oneshot::channel();
        let (go_on, waiting) = std::sync::mpsc::channel();
        let asked = self.pauses.send((stands, waiting));
        assert!(asked.is_ok(), "it lives");
        standing.await.expect("it stands still");
        self.server.clock().advance(LONG);
        go_on
    }

    /// Ends it as `kill -9` does.
    fn kill(self) {
        drop(self.pauses);
        self.thread.join().expect("it did not panic");
    }
}

/// A request for a directory at a server that has no other part in the test.
fn call(tx: &mut Tx<'_>, directory: &str) -> Result<Call, Refusal> {
    Ok(Call {
        directory: Arc::new(directories::by_id(tx, directory)?),
        actor: Actor::System,
        request_id: "r".into(),
        at: TestClock::default().now(),
        clock: Arc::new(TestClock::default()),
        ids: Arc::new(Ids::new()),
    })
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

/// The provider of a new directory whose events are pushed.
async fn pushing(server: &TestServer, receiver: &Receiver) -> Client {
    let provider = server
        .directory_with("generic", json!({"security_events": true}))
        .await;
    let streams = format!("/directories/{}/streams", directory_id(&provider));
    let stream = json!({"delivery": "push", "endpoint": receiver.url, "audience": "r"});
    let made = server.admin().post(&streams, stream).await;
    assert_eq!(made.status, 201, "{made}");
    provider
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

/// Somebody who waits at the end of the feed of a server.
async fn waiting(server: &TestServer) -> task::JoinHandle<Answer> {
    let client = server.admin().clone();
    let end = client.get("/changes?after=now").await;
    let path = format!("/changes?after={}&wait=60", end.json["next"]);
    tokio::spawn(async move { client.get(&path).await })
}

/// The id of what they are told of first, well before they would be told that there is nothing.
async fn told(waiting: task::JoinHandle<Answer>) -> String {
    let answer = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    let answer = answer.expect("it is told").expect("no panic");
    let id = answer.json["changes"][0]["object"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn who_waits_at_one_server_hears_of_changes_at_another() {
    let harbour = Harbour::new();
    let (one, two) = (harbour.server().await, harbour.server().await);
    let here = one.directory("generic").await;
    for n in 0..5 {
        let waiting = waiting(&two).await;
        let id = create(&here, &format!("user{n}")).await;
        assert_eq!(told(waiting).await, id);
    }
    // The notice of this one is lost, as it may be: nobody gives it.
    let waiting = waiting(&two).await;
    let directory = directory_id(&here);
    harbour
        .write(move |tx| {
            let new = events::New {
                category: Category::ScimSync,
                action: "patch",
                outcome: Outcome::Ok,
                object_kind: Some("User"),
                object_id: Some("unnoticed"),
                object_name: None,
                version: None,
                changes: None,
            };
            let call = call(tx, &directory)?;
            events::record(tx, &call, &new)
        })
        .await;
    assert_eq!(told(waiting).await, "unnoticed");
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn events_are_pushed_by_one_server_and_by_another_when_it_is_gone() {
    let harbour = Harbour::new();
    let mortal = harbour.mortal().await;
    let mut receiver = Receiver::start().await;
    let provider = pushing(&mortal.server, &receiver).await;
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
async fn a_server_that_stood_still_does_not_go_on_with_what_another_one_does_now() {
    let harbour = Harbour::new();
    let mortal = harbour.mortal().await;
    let mut receiver = Receiver::start().await;
    let provider = pushing(&mortal.server, &receiver).await;
    let go_on = Arc::new(Notify::new());
    receiver.replies(&[Reply::Status(503), Reply::Late(go_on.clone())]);
    let heir = harbour.server().await;
    let there = at(&provider, &heir);
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(create(&there, &format!("user{n}")).await);
    }
    // After a failure it sends all three, and stands still in the middle of the first.
    assert_eq!(subject(&receiver.next_soon().await.token), ids[0]);
    assert_eq!(subject(&receiver.next(&mortal.server).await.token), ids[0]);
    let pause = mortal.pause().await;
    for id in &ids {
        assert_eq!(subject(&receiver.next(&heir).await.token), *id);
    }
    go_on.notify_one();
    drop(pause);
    let here = until("its return", &provider, "/Users", |answer| {
        answer.status == 200
    });
    assert_eq!(here.await.json["totalResults"], 3);
    for n in 3..6 {
        let id = create(&provider, &format!("user{n}")).await;
        assert_eq!(subject(&receiver.next_soon().await.token), id);
    }
    assert!(receiver.is_quiet(), "nothing twice");
    mortal.kill();
    heir.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_hands_its_work_over_at_once() {
    let harbour = Harbour::new();
    let (one, two) = (harbour.server().await, harbour.server().await);
    let mut receiver = Receiver::start().await;
    let provider = pushing(&one, &receiver).await;
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
            let call = call(tx, &id)?;
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
