//! The built program: commands with their results, and a server process that is ended as a service manager does it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Far longer than anything takes that ends at all.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program with these words, and with nothing of this environment that would change what it does.
pub(crate) fn portreeve(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
    command.args(words).stdin(Stdio::null());
    // Whoever runs the tests may have chosen a context.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("PORTREEVE_") || name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(&*name);
        }
    }
    command
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// `portreeve serve` on a free port.
pub(crate) struct Server {
    process: Child,
    pub(crate) data: TempDir,
    /// `host:port`
    pub(crate) address: String,
    log: Receiver<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::on(TempDir::new().unwrap(), &[])
    }

    /// Starts a server on data that may be there already.
    pub(crate) fn on(data: TempDir, words: &[&str]) -> Self {
        Self::within(data, words, &[])
    }

    /// The same with variables of its environment.
    pub(crate) fn within(data: TempDir, words: &[&str], environment: &[(&str, &str)]) -> Self {
        let path = data.path().to_str().unwrap().to_owned();
        let mut all = vec!["serve", "--listen", "127.0.0.1:0", "--data", &path];
        // Several run at the same time.
        all.extend(["--ca-listen", "127.0.0.1:0"]);
        all.extend(words);
        let mut process = portreeve(&all)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = channel();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            process,
            data,
            address: String::new(),
            log,
        };
        let ready = server.wait_for("portreeve is ready");
        let (_, rest) = ready.split_once("http://").unwrap();
        server.address = rest.split([' ', ',', '"']).next().unwrap().to_owned();
        server
    }

    /// Reads the log up to the line that contains these words.
    pub(crate) fn wait_for(&self, words: &str) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Runs a command against this server.
    pub(crate) fn run(&self, words: &[&str]) -> Done {
        Done::of(portreeve(words).arg("--data").arg(self.data.path()))
    }

    /// As [`run`](Self::run), for a command as one types it.
    pub(crate) fn run_line(&self, line: &str) -> Done {
        let words = words_of(line);
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// As [`run`](Self::run), for a command that succeeds with JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let mut all = words.to_vec();
        all.extend(["-o", "json"]);
        self.run(&all).json()
    }

    /// Sends a request with a body to a directory, and gives back status and body.
    pub(crate) fn scim(
        &self,
        directory: &Value,
        method: &str,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let body = body.to_string();
        let head = head(directory, method, path, body.len());
        write!(stream, "{head}Connection: close\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        parse(&answer)
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end. Nothing may have been printed to standard output but how the first owner comes in.
    pub(crate) fn ended(mut self) -> (ExitStatus, TempDir, Vec<String>) {
        let status = self.process.wait().unwrap();
        let mut printed = String::new();
        let mut stdout = self.process.stdout.take().unwrap();
        stdout.read_to_string(&mut printed).unwrap();
        let invites =
            |line: &str| line.contains("/auth/link/") || line.starts_with("Another link:");
        assert!(printed.lines().all(invites), "{printed}");
        let log = self.log.iter().collect();
        // The folder outlives this process, whose end is seen to already.
        let data = std::mem::replace(&mut self.data, TempDir::new().unwrap());
        (status, data, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail harmlessly when the server has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The head of a request on a directory, without the empty line.
pub(crate) fn head(directory: &Value, method: &str, path: &str, length: usize) -> String {
    let base = directory["tenant_url"].as_str().unwrap();
    let base = &base[base.find("/scim/").unwrap()..];
    let token = directory["secret_token"].as_str().unwrap();
    format!(
        "{method} {base}{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {length}\r\n"
    )
}

/// Status and JSON body of an answer.
pub(crate) fn parse(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Whether anybody listens there.
pub(crate) fn listens(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}

/// A file with a text in it.
pub(crate) fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The words of a command line, with single quotes as a shell has them.
fn words_of(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}
