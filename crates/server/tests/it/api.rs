//! The admin API: who may use it, what it refuses and how, pages, and followers of the log.

use crate::applications::port::{allow, definition};
use http::Method;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use tempfile::TempDir;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

#[tokio::test]
async fn the_network_needs_a_token() {
    let server = TestServer::start().await;
    let stranger = server.stranger();
    for (method, path) in [
        (Method::GET, "/api/v1/directories"),
        (Method::POST, "/api/v1/directories"),
        (Method::DELETE, "/api/v1/directories/x/tokens/y"),
    ] {
        let answer = stranger
            .send(method.clone(), path, &[("authorization", "Bearer x")], None)
            .await;
        assert_eq!(answer.status, 401, "{method} {path}: {answer}");
        assert_problem(&answer, "no API token of this server");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"Portreeve\"")
        );
    }
    server.stop().await;
}

/// Name, method, path below which `{a}` is the directory "A", body, status, and what the problem says.
const REFUSALS: &[(&str, &str, &str, &str, u16, &str)] = &[
    (
        "unknown member",
        "POST",
        "/directories",
        r#"{"name": "B", "colour": 1}"#,
        400,
        "`colour`",
    ),
    ("no name", "POST", "/directories", "{}", 400, "`name`"),
    ("empty body", "POST", "/directories", "", 400, "`name`"),
    ("no JSON", "POST", "/directories", "{", 400, "line 1"),
    (
        "wrong type",
        "POST",
        "/directories",
        r#"{"name": 1}"#,
        400,
        "expected a string",
    ),
    (
        "member twice",
        "POST",
        "/directories",
        r#"{"name": "B", "name": "C"}"#,
        400,
        "duplicate",
    ),
    (
        "no provider",
        "POST",
        "/directories",
        r#"{"name": "B", "provider": "x"}"#,
        400,
        "`entra`",
    ),
    (
        "no profile",
        "POST",
        "/directories",
        r#"{"name": "B", "profile": "x"}"#,
        400,
        "lenient",
    ),
    (
        "no team name",
        "POST",
        "/directories",
        r#"{"name": "B", "team": "a b"}"#,
        400,
        "no team name",
    ),
    (
        "taken name",
        "POST",
        "/directories",
        r#"{"name": "a"}"#,
        409,
        "already used",
    ),
    (
        "rule that is none",
        "PATCH",
        "{a}",
        r#"{"users": "vanish"}"#,
        400,
        "`suspend`",
    ),
    (
        "member that is fixed",
        "PATCH",
        "{a}",
        r#"{"provider": "okta"}"#,
        400,
        "`provider`",
    ),
    (
        "end in the past",
        "POST",
        "{a}/tokens",
        r#"{"expires_at": "2001-01-01T00:00:00Z"}"#,
        400,
        "future",
    ),
    (
        "end that is none",
        "POST",
        "{a}/tokens",
        r#"{"expires_at": "soon"}"#,
        400,
        "expires_at",
    ),
    (
        "overlap for ever",
        "POST",
        "{a}/tokens/rotate",
        r#"{"overlap_seconds": 99999999999}"#,
        400,
        "overlap_seconds",
    ),
    ("no directory", "GET", "/directories/x", "", 404, "\"x\""),
    ("no event", "GET", "/events/x", "", 404, "\"x\""),
    (
        "no parameter",
        "GET",
        "/events?color=red",
        "",
        400,
        "\"color\"",
    ),
    ("no number", "GET", "/events?limit=0", "", 400, "1 to 1000"),
    (
        "waiting for what",
        "GET",
        "/events?wait=5",
        "",
        400,
        "after",
    ),
    (
        "both ways at once",
        "GET",
        "/events?after=a&before=b",
        "",
        400,
        "combined",
    ),
    (
        "no escape",
        "GET",
        "/events?object=%zz",
        "",
        400,
        "hexadecimal",
    ),
    ("no endpoint", "GET", "/nothing", "", 404, "openapi.json"),
    ("no method", "DELETE", "/events", "", 405, "method"),
];

#[tokio::test]
async fn a_refusal_names_what_is_wrong_and_changes_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let made = admin.post("/directories", json!({"name": "A"})).await;
    let a = format!("/directories/{}", made.id());
    for (name, method, path, body, status, says) in REFUSALS {
        let body = Some((*body).to_owned()).filter(|body| !body.is_empty());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let path = path.replace("{a}", &a);
        let answer = admin.send(method, &path, &[], body).await;
        assert_eq!(answer.status, *status, "{name}: {answer}");
        assert_problem(&answer, says);
    }
    let text = [("content-type", "text/plain")];
    let answer = admin
        .send(Method::POST, "/directories", &text, Some("{}".into()))
        .await;
    assert_eq!(answer.status, 415, "{answer}");
    let left = admin.get("/directories").await;
    assert_eq!(left.json.as_array().map(Vec::len), Some(1), "{left}");
    let events = admin.get("/events").await;
    assert_eq!(events.json.as_array().map(Vec::len), Some(2), "{events}");
    server.stop().await;
}

#[tokio::test]
async fn pages_are_linked_until_everything_was_seen() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let mut members = Vec::new();
    for number in 0..7 {
        let user =
            json!({"schemas": [USER], "userName": format!("u{number}"), "active": number % 2 == 0});
        members.push(json!({"value": provider.post("/Users", user).await.id()}));
    }
    let group = json!({"schemas": [GROUP], "displayName": "All of us", "members": members});
    provider.post("/Groups", group).await;
    let admin = server.admin();
    for (name, path, expected, total) in [
        (
            "users by cursor",
            "/directories/entra%201/users?count=3&cursor=",
            7,
            Some("7"),
        ),
        (
            "users that are active",
            "/directories/entra%201/users?count=2&cursor=&filter=active%20eq%20true",
            4,
            None,
        ),
        (
            "members",
            "/directories/entra%201/groups/All%20of%20us/members?limit=3",
            7,
            None,
        ),
        ("events, newest first", "/events?limit=4", 10, None),
        (
            "events, oldest first",
            "/events?limit=3&after=&category=SCIM_SYNC",
            8,
            None,
        ),
    ] {
        let first = admin.get(path).await;
        if total.is_some() {
            assert_eq!(first.header("x-total-count"), total, "{name}");
        }
        let ids = walk(admin, path, first).await;
        let mut once = ids.clone();
        once.sort();
        once.dedup();
        assert_eq!((ids.len(), once.len()), (expected, expected), "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_people_make_is_listed_in_pages_as_well() {
    let files = TempDir::new().expect("a temporary folder");
    let server = TestServer::start_with(|config| allow(config, files.path())).await;
    let admin = server.admin();
    let make = async |path: &str, body: Value| {
        let made = admin.post(path, body).await;
        assert_eq!(made.status, 201, "{path}: {made}");
    };
    let target = server.directory("entra").await;
    for name in ["beta", "Alpha", "gamma", "delta"] {
        make(
            "/directories",
            json!({"name": name, "security_events": true}),
        )
        .await;
        make("/teams", json!({"name": name.to_lowercase()})).await;
        make("/owners", json!({"name": name})).await;
        make(
            "/service-accounts",
            json!({"name": name, "permissions": ["self"]}),
        )
        .await;
        make("/directories/beta/tokens", json!({"name": name})).await;
        make("/directories/beta/streams", json!({"delivery": "poll"})).await;
        let mut application = definition(&target);
        application["name"] = json!(name);
        make("/applications", application).await;
        let token = json!({"service_account": "beta", "permissions": ["self"]});
        make("/api-tokens", token).await;
    }
    for (path, expected) in [
        ("/directories", 5),
        ("/teams", 5),
        ("/owners", 4),
        ("/service-accounts", 4),
        ("/directories/beta/tokens", 5),
        ("/directories/beta/streams", 4),
        ("/applications", 4),
        ("/api-tokens", 4),
    ] {
        let whole = admin.get(path).await;
        assert_eq!(whole.header("link"), None, "{path}: {whole}");
        assert_eq!(
            whole.header("x-total-count"),
            Some(&*expected.to_string()),
            "{path}"
        );
        let whole: Vec<_> = ids(&whole).collect();
        assert_eq!(whole.len(), expected, "{path}");
        let paged = format!("{path}?count=2");
        let first = admin.get(&paged).await;
        assert_eq!(walk(admin, &paged, first).await, whole, "{path}");
        let nonsense = admin.get(&format!("{path}?cursor=%21")).await;
        assert_eq!(nonsense.status, 400, "{path}: {nonsense}");
    }

    // It goes on although the place is gone.
    let first = admin.get("/directories?count=2").await;
    let whole: Vec<_> = ids(&admin.get("/directories").await).collect();
    admin.delete("/directories/beta").await;
    let seen = walk(admin, "/directories?count=2", first).await;
    assert_eq!(seen, whole, "all that were there when it began");
    server.stop().await;
}

fn ids(page: &Answer) -> impl Iterator<Item = String> {
    let items = page.json.as_array().cloned().unwrap_or_default();
    items
        .into_iter()
        .map(|item| item["id"].as_str().unwrap_or_default().to_owned())
}

/// The ids of all pages from the first one on.
async fn walk(admin: &Client, path: &str, mut page: Answer) -> Vec<String> {
    let (base, _) = path.split_once('?').unwrap();
    let mut ids = Vec::new();
    loop {
        assert_eq!(page.status, 200, "{page}");
        ids.extend(self::ids(&page));
        let Some(link) = page.header("link") else {
            return ids;
        };
        let next = link.strip_prefix('<').unwrap();
        let next = next.strip_suffix(">; rel=\"next\"").unwrap();
        page = admin.get(&format!("{base}{next}")).await;
    }
}

#[tokio::test]
async fn a_follower_hears_of_a_change() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let latest = server.admin().get("/events?limit=1").await;
    let path = format!(
        "/events?after={}&wait=300&category=SCIM_SYNC",
        latest.json[0]["id"].as_str().unwrap()
    );
    let user = json!({"schemas": [USER], "userName": "ada"});
    // Whichever comes first at the server, the change is in the answer.
    let (heard, made) = tokio::join!(server.admin().get(&path), provider.post("/Users", user));
    assert_eq!(heard.json[0]["object"]["id"], made.json["id"], "{heard}");

    server.stop().await;
}

#[tokio::test]
async fn switching_unique_group_names_on_is_refused_while_two_share_one() {
    let server = TestServer::start().await;
    let more = json!({"unique_group_names": false});
    let provider = server.directory_with("generic", more).await;
    let group = json!({"schemas": [GROUP], "displayName": "Crew"});
    let first = provider.post("/Groups", group.clone()).await;
    assert_eq!(provider.post("/Groups", group.clone()).await.status, 201);
    let admin = server.admin();
    let path = "/directories/generic%201";
    let ambiguous = admin.get(&format!("{path}/groups/crew")).await;
    assert_eq!(ambiguous.status, 400, "{ambiguous}");
    let on = json!({"unique_group_names": true, "name": "Renamed"});
    let refused = admin.patch(path, on.clone()).await;
    assert_eq!(refused.status, 409, "{refused}");
    assert_problem(&refused, "displayName");

    provider.delete(&format!("/Groups/{}", first.id())).await;
    let done = admin.patch(path, on).await;
    assert_eq!((done.status, done.text("name")), (200, "Renamed"), "{done}");
    assert_eq!(provider.post("/Groups", group).await.status, 409);
    server.stop().await;
}

#[tokio::test]
async fn a_removed_directory_is_gone_at_once_and_its_events_stay() {
    let server = TestServer::start().await;
    let provider = server.directory("entra").await;
    let user = json!({"schemas": [USER], "userName": "ada"});
    assert_eq!(provider.post("/Users", user).await.status, 201);
    let gone = server.admin().delete("/directories/entra%201").await;
    assert_eq!((gone.status, gone.json), (204, Value::Null));
    assert_eq!(provider.get("/Users").await.status, 401);
    let events = server.admin().get("/events").await;
    assert_eq!(events.json[0]["action"], "delete", "{events}");
    assert_eq!(events.json.as_array().map(Vec::len), Some(4), "{events}");
    server.stop().await;
}

#[track_caller]
fn assert_problem(answer: &Answer, says: &str) {
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{answer}"
    );
    assert_eq!(answer.json["status"], answer.status, "{answer}");
    assert!(answer.text("detail").contains(says), "{says}: {answer}");
}
