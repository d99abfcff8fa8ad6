//! Signing in at a server elsewhere, and the contexts that come of it.

use crate::program::{Done, Server, portreeve};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Somebody at another machine, with a folder of their own for contexts.
struct Person {
    config: TempDir,
}

/// A command that waits for a browser.
pub(crate) struct Waiting {
    process: Child,
    told: BufReader<std::process::ChildStderr>,
}

impl Person {
    fn new() -> Self {
        Self {
            config: TempDir::new().unwrap(),
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = portreeve(words);
        command.env("XDG_CONFIG_HOME", self.config.path());
        // Where tests run there is no browser, and nobody to see one.
        for name in [
            "BROWSER",
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "SSH_CONNECTION",
            "SSH_TTY",
        ] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, words: &[&str]) -> Done {
        Done::of(&mut self.command(words))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.config.path().join("portreeve").join(name)
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.file(name)).unwrap().permissions().mode() & 0o777
    }

    /// Starts a command that tells on standard error what to do in a browser.
    fn waits(&self, words: &[&str], browser: Option<&str>) -> Waiting {
        let mut command = self.command(words);
        command.envs(browser.map(|browser| ("BROWSER", browser)));
        Waiting::of(command)
    }

    /// Signs in with a browser on this machine.
    fn signs_in(&self, server: &Server) -> Done {
        let url = format!("http://{}", server.address);
        let mut login = self.waits(&["login", &url, "-o", "json"], Some("true"));
        login.is_approved_in(&Browser::signed_in(server));
        login.ended()
    }
}

impl Waiting {
    /// Starts a command that tells on standard error what to do in a browser.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(process.stderr.take().unwrap());
        Self { process, told }
    }

    /// Opens the address that is told, and says yes there.
    pub(crate) fn is_approved_in(&mut self, browser: &Browser) {
        let line = self.line(|line| line.starts_with("http"));
        let (_, query) = line.split_once('?').unwrap();
        let form = format!("{query}&decision=approve");
        let sent = browser.post("/auth/cli/authorize", &form);
        let back = header(&sent, "location").unwrap();
        let rest = back.strip_prefix("http://").expect(back);
        let (address, path) = rest.split_once('/').unwrap();
        let page = exchange(address, "GET", &format!("/{path}"), "", "");
        assert!(page.contains("You can close this page"), "{page}");
    }

    /// Reads what is told up to such a line.
    fn line(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            let mut line = String::new();
            assert!(self.told.read_line(&mut line).unwrap() > 0, "it has ended");
            if is_it(line.trim()) {
                return line.trim().to_owned();
            }
        }
    }

    pub(crate) fn ended(mut self) -> Done {
        let mut err = String::new();
        self.told.read_to_string(&mut err).unwrap();
        let output = self.process.wait_with_output().unwrap();
        Done {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err,
        }
    }
}

/// A browser in which somebody is signed in.
pub(crate) struct Browser {
    pub(crate) address: String,
    pub(crate) cookie: String,
}

impl Browser {
    /// With an owner.
    fn signed_in(server: &Server) -> Self {
        let link = server.json(&["owner", "link"]);
        let url = link["url"].as_str().unwrap();
        let followed = exchange(
            &server.address,
            "GET",
            &url[url.find("/auth/").unwrap()..],
            "",
            "",
        );
        let cookie = header(&followed, "set-cookie").unwrap();
        Self {
            address: server.address.clone(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    fn post(&self, path: &str, form: &str) -> String {
        let headers = format!("Cookie: {}\r\nSec-Fetch-Site: same-origin\r\n", self.cookie);
        exchange(&self.address, "POST", path, &headers, form)
    }
}

pub(crate) fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    form: &str,
) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = form.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{form}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = answer
        .lines()
        .map_while(|line| line.split_once(": ").or(Some((line, ""))));
    lines.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
}

#[test]
fn the_browser_of_this_machine_signs_in() {
    let server = Server::start();
    let ada = Person::new();
    let done = ada.signs_in(&server);
    let signed_in = done.json();
    assert_eq!(signed_in["context"], server.address.as_str());
    assert_eq!(signed_in["who"]["level"], "owner");
    assert_eq!((ada.mode("secrets.toml"), ada.mode("")), (0o600, 0o700));
    let public = fs::read_to_string(ada.file("contexts.toml")).unwrap();
    let secret = fs::read_to_string(ada.file("secrets.toml")).unwrap();
    assert!(
        !public.contains("prv_") && secret.contains("prv_cli_"),
        "{public}"
    );
    assert!(
        !done.out.contains("prv_") && !done.err.contains("prv_"),
        "{done:?}"
    );

    goes_there_unless_told_otherwise(&server, &ada);

    let sessions = ada.run(&["session", "list", "--own", "-o", "json"]).json();
    let current = sessions
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["current"] == true);
    assert_eq!(current.unwrap()["kind"], "cli", "{sessions}");

    assert_eq!(ada.run(&["logout"]).code, 0);
    let out = ada.run(&["whoami"]);
    assert_eq!(out.code, 4, "{out:?}");
    assert!(out.err.contains("portreeve login --context"), "{out:?}");
    let url = format!("http://{}", server.address);
    let token = secret
        .split('"')
        .find(|part| part.starts_with("prv_cli_"))
        .unwrap();
    let stolen = Done::of(
        ada.command(&["whoami", "--url", &url])
            .env("PORTREEVE_TOKEN", token),
    );
    assert_eq!(
        stolen.code, 4,
        "the session has ended at the server: {stolen:?}"
    );
    assert_eq!(ada.run(&["logout"]).code, 4, "once");
}

/// A context is used only where nothing else says which server.
fn goes_there_unless_told_otherwise(server: &Server, ada: &Person) {
    let me = ada.run(&["whoami", "-o", "json"]).json();
    assert_eq!(me["kind"], "owner");
    let here = ada.run(&[
        "whoami",
        "-o",
        "json",
        "--data",
        server.data.path().to_str().unwrap(),
    ]);
    assert_eq!(here.json()["kind"], "local", "a flag");
    let by_variable = Done::of(
        ada.command(&["whoami", "-o", "json"])
            .env("PORTREEVE_DATA", server.data.path()),
    );
    assert_eq!(by_variable.json()["kind"], "local", "a variable");
    let url = format!("http://{}", server.address);
    let by_url = ada.run(&["whoami", "-o", "json", "--url", &url]);
    assert_eq!(by_url.json()["kind"], "owner", "the address of a context");
}

#[test]
fn a_browser_elsewhere_signs_in_with_a_code() {
    let server = Server::start();
    let ada = Person::new();
    let url = format!("http://{}", server.address);
    let browser = Browser::signed_in(&server);
    // The first has no browser, the second was told not to use it, the browser of the third does not open.
    for (name, words, with, decision, code) in [
        ("none", vec!["login", &url], None, "approve", 0),
        (
            "unwanted",
            vec!["login", &url, "--no-browser"],
            Some("true"),
            "deny",
            3,
        ),
        ("broken", vec!["login", &url], Some("false"), "deny", 3),
    ] {
        let mut login = ada.waits(&words, with);
        let user_code = login.line(|line| line.len() == 9 && line.as_bytes()[4] == b'-');
        let form = format!("user_code={user_code}&decision={decision}");
        let decided = browser.post("/auth/device", &form);
        assert!(decided.starts_with("HTTP/1.1 200"), "{name}: {decided}");
        let done = login.ended();
        assert_eq!(done.code, code, "{name}: {done:?}");
    }
    assert_eq!(ada.run(&["whoami", "-o", "json"]).json()["kind"], "owner");
}

#[test]
fn an_api_token_signs_in_and_allows_what_it_allows() {
    let server = Server::start();
    let ada = Person::new();
    ada.signs_in(&server);
    let made = ada
        .run(&["api-token", "create", "--permission", "self", "-o", "json"])
        .json();
    let url = format!("http://{}", server.address);
    let mut login = ada
        .command(&["login", &url, "--token-stdin", "--context", "robot"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = login.stdin.take().unwrap();
    writeln!(stdin, "{}", made["secret"].as_str().unwrap()).unwrap();
    drop(stdin);
    assert!(login.wait_with_output().unwrap().status.success());
    let forbidden = ada.run(&["directory", "list"]);
    assert_eq!(forbidden.code, 5, "{forbidden:?}");
    assert!(forbidden.err.contains("portreeve whoami"), "{forbidden:?}");
    let other = ada.run(&["directory", "list", "--context", &server.address]);
    assert_eq!(other.code, 0, "{other:?}");
    let wrong = Done::of(
        ada.command(&["whoami"])
            .env("PORTREEVE_TOKEN", "prv_api_AAAA"),
    );
    assert_eq!(wrong.code, 4, "{wrong:?}");
    assert!(wrong.err.contains("PORTREEVE_TOKEN"), "{wrong:?}");
}

#[test]
fn contexts_come_and_go() {
    let ada = Person::new();
    let codes = |lines: &[(&str, i32)]| {
        for (line, code) in lines {
            let words: Vec<_> = line.split(' ').collect();
            let done = ada.run(&words);
            assert_eq!(done.code, *code, "{line}: {done:?}");
        }
    };
    codes(&[
        ("context current", 6),
        ("context add a https://a.example/", 0),
        ("context add a https://b.example", 7),
        ("context add b ftp://b.example", 2),
        ("context add b https://b.example", 0),
        ("context use c", 6),
        ("context use", 2),
        ("context use b", 0),
    ]);
    let current = ada.run(&["context", "current", "-o", "json"]).json();
    assert_eq!(
        current,
        serde_json::json!({"name": "b", "url": "https://b.example", "current": true, "signed_in": false})
    );
    assert_eq!(ada.run(&["context", "list", "-o", "name"]).out, "a\nb\n");
    codes(&[
        ("context use --local", 0),
        ("context current", 6),
        ("context remove b", 0),
        ("context remove b", 6),
        ("whoami --context b", 6),
        ("logout", 2),
        ("logout --context a", 4),
        ("login", 2),
        ("login http://a.example", 2),
        ("login --data /x https://a.example", 2),
    ]);
}

#[test]
fn tokens_that_others_can_read_are_not_used() {
    let ada = Person::new();
    ada.run(&["context", "add", "a", "https://a.example"]);
    let secrets = ada.file("secrets.toml");
    fs::set_permissions(&secrets, Permissions::from_mode(0o644)).unwrap();
    let refused = ada.run(&["context", "list"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("chmod 600"), "{refused:?}");
    fs::set_permissions(&secrets, Permissions::from_mode(0o600)).unwrap();
    fs::write(ada.file("contexts.toml"), "current = ").unwrap();
    let broken = ada.run(&["context", "list"]);
    assert_eq!(broken.code, 2, "{broken:?}");
    assert!(broken.err.contains("contexts.toml"), "{broken:?}");
}

#[test]
fn names_are_completed_from_the_server() {
    let server = Server::start();
    server.json(&["directory", "create", "Own", "--provider", "native"]);
    server.json(&["user", "create", "ada@own.example"]);
    server.json(&["user", "create", "grace@own.example"]);
    server.json(&["group", "create", "Crew"]);
    let data = server.data.path().to_str().unwrap();
    let nowhere = TempDir::new().unwrap();
    let nowhere = nowhere.path().to_str().unwrap();
    for (name, data, words, expected) in [
        ("directory", data, vec!["directory", "get", ""], vec!["Own"]),
        (
            "user",
            data,
            vec!["user", "get", "a"],
            vec!["ada@own.example"],
        ),
        (
            "group",
            data,
            vec!["group", "get", "-d", "Own", ""],
            vec!["Crew"],
        ),
        ("team", data, vec!["team", "get", ""], vec!["main"]),
        (
            "permission",
            data,
            vec![
                "service-account",
                "create",
                "x",
                "--permission",
                "user:read,group:r",
            ],
            vec!["user:read,group:read"],
        ),
        ("no server", nowhere, vec!["directory", "get", ""], vec![]),
    ] {
        let found = completed(Path::new(data), &words);
        let values: Vec<_> = found
            .iter()
            .map(String::as_str)
            .filter(|value| !value.starts_with('-'))
            .collect();
        assert_eq!(values, expected, "{name}");
    }
}

/// What a shell is told of the last word.
fn completed(data: &Path, words: &[&str]) -> Vec<String> {
    let data = format!("--data={}", data.display());
    let mut all = vec!["--", "portreeve", &data];
    all.extend(words);
    let index = all.len() - 2;
    let done = Done::of(
        portreeve(&all)
            .env("PORTREEVE_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", index.to_string())
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_COMPLETE_SPACE", "true")
            .env("_CLAP_IFS", "\n"),
    );
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    done.out.lines().map(str::to_owned).collect()
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = TempDir::new().unwrap();
    let man = folder.path().join("man1");
    let done = Done::of(&mut portreeve(&["man", man.to_str().unwrap()]));
    assert_eq!(done.code, 0, "{done:?}");
    for page in ["portreeve.1", "portreeve-login.1", "portreeve-group-add.1"] {
        let text = fs::read_to_string(man.join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    let help = Done::of(&mut portreeve(&["help", "exit-codes"]));
    assert!(help.out.contains("4  not signed in"), "{help:?}");
}
