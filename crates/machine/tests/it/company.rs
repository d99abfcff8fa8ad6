//! A whole server with a provider that pushes people in, and machines that its agent runs on.

use portreeve_machine::{Client, Error, Machine, Said};
use portreeve_server::{Clock, Config, Running, SystemClock};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The machine's clock, so many days from where it is.
#[derive(Default)]
struct Days(AtomicI64);

impl Clock for Days {
    fn now(&self) -> i64 {
        SystemClock.now() + self.0.load(Ordering::Relaxed) * 24 * 3_600 * 1_000_000
    }
}

/// A server in this process that goes by the time of the machine, and a directory in it.
pub(crate) struct Company {
    runtime: Runtime,
    data: TempDir,
    running: Option<Running>,
    clock: Arc<Days>,
    /// Where agents find it, also after a restart.
    authority: SocketAddr,
    directory: Value,
}

impl Company {
    pub(crate) fn start() -> Self {
        let mut company = Self {
            runtime: Runtime::new().unwrap(),
            data: TempDir::new().unwrap(),
            running: None,
            clock: Arc::default(),
            authority: SocketAddr::from(([127, 0, 0, 1], 0)),
            directory: Value::Null,
        };
        company.come_back();
        let url = company.running().ca_url().unwrap();
        let (_, port) = url.rsplit_once(':').unwrap();
        company.authority.set_port(port.parse().unwrap());
        let wanted = json!({"name": "Contoso", "provider": "entra", "users": "suspend"});
        company.directory = company.api("POST", "/directories", wanted);
        company
    }

    /// Ends the server; its data stays.
    pub(crate) fn go_away(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }

    /// Starts the server on its data.
    pub(crate) fn come_back(&mut self) {
        let mut config = Config::local(self.data.path().to_owned());
        config.step.at.listen = Some(self.authority);
        let started = portreeve_server::start(config, self.clock.clone());
        self.running = Some(self.runtime.block_on(started).unwrap());
    }

    /// Sets the clock of the server, so many days from that of the machine.
    pub(crate) fn set_clock(&mut self, days: i64) {
        self.go_away();
        self.clock.0.store(days, Ordering::Relaxed);
        self.come_back();
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// As the machine's administrator, at the local socket. The answer, which must be a good one.
    pub(crate) fn api(&self, method: &str, path: &str, body: Value) -> Value {
        let http = reqwest::Client::builder().unix_socket(self.running().socket());
        let url = format!("http://localhost/api/v1{path}");
        self.ask(http, method, &url, None, body)
    }

    /// As the provider.
    pub(crate) fn scim(&self, method: &str, path: &str, body: Value) -> Value {
        let text = |name: &str| self.directory[name].as_str().unwrap();
        let tenant = &text("tenant_url")[text("tenant_url").find("/scim/").unwrap()..];
        let url = format!("http://{}{tenant}{path}", self.running().address());
        let http = reqwest::Client::builder().no_proxy();
        self.ask(http, method, &url, Some(text("secret_token")), body)
    }

    fn ask(
        &self,
        http: reqwest::ClientBuilder,
        method: &str,
        url: &str,
        token: Option<&str>,
        body: Value,
    ) -> Value {
        self.runtime.block_on(async {
            let mut request = http.build().unwrap().request(method.parse().unwrap(), url);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            if !body.is_null() {
                request = request.json(&body);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            assert!(status.is_success(), "{method} {url}: {status} {text}");
            serde_json::from_str(&text).unwrap_or(Value::Null)
        })
    }

    /// The provider makes a person. Their id.
    pub(crate) fn hire(&self, name: &str) -> String {
        let user = json!({"schemas": [USER], "userName": name, "externalId": name, "active": true});
        id(&self.scim("POST", "/Users", user))
    }

    /// The provider makes a group with people. Its id.
    pub(crate) fn group(&self, name: &str, people: &[&str]) -> String {
        let members: Vec<_> = people.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
        id(&self.scim("POST", "/Groups", group))
    }

    /// The provider says whether somebody works here.
    pub(crate) fn active(&self, user: &str, active: bool) {
        let operation = json!({"op": "replace", "path": "active", "value": active});
        self.patch(&format!("/Users/{user}"), operation);
    }

    pub(crate) fn patch(&self, path: &str, operation: Value) {
        let patch = json!({"schemas": [PATCH], "Operations": [operation]});
        self.scim("PATCH", path, patch);
    }

    /// A group may log in to the hosts that a tag expression chooses.
    pub(crate) fn grant(&self, group: &str, hosts: &str, more: Value) -> String {
        let mut grant = json!({"group": group, "hosts": hosts});
        let (Some(grant_members), Value::Object(more)) = (grant.as_object_mut(), more) else {
            panic!("members of an object");
        };
        grant_members.extend(more);
        id(&self.api("POST", "/grants", grant))
    }

    /// Gives a person a certificate for the key of their name on their computer.
    pub(crate) fn certify(&self, client: &Client, user: &str, name: &str) {
        let key = client.key(name).unwrap();
        let directory = self.directory["id"].as_str().unwrap();
        let certified = self.running().certify(directory, user, &key);
        let certificate = self.runtime.block_on(certified).unwrap();
        client
            .write(&format!("{name}-cert.pub"), certificate)
            .unwrap();
    }

    /// Makes a machine with the agent on it a host with the tag `role=web`, and has the agent run.
    pub(crate) fn enrol(&self, machine: &Machine) {
        self.enrol_with(machine, "");
    }

    /// The same with further words for the agent.
    pub(crate) fn enrol_with(&self, machine: &Machine, words: &str) {
        self.try_enrol(machine, words).text().unwrap();
        start_agent(machine);
    }

    /// Asks for it, and starts nothing.
    pub(crate) fn try_enrol(&self, machine: &Machine, words: &str) -> Said {
        self.try_enrol_by("", machine, words)
    }

    /// The same by another clock.
    pub(crate) fn try_enrol_by(&self, clock: &str, machine: &Machine, words: &str) -> Said {
        machine
            .install(&built("portreeve-host"), "/usr/bin/portreeve-host")
            .unwrap();
        let wanted = json!({"name": machine.name(), "tags": {"role": "web"}});
        let token = self.api("POST", "/host-tokens", wanted);
        let token = token["secret"].as_str().unwrap();
        let name = machine.name();
        let enroll = format!("{clock} portreeve-host enroll --token {token} --name {name} {words}");
        machine.try_run(&enroll).unwrap()
    }

    /// What the server knows of a host.
    pub(crate) fn host(&self, name: &str) -> Value {
        self.api("GET", &format!("/hosts/{name}"), Value::Null)
    }

    /// Waits until a host has told that it has applied what the server has made for it last.
    pub(crate) fn is_applied(&self, machine: &Machine) {
        let done = machine.eventually("the newest policy is in force", || {
            let agent = &self.host(machine.name())["agent"];
            let made = &agent["policy_version"];
            Ok(made.is_u64() && *made == agent["applied_version"])
        });
        done.unwrap_or_else(|error| {
            let log = machine.read(LOG).unwrap();
            panic!("{error}\n{}\n{log}", self.host(machine.name()));
        });
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        self.go_away();
    }
}

/// What the agent says.
pub(crate) const LOG: &str = "/var/log/portreeve-host.log";

/// What goes before a command, for it to see another time: that of the machine and this.
pub(crate) fn clock(offset: &str) -> String {
    format!("LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketime.so.1) FAKETIME={offset}")
}

pub(crate) fn start_agent(machine: &Machine) {
    start_agent_by("", machine);
}

/// Has the agent run by another clock.
pub(crate) fn start_agent_by(clock: &str, machine: &Machine) {
    let run = format!("{clock} setsid portreeve-host run >>{LOG} 2>&1 </dev/null &");
    machine.run(&run).unwrap();
}

/// Ends the agent without a warning.
pub(crate) fn kill_agent(machine: &Machine) -> Result<(), Error> {
    let kill = "for it in /proc/[0-9]*; do
        [ \"$(cat $it/comm)\" = portreeve-host ] && kill -s KILL \"${it#/proc/}\"
    done 2>/dev/null; true";
    machine.run(kill).map(drop)
}

/// What the same build has made: this test is in a folder of the one where programs are.
pub(crate) fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let file = test.ancestors().nth(2).unwrap().join(name);
    let words = "cargo build --package portreeve-host --package portreeve-nss";
    assert!(file.exists(), "{words} comes first");
    file
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}
