//! Who may do what: every route of the API, as its description has them, asked by everybody there can be. A route that is
//! added is walked by this test without a change here.

use crate::applications::port::{allow, definition};
use crate::browser::Browser;
use crate::cli_sign_in::Person;
use crate::sso::World;
use portreeve_directory::permissions::{Level, Permission, Permissions};
use portreeve_testbed::{Answer, Client, TestServer};
use reqwest::Method;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A route as the description has it.
struct Route {
    method: Method,
    path: String,
    needs: Option<Permission>,
    only_here: bool,
    /// Whether it can depend on what was read.
    conditional: bool,
    /// A body that has what it must have.
    body: Option<String>,
}

impl Route {
    /// The address with these in the place of its parameters, and `none` in that of others.
    fn at(&self, ids: &[(&str, &str)]) -> String {
        let parts = self.path.split('/').map(|part| {
            let name = part.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
            name.map_or(part, |name| {
                ids.iter().find(|id| id.0 == name).map_or("none", |id| id.1)
            })
        });
        parts.collect::<Vec<_>>().join("/")
    }

    async fn ask(&self, client: &Client, path: &str) -> Answer {
        self.ask_with(client, path, &[]).await
    }

    async fn ask_with(&self, client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
        client
            .send(self.method.clone(), path, headers, self.body.clone())
            .await
    }
}

/// All routes.
async fn routes(server: &TestServer) -> Vec<Route> {
    let document = server.stranger().get("/api/v1/openapi.json").await;
    let paths = document.json["paths"].as_object().expect("paths");
    let mut all = Vec::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let needs = operation["x-permission"].as_str();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            all.push(Route {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                needs: needs.map(|name| Permission::parse(name).expect("a permission")),
                only_here: operation["x-local-only"] == true,
                conditional: has_header(operation, "if-match"),
                body: schema.is_object().then(|| sample(schema).to_string()),
            });
        }
    }
    assert!(all.len() > 40, "{} routes", all.len());
    all
}

/// Whether an operation knows a header.
fn has_header(operation: &Value, name: &str) -> bool {
    let known = operation["parameters"].as_array().into_iter().flatten();
    let mut named = known
        .filter(|one| one["in"] == "header")
        .map(|one| &one["name"]);
    named.any(|one| {
        one.as_str()
            .is_some_and(|one| one.eq_ignore_ascii_case(name))
    })
}

/// A value that a schema lets through, with what must be there.
fn sample(schema: &Value) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    if let Some(one) = schema.get("const") {
        return one.clone();
    }
    if let Some(any) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return sample(&any[0]);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let member = |name: &Value| {
                let name = name.as_str().expect("a name");
                let value = match name {
                    "metadata_url" => json!("https://id.example/.well-known/openid-configuration"),
                    name => sample(&schema["properties"][name]),
                };
                (name.to_owned(), value)
            };
            Value::Object(required.iter().map(member).collect::<Map<_, _>>())
        }
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        Some("integer" | "number") => json!(schema["minimum"].as_i64().unwrap_or(1)),
        _ => json!("x"),
    }
}

/// A client of the network side of the API.
fn api(server: &TestServer) -> Client {
    let stranger = server.stranger();
    let base = format!("{}/api/v1", stranger.base());
    stranger.with_base(&base)
}

/// Somebody of the main team with these permissions and no others: a service account with a token.
async fn somebody(server: &TestServer, name: &str, team: &str, may: Permissions) -> Client {
    let permissions: Vec<_> = may.iter().map(Permission::name).collect();
    let account = json!({"name": name, "permissions": permissions, "team": team});
    let account = server.admin().post("/service-accounts", account).await;
    assert_eq!(account.status, 201, "{account}");
    token(server, account.id(), team, may).await
}

async fn token(server: &TestServer, account: &str, team: &str, may: Permissions) -> Client {
    let permissions: Vec<_> = may.iter().map(Permission::name).collect();
    let token = json!({"service_account": account, "permissions": permissions, "team": team});
    let token = server.admin().post("/api-tokens", token).await;
    assert_eq!(token.status, 201, "{token}");
    api(server).with_token(Some(token.text("secret")))
}

/// Asks every route of objects that are nowhere: only who asks is judged.
async fn walk(name: &str, client: &Client, routes: &[Route], may: Permissions) {
    walk_with(name, client, &[], routes, may).await;
}

/// The same by somebody who is known by headers.
async fn walk_with(
    name: &str,
    client: &Client,
    headers: &[(&str, &str)],
    routes: &[Route],
    may: Permissions,
) {
    for route in routes {
        let answer = route.ask_with(client, &route.at(&[]), headers).await;
        let allowed = route.needs.is_none_or(|needed| may.has(needed));
        let what = format!("{name}: {} {}: {answer}", route.method, route.path);
        match (allowed, route.only_here) {
            (true, false) => assert!(![401, 403].contains(&answer.status), "{what}"),
            (true, true) => assert_eq!(
                (answer.status, answer.text("code")),
                (403, "only_here"),
                "{what}"
            ),
            (false, _) => {
                assert_eq!(answer.status, 403, "{what}");
                let needed = route.needs.expect("a permission").name();
                let told = answer.text("detail").contains(needed) || route.only_here;
                assert!(told, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn each_level_may_ask_what_the_table_says() {
    let server = TestServer::start().await;
    let routes = routes(&server).await;
    for level in Level::ALL {
        let may = level.permissions();
        let client = somebody(&server, level.name(), "main", may).await;
        walk(level.name(), &client, &routes, may).await;
    }
    server.stop().await;
}

/// Asks every route as somebody who is signed in: in their browser, and on a command line that they let in.
async fn walk_signed_in(
    name: &str,
    server: &TestServer,
    browser: &Browser,
    routes: &[Route],
    level: Level,
) {
    let may = level.permissions();
    let cookie = browser.session();
    let headers = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let in_browser = format!("{name} in a browser");
    walk_with(&in_browser, &api(server), &headers, routes, may).await;
    let token = Person::of(server, browser).command_line().await;
    let client = api(server).with_token(Some(&token));
    walk(&format!("{name} on the command line"), &client, routes, may).await;
}

#[tokio::test]
async fn a_user_of_each_level_and_a_local_owner_may_ask_what_the_table_says() {
    let world = World::start().await;
    let server = &world.server;
    let routes = routes(server).await;
    let owner = Browser::of_owner(server, "grace").await;
    walk_signed_in("a local owner", server, &owner, &routes, Level::Owner).await;
    let users = format!("/directories/{}/users", world.directory_id);
    let found = server.admin().get(&users).await;
    let ada = format!("{users}/{}", found.json[0]["id"].as_str().unwrap());
    let mut browser = Browser::new(server);
    let back = world.sign_in(&mut browser, "/console").await;
    assert_eq!(back.status, 303, "{back}");
    for level in Level::ALL {
        let change = json!({"level": level});
        let changed = server.admin().patch(&ada, change).await;
        assert_eq!(changed.status, 200, "{changed}");
        walk_signed_in(level.name(), server, &browser, &routes, *level).await;
    }
}

#[tokio::test]
async fn each_permission_opens_its_routes_and_no_others() {
    let server = TestServer::start().await;
    let routes = routes(&server).await;
    let all = somebody(&server, "all", "main", Permissions::ALL).await;
    let me = all.get("/me").await;
    for one in Permission::ALL {
        // The token has less than its holder, who may do everything.
        let may = Permissions::default().with(*one);
        let client = token(&server, me.id(), "main", may).await;
        walk(one.name(), &client, &routes, may).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token() {
    // There are more routes than a stranger may ask in a second.
    let server = TestServer::start_with(|config| config.load.address_rate = 0).await;
    let routes = routes(&server).await;
    let stranger = api(&server);
    for (name, client) in [
        ("nothing", stranger.clone()),
        ("nonsense", stranger.with_token(Some("nonsense"))),
        (
            "no token of ours",
            stranger.with_token(Some("prv_api_AAAA")),
        ),
    ] {
        for route in &routes {
            let answer = route.ask(&client, &route.at(&[])).await;
            let expected = match route.needs {
                Some(_) => 401,
                None => 200,
            };
            assert_eq!(
                answer.status, expected,
                "{name}: {} {}",
                route.method, route.path
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_administrator_of_the_machine_may_ask_everything() {
    let server = TestServer::start().await;
    for route in routes(&server).await {
        let answer = route.ask(server.admin(), &route.at(&[])).await;
        // What is for oneself is nothing to somebody who is in no directory.
        let refused = [401, 403].contains(&answer.status) && answer.text("code") != "nobody";
        assert!(!refused, "{} {}: {answer}", route.method, route.path);
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_another_teams_is_nowhere() {
    let server = TestServer::start().await;
    let routes = routes(&server).await;
    let theirs = fill(&server, "theirs").await;
    let ours = fill(&server, "ours").await;
    let client = somebody(&server, "owner", "ours", Permissions::ALL).await;
    let all: Vec<_> = theirs.iter().map(|(n, id)| (*n, id.as_str())).collect();
    // What is in a directory or a group, looked for in one of ours.
    let mut inner = all.clone();
    for (name, id) in &mut inner {
        if let ("directory" | "group" | "location", Some((_, own))) =
            (*name, ours.iter().find(|(own, _)| own == name))
        {
            *id = own;
        }
    }
    for route in routes.iter().filter(|it| it.path.contains('{')) {
        let answer = route.ask(&client, &route.at(&all)).await;
        assert_eq!(
            answer.status, 404,
            "{} {}: {answer}",
            route.method, route.path
        );
        let last = route.path.rsplit('/').next().unwrap_or_default();
        let names_inner = !["{directory}", "{group}"].contains(&last) && last.starts_with('{');
        if route.path.matches('{').count() > 1 && names_inner {
            let answer = route.ask(&client, &route.at(&inner)).await;
            assert_eq!(
                answer.status, 404,
                "{} {}: {answer}",
                route.method, route.path
            );
        }
    }
    // Nothing of it was touched.
    for (name, id) in &theirs {
        let path = match *name {
            "directory" => format!("/directories/{id}"),
            "application" => format!("/applications/{id}"),
            "service_account" => format!("/service-accounts/{id}?team=theirs"),
            _ => continue,
        };
        let found = server.admin().get(&path).await;
        assert_eq!(found.status, 200, "{path}: {found}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_has_a_tag_is_changed_as_it_was_read_or_not_at_all() {
    let files = TempDir::new().expect("a temporary folder");
    let server = TestServer::start_with(|config| allow(config, files.path())).await;
    let mut routes = routes(&server).await;
    let mut ids = fill(&server, "main").await;
    let connection = routes
        .iter()
        .find(|it| it.method == Method::PUT && it.path.ends_with("/connection"));
    let connection = connection.expect("a route of connections");
    let all: Vec<_> = ids.iter().map(|(n, id)| (*n, id.as_str())).collect();
    let put = connection.ask(server.admin(), &connection.at(&all)).await;
    assert_eq!(put.status, 200, "{put}");
    let target = server.directory("generic").await;
    let made = server
        .admin()
        .post("/applications", definition(&target))
        .await;
    assert_eq!(made.status, 201, "{made}");
    ids.push(("application", made.id().to_owned()));
    let all: Vec<_> = ids.iter().map(|(n, id)| (*n, id.as_str())).collect();

    // What is in something goes before that, and a service account takes its tokens along.
    routes.retain(|it| it.conditional && !it.path.ends_with("{certificate}"));
    routes.sort_by_key(|it| {
        (
            it.method == Method::DELETE,
            -it.path.matches('/').count().cast_signed(),
            it.path.starts_with("/service-accounts"),
        )
    });
    assert!(routes.len() > 10, "{} routes", routes.len());
    for route in &routes {
        let path = route.at(&all);
        let name = format!("{} {}", route.method, route.path);
        let read = server.admin().get(&path).await;
        let tag = read
            .header("etag")
            .unwrap_or_else(|| panic!("{name}: {read}"));
        let known = [("if-none-match", tag)];
        let same = server.admin().send(Method::GET, &path, &known, None).await;
        assert_eq!(same.status, 304, "{name}: {same}");
        let late = route
            .ask_with(server.admin(), &path, &[("if-match", "\"another\"")])
            .await;
        assert_eq!(
            (late.status, late.text("code")),
            (412, "changed"),
            "{name}: {late}"
        );
        let again = server.admin().get(&path).await;
        assert_eq!(
            again.header("etag"),
            Some(tag),
            "{name} did something: {again}"
        );
        let done = route
            .ask_with(server.admin(), &path, &[("if-match", tag)])
            .await;
        assert!(![404, 412].contains(&done.status), "{name}: {done}");
    }
    server.stop().await;
}

/// A team with one of each, by the names that paths have for them.
async fn fill(server: &TestServer, team: &str) -> Vec<(&'static str, String)> {
    let admin = server.admin();
    let make = async |path: &str, body: Value| {
        let made = admin.post(path, body).await;
        assert_eq!(made.status, 201, "{path}: {made}");
        made
    };
    let native = json!({"name": "people", "provider": "native", "visitors": true, "team": team});
    let directory = make("/directories", native).await.id().to_owned();
    let inside = |what: &str| format!("/directories/{directory}/{what}");
    let user = make(&inside("users"), json!({"user_name": "ann"})).await;
    let group = make(&inside("groups"), json!({"display_name": "web"})).await;
    let members = format!("{}/{}/members", inside("groups"), group.id());
    make(&members, json!({"id": user.id()})).await;
    let fed = json!({"name": "fed", "provider": "generic", "team": team, "security_events": true});
    let fed = make("/directories", fed).await;
    let stream = format!("/directories/{}/streams", fed.id());
    let stream = make(&stream, json!({"delivery": "poll"})).await;
    let account = json!({"name": "robot", "permissions": ["self"], "team": team});
    let account = make("/service-accounts", account).await;
    let wanted = json!({"service_account": account.id(), "permissions": ["self"], "team": team});
    let token = make("/api-tokens", wanted).await;
    let events = admin.get(&format!("/events?team={team}")).await;
    let event = events.json[0]["id"].as_str().expect("an event").to_owned();
    let owner = make("/owners", json!({"name": "ada", "team": team})).await;
    let host = make("/hosts", json!({"name": "web-1", "team": team})).await;
    let grant = json!({"group": group.id(), "directory": directory, "hosts": "*", "team": team});
    let grant = make("/grants", grant).await;
    let robots =
        json!({"name": "robots", "kind": "jwk", "password": "a long password", "team": team});
    let provisioner = make("/ca/provisioners", robots).await;
    let enrolment = make("/host-tokens", json!({"name": "web", "team": team})).await;
    let location = make("/visit-locations", json!({"name": "lobby", "team": team})).await;
    let device = format!("/visit-locations/{}/devices?team={team}", location.id());
    let device = make(&device, json!({"name": "door"})).await;
    let at = "2026-01-05T09:00:00Z";
    let visit = json!({"location": "lobby", "name": "grace", "expected_at": at, "team": team});
    let visit = make("/visits", visit).await;
    vec![
        ("directory", directory),
        ("host_token", enrolment.id().to_owned()),
        ("user", user.id().to_owned()),
        ("member", user.id().to_owned()),
        ("group", group.id().to_owned()),
        ("token", fed.text("token_id").to_owned()),
        ("stream", stream.id().to_owned()),
        ("service_account", account.id().to_owned()),
        ("api_token", token.id().to_owned()),
        ("event", event),
        ("host", host.id().to_owned()),
        ("grant", grant.id().to_owned()),
        ("owner", owner.id().to_owned()),
        ("provisioner", provisioner.id().to_owned()),
        ("location", location.id().to_owned()),
        ("device", device.id().to_owned()),
        ("visit", visit.id().to_owned()),
        ("team", team.to_owned()),
    ]
}
