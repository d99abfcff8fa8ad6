//! Other teams on the same server. That no route of the API finds what is another team's is tested beside the API
//! (`access.rs`); here are the console's pages, and parameters of queries.

use super::api;
use crate::browser::Browser;
use http::Method;
use portreeve_server::pages;
use portreeve_testbed::{Client, TestServer};
use serde_json::json;

/// A name that stands in everything of the other team, and nowhere else.
const MARK: &str = "Wesker";
const TEAM: &str = "umbrella";
/// An id that nothing has.
const NOTHING: &str = "0192f7a0-0000-7000-8000-00000000dead";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The ids of what another team has, by the names that parameters of paths have.
struct Foreign(Vec<(&'static str, String)>);

impl Foreign {
    async fn make(server: &TestServer) -> Self {
        let admin = server.admin();
        let owner = admin.post("/owners/link", json!({"team": "main"})).await;
        assert_eq!(owner.status, 201, "{owner}");
        let body = json!({"name": MARK, "provider": "native", "team": TEAM});
        let directory = made(admin, "/directories", body).await;
        let inside = format!("/directories/{directory}");
        let user =
            json!({"user_name": MARK, "display_name": MARK, "email": "wesker@umbrella.example"});
        let user = made(admin, &format!("{inside}/users"), user).await;
        let group = made(
            admin,
            &format!("{inside}/groups"),
            json!({"display_name": MARK}),
        )
        .await;
        let provisioned =
            json!({"name": format!("{MARK} at Entra"), "provider": "entra", "team": TEAM});
        let fed = made(admin, "/directories", provisioned).await;
        let tokens = admin.get(&format!("/directories/{fed}/tokens")).await;
        let token = tokens.json[0]["id"].as_str().unwrap().to_owned();
        let account = json!({"name": MARK, "permissions": ["user:read"], "team": TEAM});
        let account = made(admin, "/service-accounts", account).await;
        let api_token = json!({"name": MARK, "permissions": ["user:read"], "service_account": account, "team": TEAM});
        let api_token = made(admin, "/api-tokens", api_token).await;
        let body = json!({"team": TEAM, "name": MARK});
        let linked = admin.post("/owners/link", body).await;
        let owner = linked.json["owner"]["id"].as_str().unwrap().to_owned();
        let events = admin
            .get(&format!("/events?directory={directory}&limit=1"))
            .await;
        let event = events.json[0]["id"].as_str().unwrap().to_owned();
        Self(vec![
            ("directory", directory),
            ("user", user.clone()),
            ("id", user),
            ("group", group),
            ("token", token),
            ("service_account", account),
            ("api_token", api_token),
            ("owner", owner),
            ("event", event),
        ])
    }

    /// A path with these ids in it, or with ids of nothing.
    fn fill(&self, path: &str, really: bool) -> String {
        let parts = path.split('/').map(|part| {
            let name = part.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
            let found = |name| self.0.iter().find(|(known, _)| *known == name);
            match (name, name.and_then(found)) {
                (None, _) => part,
                (Some(_), Some((_, id))) if really => id,
                (Some(_), _) => NOTHING,
            }
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Makes something; its id.
async fn made(admin: &Client, path: &str, body: serde_json::Value) -> String {
    let made = admin.post(path, body).await;
    assert_eq!(made.status, 201, "{path}: {made}");
    made.id().to_owned()
}

#[tokio::test]
async fn a_page_of_another_teams_object_is_a_page_of_nothing() {
    let server = TestServer::start().await;
    let foreign = Foreign::make(&server).await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    for (method, path, _) in pages()
        .into_iter()
        .filter(|(_, path, _)| path.contains('{'))
    {
        let mut answers = Vec::new();
        for really in [true, false] {
            let path = foreign.fill(path, really);
            answers.push(owner.send(method.clone(), &path, &[FORM], None).await);
        }
        let name = format!("{method} {path}");
        assert_eq!(
            answers[0].status, answers[1].status,
            "{name}: as if it were not there"
        );
        assert!(answers[0].status >= 400, "{name}: {}", answers[0]);
        assert!(
            !answers[0].json.to_string().contains(MARK),
            "{name}: {}",
            answers[0]
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn nothing_of_another_team_is_listed_whatever_is_asked_for() {
    let server = TestServer::start().await;
    let foreign = Foreign::make(&server).await;
    let mut owner = Browser::of_owner(&server, "ada").await;
    let id = |name: &str| {
        foreign
            .0
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap()
            .1
            .clone()
    };
    let queries = [
        String::new(),
        format!("?team={TEAM}"),
        format!("?directory={}", id("directory")),
        format!("?user={}", id("user")),
        format!("?object={}", id("user")),
        "?q=wesk".to_owned(),
        "?search=wesk".to_owned(),
        "?filter=displayName%20co%20%22esk%22".to_owned(),
    ];
    let of_api = api(&server).await.into_iter();
    let of_api = of_api
        .filter(|route| route.method == Method::GET)
        .map(|route| route.path);
    let of_console = pages().into_iter();
    let of_console = of_console
        .filter(|(method, _, _)| method == Method::GET)
        .map(|(_, path, _)| path.to_owned());
    let more = ["/console/palette?q=wesk".to_owned()];
    for path in of_api
        .chain(of_console)
        .filter(|path| !path.contains('{'))
        .chain(more)
    {
        for query in &queries {
            let path = format!("{path}{query}");
            let answer = owner.get(&path).await;
            assert!(answer.status < 500, "{path}: {answer}");
            assert!(!answer.json.to_string().contains(MARK), "{path}: {answer}");
        }
    }
    server.stop().await;
}
