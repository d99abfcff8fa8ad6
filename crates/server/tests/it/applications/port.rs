//! A server with a folder of tables that its applications may read, and a directory that they provision into.

use portreeve_server::Config;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for every cycle; nobody waits so long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Port {
    pub(super) server: TestServer,
    /// The provider of the directory that is provisioned into.
    pub(super) target: Client,
    files: TempDir,
}

/// What lets a server read the tables of a folder and provision into itself.
pub(crate) fn allow(config: &mut Config, files: &Path) {
    config.applications.files = Some(files.to_owned());
    config.applications.private_addresses = true;
    config.pace.cycles = Duration::from_millis(20);
}

/// A definition that provisions the people of `people.csv` into a directory.
pub(crate) fn definition(target: &Client) -> Value {
    json!({
        "name": "Town",
        "template": "portreeve",
        "source": {"type": "csv", "users": "people.csv", "key": "objectId"},
        "target": {
            "url": target.base(),
            "authentication": {"type": "bearer", "token": target.token()},
            "allow_private_addresses": true,
        },
    })
}

/// A table of people who have these names.
pub(crate) fn table(names: &[&str]) -> String {
    let mut table = "objectId,userPrincipalName,displayName,accountEnabled\n".to_owned();
    for name in names {
        table.push_str(&format!("{name}-key,{name}@contoso.example,{name},true\n"));
    }
    table
}

impl Port {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let files = TempDir::new().expect("a temporary folder");
        let server = TestServer::start_with(|config| {
            allow(config, files.path());
            adjust(config);
        })
        .await;
        let target = server.directory("generic").await;
        let port = Self {
            server,
            target,
            files,
        };
        port.people_are(&["ada", "grace"]);
        port
    }

    /// Writes the table of people.
    pub(super) fn people_are(&self, names: &[&str]) {
        self.write("people.csv", &table(names));
    }

    pub(super) fn write(&self, file: &str, text: &str) {
        fs::write(self.files.path().join(file), text).expect("the file is written");
    }

    pub(super) fn files(&self) -> &Path {
        self.files.path()
    }

    pub(super) fn definition(&self) -> Value {
        definition(&self.target)
    }

    pub(super) fn admin(&self) -> &Client {
        self.server.admin()
    }

    /// Declares the application `Town`.
    pub(super) async fn declare(&self) -> Answer {
        let made = self.admin().post("/applications", self.definition()).await;
        assert_eq!(made.status, 201, "{made}");
        made
    }

    /// The status of `Town` once its cycle of that number has ended.
    pub(super) async fn cycle(&self, number: i64) -> Value {
        cycle(self.admin(), number).await
    }

    /// What the log of the team says of provisioning, oldest first: who did what to which object.
    pub(super) async fn events(&self) -> Vec<String> {
        let events = self
            .admin()
            .get("/events?after=0&category=PROVISIONING")
            .await;
        let list = events.json.as_array().cloned().unwrap_or_default();
        let line = |event: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (actor, action) = (text(&event["actor"]["type"]), text(&event["action"]));
            format!("{actor} {action} {}", text(&event["object"]["name"]))
        };
        list.iter().map(line).collect()
    }
}

/// The status of `Town` once its cycle of that number has ended.
pub(crate) async fn cycle(admin: &Client, number: i64) -> Value {
    status(admin, |status| {
        let execution = &status["lastExecution"];
        execution["number"] == number && !execution["ended"].is_null()
    })
    .await
}

/// The status of `Town` once it is as wanted.
pub(crate) async fn status(admin: &Client, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let found = async {
        loop {
            let answer = admin.get("/applications/town/status").await;
            assert_eq!(answer.status, 200, "{answer}");
            last = answer.json;
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

/// The names of the people in a directory, with a minus before those who are not active.
pub(crate) async fn people(directory: &Client) -> Vec<String> {
    let users = directory.get("/Users?count=1000").await;
    let list = users.json["Resources"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let name = |user: &Value| {
        let name = user["userName"].as_str().unwrap_or_default();
        let name = name.split('@').next().unwrap_or_default();
        let mark = if user["active"] == false { "-" } else { "" };
        format!("{mark}{name}")
    };
    let mut names: Vec<String> = list.iter().map(name).collect();
    names.sort();
    names
}
