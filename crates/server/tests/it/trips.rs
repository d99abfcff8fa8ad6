//! How often a request goes to the database server and back, and how many statements it takes: with a network in between,
//! this is what it costs.

use portreeve_cluster::Cluster;
use portreeve_store::Database;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::fmt::Write;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// A request is made so often, until the connections that it may use have prepared its statements; the least counts.
const TIMES: usize = 16;
/// Members of the larger group.
const MANY: usize = 5000;
const PEOPLE: usize = MANY + 2000;

async fn server() -> TestServer {
    let url = Cluster::shared().fresh_url();
    let database = Database::parse(&url, |_| None).expect("a URL");
    TestServer::start_with(|config| config.database = database).await
}

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    statements: u64,
    flights: u64,
}

/// The least that the requests cost; `request` is given the number of each.
async fn cost(server: &TestServer, request: impl AsyncFn(usize) -> Answer) -> Cost {
    let mut least = Cost {
        statements: u64::MAX,
        flights: u64::MAX,
    };
    for number in 0..TIMES {
        let before = server.stats();
        let answer = request(number).await;
        let after = server.stats();
        assert!(answer.status < 300, "{answer}");
        least.statements = least.statements.min(after.statements - before.statements);
        least.flights = least.flights.min(after.flights - before.flights);
    }
    least
}

fn person(name: &str, external_id: &str) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE], "userName": name, "externalId": external_id, "displayName": name, "active": true,
        "emails": [{"value": format!("{name}@contoso.example"), "type": "work", "primary": true}],
        ENTERPRISE: {"department": "Sales"},
    })
}

/// People in many requests of many operations.
async fn people(provider: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    let numbers: Vec<usize> = (0..PEOPLE).collect();
    for chunk in numbers.chunks(500) {
        let operation = |n: &usize| json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": person(&format!("p{n}"), &format!("x{n}"))});
        let operations: Vec<Value> = chunk.iter().map(operation).collect();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let answer = provider.post("/Bulk", body).await;
        for operation in answer.json["Operations"].as_array().expect("operations") {
            let location = operation["location"].as_str().expect("a location");
            ids.push(location.rsplit('/').next().unwrap_or_default().to_owned());
        }
    }
    ids
}

async fn group(provider: &Client, name: &str, members: &[String]) -> String {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let body = json!({"schemas": [GROUP], "displayName": name, "members": members});
    let made = provider.post("/Groups", body).await;
    assert_eq!(made.status, 201, "{made}");
    made.id().to_owned()
}

async fn patch(provider: &Client, path: &str, operations: Value) -> Answer {
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    provider.patch(path, body).await
}

fn members(op: &str, ids: &[String]) -> Value {
    let ids: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    json!({"op": op, "path": "members", "value": ids})
}

/// A line for each thing that costs more than it may.
#[derive(Default)]
struct Verdict(String);

impl Verdict {
    fn at_most(&mut self, what: &str, statements: u64, flights: u64, cost: Cost) {
        let counted = cost.flights > 0;
        if !counted || cost.statements > statements || cost.flights > flights {
            let _ = writeln!(self.0, "{what}: {cost:?}");
        }
    }
}

#[tokio::test]
async fn looking_up_and_changing_people_takes_few_trips() {
    let server = server().await;
    let provider = server.directory("entra").await;
    let made = provider.post("/Users", person("ann", "ext-ann")).await;
    assert_eq!(made.status, 201, "{made}");
    let ann = format!("/Users/{}", made.id());
    let boss = provider.post("/Users", person("boss", "ext-boss")).await;
    let inner = group(&provider, "Inner", &[made.id().to_owned()]).await;
    group(&provider, "Outer", &[inner]).await;

    let mut verdict = Verdict::default();
    for (what, path) in [
        ("by userName", "/Users?filter=userName eq \"ANN\""),
        ("by externalId", "/Users?filter=externalId eq \"ext-ann\""),
        ("by nothing", "/Users?filter=userName eq \"nobody\""),
        (
            "by name of a group",
            "/Groups?excludedAttributes=members&filter=displayName eq \"inner\"",
        ),
        ("by id", &ann),
    ] {
        let path = path.replace(' ', "%20");
        let cost = cost(&server, async |_| provider.get(&path).await).await;
        verdict.at_most(what, 2, 2, cost);
    }
    let create = cost(&server, async |n| {
        provider
            .post("/Users", person(&format!("new{n}"), &format!("e{n}")))
            .await
    });
    verdict.at_most("create", 8, 3, create.await);
    for (what, change) in [
        ("patch a name", json!({"displayName": "Ann #"})),
        (
            "patch addresses",
            json!({"emails[type eq \"work\"].value": "ann#@contoso.example"}),
        ),
        ("patch externalId", json!({"externalId": "ext #"})),
        (
            "patch a manager",
            json!({format!("{ENTERPRISE}:manager"): format!("{}#", boss.id())}),
        ),
        ("suspend and let in again", json!({"active": "#"})),
    ] {
        let cost = cost(&server, async |n| {
            let change = change
                .to_string()
                .replace("\"#\"", if n % 2 == 0 { "false" } else { "true" });
            let change: Value =
                serde_json::from_str(&change.replace('#', &n.to_string())).expect("JSON");
            patch(&provider, &ann, json!([{"op": "replace", "value": change}])).await
        });
        verdict.at_most(what, 8, 3, cost.await);
    }
    assert_eq!(verdict.0, "");
    server.stop().await;
}

#[tokio::test]
async fn changing_a_group_takes_few_trips_whatever_its_size() {
    let server = server().await;
    let provider = server.directory("entra").await;
    let people = people(&provider).await;
    let nested = group(&provider, "Nested", &[]).await;
    let mut verdict = Verdict::default();
    for size in [10, MANY] {
        let name = format!("group of {size}");
        let path = format!("/Groups/{}", group(&provider, &name, &people[..size]).await);
        let rest = &people[MANY..];
        for count in [1, 100] {
            let chosen = |n: usize| &rest[n * count..][..count];
            for (op, statements) in [("add", 6), ("add", 6), ("remove", 5)] {
                let cost = cost(&server, async |n| {
                    patch(&provider, &path, json!([members(op, chosen(n))])).await
                });
                verdict.at_most(&format!("{name}: {op} {count}"), statements, 3, cost.await);
            }
            let one_by_one = cost(&server, async |n| {
                let each = chosen(n)
                    .iter()
                    .map(|id| members("add", std::slice::from_ref(id)));
                patch(&provider, &path, each.collect()).await
            });
            verdict.at_most(
                &format!("{name}: add {count} one by one"),
                6,
                3,
                one_by_one.await,
            );
        }
        let other = cost(&server, async |n| {
            let op = if n % 2 == 0 { "add" } else { "remove" };
            patch(
                &provider,
                &path,
                json!([members(op, std::slice::from_ref(&nested))]),
            )
            .await
        });
        verdict.at_most(&format!("{name}: a group"), 6, 3, other.await);
        let renamed = cost(&server, async |n| {
            let name =
                json!({"op": "replace", "path": "displayName", "value": format!("{name} {n}")});
            patch(&provider, &path, json!([name])).await
        });
        verdict.at_most(&format!("{name}: a new name"), 6, 3, renamed.await);
    }
    assert_eq!(verdict.0, "");
    server.stop().await;
}
