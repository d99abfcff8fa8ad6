//! What a monitoring system reads.

use crate::talk::Server;
use portreeve_server::config::Aside;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::TcpListener;

/// The samples by name and labels, after the text was looked at as OpenMetrics wants it.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let text = text.strip_suffix("# EOF\n").unwrap();
    let mut described = Vec::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (kind, name) = (words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind), "{line}");
            assert!(!words.next().unwrap().is_empty(), "{line}");
            described.push(name.to_owned());
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let family = described.last().unwrap();
        assert!(name.starts_with(family.as_str()), "{line} after {family}");
        let before = samples.insert(name.to_owned(), value.parse().unwrap());
        assert_eq!(before, None, "{line} is there twice");
    }
    samples
}

#[test]
fn what_was_asked_and_done_is_counted() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let ada = json!({"userName": "ada@contoso.example"}).to_string();
    assert_eq!(
        directory.send("POST", "/Users", &[], Some(&ada)).status,
        201
    );
    assert_eq!(
        directory.send("POST", "/Users", &[], Some(&ada)).status,
        409
    );
    let (status, media_type, before) = server.measured("/metrics");
    assert_eq!(status, 200);
    assert!(media_type.starts_with("application/openmetrics-text; version=1.0.0"));
    let before = samples(&before);
    let of = |area: &str, code: u16| {
        format!("portreeve_http_requests_total{{area=\"{area}\",code=\"{code}\"}}")
    };
    assert_eq!(before[&of("scim", 201)], 1.0);
    assert_eq!(before[&of("scim", 409)], 1.0);
    let seconds = "portreeve_http_request_duration_seconds_count{area=\"scim\"}";
    assert_eq!(before[seconds], 2.0);
    assert_eq!(
        before["portreeve_http_requests_under_way"], 1.0,
        "whoever asks for the metrics"
    );
    let version = concat!(
        "portreeve_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"}"
    );
    assert_eq!(before[version], 1.0);
    let positive = [
        "portreeve_store_writes_total",
        "portreeve_store_commits_total",
        "portreeve_store_statements_total",
        "process_start_time_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
    ];
    for name in positive {
        assert!(before[name] > 0.0, "{name}");
    }
    assert!(before["process_cpu_seconds_total"] >= 0.0);

    let eve = json!({"userName": "eve@contoso.example"}).to_string();
    assert_eq!(
        directory.send("POST", "/Users", &[], Some(&eve)).status,
        201
    );
    let after = samples(&server.measured("/metrics").2);
    assert_eq!(after[&of("scim", 201)], 2.0);
    assert_eq!(after[&of("health", 200)], 1.0, "the metrics before");
    let writes = "portreeve_store_writes_total";
    assert!(after[writes] > before[writes]);
}

#[test]
fn nothing_that_is_asked_becomes_a_name() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    for path in ["/Users/evil%22%7D", "/\u{202e}", "/Users?filter=x%0Ay"] {
        directory.get(path);
    }
    let text = server.measured("/metrics").2;
    let of_requests = |line: &&str| line.starts_with("portreeve_http_requests_total");
    for line in text.lines().filter(of_requests) {
        let (_, labels) = line.split_once('{').unwrap();
        let (area, _) = labels.split_once(',').unwrap();
        assert!(
            ["area=\"scim\"", "area=\"api\"", "area=\"health\""].contains(&area),
            "{line}"
        );
    }
}

#[test]
fn the_listener_has_nothing_else_and_the_others_have_no_metrics() {
    let server = Server::start();
    for path in ["/", "/healthz", "/scim/x/v2/Users", "/console"] {
        let (status, _, text) = server.measured(path);
        assert_eq!(status, 404, "{path}");
        assert!(text.contains("/metrics"), "{path}: {text}");
    }
    let directory = server.directory("generic", None);
    let public = crate::talk::whole(
        &server,
        "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(public.starts_with("HTTP/1.1 404 "), "{public}");
    assert_eq!(directory.get("/metrics").status, 404);
}

#[test]
fn a_usual_address_that_is_taken_is_done_without() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = Some(taken.local_addr().unwrap());
    let server = Server::start_as(|config| {
        config.metrics = Aside {
            listen,
            asked: false,
        };
    });
    assert_eq!(server.metrics_url(), None);
}
