//! The certificate authority's keys where they never leave: in a PKCS#11 token, here SoftHSM's. And the master key where the
//! machine's administrator keeps it.

use crate::program::{Done, Server, portreeve};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "4711";

/// A token in a folder of its own.
struct Token {
    folder: TempDir,
    config: String,
}

impl Token {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let tokens = folder.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let config = folder.path().join("softhsm2.conf");
        fs::write(
            &config,
            format!(
                "directories.tokendir = {}\nobjectstore.backend = file\n",
                tokens.display()
            ),
        )
        .unwrap();
        let token = Self {
            config: config.to_str().unwrap().to_owned(),
            folder,
        };
        let made = Command::new("softhsm2-util")
            .args([
                "--init-token",
                "--free",
                "--label",
                "portreeve",
                "--pin",
                PIN,
                "--so-pin",
                PIN,
            ])
            .env("SOFTHSM2_CONF", &token.config)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        token
    }

    fn server(&self, data: TempDir) -> Server {
        let words = [
            "--ca-pkcs11-module",
            MODULE,
            "--ca-pkcs11-token",
            "portreeve",
        ];
        let environment = [
            ("SOFTHSM2_CONF", self.config.as_str()),
            ("PORTREEVE_CA_PKCS11_PIN", PIN),
        ];
        Server::within(data, &words, &environment)
    }

    /// What a server says that is to start with this token and does not.
    fn refused(&self, label: &str, pin: &str) -> String {
        let pin_file = self.folder.path().join("pin");
        fs::write(&pin_file, format!("{pin}\n")).unwrap();
        let data = TempDir::new().unwrap();
        let mut serve = portreeve(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--ca-listen",
            "none",
            "--data",
        ]);
        serve.arg(data.path()).args([
            "--ca-pkcs11-module",
            MODULE,
            "--ca-pkcs11-token",
            label,
            "--ca-pkcs11-pin-file",
        ]);
        serve.arg(pin_file).env("SOFTHSM2_CONF", &self.config);
        let done = Done::of(&mut serve);
        assert_ne!(done.code, 0, "{done:?}");
        done.err
    }
}

/// A certificate of a service account that may log in to a host.
fn certificate(server: &Server, public_key: &str) -> Value {
    if server
        .json(&["host", "list"])
        .as_array()
        .unwrap()
        .is_empty()
    {
        server.json(&["host", "create", "web-1", "--tag", "role=web"]);
        server.json(&["service-account", "create", "build", "--permission", "self"]);
        server.json(&[
            "grant", "create", "--user", "build", "--hosts", "role=web", "--until", "8h",
        ]);
    }
    let token = server.json(&[
        "api-token",
        "create",
        "--service-account",
        "build",
        "--permission",
        "self",
    ]);
    let body = json!({"public_key": public_key}).to_string();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(
        stream,
        "POST /api/v1/me/certificate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        token["secret"].as_str().unwrap(),
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

fn run(folder: &Path, program: &str, words: &[&str]) -> String {
    let done = Command::new(program)
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{program} {words:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, from the empty token to a certificate"
)]
fn a_token_signs_and_keeps_its_keys() {
    let token = Token::new();
    let server = token.server(TempDir::new().unwrap());
    let status = server.json(&["ca", "status"]);
    let keys = status["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4, "{status}");
    for key in keys {
        assert_eq!(
            (&key["in_token"], &key["key_type"]),
            (&json!(true), &json!("ecdsa")),
            "{key}"
        );
    }

    let desk = TempDir::new().unwrap();
    run(
        desk.path(),
        "ssh-keygen",
        &["-q", "-t", "ed25519", "-N", "", "-f", "key"],
    );
    let public_key = fs::read_to_string(desk.path().join("key.pub")).unwrap();
    let issued = certificate(&server, &public_key);
    fs::write(
        desk.path().join("key-cert.pub"),
        issued["certificate"].as_str().unwrap(),
    )
    .unwrap();
    let shown = run(desk.path(), "ssh-keygen", &["-L", "-f", "key-cert.pub"]);
    let is_signer = |key: &&Value| {
        key["purpose"] == "user" && shown.contains(key["fingerprint"].as_str().unwrap())
    };
    assert!(keys.iter().any(|key| is_signer(&key)), "{shown}");

    // OpenSSH verifies what the token has signed.
    let (krl, signature) = (desk.path().join("krl"), desk.path().join("krl.sig"));
    server.json(&[
        "ca",
        "krl",
        "--out",
        krl.to_str().unwrap(),
        "--signature",
        signature.to_str().unwrap(),
    ]);
    let signers = format!("portreeve {}\n", status["user_keys"][0].as_str().unwrap());
    fs::write(desk.path().join("signers"), signers).unwrap();
    let verified = Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-n",
            "krl@portreeve",
            "-I",
            "portreeve",
            "-f",
            "signers",
            "-s",
            "krl.sig",
        ])
        .current_dir(desk.path())
        .stdin(fs::File::open(&krl).unwrap())
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");

    server.json(&["ca", "rotate", "user", "--now", "--yes"]);
    server.signal("TERM");
    let (_, data, _) = server.ended();
    let again = token.server(data);
    let after = again.json(&["ca", "status"]);
    assert_eq!(after["fingerprint"], status["fingerprint"]);
    assert_eq!(after["user_keys"].as_array().unwrap().len(), 2, "{after}");
    assert_eq!(after["user_keys"][1], status["user_keys"][0]);
    certificate(&again, &public_key);
}

#[test]
fn a_token_that_cannot_be_used_is_said_before_anything_starts() {
    let token = Token::new();
    for (name, label, pin, says) in [
        ("another PIN", "portreeve", "0000", "does not take the PIN"),
        ("another label", "ours", PIN, "there are: \"portreeve\""),
    ] {
        let said = token.refused(label, pin);
        assert!(said.contains(says), "{name}: {said}");
    }
}

#[test]
fn the_master_key_may_come_from_outside() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let server = Server::within(
        TempDir::new().unwrap(),
        &[],
        &[("PORTREEVE_MASTER_KEY", key)],
    );
    let status = server.json(&["ca", "status"]);
    assert!(!server.data.path().join("master.key").exists());
    server.signal("TERM");
    let (_, data, _) = server.ended();

    // The same key as a credential of systemd.
    let credentials = TempDir::new().unwrap();
    fs::write(
        credentials.path().join("portreeve-master-key"),
        (0..32).collect::<Vec<u8>>(),
    )
    .unwrap();
    let folder = credentials.path().to_str().unwrap();
    let server = Server::within(data, &[], &[("CREDENTIALS_DIRECTORY", folder)]);
    assert_eq!(server.json(&["ca", "status"])["keys"], status["keys"]);
    server.signal("TERM");
    let (_, data, _) = server.ended();

    for (name, key, says) in [
        (
            "another",
            "//////////////////////////////////////////8=",
            "another key",
        ),
        ("none", "AAEC", "not a key of 32 bytes"),
    ] {
        let mut serve = portreeve(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--ca-listen",
            "none",
            "--data",
        ]);
        serve.arg(data.path()).env("PORTREEVE_MASTER_KEY", key);
        let done = Done::of(&mut serve);
        assert!(
            done.code != 0 && done.err.contains(says),
            "{name}: {done:?}"
        );
    }
}
