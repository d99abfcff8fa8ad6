//! A server that says what a test wants it to: as much of the API as `portreeve ssh` asks, with certificates by OpenSSH's own
//! `ssh-keygen`.

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Far longer than anything takes that ends at all.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Double {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    folder: TempDir,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    hosts: Value,
    /// How long certificates are good, as `ssh-keygen -V` takes it.
    good: (String, String),
    /// Tokens of sessions that have ended, by their number.
    ended: bool,
    refused: Option<String>,
    serial: u64,
    issued: usize,
    logins: usize,
    has_stopped: bool,
}

impl Double {
    /// One that knows the hosts `web-1` and `localhost`, and Ada.
    pub(super) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        for key in ["user_ca", "host_ca"] {
            make_key(&folder.path().join(key));
        }
        let state = State {
            hosts: json!([
                {"name": "web-1", "account": "ada", "sudo": true},
                {"name": "localhost", "account": "ada", "sudo": false},
            ]),
            good: ("-1m".into(), "+16h".into()),
            ended: false,
            refused: None,
            serial: 0,
            issued: 0,
            logins: 0,
            has_stopped: false,
        };
        let shared = Arc::new(Shared {
            folder,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answering = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if answering.state().has_stopped {
                    return;
                }
                let answering = Arc::clone(&answering);
                thread::spawn(move || answering.answer(stream));
            }
        });
        Self { address, shared }
    }

    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The hosts that Ada may log in to from now on.
    pub(super) fn hosts(&self, hosts: Value) {
        self.shared.state().hosts = hosts;
    }

    /// How long certificates are good from now on.
    pub(super) fn good(&self, from: &str, to: &str) {
        self.shared.state().good = (from.to_owned(), to.to_owned());
    }

    /// Refuses certificates from now on.
    pub(super) fn refuse(&self, why: &str) {
        self.shared.state().refused = Some(why.to_owned());
    }

    /// Ends the session of whoever is signed in.
    pub(super) fn end_sessions(&self) {
        self.shared.state().ended = true;
    }

    /// How many certificates there were.
    pub(super) fn issued(&self) -> usize {
        self.shared.state().issued
    }

    /// How often somebody signed in.
    pub(super) fn logins(&self) -> usize {
        self.shared.state().logins
    }

    /// Counts anew.
    pub(super) fn forget(&self) {
        self.shared.state().issued = 0;
    }

    /// Waits until there were so many certificates.
    pub(super) fn wait_for_issue(&self, count: usize) {
        let (_state, waited) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), PATIENCE, |state| state.issued < count)
            .unwrap();
        assert!(!waited.timed_out(), "there is no certificate");
    }

    /// The key that certifies people.
    pub(super) fn user_key(&self) -> String {
        fs::read_to_string(self.shared.folder.path().join("user_ca.pub")).unwrap()
    }

    /// Makes the key of a host, and certifies it.
    pub(super) fn certify_host(&self, key: &Path, name: &str) {
        make_key(key);
        let ca = self.shared.folder.path().join("host_ca");
        let public = key.with_extension("pub");
        keygen(
            &ca,
            &["-h", "-I", name, "-n", name, "-V", "-1m:+1h"],
            &public,
        );
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.shared.state().has_stopped = true;
        // The thread that listens sees it, and ends.
        let _ = TcpStream::connect(self.address);
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn answer(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let (mut first, mut token, mut length) = (String::new(), String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                break;
            }
            let (name, value) = line.trim().split_once(": ").unwrap();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => value.clone_into(&mut token),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let (status, answer) = self.say(first.split(" HTTP").next().unwrap(), &token, &body);
        let answer = answer.to_string();
        let _ = write!(
            reader.get_mut(),
            "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn say(&self, request: &str, token: &str, body: &[u8]) -> (u16, Value) {
        let path = request.split('?').next().unwrap_or_default();
        let mut state = self.state();
        match path {
            "POST /auth/device/code" => {
                let code = json!({
                    "device_code": "d", "user_code": "BCDF-GHJK", "verification_uri": "http://x/", "expires_in": 60,
                    "interval": 0,
                });
                return (200, code);
            }
            "POST /auth/cli/token" => {
                state.logins += 1;
                state.ended = false;
                return (200, json!({"access_token": "prv_cli_again"}));
            }
            "POST /auth/cli/revoke" => return (200, json!({})),
            _ => {}
        }
        if state.ended || !token.starts_with("Bearer prv_cli_") {
            return (401, json!({"detail": "the session has ended"}));
        }
        match path {
            "GET /api/v1/me" => (200, json!({"name": "Ada", "level": "user", "team": "main"})),
            "GET /api/v1/me/hosts" => (200, state.hosts.clone()),
            "POST /api/v1/me/certificate" => {
                if let Some(why) = &state.refused {
                    return (403, json!({"detail": why}));
                }
                state.serial += 1;
                state.issued += 1;
                self.changed.notify_all();
                let body: Value = serde_json::from_slice(body).unwrap();
                (
                    200,
                    self.certify(&state, body["public_key"].as_str().unwrap()),
                )
            }
            other => panic!("nobody asks for {other}"),
        }
    }

    fn certify(&self, state: &State, key: &str) -> Value {
        let at = |name: &str| self.folder.path().join(name);
        let serial = state.serial.to_string();
        let public = at(&format!("{serial}.pub"));
        fs::write(&public, key).unwrap();
        let good = format!("{}:{}", state.good.0, state.good.1);
        let words = ["-I", "ada", "-n", "ada,deploy", "-V", &good, "-z", &serial];
        keygen(&at("user_ca"), &words, &public);
        let read = |file: &str| fs::read_to_string(at(file)).unwrap().trim().to_owned();
        json!({
            "certificate": read(&format!("{serial}-cert.pub")),
            "serial": serial,
            "principals": ["ada", "deploy"],
            "user_keys": [read("user_ca.pub")],
            "host_keys": [read("host_ca.pub")],
        })
    }
}

/// A new key in a file, with the public key beside it.
pub(super) fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

fn keygen(ca: &Path, words: &[&str], public: &Path) {
    let mut command = Command::new("ssh-keygen");
    let signed = command.args(["-q", "-s"]).arg(ca).args(words).arg(public);
    assert!(signed.status().unwrap().success());
}
