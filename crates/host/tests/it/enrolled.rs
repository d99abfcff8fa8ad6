//! The agent and a server, from the enrolment to the leave: everything but the network between two machines is real.

use crate::setup::{machine, put};
use jiff::{SignedDuration, Timestamp};
use portreeve_host::apply::{self, Half};
use portreeve_host::config::{Backend, Config};
use portreeve_host::enroll::{Fault, Ticket, Wanted, enroll};
use portreeve_host::log::Buffer;
use portreeve_host::net::{self, Follower, Identity, Link, Server, Settled, Teller, Trouble};
use portreeve_host::paths::Paths;
use portreeve_host::wire::{Answer, Request};
use portreeve_host::world::{Level, World};
use portreeve_host_policy::api::{Happened, Session};
use portreeve_testbed::TestServer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// A machine that is about to be a host.
struct Machine {
    _root: TempDir,
    paths: Paths,
    half: Mutex<Half>,
    world: Still,
}

/// A world in which time passes when the test says so.
struct Still {
    now: Mutex<Timestamp>,
    steady: Mutex<Duration>,
    said: Mutex<Vec<(Level, String)>>,
}

impl World for Still {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn steady(&self) -> Duration {
        *self.steady.lock().unwrap()
    }

    fn chance(&self) -> f64 {
        0.5
    }

    fn sleep(&self, _length: Duration) {}

    fn say(&self, level: Level, text: &str) {
        self.said.lock().unwrap().push((level, text.to_owned()));
    }
}

impl net::Half for Machine {
    fn ask(&self, request: &Request) -> io::Result<Answer> {
        let mut half = self.half.lock().unwrap();
        Ok(half.handle(request.clone(), self.world.now()))
    }
}

impl Machine {
    fn new(now: Timestamp) -> Self {
        let (root, paths) = machine(&[
            ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
            ("/etc/group", "root:x:0:\n"),
            ("/etc/shells", "/bin/bash\n/bin/sh\n"),
            ("/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12\"\n"),
        ]);
        fs::create_dir_all(paths.at("/etc/ssh")).unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(paths.at(HOST_KEY))
            .status();
        assert!(made.unwrap().success());
        Self {
            _root: root,
            half: Mutex::new(Half::new(paths.clone(), apply::Machine::below(&paths))),
            paths,
            world: Still {
                now: Mutex::new(now),
                steady: Mutex::new(Duration::ZERO),
                said: Mutex::new(Vec::new()),
            },
        }
    }

    fn enroll(&self, ticket: Ticket, replace: bool) -> Result<Config, Fault> {
        let wanted = Wanted {
            ticket,
            name: "web-1".to_owned(),
            hostnames: vec!["web-1.contoso.example".to_owned()],
            tags: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
            is_bastion: false,
            bastion: None,
            replace,
            backend: Backend::Userdb,
            host_key: HOST_KEY.to_owned(),
        };
        enroll(&self.paths, &wanted, self.world.now())
    }

    fn may_log_in(&self, account: &str) -> bool {
        self.paths.principals().join(account).exists()
    }

    fn wait(&self, length: Duration) {
        *self.world.steady.lock().unwrap() += length;
    }
}

/// A server by the time of this machine, by which TLS checks certificates, with Ada, who may log in to web servers.
async fn server() -> (TestServer, Timestamp) {
    let server = TestServer::start().await;
    #[expect(
        clippy::disallowed_methods,
        reason = "clients of TLS have no other clock"
    )]
    let now = Timestamp::try_from(SystemTime::now()).unwrap();
    server.clock().set(now.as_microsecond());
    let until = now + SignedDuration::from_hours(8);
    for (path, body) in [
        (
            "/directories",
            json!({"name": "Staff", "provider": "native"}),
        ),
        (
            "/directories/Staff/users",
            json!({"user_name": "ada@contoso.example"}),
        ),
        (
            "/grants",
            json!({"user": "ada@contoso.example", "hosts": "role=web", "until": until.to_string()}),
        ),
    ] {
        let made = server.admin().post(path, body).await;
        assert_eq!(made.status, 201, "{path}: {made}");
    }
    (server, now)
}

async fn ticket(server: &TestServer, more: Value) -> Ticket {
    let made = server.admin().post("/host-tokens", more).await;
    assert_eq!(made.status, 201, "{made}");
    Ticket::from_token(made.text("secret")).unwrap()
}

async fn host(server: &TestServer) -> Value {
    server.admin().get("/hosts/web-1").await.json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_becomes_a_host_that_follows_and_reports() {
    let (server, now) = server().await;
    let ticket = ticket(&server, json!({"name": "web"})).await;
    let machine = Machine::new(now);
    tokio::task::block_in_place(|| machine.enroll(ticket.clone(), false)).unwrap();
    let again = tokio::task::block_in_place(|| machine.enroll(ticket, false));
    assert!(matches!(again, Err(Fault::Enrolled(name)) if name == "web-1"));
    let link = Link::open(&machine.paths, &machine, &machine.world).unwrap();
    let (mut follower, mut teller) = (Follower::new(&link), Teller::new(&link));

    tokio::task::block_in_place(|| {
        // The first document may be from before it was worked out who has access to the new host.
        while !machine.may_log_in("ada") {
            follower.turn().unwrap();
        }
        assert_eq!(teller.turn().unwrap(), Settled::Reported);
        assert_eq!(teller.turn().unwrap(), Settled::Quiet);
    });
    let told = host(&server).await;
    let agent = &told["agent"];
    assert_eq!(told["status"], "enrolled", "{told}");
    assert_eq!(agent["applied_version"], agent["policy_version"], "{told}");
    assert_eq!(agent["krl_is_current"], true, "{told}");
    assert_eq!(agent["os"], "Debian GNU/Linux 12", "{told}");

    // Whoever waits hears of a leaver at once.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| follower.turn());
        let left = server.admin().patch(
            "/directories/Staff/users/ada@contoso.example",
            json!({"status": "suspended"}),
        );
        let left = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(left));
        assert!((200..300).contains(&left.status), "{left}");
        assert!(waiting.join().unwrap().unwrap());
    });
    assert!(!machine.may_log_in("ada"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_everything_stays_as_it_is() {
    let (server, now) = server().await;
    let ticket = ticket(&server, json!({"name": "web"})).await;
    let machine = Machine::new(now);
    let link = tokio::task::block_in_place(|| {
        machine.enroll(ticket, false).unwrap();
        let link = Link::open(&machine.paths, &machine, &machine.world).unwrap();
        while !machine.may_log_in("ada") {
            Follower::new(&link).turn().unwrap();
        }
        link
    });
    server.stop().await;
    tokio::task::block_in_place(|| {
        for _ in 0..3 {
            let trouble = Follower::new(&link).turn().unwrap_err();
            assert!(
                matches!(trouble, Trouble::Server(net::Fault::Unreachable(..))),
                "{trouble}"
            );
            assert!(Teller::new(&link).turn().is_err());
        }
    });
    assert!(machine.may_log_in("ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_arrive_once_and_a_list_that_was_emptied_comes_back() {
    let (server, now) = server().await;
    let ticket = ticket(&server, json!({"name": "web"})).await;
    let machine = Machine::new(now);
    tokio::task::block_in_place(|| {
        machine.enroll(ticket, false).unwrap();
        let link = Link::open(&machine.paths, &machine, &machine.world).unwrap();
        Follower::new(&link).turn().unwrap();
        let mut teller = Teller::new(&link);
        teller.turn().unwrap();
        let login = Session {
            id: "login-1".to_owned(),
            session: Some("login-1".to_owned()),
            kind: Happened::Login,
            at: now,
            account: "ada".to_owned(),
            serial: None,
            key_id: None,
            address: Some("10.0.0.7".to_owned()),
            command: None,
        };
        Buffer::open(&machine.paths)
            .unwrap()
            .add(vec![login])
            .unwrap();
        assert_eq!(teller.turn().unwrap(), Settled::Reported);
        assert_eq!(teller.turn().unwrap(), Settled::Quiet);

        fs::write(machine.paths.krl(), "").unwrap();
        machine.wait(Duration::from_secs(61));
        teller.turn().unwrap();
        assert!(!fs::read(machine.paths.krl()).unwrap().is_empty());
    });
    let told = server.admin().get("/events?after=&category=SESSION").await;
    let logins = told.json.as_array().map_or(0, Vec::len);
    assert_eq!(logins, 1, "{told}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_when_little_of_their_life_is_left() {
    let (server, now) = server().await;
    let ticket = ticket(&server, json!({"name": "web"})).await;
    let machine = Machine::new(now);
    tokio::task::block_in_place(|| {
        machine.enroll(ticket, false).unwrap();
        let link = Link::open(&machine.paths, &machine, &machine.world).unwrap();
        Follower::new(&link).turn().unwrap();
        let mut teller = Teller::new(&link);
        teller.turn().unwrap();
        let before = Identity::load(&machine.paths).unwrap();
        let certificate = fs::read(machine.paths.host_certificate()).unwrap();
        // The machine's clock alone jumps: that is told, too.
        let (_, until) = before.life().unwrap();
        *machine.world.now.lock().unwrap() = until - SignedDuration::from_hours(1);
        machine.wait(Duration::from_secs(61));
        teller.turn().unwrap();
        let after = Identity::load(&machine.paths).unwrap();
        assert_ne!(after.chain, before.chain);
        assert_ne!(after.key, before.key);
        assert_ne!(
            fs::read(machine.paths.host_certificate()).unwrap(),
            certificate
        );
        let said = machine.world.said.lock().unwrap();
        assert!(
            said.iter()
                .any(|(level, text)| *level == Level::Warning && text.contains("clock")),
            "{said:?}"
        );
    });
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_enrolls_anew_by_its_key_and_after_it_has_left_with_a_token() {
    let (server, now) = server().await;
    let first = ticket(&server, json!({"name": "web"})).await;
    let second = ticket(&server, json!({"name": "again"})).await;
    let machine = Machine::new(now);
    tokio::task::block_in_place(|| {
        let before = machine.enroll(first.clone(), false).unwrap();
        let known = || Server::with_identity(Identity::load(&machine.paths).unwrap()).unwrap();
        let ask = || known().policy(None, None, Duration::ZERO);
        let by_key = Ticket {
            secret: None,
            ..first
        };
        let after = machine.enroll(by_key.clone(), true).unwrap();
        assert_eq!(after.host, before.host);
        assert!(ask().is_ok());

        known().leave().unwrap();
        let refused = ask().unwrap_err();
        assert!(refused.is_final(), "{refused}");
        let refused = machine.enroll(by_key, true).unwrap_err();
        assert!(
            refused.to_string().contains("host token create"),
            "{refused}"
        );
        machine.enroll(second, true).unwrap();
        assert!(ask().is_ok());
    });
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "most of it is a table of cases")]
async fn who_does_not_become_a_host_hears_why_and_nothing_is_kept() {
    let (server, now) = server().await;
    let good = ticket(&server, json!({"name": "web"})).await;
    let other_name = ticket(&server, json!({"name": "db", "name_pattern": "db-*"})).await;
    type Spoil = fn(&mut Ticket, &Machine);
    let nothing: Spoil = |_, _| {};
    let cases: [(&str, Ticket, Spoil, &str); 6] = [
        (
            "another root",
            good.clone(),
            |ticket, _| ticket.root = "00".repeat(32),
            "",
        ),
        (
            "another secret",
            good.clone(),
            |ticket, _| ticket.secret = Some("prv_enroll_x".to_owned()),
            "",
        ),
        (
            "no secret",
            good.clone(),
            |ticket, _| ticket.secret = None,
            "key",
        ),
        (
            "a name that the token is not for",
            other_name,
            nothing,
            "db-*",
        ),
        (
            "nobody there",
            good.clone(),
            |ticket, _| ticket.url = "https://127.0.0.1:1".to_owned(),
            "cannot be reached",
        ),
        (
            "no host key",
            good.clone(),
            |_, machine| fs::remove_file(machine.paths.at(format!("{HOST_KEY}.pub"))).unwrap(),
            "ssh-keygen -A",
        ),
    ];
    for (name, mut ticket, spoil, says) in cases {
        let machine = Machine::new(now);
        put(&machine.paths, "/var/lib/portreeve-host-net/other", "");
        spoil(&mut ticket, &machine);
        let refused = tokio::task::block_in_place(|| machine.enroll(ticket, false)).unwrap_err();
        assert!(refused.to_string().contains(says), "{name}: {refused}");
        assert!(!machine.paths.config().exists(), "{name}");
        assert!(Identity::load(&machine.paths).is_err(), "{name}");
        assert!(!machine.paths.host_certificate().exists(), "{name}");
    }
    for (name, text) in [
        ("nothing", ""),
        ("another token", "prv_api_x"),
        ("half of one", "pe_eyJ1cmwiOiJodHRwczov"),
    ] {
        assert!(
            matches!(Ticket::from_token(text), Err(Fault::Token(_))),
            "{name}"
        );
    }
    server.stop().await;
}
