//! A server with Ada, whose group may log in to web servers, and machines that become hosts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use portreeve_host_policy::api::{Enroll, PROOF_NAMESPACE, Proof, TOKEN_PREFIX, Token};
use portreeve_ssh_cert::Authority;
use portreeve_ssh_cert::authority::KeyType;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::SystemTime;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub(crate) struct World {
    pub(crate) server: TestServer,
    /// The provider's SCIM client.
    people: Client,
    pub(crate) ada: String,
    /// Our root (PEM).
    pub(crate) root: String,
    /// Somebody who knows our root, and has no certificate.
    pub(crate) stranger: Client,
}

/// A machine.
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    /// The key of its `sshd`.
    pub(crate) ssh: Authority,
    /// The key of its agent.
    tls: rcgen::KeyPair,
    csr: String,
}

/// A machine that has enrolled.
pub(crate) struct Host {
    pub(crate) id: String,
    pub(crate) answer: Value,
    /// Its agent, known by its certificate.
    pub(crate) agent: Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::on(TestServer::start().await).await
    }

    pub(crate) async fn on(server: TestServer) -> Self {
        // Clients check certificates by the time of the machine.
        #[expect(
            clippy::disallowed_methods,
            reason = "clients of TLS have no other clock"
        )]
        let now = SystemTime::now();
        let now = Timestamp::try_from(now).unwrap();
        server.clock().set(now.as_microsecond());
        let people = server.directory("generic").await;
        let ada =
            json!({"schemas": [USER], "userName": "ada", "displayName": "Ada", "active": true});
        let ada = made(people.post("/Users", ada).await).id().to_owned();
        let group =
            json!({"schemas": [GROUP], "displayName": "web-ops", "members": [{"value": ada}]});
        made(people.post("/Groups", group).await);
        let roots = server.step_trusting().get("/roots.pem").await;
        let root = roots.json.as_str().unwrap().to_owned();
        let world = Self {
            stranger: server.step(&root, None),
            server,
            people,
            ada,
            root,
        };
        let grant = json!({"group": "web-ops", "hosts": "role=web", "sudo": true});
        world.make("/grants", grant).await;
        world
    }

    pub(crate) fn admin(&self) -> &Client {
        self.server.admin()
    }

    /// Makes something as the machine's administrator.
    pub(crate) async fn make(&self, path: &str, body: Value) -> Answer {
        made(self.admin().post(path, body).await)
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from(self.server.clock().time()).unwrap()
    }

    /// Makes an enrolment token.
    pub(crate) async fn token(&self, wanted: Value) -> Token {
        let made = self.make("/host-tokens", wanted).await;
        let text = made.text("secret").strip_prefix(TOKEN_PREFIX).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    }

    /// What a machine says when it enrols, with these members on top.
    pub(crate) fn wanted(&self, machine: &Machine, change: &Value) -> Value {
        let mut wanted = json!({
            "name": machine.name, "csr": machine.csr, "host_key": machine.line(),
            "agent_version": "0.1.0", "os": "Debian GNU/Linux 12", "hostnames": [],
        });
        for (name, value) in change.as_object().unwrap() {
            wanted[name] = value.clone();
        }
        wanted
    }

    pub(crate) async fn ask(&self, wanted: Value) -> Answer {
        self.stranger.post("/host/v1/enroll", wanted).await
    }

    /// A machine enrols with a token that is made for it.
    pub(crate) async fn enrol(&self, machine: &Machine, change: &Value) -> Host {
        let token = self.token(json!({"tags": {"role": "web"}})).await;
        let mut wanted = self.wanted(machine, change);
        wanted["token"] = json!(token.secret);
        self.enrolled(machine, &self.ask(wanted).await)
    }

    /// The host that a machine has become.
    pub(crate) fn enrolled(&self, machine: &Machine, answer: &Answer) -> Host {
        assert_eq!(answer.status, 201, "{answer}");
        Host {
            id: answer.json["host"]["id"].as_str().unwrap().to_owned(),
            agent: self.known(machine, &answer.json["identity"]),
            answer: answer.json.clone(),
        }
    }

    /// A machine, known by that chain of certificates.
    pub(crate) fn known(&self, machine: &Machine, chain: &Value) -> Client {
        self.known_to(&self.server, machine, chain)
    }

    /// As [`World::known`], to another server of the same database.
    pub(crate) fn known_to(&self, server: &TestServer, machine: &Machine, chain: &Value) -> Client {
        let chain: String = chain
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        let identity = format!("{chain}{}", machine.tls.serialize_pem());
        server.step(&self.root, Some(&identity))
    }

    /// The proof of a machine that it has its key, with that clock.
    pub(crate) fn proof(&self, by: &Machine, wanted: &Value, late: SignedDuration) -> Value {
        let at = self.now() - late;
        let enroll: Enroll = serde_json::from_value(wanted.clone()).unwrap();
        let root = portreeve_x509::chain::from_pem(&self.root).unwrap();
        let root = portreeve_x509::fingerprint(&root[0]);
        let text = Proof::text(&root, at, &enroll);
        let signature = by.ssh.sign_file(PROOF_NAMESPACE, &text).unwrap();
        json!({"at": at.to_string(), "key": by.line(), "signature": signature})
    }

    /// Suspends Ada at her provider, or takes her back.
    pub(crate) async fn set_active(&self, active: bool) {
        let change = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": active}]});
        let path = format!("/Users/{}", self.ada);
        let changed = self.people.patch(&path, change).await;
        assert!(changed.status < 300, "{changed}");
    }

    /// The newest events of a kind, the latest first.
    pub(crate) async fn events(&self, query: &str) -> Vec<Value> {
        let found = self.admin().get(&format!("/events?{query}&limit=20")).await;
        found.json.as_array().unwrap().clone()
    }
}

impl Machine {
    pub(crate) fn new(name: &'static str) -> Self {
        let document = Authority::generate(KeyType::Ed25519).unwrap();
        let tls = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        let csr = params.serialize_request(&tls).unwrap().pem().unwrap();
        Self {
            name,
            ssh: Authority::from_pkcs8(KeyType::Ed25519, &document).unwrap(),
            tls,
            csr,
        }
    }

    /// The same machine with another key of its agent.
    pub(crate) fn rekeyed(self) -> Self {
        let Self { name, ssh, .. } = self;
        Self {
            ssh,
            ..Self::new(name)
        }
    }

    pub(crate) fn csr(&self) -> &str {
        &self.csr
    }

    /// The line of its public key.
    pub(crate) fn line(&self) -> String {
        self.ssh.public_openssh("root@machine")
    }
}

impl Host {
    /// Asks for the policy, with what the host has and for how many seconds it would wait.
    pub(crate) async fn policy(&self, has: Option<&str>, wait: u64) -> Answer {
        let wait = format!("wait={wait}");
        let mut headers = vec![("prefer", wait.as_str())];
        headers.extend(has.map(|tag| ("if-none-match", tag)));
        let path = "/host/v1/policy";
        self.agent.send(Method::GET, path, &headers, None).await
    }

    /// The first policy from this one on in which Ada's account is as wanted, with its tag.
    pub(crate) async fn until(&self, has: Option<String>, ada: Option<bool>) -> (Value, String) {
        let mut has = has;
        for _ in 0..20 {
            let answer = self.policy(has.as_deref(), 30).await;
            let tag = answer.header("etag").unwrap().to_owned();
            if answer.status == 200 {
                let document = document(&answer);
                let accounts: HashMap<&str, bool> = document["accounts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| (one["name"].as_str().unwrap(), !one["access"].is_null()))
                    .collect();
                if accounts.get("ada").copied() == ada {
                    return (document, tag);
                }
            }
            has = Some(tag);
        }
        panic!("the policy does not become what it should be");
    }

    pub(crate) async fn report(&self, report: Value) -> Answer {
        self.agent.post("/host/v1/report", report).await
    }
}

/// What a policy says, whose signature was verified.
pub(crate) fn document(answer: &Answer) -> Value {
    serde_json::from_str(answer.text("document")).unwrap()
}

/// Status and code of a refusal.
pub(crate) fn refused(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("code"))
}

fn made(answer: Answer) -> Answer {
    assert_eq!(answer.status, 201, "{answer}");
    answer
}
