//! A person of a real server: provisioned, granted a host, signed in at the identity provider, logged in by OpenSSH, and out
//! when the directory says so.

use super::double::make_key;
use super::machine::Machine;
use super::sshd::{Sshd, own_name};
use crate::login::{Browser, Waiting, exchange, header};
use crate::program::{Done, Server, portreeve};
use portreeve_server::{Clock, SystemClock};
use portreeve_testbed::TestClock;
use portreeve_testbed::openid::{CLIENT_ID, CLIENT_SECRET, OpenIdProvider, TENANT};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const ADA: &str = "6b0b5b8e-7a3a-4a8e-9a53-2f9f3c1d1a01";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Contoso's directory with Ada, who is in the group `web-ops`.
struct Contoso {
    server: Server,
    directory: Value,
    ada: String,
    provider: OpenIdProvider,
    runtime: Runtime,
}

impl Contoso {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let clock = TestClock::default();
        clock.set(SystemClock.now());
        let provider = runtime.block_on(OpenIdProvider::start(clock));
        provider.person(json!({"oid": ADA, "preferred_username": "ada@contoso.example"}));
        let server = Server::start();
        let words = [
            "directory",
            "create",
            "Contoso",
            "--provider",
            "entra",
            "--users",
            "suspend",
        ];
        let directory = server.json(&words);
        let user = json!({
            "schemas": [USER], "userName": "ada@contoso.example", "externalId": ADA, "active": true,
        });
        let (status, made) = server.scim(&directory, "POST", "/Users", &user);
        assert_eq!(status, 201, "{made}");
        let ada = made["id"].as_str().unwrap().to_owned();
        let group =
            json!({"schemas": [GROUP], "displayName": "web-ops", "members": [{"value": ada}]});
        let (status, made) = server.scim(&directory, "POST", "/Groups", &group);
        assert_eq!(status, 201, "{made}");
        let mut connect = portreeve(&["connection", "set", "--metadata-url"]);
        connect
            .arg(provider.metadata_url())
            .args(["--client-id", CLIENT_ID, "--tenant-id", TENANT, "--data"])
            .arg(server.data.path())
            .env("PORTREEVE_CLIENT_SECRET", CLIENT_SECRET);
        let connected = Done::of(&mut connect);
        assert_eq!(connected.code, 0, "{connected:?}");
        Self {
            server,
            directory,
            ada,
            provider,
            runtime,
        }
    }

    /// A browser in which Ada has signed in at the provider.
    fn browser(&self) -> Browser {
        let address = &self.server.address;
        let id = self.directory["id"].as_str().unwrap();
        let path = format!("/auth/openid/start?connection={id}&return_to=%2Fconsole");
        let begun = exchange(address, "GET", &path, "", "");
        let there = header(&begun, "location").expect(&begun);
        let back = self.runtime.block_on(self.provider.sign_in(there));
        let path = back.strip_prefix(&format!("http://{address}")).unwrap();
        let cookie = format!("Cookie: {}\r\n", cookie(&begun));
        let signed_in = exchange(address, "GET", path, &cookie, "");
        Browser {
            address: address.clone(),
            cookie: cookie_named(&signed_in, "portreeve"),
        }
    }

    /// Ada's status as the provider says it.
    fn is_active(&self, active: bool) {
        let patch = json!({
            "schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": active}],
        });
        let path = format!("/Users/{}", self.ada);
        let (status, changed) = self.server.scim(&self.directory, "PATCH", &path, &patch);
        assert_eq!(status, 200, "{changed}");
    }

    /// A file that everybody may fetch of the authority.
    fn fetch(&self, name: &str, to: &Path) {
        let address = &self.server.address;
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /ca/{name} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{name}");
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        fs::write(to, &answer[end + 4..]).unwrap();
    }

    /// A host that trusts the authority, and whose own key is known.
    fn sshd(&self, known_hosts: &Path) -> Sshd {
        let folder = TempDir::new().unwrap();
        make_key(&folder.path().join("host"));
        let key = fs::read_to_string(folder.path().join("host.pub")).unwrap();
        fs::write(known_hosts, format!("* {key}")).unwrap();
        self.fetch("user_keys", &folder.path().join("user_ca.pub"));
        self.fetch("krl", &folder.path().join("krl"));
        Sshd::serve(folder)
    }
}

fn cookie(answer: &str) -> String {
    let set = header(answer, "set-cookie").expect(answer);
    set.split(';').next().unwrap().to_owned()
}

/// The cookie that says this in its name and is not taken away.
fn cookie_named(answer: &str, name: &str) -> String {
    let lines = answer.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"));
    let mut kept = set
        .map(|(_, value)| value)
        .filter(|value| !value.contains("Max-Age=0"));
    let found = kept.find(|value| value.split('=').next().unwrap().ends_with(name));
    found.expect(answer).split(';').next().unwrap().to_owned()
}

#[test]
fn in_by_a_grant_and_out_with_the_directory() {
    let contoso = Contoso::start();
    let server = &contoso.server;
    let machine = Machine::with_agent();
    let url = format!("http://{}", server.address);
    let mut command = machine.command(&["ssh", "login", &url]);
    command.env("BROWSER", "true");
    let mut login = Waiting::of(command);
    login.is_approved_in(&contoso.browser());
    let refused = login.ended();
    assert_eq!(refused.code, 5, "there is no grant: {refused:?}");

    server.json(&["host", "create", "localhost", "--tag", "env=prod"]);
    server.json(&[
        "grant", "create", "--group", "web-ops", "--hosts", "env=prod",
    ]);
    let done = machine.run(&["ssh", "setup"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        machine.run(&["ssh", "hosts", "-o", "name"]).out,
        "localhost\n"
    );
    let status = machine.run(&["ssh", "status", "-o", "json"]).json();
    let principals = &status["certificate"]["principals"];
    assert_eq!(principals, &json!(["ada", format!("u:{}", contoso.ada)]));

    let known_hosts = machine.home().join("known");
    let sshd = contoso.sshd(&known_hosts);
    let mut words = vec![format!("-oUserKnownHostsFile={}", known_hosts.display())];
    words.extend(sshd.login("localhost", "echo in"));
    let done = machine.ssh(&words);
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, "in\n"),
        "{}: {done:?}",
        own_name()
    );

    contoso.is_active(false);
    contoso.fetch("krl", &sshd.folder().join("krl"));
    let out = machine.ssh(&words);
    assert_eq!(out.code, 255, "{out:?}");
    assert!(out.err.contains("Permission denied"), "{out:?}");
    assert!(
        !out.err.contains("no such identity"),
        "the key is nowhere but with the agent: {out:?}"
    );
    assert_eq!(
        machine.run(&["ssh", "refresh"]).code,
        4,
        "the session has ended"
    );
    assert_eq!(machine.keys_of_agent(), "");

    // Whoever is back gets another certificate; the old one stays revoked.
    contoso.is_active(true);
    let mut command = machine.command(&["ssh", "login", &url]);
    command.env("BROWSER", "true");
    let mut login = Waiting::of(command);
    login.is_approved_in(&contoso.browser());
    let back = login.ended();
    assert_eq!(back.code, 0, "{back:?}");
    contoso.fetch("krl", &sshd.folder().join("krl"));
    let done = machine.ssh(&words);
    assert_eq!((done.code, done.out.as_str()), (0, "in\n"), "{done:?}");
}
