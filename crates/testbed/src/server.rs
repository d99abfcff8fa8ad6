//! A whole server in this process, on a free port and a data folder of its own.

use crate::{Client, TestClock, fresh_database};
use portreeve_server::{Config, Running};
use portreeve_store::{Database, Stats};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A running server. Its data goes when it is dropped.
pub struct TestServer {
    running: Running,
    clock: TestClock,
    data: TempDir,
    database: Database,
    http: reqwest::Client,
    admin: Client,
}

impl TestServer {
    /// Starts a server with a new database, of the kind that [`DATABASE`](portreeve_cluster::DATABASE) names.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a server with a new database and some settings of its own.
    pub async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let data = TempDir::new().expect("a temporary folder");
        Self::on(data, fresh_database(), TestClock::default(), adjust).await
    }

    /// Stops the server, and starts another one on the same data.
    #[must_use]
    pub async fn restart(self) -> Self {
        let (data, database, clock) = (self.data, self.database, self.clock);
        self.running.stop().await;
        Self::on(data, Some(database), clock, |_| {}).await
    }

    async fn on(
        data: TempDir,
        database: Option<Database>,
        clock: TestClock,
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::local(data.path().to_owned());
        if let Some(database) = database {
            config.database = database;
        }
        adjust(&mut config);
        let database = config.database.clone();
        let running = portreeve_server::start(config, Arc::new(clock.clone()))
            .await
            .expect("the server starts");
        let socket = reqwest::Client::builder()
            .unix_socket(running.socket())
            .build();
        let admin = Client::new(
            socket.expect("a client for the socket"),
            "http://localhost/api/v1".to_owned(),
            None,
            "application/json",
        );
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self {
            running,
            clock,
            data,
            database,
            http: http.expect("an HTTP client"),
            admin,
        }
    }

    /// The clock that the server goes by.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Where the server listens, for tests that write bytes themselves.
    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// What its database has done so far.
    pub fn stats(&self) -> Stats {
        self.running.database()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The machine's administrator, at the local socket.
    pub fn admin(&self) -> &Client {
        &self.admin
    }

    /// Somebody on the network without a token.
    pub fn stranger(&self) -> Client {
        let base = format!("http://{}", self.address());
        Client::new(self.http.clone(), base, None, "application/json")
    }

    /// Somebody who speaks to the certificate authority over TLS, and trusts this root (PEM) alone. `identity` is a
    /// certificate with its key (PEM). Certificates are checked by the time of the machine: the server's clock must show it.
    pub fn step(&self, root: &str, identity: Option<&str>) -> Client {
        let root = reqwest::Certificate::from_pem(root.as_bytes()).expect("a root");
        self.step_with(identity, |http| http.tls_certs_only([root]))
    }

    /// The same without knowing a root, as a client asks for one that verifies it otherwise.
    pub fn step_trusting(&self) -> Client {
        self.step_with(None, |http| http.tls_danger_accept_invalid_certs(true))
    }

    fn step_with(
        &self,
        identity: Option<&str>,
        trusting: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Client {
        let mut http = trusting(reqwest::Client::builder().no_proxy());
        if let Some(identity) = identity {
            let identity = reqwest::Identity::from_pem(identity.as_bytes());
            http = http.identity(identity.expect("a certificate with its key"));
        }
        let http = http.build().expect("a client for TLS");
        let url = self.running.ca_url().expect("the authority is served");
        Client::new(http, url, None, "application/json")
    }

    /// The provider of a new directory, with the directory's token. Names: `entra`, `okta`, `google`, `generic`.
    pub async fn directory(&self, provider: &str) -> Client {
        self.directory_with(provider, json!({})).await
    }

    /// As [`directory`](Self::directory), with more members for the request that makes it, such as
    /// `{"users": "suspend"}`.
    pub async fn directory_with(&self, provider: &str, more: Value) -> Client {
        let count = self.admin.get("/directories").await;
        let count = count.json.as_array().map_or(0, Vec::len);
        let mut wanted = json!({"name": format!("{provider} {}", count + 1), "provider": provider});
        if let (Some(wanted), Value::Object(more)) = (wanted.as_object_mut(), more) {
            wanted.extend(more);
        }
        let made = self.admin.post("/directories", wanted).await;
        assert_eq!(made.status, 201, "{made}");
        let token = made.text("secret_token").to_owned();
        Client::new(
            self.http.clone(),
            made.text("tenant_url").to_owned(),
            Some(token),
            "application/scim+json",
        )
    }

    /// Stops the server as SIGTERM does.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}
