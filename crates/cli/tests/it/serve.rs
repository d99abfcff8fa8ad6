//! `portreeve serve` from start to end: one line when ready, requests finished at the end, starts that fail well.

use crate::program::{Done, Server, file, head, listens, parse, portreeve};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;
use tempfile::TempDir;

#[test]
fn a_request_under_way_is_finished_before_the_end() {
    for signal in ["TERM", "INT"] {
        let server = Server::start();
        let directory = server.json(&["directory", "create", "Contoso"]);
        let body =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"})
                .to_string();
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let head = head(&directory, "POST", "/Users", body.len());
        // The server asks for the body once it is at work on the request.
        write!(stream, "{head}Expect: 100-continue\r\n\r\n").unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).unwrap();
        assert!(go_on.starts_with(b"HTTP/1.1 100"), "{signal}");

        server.signal(signal);
        while listens(&server.address) {
            thread::yield_now();
        }
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(parse(&answer).0, 201, "{signal}: {answer}");

        let (status, data, _) = server.ended();
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(!data.path().join("portreeve.sock").exists(), "{signal}");
        let again = Server::on(data, &[]);
        assert_eq!(
            again.json(&["user", "list"])[0]["user_name"],
            "ada",
            "{signal}"
        );
    }
}

#[test]
fn somebody_who_follows_the_log_does_not_hold_up_the_end() {
    let server = Server::start();
    let directory = server.json(&["directory", "create", "Contoso"]);
    let mut follower = portreeve(&[
        "event",
        "tail",
        "-f",
        "--category",
        "SCIM_SYNC",
        "-o",
        "json",
        "--data",
    ])
    .arg(server.data.path())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(follower.stdout.take().unwrap()));
    let user = |name: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    // The first is there when the follower comes or comes while it waits; it sees both in order either way.
    for name in ["ada", "grace"] {
        assert_eq!(
            server.scim(&directory, "POST", "/Users", &user(name)).0,
            201
        );
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["object"]["name"], name);
    }
    server.signal("TERM");
    let (status, _, log) = server.ended();
    assert_eq!(status.code(), Some(0));
    let cut_off = log.iter().any(|line| line.contains("cut off"));
    assert!(!cut_off, "the follower was answered: {log:?}");
    assert_eq!(
        follower.wait().unwrap().code(),
        Some(9),
        "the server is gone"
    );
}

#[test]
fn the_ready_line_has_the_urls_in_both_forms_of_the_log() {
    let server = Server::on(
        TempDir::new().unwrap(),
        &[
            "--log-format",
            "json",
            "--public-url",
            "https://roll.contoso.example/",
        ],
    );
    let directory = server.json(&["directory", "create", "Contoso"]);
    let url = directory["tenant_url"].as_str().unwrap();
    assert!(
        url.starts_with("https://roll.contoso.example/scim/"),
        "{url}"
    );
    assert!(listens(&server.address));
    server.signal("TERM");
    let (_, data, log) = server.ended();
    assert_eq!(log, Vec::<String>::new(), "one line says it all");

    let server = Server::on(
        data,
        &["--log", "warn,portreeve_server=info,portreeve=info"],
    );
    assert!(server.data.path().join("portreeve.sock").exists());
}

#[test]
fn a_setting_that_is_wrong_says_what_is_right() {
    let folder = TempDir::new().unwrap();
    let wrong = file(folder.path(), "wrong.toml", "lisen = \"127.0.0.1:1\"");
    for (name, words, says) in [
        ("address", ["--listen", "localhost"], "127.0.0.1:8460"),
        ("setting", ["--config", &wrong], "lisen"),
        ("file", ["--config", "/nowhere.toml"], "/nowhere.toml"),
        ("log form", ["--log-format", "xml"], "text or json"),
        ("log filter", ["--log", "a=b=c"], "warn, info"),
        ("database", ["--database", "mysql://x"], "sqlite:///"),
        ("server", ["--url", "http://localhost"], "--public-url"),
    ] {
        let mut command = portreeve(&["serve"]);
        command.args(words).env("PORTREEVE_DATA", folder.path());
        let done = Done::of(&mut command);
        assert_eq!((done.code, &*done.out), (2, ""), "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {}", done.err);
    }
}

#[test]
fn a_start_that_fails_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let file = file(folder.path(), "file", "");
    for (name, data, listen, says) in [
        ("taken address", at("data"), &*taken, "--listen"),
        ("folder that is a file", file, "127.0.0.1:0", "--data"),
        (
            "path too long for a socket",
            at(&"d".repeat(120)),
            "127.0.0.1:0",
            "shorter path",
        ),
    ] {
        let words = ["serve", "--data", &data, "--listen", listen];
        let done = Done::of(&mut portreeve(&words));
        assert_eq!((done.code, &*done.out), (1, ""), "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {}", done.err);
    }
}

#[test]
fn a_second_server_on_the_same_data_is_refused_and_harms_nothing() {
    let server = Server::start();
    let data = server.data.path().to_str().unwrap();
    let second = Done::of(&mut portreeve(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data,
    ]));
    assert_eq!(second.code, 1, "{second:?}");
    assert_eq!(
        server.run(&["directory", "list"]).code,
        0,
        "the socket of the first still works"
    );
}

/// The log may be on the disk that is full, and on the same as the database.
#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let data = TempDir::new().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let path = data.path().to_str().unwrap();
    let mut server = portreeve(&["serve", "--listen", "127.0.0.1:0", "--data", path])
        .stdout(Stdio::null())
        .stderr(full)
        .spawn()
        .unwrap();
    let made = loop {
        let made = Done::of(portreeve(&["directory", "create", "acme"]).args(["--data", path]));
        match server.try_wait().unwrap() {
            Some(status) => panic!("it ended: {status}"),
            None if made.code == 9 => {}
            None => break made,
        }
    };
    assert_eq!(made.code, 0, "{made:?}");
    let again = Done::of(portreeve(&["directory", "create", "other"]).args(["--data", path]));
    assert_eq!(again.code, 0, "{again:?}");
    server.kill().unwrap();
    server.wait().unwrap();
}
