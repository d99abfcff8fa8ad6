//! Every way in which access changes reaches the hosts that it concerns, and no other host.

use super::world::{Host, Machine, World, document};
use http::Method;
use serde_json::{Map, Value, json};

/// What a document says of accounts: `null` for whoever has left, else whether they may use sudo. Shared accounts have a
/// colon after their name, and count.
fn said(document: &Value) -> Value {
    let list = |name: &str| document[name].as_array().unwrap().clone();
    let mut said = Map::new();
    for account in list("accounts") {
        let access = &account["access"];
        let name = account["name"].as_str().unwrap().to_owned();
        said.insert(name, access["sudo"].clone());
    }
    for shared in list("shared") {
        let name = format!("{}:", shared["account"].as_str().unwrap());
        said.insert(name, json!(shared["principals"].as_array().unwrap().len()));
    }
    Value::Object(said)
}

fn document_of(envelope: &Value) -> Value {
    serde_json::from_str(envelope["document"].as_str().unwrap()).unwrap()
}

/// Waits until a host is told this; its tag then.
async fn becomes(host: &Host, step: &str, wanted: &Value) -> String {
    let (mut has, mut last) = (None, Value::Null);
    for _ in 0..30 {
        let answer = host.policy(has.as_deref(), 20).await;
        if answer.status == 200 {
            last = document(&answer);
            if said(&last) == *wanted {
                return answer.header("etag").unwrap().to_owned();
            }
        }
        has = Some(answer.header("etag").unwrap().to_owned());
    }
    panic!("{step}: it is to be {wanted}, and stays {last}");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
async fn every_way_in_which_access_changes_reaches_the_host() {
    let world = World::start().await;
    let web = world.enrol(&Machine::new("web-1"), &json!({})).await;
    let directories = world.admin().get("/directories").await;
    let directory = directories.json[0]["id"].as_str().unwrap().to_owned();
    let user = format!("/directories/{directory}/users/ada");
    let team = format!(
        "/teams/{}",
        directories.json[0]["team"]["name"]
            .as_str()
            .unwrap_or("main")
    );
    let dbas = json!({"group": "web-ops", "hosts": "role=db", "principals": ["deploy"]});
    let robot = json!({"name": "robot", "permissions": []});
    world.make("/service-accounts", robot).await;
    let until = (world.now() + jiff::SignedDuration::from_hours(1)).to_string();
    becomes(&web, "at first", &json!({"ada": true})).await;
    type Step<'a> = (&'a str, Method, &'a str, Value, Value);
    let remote = format!("{user}/remote-identities");
    let steps: [Step<'_>; 13] = [
        (
            "suspended here",
            Method::PATCH,
            &user,
            json!({"status": "suspended"}),
            json!({"ada": null}),
        ),
        (
            "reinstated",
            Method::PATCH,
            &user,
            json!({"status": "active"}),
            json!({"ada": true}),
        ),
        (
            "another tag",
            Method::PATCH,
            "/hosts/web-1",
            json!({"tags": {"role": "db"}}),
            json!({"ada": null}),
        ),
        (
            "another grant",
            Method::POST,
            "/grants",
            dbas,
            json!({"ada": false, "deploy:": 1}),
        ),
        (
            "a shared account",
            Method::PUT,
            &remote,
            json!([{"hosts": "*", "name": "ec2-user"}]),
            json!({"ada": null, "deploy:": 1, "ec2-user:": 1}),
        ),
        (
            "no shared account",
            Method::PUT,
            &remote,
            json!([]),
            json!({"ada": false, "deploy:": 1}),
        ),
        (
            "temporary access",
            Method::POST,
            "/grants",
            json!({"user": "robot", "hosts": "role=db", "until": until}),
            json!({"ada": false, "deploy:": 1, "robot": false}),
        ),
        (
            "a service account suspended",
            Method::PATCH,
            "/service-accounts/robot",
            json!({"status": "suspended"}),
            json!({"ada": false, "deploy:": 1, "robot": null}),
        ),
        (
            "no active directory",
            Method::PATCH,
            &team,
            json!({"active_directory_id": null}),
            json!({"ada": null, "robot": null}),
        ),
        (
            "an active directory",
            Method::PATCH,
            &team,
            json!({"active_directory_id": directory}),
            json!({"ada": false, "deploy:": 1, "robot": null}),
        ),
        (
            "another rule",
            Method::PATCH,
            "/host-rules",
            json!({"end_sessions": false}),
            json!({"ada": false, "deploy:": 1, "robot": null}),
        ),
        (
            "a lease of its own",
            Method::PATCH,
            "/hosts/web-1/policy",
            json!({"lease_seconds": 0}),
            json!({"ada": false, "deploy:": 1, "robot": null}),
        ),
        (
            "the service account removed",
            Method::DELETE,
            "/service-accounts/robot",
            Value::Null,
            json!({"ada": false, "deploy:": 1, "robot": null}),
        ),
    ];
    let mut tag = String::new();
    for (name, method, path, body, wanted) in steps {
        let body = (!body.is_null()).then(|| body.to_string());
        let done = world.admin().send(method, path, &[], body).await;
        assert!(done.status < 300, "{name}: {done}");
        tag = becomes(&web, name, &wanted).await;
    }
    let last = document(&web.policy(None, 0).await);
    assert_eq!(last["rules"]["end_sessions"], false, "{last}");
    assert_eq!(last["lease_until"], Value::Null, "{last}");
    // Whoever looks sees what the host is told.
    let shown = world.admin().get("/hosts/web-1/policy").await;
    assert_eq!(format!("\"{}\"", shown.json["version"]), tag, "{shown}");
    assert_eq!(document_of(&shown.json["envelope"]), last, "{shown}");
    world.server.stop().await;
}

#[tokio::test]
async fn a_host_that_a_change_does_not_concern_keeps_its_version() {
    let world = World::start().await;
    let web = world.enrol(&Machine::new("web-1"), &json!({})).await;
    becomes(&web, "web at first", &json!({"ada": true})).await;
    let token = world.token(json!({"tags": {"role": "db"}})).await;
    let machine = Machine::new("db-1");
    let mut wanted = world.wanted(&machine, &json!({}));
    wanted["token"] = json!(token.secret);
    let db = world.enrolled(&machine, &world.ask(wanted).await);
    // What was under way when it came is settled once it has been told of something else.
    let robot = json!({"name": "robot", "permissions": []});
    world.make("/service-accounts", robot).await;
    let until = (world.now() + jiff::SignedDuration::from_hours(1)).to_string();
    let grant = json!({"user": "robot", "hosts": "role=db", "until": until});
    world.make("/grants", grant).await;
    let before = becomes(&db, "db at first", &json!({"robot": false})).await;
    world.set_active(false).await;
    becomes(&web, "web without her", &json!({"ada": null})).await;
    assert_eq!(
        becomes(&db, "db as it was", &json!({"robot": false})).await,
        before
    );
    world.server.stop().await;
}

#[tokio::test]
async fn a_lease_begins_anew_long_before_it_ends() {
    let world = World::start().await;
    let host = world.enrol(&Machine::new("web-1"), &json!({})).await;
    let tag = becomes(&host, "at first", &json!({"ada": true})).await;
    let lease = |answer: &portreeve_testbed::Answer| document(answer)["lease_until"].clone();
    let first = lease(&host.policy(None, 0).await);
    for (hours, is_anew) in [(2, false), (2, true)] {
        let passed = std::time::Duration::from_secs(hours * 3600);
        world.server.clock().advance(passed);
        let answer = host.policy(None, 0).await;
        assert_eq!(lease(&answer) != first, is_anew, "{hours}");
        assert_eq!(answer.header("etag") != Some(tag.as_str()), is_anew);
    }
    world.server.stop().await;
}
