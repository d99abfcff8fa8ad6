//! Too much, too deep, too long, cut off, all at once: every limit answers with a SCIM error and changes nothing.

use crate::talk::{Directory, Server, connect, head, raw, read_some};
use portreeve_server::config::Patience;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

fn post(size: usize) -> String {
    json!({"userName": "big", "title": "x".repeat(size)}).to_string()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story that is told in one piece")]
fn sizes_and_depths() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let deep = |n: usize| {
        format!(
            "{{\"userName\":\"d\",\"x\":{}{}}}",
            "[".repeat(n),
            "]".repeat(n)
        )
    };
    let operations = |n: usize| {
        let one = json!({"method": "DELETE", "path": "/Users/x"});
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": vec![one; n]}).to_string()
    };
    let nested = |n: usize| {
        format!(
            "/Users?filter={}userName%20pr{}",
            "(".repeat(n),
            ")".repeat(n)
        )
    };
    for (name, method, path, body, status, word) in [
        (
            "body over 1 MiB",
            "POST",
            "/Users".to_owned(),
            Some(post(1 << 20)),
            413,
            "1048576",
        ),
        (
            "string over its limit",
            "POST",
            "/Users".into(),
            Some(post(200_000)),
            400,
            "65536",
        ),
        (
            "deep nesting",
            "POST",
            "/Users".into(),
            Some(deep(100_000)),
            400,
            "32",
        ),
        (
            "bulk over 8 MiB",
            "POST",
            "/Bulk".into(),
            Some(post(9 << 20)),
            413,
            "8388608",
        ),
        (
            "too many values",
            "POST",
            "/Users".into(),
            Some(format!("{{\"x\":[{}0]}}", "0,".repeat(100_000))),
            400,
            "100000",
        ),
        (
            "too many values in a bulk",
            "POST",
            "/Bulk".into(),
            Some(format!("{{\"x\":[{}0]}}", "0,".repeat(400_000))),
            400,
            "400000",
        ),
        (
            "bulk of 1,001",
            "POST",
            "/Bulk".into(),
            Some(operations(1001)),
            413,
            "1000",
        ),
        ("filter too deep", "GET", nested(200), None, 400, "32"),
        (
            "filter too long",
            "GET",
            format!("/Users?filter=userName%20eq%20%22{}%22", "a".repeat(9000)),
            None,
            400,
            "8192",
        ),
    ] {
        let answer = directory.send(method, &path, &[], body.as_deref());
        assert_eq!(
            (u64::from(answer.status), answer.json["status"].as_str()),
            (status, Some(status.to_string().as_str())),
            "{name}: {}",
            answer.json
        );
        assert!(
            answer.json["detail"].as_str().unwrap().contains(word),
            "{name}: {}",
            answer.json
        );
    }
    assert_eq!(directory.get("/Users").json["totalResults"], 0);
}

#[test]
fn a_bulk_request_may_be_larger_than_another() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let one = |i: usize| json!({"method": "POST", "path": "/Users", "bulkId": i.to_string(), "data": {"userName": format!("u{i}"), "title": "x".repeat(20_000)}});
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": (0..100).map(one).collect::<Vec<_>>()});
    let answer = directory.send("POST", "/Bulk", &[], Some(&body.to_string()));
    assert_eq!(answer.status, 200);
    assert_eq!(directory.get("/Users?count=0").json["totalResults"], 100);
}

#[test]
fn a_body_that_is_cut_off_or_larger_than_announced_changes_nothing() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let head = |extra: &str| {
        format!(
            "POST {}/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/scim+json\r\n{extra}\r\n",
            directory.path(),
            directory.token
        )
    };
    let body = json!({"userName": "half"}).to_string();
    let chunk = "y".repeat(60_000);
    let endless: String = (0..20)
        .map(|_| format!("{:x}\r\n{chunk}\r\n", chunk.len()))
        .collect();
    for (name, request, expect) in [
        (
            "half-sent body, then no more",
            format!("{}{}", head("Content-Length: 1000\r\n"), body),
            "400",
        ),
        (
            "chunks over the limit",
            format!("{}{endless}", head("Transfer-Encoding: chunked\r\n")),
            "413",
        ),
        (
            "announced over the limit",
            head("Content-Length: 99999999\r\n"),
            "413",
        ),
        (
            "both lengths",
            head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            "4",
        ),
    ] {
        let answer = raw(&server, request.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expect}")),
            "{name}: {answer:?}"
        );
    }
    assert_eq!(directory.get("/Users").json["totalResults"], 0);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story that is told in one piece")]
fn of_those_who_write_at_once_one_wins_and_nothing_is_lost() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let group = directory
        .send("POST", "/Groups", &[], Some(r#"{"displayName":"G"}"#))
        .json["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let users: Vec<String> = (0..8)
        .map(|i| {
            directory
                .send(
                    "POST",
                    "/Users",
                    &[],
                    Some(&json!({"userName": format!("u{i}")}).to_string()),
                )
                .json["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let all = |work: &(dyn Fn(usize) -> u16 + Sync)| -> Vec<u16> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|i| scope.spawn(move || work(i))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    };
    let same_name = all(&|_| {
        directory
            .send("POST", "/Users", &[], Some(r#"{"userName":"one"}"#))
            .status
    });
    assert_eq!(
        same_name.iter().filter(|status| **status == 201).count(),
        1,
        "{same_name:?}"
    );
    assert_eq!(
        same_name.iter().filter(|status| **status == 409).count(),
        7,
        "{same_name:?}"
    );
    let added = all(&|i| {
        directory
            .patch(
                &format!("/Groups/{group}"),
                &json!([{"op": "add", "path": "members", "value": [{"value": users[i]}]}]),
            )
            .status
    });
    assert_eq!(added, [204; 8]);
    assert_eq!(
        directory.get(&format!("/Groups/{group}")).json["members"]
            .as_array()
            .unwrap()
            .len(),
        8
    );
    let names = [
        "title",
        "nickName",
        "locale",
        "timezone",
        "userType",
        "preferredLanguage",
        "profileUrl",
        "displayName",
    ];
    let other = format!("/Users/{}", users[1]);
    let set = |i: usize| json!([{"op": "add", "path": names[i], "value": "x"}]);
    assert_eq!(all(&|i| directory.patch(&other, &set(i)).status), [200; 8]);
    let merged = directory.get(&other).json;
    assert!(names.iter().all(|name| merged[name] == "x"), "{merged}");
    assert_eq!(
        merged["meta"]["version"]
            .as_str()
            .map(|tag| tag.starts_with("W/\"9")),
        Some(true),
        "{merged}"
    );
    let body = |i: usize| {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": i.to_string()}]}).to_string()
    };
    let path = format!("/Users/{}", users[0]);
    let tagged = all(&|i| {
        directory
            .send("PATCH", &path, &[("If-Match", "W/\"1\"")], Some(&body(i)))
            .status
    });
    assert_eq!(
        (
            tagged.iter().filter(|s| **s == 200).count(),
            tagged.iter().filter(|s| **s == 412).count()
        ),
        (1, 7),
        "{tagged:?}"
    );
}

/// Makes 2,700 people, and says their ids in order.
fn many_people(directory: &Directory<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    for batch in 0..3 {
        let one = |i: usize| json!({"method": "POST", "path": "/Users", "bulkId": i.to_string(), "data": {"userName": format!("u{batch}-{i}")}});
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": (0..900).map(one).collect::<Vec<_>>()});
        let answer = directory
            .send("POST", "/Bulk", &[], Some(&body.to_string()))
            .json;
        let id = |operation: &Value| {
            operation["location"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        };
        ids.extend(answer["Operations"].as_array().unwrap().iter().map(id));
    }
    ids.sort();
    ids
}

#[test]
fn what_is_long_is_sent_in_pieces_and_arrives_whole() {
    let server = Server::start();
    let directory = server.directory("generic", None);
    let sorted = many_people(&directory);
    let list: Vec<Value> = sorted.iter().map(|id| json!({"value": id})).collect();
    let group = directory.send(
        "POST",
        "/Groups",
        &[],
        Some(&json!({"displayName": "All", "members": list}).to_string()),
    );
    assert_eq!(
        (
            group.status,
            group.json["members"].as_array().unwrap().len()
        ),
        (201, 2700)
    );
    let path = format!("/Groups/{}", group.json["id"].as_str().unwrap());
    let members = |answer: &Value| -> Vec<String> {
        answer["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["value"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(members(&directory.get(&path).json), sorted);
    assert_eq!(
        members(&directory.get("/Groups").json["Resources"][0]),
        sorted
    );
    let only = directory
        .get(&format!("{path}?attributes=members.value"))
        .json;
    assert_eq!(only["members"][0], json!({"value": sorted[0]}));
    assert_eq!(members(&only), sorted);
    let listed = |path: &str| -> (Vec<String>, bool) {
        let answer = directory.get(path);
        let resources = answer.json["Resources"].as_array().unwrap();
        let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
        let length = answer.header("content-length");
        (resources.iter().map(id).collect(), length.is_some())
    };
    let with_group = [&sorted[2600..], &[path["/Groups/".len()..].to_owned()]].concat();
    for (name, path, ids, has_length) in [
        ("a page", "/Users?count=1000", &sorted[..1000], false),
        ("a short page", "/Users?count=10", &sorted[..10], true),
        ("both", "/?startIndex=2601&count=1000", &with_group, false),
    ] {
        assert_eq!(listed(path), (ids.to_vec(), has_length), "{name}");
    }
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::start_with(Patience {
        body: Duration::from_millis(200),
        ..Patience::default()
    });
    let directory = server.directory("generic", None);
    for (name, body) in [("half of it", "{\"userName\":"), ("nothing", "")] {
        let mut stream = connect(&server);
        stream
            .write_all(
                format!(
                    "{}{body}",
                    head(&directory, "POST /Users", "Content-Length: 1000\r\n")
                )
                .as_bytes(),
            )
            .unwrap();
        let answer = read_some(&mut stream);
        assert!(
            answer.starts_with("HTTP/1.1 408")
                && answer.contains("urn:ietf:params:scim:api:messages:2.0:Error"),
            "{name}: {answer}"
        );
    }
}

#[test]
fn a_client_that_takes_nothing_of_its_answers_is_cut_off() {
    let server = Server::start_with(Patience {
        write: Duration::from_millis(200),
        ..Patience::default()
    });
    let directory = server.directory("generic", None);
    for i in 0..20 {
        directory.send(
            "POST",
            "/Users",
            &[],
            Some(&json!({"userName": format!("u{i}"), "title": "x".repeat(60_000)}).to_string()),
        );
    }
    let mut stream = connect(&server);
    let request = head(&directory, "GET /Users", "");
    // Over a megabyte each: sooner or later nothing fits between server and client any more, in either direction.
    let cut_off = (0..2_000_000)
        .find_map(|_| stream.write_all(request.as_bytes()).err())
        .unwrap();
    assert!(
        !matches!(
            cut_off.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        ),
        "{cut_off}"
    );
    assert_eq!(directory.get("/Users?count=0").status, 200);
}
