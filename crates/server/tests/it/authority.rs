//! The certificate authority of a team: certificates, their revocation, and its keys. OpenSSH's own programs judge them.

mod access;
mod certificates;
mod ends;
mod master_key;
mod pages;
mod revocation;
mod rotation;

use crate::browser::Browser;
use crate::cli_sign_in::Person;
use crate::sso::World;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A team with a host, a group that may log in there, and Ada, who is in it and signed in on a command line.
struct Town {
    world: World,
    /// Ada.
    ada: Client,
    ada_id: String,
    desk: Desk,
}

impl Town {
    async fn start() -> Self {
        Self::on(TestServer::start().await).await
    }

    /// On the embedded database, whose time is the server's: what is done in the background goes by that of the database.
    async fn with_time() -> Self {
        Self::on(TestServer::start_with(portreeve_testbed::embedded).await).await
    }

    async fn on(server: TestServer) -> Self {
        let world = World::on(server).await;
        let found = world
            .people
            .get("/Users?filter=userName%20sw%20%22ada%22")
            .await;
        let ada_id = found.json["Resources"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let group =
            json!({"schemas": [GROUP], "displayName": "web-ops", "members": [{"value": ada_id}]});
        let group = world.people.post("/Groups", group).await;
        assert_eq!(group.status, 201, "{group}");
        made(
            world.server.admin(),
            "/hosts",
            json!({"name": "web-1", "tags": {"role": "web"}}),
        )
        .await;
        let ada = session(&world).await;
        Self {
            world,
            ada,
            ada_id,
            desk: Desk::new(),
        }
    }

    /// The group of Ada may log in.
    async fn with_grant() -> Self {
        Self::start().await.granted().await
    }

    async fn granted(self) -> Self {
        let grant = json!({"group": "web-ops", "hosts": "role=web"});
        made(self.admin(), "/grants", grant).await;
        self
    }

    fn admin(&self) -> &Client {
        self.world.server.admin()
    }

    fn server(&self) -> &TestServer {
        &self.world.server
    }

    /// Asks for a certificate for a new key.
    async fn certificate(&self) -> Issued {
        let key = self.desk.key("ed25519", &[]);
        let answer = certificate(&self.ada, &self.desk.read(&key)).await;
        assert_eq!(answer.status, 200, "{answer}");
        self.desk.issued(&answer)
    }

    /// What the provider says of whether Ada is there.
    async fn active(&self, active: bool) {
        let change = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": active}]});
        let path = format!("/Users/{}", self.ada_id);
        let patched = self.world.people.patch(&path, change).await;
        assert_eq!(patched.status, 200, "{patched}");
    }

    /// The list of what is revoked, as hosts fetch it, in a file.
    async fn krl(&self) -> PathBuf {
        let fetched = raw(self.server(), "/ca/krl", &[]).await;
        assert_eq!(fetched.status, 200);
        self.desk.write("krl", &fetched.bytes)
    }

    /// Whether OpenSSH refuses a certificate by the list.
    async fn is_revoked(&self, issued: &Issued) -> bool {
        let krl = self.krl().await;
        self.desk.is_revoked(&krl, &issued.file)
    }
}

/// A file as it is fetched by somebody without a token.
struct Raw {
    status: u16,
    tag: String,
    bytes: Vec<u8>,
}

async fn raw(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Raw {
    let url = format!("http://{}{path}", server.address());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let tag = answer
        .headers()
        .get("etag")
        .map(|tag| tag.to_str().unwrap().to_owned());
    Raw {
        status: answer.status().as_u16(),
        tag: tag.unwrap_or_default(),
        bytes: answer.bytes().await.unwrap().to_vec(),
    }
}

/// Ada's session on a command line.
async fn session(world: &World) -> Client {
    let mut browser = Browser::new(&world.server);
    let signed_in = world.sign_in(&mut browser, "/").await;
    assert_eq!(signed_in.status, 303, "{signed_in}");
    let token = Person::of(&world.server, &browser).command_line().await;
    let stranger = world.server.stranger();
    let base = format!("{}/api/v1", stranger.base());
    stranger.with_base(&base).with_token(Some(&token))
}

async fn made(client: &Client, path: &str, body: Value) -> Answer {
    let made = client.post(path, body).await;
    assert_eq!(made.status, 201, "{made}");
    made
}

async fn certificate(client: &Client, public_key: &str) -> Answer {
    let wanted = json!({"public_key": public_key});
    client.post("/me/certificate", wanted).await
}

/// The latest events of a category, newest first.
async fn events(admin: &Client, category: &str) -> Vec<Value> {
    let found = admin
        .get(&format!("/events?category={category}&limit=50"))
        .await;
    found
        .json
        .as_array()
        .unwrap_or_else(|| panic!("{found}"))
        .clone()
}

/// A certificate in a file.
struct Issued {
    serial: String,
    file: PathBuf,
    answer: Value,
}

/// A folder in which OpenSSH's programs work.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn read(&self, path: &PathBuf) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    /// A new key; the file of its public half.
    fn key(&self, kind: &str, more: &[&str]) -> PathBuf {
        let count = std::fs::read_dir(self.0.path()).unwrap().count();
        let path = self.0.path().join(format!("key-{count}"));
        let mut made = Command::new("ssh-keygen");
        made.args(["-q", "-N", "", "-t", kind])
            .args(more)
            .arg("-f")
            .arg(&path);
        assert!(made.status().unwrap().success());
        path.with_extension("pub")
    }

    fn issued(&self, answer: &Answer) -> Issued {
        let serial = answer.text("serial").to_owned();
        let name = format!("{serial}-cert.pub");
        Issued {
            file: self.write(&name, answer.text("certificate").as_bytes()),
            serial,
            answer: answer.json.clone(),
        }
    }

    /// What `ssh-keygen -L` says of a certificate.
    fn shown(&self, file: &PathBuf) -> String {
        let shown = Command::new("ssh-keygen")
            .arg("-L")
            .arg("-f")
            .arg(file)
            .output()
            .unwrap();
        assert!(shown.status.success());
        String::from_utf8(shown.stdout).unwrap()
    }

    /// Whether OpenSSH refuses a certificate by a list.
    fn is_revoked(&self, krl: &PathBuf, file: &PathBuf) -> bool {
        let asked = Command::new("ssh-keygen")
            .arg("-Q")
            .arg("-f")
            .arg(krl)
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&asked.stdout).into_owned();
        match asked.status.code() {
            Some(0) if said.contains("ok") => false,
            Some(1) if said.contains("REVOKED") => true,
            _ => panic!("{said}{}", String::from_utf8_lossy(&asked.stderr)),
        }
    }
}
