//! The servers that are provisioned: Portreeve itself and two that others wrote, each started on a port of its own behind
//! a witness that writes down what it is asked.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::expected::Expected;
use super::shown::{Reader, gone};
use super::witness::Witness;
use crate::program::Server;

const TOKEN: &str = "the-secret-token";

/// A running server with nobody in it.
pub(super) struct Peer {
    /// Which it is.
    pub(super) name: &'static str,
    pub(super) reader: Reader,
    pub(super) witness: Witness,
    /// What chooses the dialect in the tenant URL. Only Portreeve takes what Entra sends by default.
    flag: &'static str,
    /// What it cannot do, put into what is expected of it.
    pub(super) limits: fn(&mut Expected),
    /// Who fails because of that, by name, and the code of the failure.
    pub(super) failures: Vec<(String, String)>,
    /// They end with their owner.
    _running: Running,
}

#[expect(dead_code, reason = "held so that it lives as long as the peer")]
enum Running {
    Portreeve(Server),
    Other(Process),
}

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// `portreeve serve`, with a directory in which deleting means deleting.
    pub(super) async fn portreeve() -> Self {
        let server = Server::on(TempDir::new().unwrap(), &[]);
        let words = "directory create Peer --provider generic --users delete --groups delete";
        let words: Vec<&str> = words.split(' ').collect();
        let directory = server.json(&words);
        let text = |name: &str| directory[name].as_str().unwrap().to_owned();
        let (base, token) = (text("tenant_url"), text("secret_token"));
        let running = Running::Portreeve(server);
        Self {
            flag: "",
            ..Self::new("portreeve", base, token, running).await
        }
    }

    /// scim2-server, in Python: <https://pypi.org/project/scim2-server/>.
    pub(super) async fn scim2_server() -> Self {
        let program = installed().join("venv/bin/scim2-server");
        let start = || {
            let port = free_port().to_string();
            let mut command = Command::new(&program);
            command.args(["--port", &port, "--bearer-token", TOKEN]);
            let (process, said) = spawn(&mut command)?;
            Some((process, said.strip_prefix("Serving SCIM on ")?.to_owned()))
        };
        // Somebody else may take the port before the server does.
        let started = (0..5).find_map(|_| start());
        let (process, base) = started.expect("scim2-server starts");
        let running = Running::Other(process);
        Self {
            limits: keep_the_gone,
            ..Self::new("scim2-server", base, TOKEN.to_owned(), running).await
        }
    }

    /// SCIMMY and its routers on express, in JavaScript: <https://www.npmjs.com/package/scimmy-routers>.
    pub(super) async fn scimmy() -> Self {
        let (home, program) = (installed(), root().join("tests/peers/scimmy.mjs"));
        let mut command = Command::new(home.join("venv/bin/node"));
        command
            .args(["--input-type=module", "-"])
            .current_dir(home.join("node"))
            .env("SCIM_TOKEN", TOKEN)
            .stdin(std::fs::File::open(program).unwrap());
        let (process, base) = spawn(&mut command).expect("scimmy starts");
        let running = Running::Other(process);
        Self {
            limits: without_the_quoted,
            failures: vec![(r#"Team "Blue""#.to_owned(), INCOMPATIBLE.to_owned())],
            ..Self::new("scimmy", base, TOKEN.to_owned(), running).await
        }
    }

    async fn new(name: &'static str, base: String, token: String, running: Running) -> Self {
        Self {
            name,
            witness: Witness::start(base.clone()).await,
            reader: Reader::new(base, token),
            flag: "?aadOptscim062020",
            limits: |_| {},
            failures: Vec::new(),
            _running: running,
        }
    }

    /// Where the program finds it, behind its witness.
    pub(super) fn tenant_url(&self) -> String {
        format!("{}{}", self.witness.url, self.flag)
    }
}

/// scim2-server leaves the ids of deleted users in groups. Whoever is deleted is gone at the source, too, so there is
/// nobody left whom the engine could take out.
fn keep_the_gone(expected: &mut Expected) {
    for (key, left) in &expected.left {
        let Some(group) = expected.groups.get_mut(key) else {
            continue;
        };
        let members = group.entry("members".to_owned()).or_insert(json!([]));
        let members = members.as_array_mut().unwrap();
        members.extend(left.iter().map(|member| json!(gone(member))));
        members.sort_by_key(Value::to_string);
        if members.is_empty() {
            group.remove("members");
        }
    }
}

/// SCIMMY's filters know no quotation mark within a value (RFC 7644 section 3.4.2.2 has a JSON string there), so this
/// group cannot be looked for, and what cannot be looked for is not made.
const QUOTED: &str = "g005";
const INCOMPATIBLE: &str = "SystemForCrossDomainIdentityManagementServiceIncompatible";

fn without_the_quoted(expected: &mut Expected) {
    expected.groups.remove(QUOTED);
    for group in expected.groups.values_mut() {
        if let Some(members) = group.get_mut("members").and_then(Value::as_array_mut) {
            members.retain(|member| member != QUOTED);
        }
    }
}

/// Where the peers are; they are installed, as pinned, if they are not there.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers");
        let done = Command::new(root().join("scripts/peers"))
            .arg(&folder)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        folder
    })
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Starts a process, and waits for the first line that it prints; `None` if it ends without one.
fn spawn(command: &mut Command) -> Option<(Process, String)> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut process = Process(child.unwrap());
    let mut said = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let first = said.next()?.ok()?;
    // It would stop when nobody hears what it has to say.
    std::thread::spawn(move || said.map_while(Result::ok).for_each(drop));
    Some((process, first))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
