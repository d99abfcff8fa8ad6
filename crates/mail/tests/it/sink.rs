//! A real mail server: aiosmtpd from the distribution, with a certificate of the test's own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use portreeve_mail::{Message, Settings};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

/// Python as the distribution has it, which is the one its packages are for.
const PYTHON: &str = "/usr/bin/python3";

const FROM: &str = "Portreeve <portreeve@contoso.example>";

/// How the server encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Plain,
    StartTls,
    Tls,
}

/// What its certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certificate {
    Good,
    OtherName,
    Expired,
}

/// A running server. It ends with its owner.
pub(crate) struct Sink {
    folder: TempDir,
    process: Child,
    port: u16,
    wire: Wire,
    said: BufReader<ChildStdout>,
}

impl Sink {
    pub(crate) fn start(wire: Wire, words: &[&str]) -> Self {
        Self::start_with(wire, Certificate::Good, words)
    }

    pub(crate) fn start_with(wire: Wire, certificate: Certificate, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path(), certificate);
        let encryption = match wire {
            Wire::Plain => "none",
            Wire::StartTls => "starttls",
            Wire::Tls => "always",
        };
        let mut process = Command::new(PYTHON)
            .args(["-B", "-W", "ignore"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sink.py"))
            .args(["--encryption", encryption, "--certificate"])
            .arg(folder.path().join("server.pem"))
            .arg("--key")
            .arg(folder.path().join("server.key"))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mail server starts; scripts/setup test installs it");
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut port = String::new();
        said.read_line(&mut port).unwrap();
        Self {
            folder,
            process,
            port: port
                .trim()
                .parse()
                .expect("the mail server says its port; scripts/setup test installs it"),
            wire,
            said,
        }
    }

    /// Settings that reach it, with a user or without.
    pub(crate) fn settings(&self, user: &str) -> Settings {
        let scheme = match self.wire {
            Wire::Plain | Wire::StartTls => "smtp",
            Wire::Tls => "smtps",
        };
        let at = if user.is_empty() { "" } else { "@" };
        let server = format!("{scheme}://{user}{at}127.0.0.1:{}", self.port);
        Settings {
            encrypted: (self.wire == Wire::StartTls).then_some(true),
            ca_file: Some(self.ca_file()),
            ..Settings::new(server, FROM)
        }
    }

    /// The authority its certificate comes from.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Ends it. What it has taken.
    pub(crate) fn taken(mut self) -> Vec<Value> {
        drop(self.process.stdin.take());
        let lines = self.said.by_ref().lines().map(Result::unwrap);
        lines
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A mail to somebody.
pub(crate) fn mail(to: &str) -> Message {
    Message {
        id: "0194d2c0-0000-7000-8000-000000000001".to_owned(),
        to: to.to_owned(),
        subject: "Hello".to_owned(),
        text: "Good morning.\n".to_owned(),
        at: "2026-11-22T08:00:00Z".parse().unwrap(),
    }
}

/// An authority, and a certificate of it.
fn certify(folder: &Path, what: Certificate) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let own = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let name = match what {
        Certificate::OtherName => "elsewhere.example",
        Certificate::Good | Certificate::Expired => "127.0.0.1",
    };
    let mut server = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if what == Certificate::Expired {
        server.not_before = rcgen::date_time_ymd(2020, 1, 1);
        server.not_after = rcgen::date_time_ymd(2021, 1, 1);
    }
    let server_key = KeyPair::generate().unwrap();
    let signed = server.signed_by(&server_key, &issuer).unwrap();
    std::fs::write(folder.join("ca.pem"), own.pem()).unwrap();
    std::fs::write(folder.join("server.pem"), signed.pem()).unwrap();
    std::fs::write(folder.join("server.key"), server_key.serialize_pem()).unwrap();
}
