//! A team with people and hosts, for tests of who reaches which.

use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};

/// The directory that people are from.
pub(crate) const STAFF: &str = "/directories/Staff";

/// Ada is in `web-ops`, Bob is not; there are a web server and a database.
pub(crate) struct Estate {
    pub(crate) server: TestServer,
}

impl Estate {
    pub(crate) async fn start() -> Self {
        let estate = Self {
            server: TestServer::start().await,
        };
        let staff = json!({"name": "Staff", "provider": "native"});
        estate.make("/directories", staff).await;
        for name in ["ada", "bob"] {
            let user = json!({"user_name": format!("{name}@contoso.example")});
            estate.make(&format!("{STAFF}/users"), user).await;
        }
        let group = json!({"display_name": "web-ops"});
        estate.make(&format!("{STAFF}/groups"), group).await;
        let member = json!({"id": "ada@contoso.example"});
        let members = format!("{STAFF}/groups/web-ops/members");
        estate.make(&members, member).await;
        estate
            .host("web-1", json!({"role": "web", "env": "prod"}))
            .await;
        estate
            .host("db-1", json!({"role": "db", "env": "prod"}))
            .await;
        estate
    }

    pub(crate) fn admin(&self) -> &Client {
        self.server.admin()
    }

    /// Makes something as the machine's administrator.
    pub(crate) async fn make(&self, path: &str, body: Value) -> Answer {
        let made = self.admin().post(path, body).await;
        assert_eq!(made.status, 201, "{path}: {made}");
        made
    }

    pub(crate) async fn host(&self, name: &str, tags: Value) -> String {
        let host = json!({"name": name, "tags": tags});
        self.make("/hosts", host).await.id().to_owned()
    }

    /// Grants `web-ops` login to some hosts.
    pub(crate) async fn grant(&self, hosts: &str) -> String {
        let grant = json!({"group": "web-ops", "hosts": hosts});
        self.make("/grants", grant).await.id().to_owned()
    }

    /// Whether somebody may log in somewhere, and how that came about: each step with its verdict, and the last sentence.
    pub(crate) async fn explain(&self, user: &str, host: &str) -> (bool, Vec<String>, String) {
        let path = format!("/explain?user={user}&host={host}");
        let found = self.admin().get(&path).await;
        assert_eq!(found.status, 200, "{found}");
        let text = |reason: &Value, name: &str| reason[name].as_str().unwrap().to_owned();
        let reasons = found.json["reasons"].as_array().unwrap();
        let steps = reasons
            .iter()
            .map(|one| format!("{} {}", text(one, "step"), text(one, "verdict")))
            .collect();
        let last = text(reasons.last().unwrap(), "why");
        (found.json["allowed"] == true, steps, last)
    }

    pub(crate) async fn may(&self, user: &str, host: &str) -> bool {
        self.explain(&format!("{user}@contoso.example"), host)
            .await
            .0
    }
}

pub(crate) fn assert_refused(answer: &Answer, status: u16, code: &str, says: &str) {
    assert_eq!(
        (answer.status, answer.text("code")),
        (status, code),
        "{answer}"
    );
    assert!(answer.text("detail").contains(says), "{answer}");
}

/// What is in a list under a name.
pub(crate) fn column(answer: &Answer, name: &str) -> Vec<Value> {
    let list = answer.json.as_array().unwrap_or_else(|| panic!("{answer}"));
    list.iter().map(|one| one[name].clone()).collect()
}
