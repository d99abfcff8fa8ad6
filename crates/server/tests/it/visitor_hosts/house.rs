//! A server with locations and the tablets at their doors.

use http::Method;
use portreeve_server::Config;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

/// Nobody waits so long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct House {
    pub(super) server: TestServer,
}

/// A location with a tablet at its door.
pub(super) struct Door {
    admin: Client,
    tablet: Client,
    id: String,
}

impl House {
    pub(super) async fn start(adjust: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::start_with(|config| {
            config.pace.cycles = Duration::from_millis(20);
            adjust(config);
        })
        .await;
        Self { server }
    }

    /// Makes a location with these settings, and sets its tablet up.
    pub(super) async fn location(&self, name: &str, settings: &Value) -> Door {
        let admin = self.server.admin().clone();
        let mut wanted = settings.clone();
        wanted["name"] = json!(name);
        let made = admin.post("/visit-locations", wanted).await;
        assert_eq!(made.status, 201, "{made}");
        let id = made.id().to_owned();
        let device = admin
            .post(
                &format!("/visit-locations/{id}/devices"),
                json!({"name": "Tablet"}),
            )
            .await;
        assert_eq!(device.status, 201, "{device}");
        let tablet = self.server.stranger();
        let tablet = tablet
            .with_base(&format!("{}/visit/{id}", tablet.base()))
            .with_token(Some(device.text("token")));
        Door { admin, tablet, id }
    }

    /// A visit as the API shows it.
    pub(super) async fn visit(&self, id: &str) -> Value {
        let answer = self.server.admin().get(&format!("/visits/{id}")).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json
    }

    /// The same once it is as wanted.
    pub(super) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.look(&format!("/visits/{id}"), wanted).await
    }

    /// What still waits to be told, once it is as wanted.
    pub(super) async fn notices(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.look("/visits/notices", wanted).await
    }

    async fn look(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = async {
            loop {
                last = self.server.admin().get(path).await.json;
                if wanted(&last) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, found).await;
        assert!(waited.is_ok(), "it never came to that: {last:#}");
        last
    }
}

impl Door {
    /// The people whom visitors find by a text.
    async fn people(&self, text: &str) -> Vec<Value> {
        let answer = self.tablet.get(&format!("/people?q={text}")).await;
        assert_eq!(answer.status, 200, "{answer}");
        let people = match &answer.json {
            Value::Array(people) => people,
            other => other["people"]
                .as_array()
                .unwrap_or_else(|| panic!("{answer}")),
        };
        people.clone()
    }

    /// Their names.
    pub(super) async fn found(&self, text: &str) -> Vec<String> {
        let people = self.people(text).await;
        let name = |person: &Value| person["name"].as_str().unwrap_or_default().to_owned();
        people.iter().map(name).collect()
    }

    /// Signs a visitor in, with the first who is found by a text; the id of the visit.
    pub(super) async fn sign_in(&self, visitor: &str, host: Option<&str>) -> String {
        let host = match host {
            Some(text) => self.people(text).await[0]["id"].clone(),
            None => Value::Null,
        };
        let body = json!({"visitor_host": host, "name": visitor});
        let signed_in = self.post("/visits", &body).await;
        assert_eq!(signed_in.status, 201, "{signed_in}");
        signed_in.id().to_owned()
    }

    /// What the page of the tablet posts.
    async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.tablet
            .send(Method::POST, path, &headers, Some(body.to_string()))
            .await
    }

    /// Whether visitors find somebody of a provider's directory, as admins see it.
    pub(super) async fn visitor_host(&self, provider: &Client, id: &str) -> Value {
        let directory = provider.base().rsplit('/').nth(1).unwrap_or_default();
        let path = format!("/directories/{directory}/visitor-hosts/{id}");
        self.admin.get(&path).await.json
    }

    /// What messages to the program of the location are signed with.
    pub(super) async fn webhook_secret(&self) -> String {
        let path = format!("/visit-locations/{}/webhook-secret", self.id);
        let answer = self.admin.get(&path).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.text("secret").to_owned()
    }
}
