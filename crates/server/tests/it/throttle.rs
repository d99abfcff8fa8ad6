//! Too many requests: of one client, which is told to slow down, or of all, of which some are told to come again.

use crate::talk::{Answer, Directory, Server, connect, head, read_some, whole};
use portreeve_server::config::{Load, Patience};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

fn with(load: Load) -> Server {
    Server::start_as(|config| config.load = load)
}

/// The statuses of so many requests, one after the other.
fn statuses(requests: usize, ask: impl Fn() -> u16) -> Vec<u16> {
    (0..requests).map(|_| ask()).collect()
}

/// The answer to a request over a limit: when to come again, and a SCIM error that names the setting.
fn is_refused(answer: &Answer, status: u16, setting: &str) {
    assert_eq!(
        (answer.status, answer.json["status"].as_str()),
        (status, Some(status.to_string().as_str())),
        "{answer:?}"
    );
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds >= 1, "{answer:?}");
    assert_eq!(answer.json.get("scimType"), None, "{answer:?}");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains(setting), "{detail}");
}

#[test]
fn a_token_has_a_rate_and_each_its_own() {
    let server = with(Load {
        token_rate: 5,
        ..Load::default()
    });
    let directory = server.directory("generic", None);
    let ask = || directory.get("/Me").status;
    assert_eq!(statuses(10, ask), [501; 10], "two seconds' worth at once");
    is_refused(&directory.get("/Me"), 429, "rate-limit-token");

    let (other, _) = directory.new_token(None);
    let other = format!("Bearer {other}");
    let answer = directory.send("GET", "/Me", &[("Authorization", &other)], None);
    assert_eq!(answer.status, 501, "another token of the directory");
    assert_eq!(server.directory("generic", None).get("/Me").status, 501);

    server.clock().advance_seconds(1);
    let after_a_second = statuses(7, ask);
    assert_eq!(after_a_second[..5], [501; 5]);
    assert_eq!(after_a_second[5..], [429; 2]);
}

#[test]
fn a_refusal_for_the_rate_comes_before_the_body_and_for_unknown_endpoints_too() {
    let server = with(Load {
        token_rate: 1,
        ..Load::default()
    });
    let directory = server.directory("generic", None);
    statuses(2, || directory.get("/Me").status);
    let mut stream = connect(&server);
    let request = head(&directory, "POST /Users", "Content-Length: 1000\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let answer = read_some(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    is_refused(&directory.get("/Roles"), 429, "rate-limit-token");
}

#[test]
fn refusals_for_the_rate_leave_one_event_a_minute() {
    let server = with(Load {
        token_rate: 1,
        ..Load::default()
    });
    let directory = server.directory("generic", None);
    let events = || -> Vec<Value> {
        let mut events = directory.events();
        events.retain(|event| event["reason"] == "rate_limited");
        events
    };
    statuses(20, || directory.get("/Me").status);
    let told = events();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["category"], "SCIM_SYNC");
    assert_eq!(told[0]["actor"]["type"], "token", "{}", told[0]);
    server.clock().advance_seconds(30);
    statuses(20, || directory.get("/Me").status);
    assert_eq!(events().len(), 1);
    server.clock().advance_seconds(31);
    statuses(20, || directory.get("/Me").status);
    assert_eq!(events().len(), 2);
}

#[test]
fn entra_is_never_slowed_down() {
    let server = Server::start();
    let directory = server.directory("entra", None);
    for second in 0..20 {
        let found = statuses(25, || {
            directory.get("/Users?filter=userName eq \"ann\"").status
        });
        assert_eq!(found, [200; 25], "second {second}");
        server.clock().advance_seconds(1);
    }
}

#[test]
fn guesses_from_an_address_have_a_rate_and_do_not_slow_down_who_has_a_token() {
    let server = with(Load {
        address_rate: 2,
        ..Load::default()
    });
    let directory = server.directory("generic", None);
    let elsewhere = server.elsewhere("nowhere");
    let guess = |token: &str| directory.send("GET", "/Users", &[("Authorization", token)], None);
    for (name, ask) in [
        (
            "wrong tokens",
            &(|| guess("Bearer prv_scim_x").status) as &dyn Fn() -> u16,
        ),
        ("no tokens", &|| guess("").status),
        ("no directory", &|| elsewhere.get("/Users").status),
    ] {
        let seen = statuses(10, ask);
        assert_eq!(seen[..8], [401; 8], "{name}");
        assert_eq!(seen[8..], [429; 2], "{name}");
        assert_eq!(statuses(20, || directory.get("/Users").status), [200; 20]);
        server.clock().advance_seconds(4);
    }
    statuses(8, || guess("").status);
    for token in ["", "Bearer prv_scim_x"] {
        is_refused(&guess(token), 429, "rate-limit-address");
    }
}

#[test]
fn every_surface_counts_strangers_and_says_so_in_its_own_words() {
    let server = with(Load {
        address_rate: 1,
        ..Load::default()
    });
    let directory = server.directory("generic", None);
    let get = |path: &str, more: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
        whole(&server, &request)
    };
    let base = directory.path();
    let config = format!("{base}/ServiceProviderConfig");
    let stream = format!("/scim/{}/streams/x", directory.id);
    for (path, status, form) in [
        ("/api/v1/me", 401, "application/problem+json"),
        (config.as_str(), 200, "application/scim+json"),
        ("/nowhere", 404, "application/scim+json"),
        (stream.as_str(), 405, "application/scim+json"),
    ] {
        for more in ["", "Authorization: Bearer prv_scim_x\r\n"] {
            let status = match more {
                "" => status,
                // A wrong token is a mistake that the client should hear of.
                _ if path == config => 401,
                _ => status,
            };
            server.clock().advance_seconds(4);
            for _ in 0..4 {
                let answer = get(path, more);
                assert!(
                    answer.starts_with(&format!("HTTP/1.1 {status}")),
                    "{path} {more}: {answer}"
                );
            }
            let answer = get(path, more).to_ascii_lowercase();
            assert!(
                answer.starts_with("http/1.1 429")
                    && answer.contains("retry-after: 1\r\n")
                    && answer.contains(&format!("content-type: {form}"))
                    && answer.contains("x-request-id: "),
                "{path} {more}: {answer}"
            );
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert!(get(path, "").starts_with("HTTP/1.1 200"), "{path}");
    }
    let version = server.admin(Method::GET, "/version", None);
    assert!(version["version"].is_string(), "{version}");
}

#[test]
fn what_an_address_is_only_a_trusted_proxy_may_say() {
    for (name, trusted, expected) in [
        ("nobody is trusted", vec![], [401, 401, 401, 401, 429, 429]),
        ("the proxy is", vec![IpAddr::from([127, 0, 0, 1])], [401; 6]),
    ] {
        let server = Server::start_as(|config| {
            config.load.address_rate = 1;
            config.trusted_proxies.extend(trusted);
        });
        let directory = server.directory("generic", None);
        let seen: Vec<u16> = (0..6)
            .map(|i| {
                let from = format!("198.51.100.{i}");
                let headers = [("Authorization", ""), ("X-Forwarded-For", from.as_str())];
                directory.send("GET", "/Users", &headers, None).status
            })
            .collect();
        assert_eq!(seen, expected, "{name}");
    }
}

/// A connection on which a request is under way: the server waits for its body.
fn held(server: &Server, request: &str) -> TcpStream {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    let answer = read_some(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 100"), "{answer}");
    stream
}

const HELD: &str = "Content-Length: 2\r\nExpect: 100-continue\r\n";

#[test]
fn more_requests_than_are_worked_on_at_once_are_told_to_come_again() {
    let server = with(Load {
        requests: 2,
        ..Load::default()
    });
    let directory = server.directory("generic", None);
    let request = head(&directory, "POST /Users", HELD);
    let mut busy = [(); 2].map(|()| held(&server, &request));
    is_refused(&directory.get("/Users"), 503, "max-requests");
    let health = whole(
        &server,
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(directory.events().is_empty(), "it is no event");
    busy[0].write_all(b"{}").unwrap();
    assert!(read_some(&mut busy[0]).starts_with("HTTP/1.1 400"));
    assert_eq!(directory.get("/Users").status, 200);
}

/// A stream of the directory to be polled: the head of a poll up to the headers of its own.
fn poll(server: &Server, directory: &Directory<'_>, more: &str) -> String {
    let path = format!("/directories/{}/streams", directory.id);
    let wanted = json!({"delivery": "poll", "content": "notice", "audience": "receiver"});
    let made = server.admin(Method::POST, &path, Some(&wanted));
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}"));
    format!(
        "POST /scim/{}/streams/{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n{more}\r\n",
        directory.id,
        text("id"),
        text("secret")
    )
}

#[test]
fn requests_that_wait_are_counted_apart() {
    let server = Server::start_as(|config| {
        config.load.requests = 1;
        config.patience.waits = 1;
    });
    let directory = server.directory_with(json!({"provider": "generic", "security_events": true}));
    let request = poll(&server, &directory, &format!("Connection: close\r\n{HELD}"));
    let waiting = held(&server, &request);
    assert_eq!(directory.get("/Users").status, 200);
    let refused = whole(&server, &request);
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    drop(waiting);
}

#[test]
fn the_secret_of_a_stream_has_a_rate_like_a_token() {
    let server = Server::start_as(|config| {
        config.load.token_rate = 2;
        config.load.address_rate = 1;
    });
    let directory = server.directory_with(json!({"provider": "generic", "security_events": true}));
    let body = r#"{"returnImmediately":true}"#;
    let more = format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
    let request = poll(&server, &directory, &more) + body;
    for _ in 0..4 {
        let answer = whole(&server, &request);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let refused = whole(&server, &request);
    assert!(
        refused.starts_with("HTTP/1.1 429")
            && refused.contains("retry-after: 1\r\n")
            && refused.contains("rate-limit-token"),
        "{refused}"
    );
}

#[test]
fn a_request_that_the_server_does_not_get_done_is_given_up() {
    let server = Server::start_as(|config| config.load.timeout = Duration::from_millis(300));
    let directory = server.directory("generic", None);
    // These get the room that there is for large bodies, and keep it because they do not come to an end.
    let large = format!(
        "{}{}",
        head(&directory, "POST /Users", "Content-Length: 70000\r\n"),
        " ".repeat(69_999)
    );
    let _large: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(large.as_bytes()).unwrap();
            stream
        })
        .collect();
    let body =
        json!({"userName": "big", "title": "x".repeat(65_000), "nickName": "y".repeat(1000)});
    // Until they have arrived, one that comes later may be faster.
    let refused = (0..100)
        .map(|_| directory.send("PUT", "/Users/x", &[], Some(&body.to_string())))
        .find(|answer| answer.status == 503)
        .unwrap();
    is_refused(&refused, 503, "request-timeout");
    assert_eq!(directory.get("/Users").status, 200);
}

#[test]
fn the_time_that_a_body_takes_is_not_that_of_the_server() {
    let server = Server::start_as(|config| {
        config.load.timeout = Duration::from_millis(50);
        config.patience = Patience {
            body: Duration::from_millis(300),
            ..Patience::default()
        };
    });
    let directory = server.directory("generic", None);
    let mut stream = connect(&server);
    let request = head(&directory, "POST /Users", "Content-Length: 2\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let answer = read_some(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}
