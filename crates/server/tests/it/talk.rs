//! A real server in a temporary folder and a client of one of its directories, in plain synchronous words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_directory::Clock;
use portreeve_server::config::Patience;
use portreeve_server::{Config, Running, start};
use portreeve_testbed::fresh_database;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A clock that stands still until a test moves it, but for a microsecond with each look.
#[derive(Debug)]
pub(crate) struct Hand(AtomicI64);

impl Hand {
    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn steady(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.now()).unwrap())
    }
}

pub(crate) struct Server {
    runtime: Runtime,
    running: Option<Running>,
    clock: Arc<Hand>,
    http: Client,
    local: Client,
    made: AtomicI64,
    url: String,
    _folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(Patience::default())
    }

    pub(crate) fn start_with(patience: Patience) -> Self {
        Self::start_as(|config| config.patience = patience)
    }

    pub(crate) fn start_as(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(1_800_000_000_000_000)));
        let mut config = Config::local(folder.path().to_owned());
        if let Some(database) = fresh_database() {
            config.database = database;
        }
        adjust(&mut config);
        let running = runtime.block_on(start(config, clock.clone())).unwrap();
        let local = Client::builder()
            .unix_socket(running.socket())
            .build()
            .unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}", running.address());
        Self {
            runtime,
            running: Some(running),
            clock,
            http,
            local,
            made: AtomicI64::new(0),
            url,
            _folder: folder,
        }
    }

    pub(crate) fn clock(&self) -> &Hand {
        &self.clock
    }

    pub(crate) fn metrics_url(&self) -> Option<String> {
        self.running.as_ref().unwrap().metrics_url()
    }

    /// What is said to a program that asks for something of the listener for metrics: status, media type, text.
    pub(crate) fn measured(&self, path: &str) -> (u16, String, String) {
        let url = self.metrics_url().unwrap().replace("/metrics", path);
        let answer = self.http.get(url).send();
        let answer = self.runtime.block_on(answer).unwrap();
        let media_type = answer.headers().get("content-type");
        let media_type = media_type.map(|it| it.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        let text = self.runtime.block_on(answer.text()).unwrap();
        (status, media_type.unwrap_or_default(), text)
    }

    pub(crate) fn directory(&self, provider: &str, profile: Option<&str>) -> Directory<'_> {
        self.directory_with(json!({"provider": provider, "profile": profile}))
    }

    /// A new directory with these rules.
    pub(crate) fn directory_with(&self, mut rules: Value) -> Directory<'_> {
        rules["name"] = json!(format!("d{}", self.made.fetch_add(1, Ordering::Relaxed)));
        rules
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let made = self.admin(Method::POST, "/directories", Some(&rules));
        let text = |name: &str| {
            made[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name} in {made}"))
                .to_owned()
        };
        Directory {
            server: self,
            id: text("id"),
            base: text("tenant_url"),
            token: text("secret_token"),
        }
    }

    /// A client with a token of nowhere, for a directory that need not exist.
    pub(crate) fn elsewhere(&self, id: &str) -> Directory<'_> {
        Directory {
            server: self,
            id: id.to_owned(),
            base: format!("{}/scim/{id}/v2", self.url),
            token: "prv_scim_x".into(),
        }
    }

    /// The admin API on the local socket.
    pub(crate) fn admin(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let mut request = self
            .local
            .request(method, format!("http://localhost/api/v1{path}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self
            .runtime
            .block_on(async { request.send().await?.text().await })
            .unwrap();
        serde_json::from_str(&answer).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

/// A client of one directory.
pub(crate) struct Directory<'s> {
    server: &'s Server,
    pub(crate) id: String,
    /// The tenant URL.
    pub(crate) base: String,
    pub(crate) token: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// `null` where there is no body.
    pub(crate) json: Value,
}

impl Answer {
    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Directory<'_> {
    /// Sends a request with the token, unless `headers` has another `Authorization` (an empty one sends none).
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .server
            .http
            .request(method, format!("{}{}", self.base, escaped(path)));
        let given = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !given("Authorization") {
            request = request.bearer_auth(&self.token);
        }
        if body.is_some() && !given("Content-Type") {
            request = request.header("Content-Type", "application/scim+json; charset=utf-8");
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        self.server.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let text =
                |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = answer
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect();
            let body = answer.text().await.unwrap();
            let json = if body.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&body).unwrap()
            };
            Answer {
                status,
                headers,
                json,
            }
        })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn patch(&self, path: &str, operations: &Value) -> Answer {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.send("PATCH", path, &[], Some(&body.to_string()))
    }

    /// Name and token as Basic authentication has them.
    pub(crate) fn basic(&self) -> String {
        STANDARD.encode(format!("okta:{}", self.token))
    }

    /// The path of the tenant URL.
    pub(crate) fn path(&self) -> String {
        format!("/scim/{}/v2", self.id)
    }

    /// The directory as the admin API shows it.
    pub(crate) fn api(&self) -> Value {
        self.server
            .admin(Method::GET, &format!("/directories/{}", self.id), None)
    }

    /// Another token, which ends after some seconds, with its id.
    pub(crate) fn new_token(&self, seconds: Option<i64>) -> (String, String) {
        let end = seconds.map(|seconds| {
            portreeve_scim::time::format(self.server.clock.now() + seconds * 1_000_000)
        });
        let made = self.server.admin(
            Method::POST,
            &format!("/directories/{}/tokens", self.id),
            Some(&json!({"name": "another", "expires_at": end})),
        );
        (
            made["secret_token"]
                .as_str()
                .unwrap_or_else(|| panic!("{made}"))
                .to_owned(),
            made["id"].as_str().unwrap().to_owned(),
        )
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.server.admin(
            Method::DELETE,
            &format!("/directories/{}/tokens/{token}", self.id),
            None,
        );
    }

    /// What the provider caused, oldest first.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut events = self
            .server
            .admin(
                Method::GET,
                &format!("/events?directory={}&category=SCIM_SYNC&limit=100", self.id),
                None,
            )
            .as_array()
            .unwrap()
            .clone();
        events.reverse();
        events
    }
}

/// A connection to the server that gives up rather than to hang a test.
pub(crate) fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(Duration::from_secs(30))).unwrap();
    }
    stream
}

/// Sends a request that asks to close the connection, and reads the whole answer.
pub(crate) fn whole(server: &Server, request: &str) -> String {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Sends bytes as they are, closes the sending side, and reads what comes.
pub(crate) fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server);
    // A server that has refused already may close before everything is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The head of a request with the directory's token, up to the headers of its own.
pub(crate) fn head(directory: &Directory<'_>, request: &str, more: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    format!(
        "{method} {}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n{more}\r\n",
        directory.path(),
        directory.token
    )
}

/// What comes next on a connection; nothing if the server has closed it.
pub(crate) fn read_some(stream: &mut TcpStream) -> String {
    let mut answer = [0; 4096];
    let length = match stream.read(&mut answer) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
        read => read.unwrap(),
    };
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

/// Cases are written with blanks and quotes; on the wire these are escaped.
fn escaped(path: &str) -> String {
    let mut out = String::new();
    for c in path.chars() {
        match c {
            ' ' => out.push_str("%20"),
            '"' => out.push_str("%22"),
            '[' => out.push_str("%5B"),
            ']' => out.push_str("%5D"),
            '{' => out.push_str("%7B"),
            '}' => out.push_str("%7D"),
            c => out.push(c),
        }
    }
    out
}
