//! An HTTP server whose answers a test writes, and which objects to requests that Entra would not send.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use portreeve_provisioning::source::Home;
use portreeve_provisioning::target::{Client, Error, Limits, Settings, Surroundings, TenantUrl};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "the-secret-token";

/// One request as it arrived.
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, encoded as they were sent.
    pub(crate) target: String,
    pub(crate) body: Option<Value>,
    /// The body as text, for forms.
    pub(crate) text: String,
    pub(crate) authorization: String,
    pub(crate) if_match: Option<String>,
}

impl Seen {
    /// "POST /scim/Users", as tests write it.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What the double does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers with these headers and this body.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Answers without announcing the length.
    Chunks {
        status: u16,
        chunk: String,
        times: usize,
    },
    /// Closes the connection without an answer.
    HangUp,
    /// Never answers.
    Silence,
}

impl Reply {
    /// A SCIM answer.
    pub(crate) fn scim(status: u16, body: &Value) -> Self {
        Self::with(status, "application/scim+json", &body.to_string())
    }

    /// Any other answer.
    pub(crate) fn with(status: u16, content_type: &str, body: &str) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.to_owned(),
        }
    }

    /// An answer with no body.
    pub(crate) fn empty(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

type Answers = Arc<Mutex<dyn FnMut(&Seen) -> Reply + Send>>;

/// A running double. It stops with the test's runtime.
pub(crate) struct Double {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    objections: Arc<Mutex<Vec<String>>>,
}

impl Double {
    pub(crate) async fn start(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let double = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            objections: Arc::default(),
        };
        let (seen, objections) = (Arc::clone(&double.seen), Arc::clone(&double.objections));
        let answer: Answers = Arc::new(Mutex::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, objections, answer) = (
                    Arc::clone(&seen),
                    Arc::clone(&objections),
                    Arc::clone(&answer),
                );
                let service = service_fn(move |request| {
                    serve(
                        request,
                        Arc::clone(&seen),
                        Arc::clone(&objections),
                        Arc::clone(&answer),
                    )
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        double
    }

    /// A double that gives these answers in turn, and after them 418.
    pub(crate) async fn script(replies: Vec<Reply>) -> Self {
        let mut replies = replies.into_iter();
        Self::start(move |_| replies.next().unwrap_or_else(|| Reply::empty(418))).await
    }

    /// A client for this double, below the path `/scim`.
    pub(crate) fn client(&self, limits: Limits) -> (Client, Arc<Standstill>) {
        client(&format!("http://{}/scim", self.address), limits)
    }

    /// A client with these settings in TOML, in which `HERE` stands for the double. Without a URL of their own the
    /// tenant URL is that of [`Double::client`], and without credentials there is the test's token.
    pub(crate) fn open(&self, settings: &str) -> Result<(Client, Arc<Standstill>), Error> {
        let mut settings = settings.replace("HERE", &self.address.to_string());
        if !settings.contains("authentication") {
            settings += &format!("\nauthentication = {{ type = \"bearer\", token = \"{TOKEN}\" }}");
        }
        if !settings.contains("allow_private") {
            settings += "\nallow_private_addresses = true";
        }
        if !settings.contains("url =") {
            settings += &format!("\nurl = \"http://{}/scim\"", self.address);
        }
        open(&settings)
    }

    /// A client whose tenant URL carries a query.
    pub(crate) fn client_with_query(&self, query: &str) -> Client {
        client(
            &format!("http://{}/scim?{query}", self.address),
            Limits::default(),
        )
        .0
    }

    /// The requests so far, after a check that none of them was objectionable.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        assert_eq!(*self.objections.lock().unwrap(), Vec::<String>::new());
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// The requests so far as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Seen::line).collect()
    }
}

/// A client with the test's token, and its view of time.
pub(crate) fn client(url: &str, limits: Limits) -> (Client, Arc<Standstill>) {
    let standstill = Arc::new(Standstill::default());
    let surroundings: Arc<dyn Surroundings> = standstill.clone();
    let client = Client::new(
        TenantUrl::parse(url).unwrap(),
        &SecretString::from(TOKEN),
        limits,
        surroundings,
    );
    (client.unwrap(), standstill)
}

/// A client with these settings, and its view of time.
pub(crate) fn open(settings: &str) -> Result<(Client, Arc<Standstill>), Error> {
    let standstill = Arc::new(Standstill::default());
    let home = Home {
        folder: PathBuf::new(),
        state: PathBuf::new(),
        surroundings: standstill.clone(),
        environment: |name| (name == "APP_SECRET").then(|| "p&w".to_owned()),
        directories: None,
    };
    let settings: Settings = toml::from_str(settings).unwrap();
    let client = Client::open(&settings, &home, Limits::default())?;
    Ok((client, standstill))
}

/// It is noon, and time passes only by pauses, which are over at once and are written down. Chance always gives the
/// largest number.
#[derive(Debug, Default)]
pub(crate) struct Standstill {
    pauses: Mutex<Vec<Duration>>,
}

impl Standstill {
    pub(crate) const NOON: &str = "Sat, 21 Nov 2026 12:00:00 GMT";

    /// The pauses so far in milliseconds.
    pub(crate) fn pauses(&self) -> Vec<u128> {
        self.pauses
            .lock()
            .unwrap()
            .iter()
            .map(Duration::as_millis)
            .collect()
    }
}

impl Surroundings for Standstill {
    fn now(&self) -> SystemTime {
        let passed: Duration = self.pauses.lock().unwrap().iter().sum();
        httpdate::parse_http_date(Self::NOON).unwrap() + passed
    }

    fn random(&self) -> u64 {
        u64::MAX
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pauses.lock().unwrap().push(time);
        Box::pin(std::future::ready(()))
    }
}

type Chunks = Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;
type Body = Either<Full<Bytes>, StreamBody<Chunks>>;

/// Why the double breaks a connection off.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up")
    }
}

impl std::error::Error for HungUp {}

async fn serve(
    request: Request<Incoming>,
    seen: Arc<Mutex<Vec<Seen>>>,
    objections: Arc<Mutex<Vec<String>>>,
    answer: Answers,
) -> Result<Response<Body>, HungUp> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.map_err(|_| HungUp)?.to_bytes();
    let body = (!bytes.is_empty()).then(|| serde_json::from_slice(&bytes).unwrap_or(Value::Null));
    let target = head
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let header = |name: &str| {
        let value = head.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let request = Seen {
        method: head.method.to_string(),
        target,
        body,
        text: String::from_utf8_lossy(&bytes).into_owned(),
        authorization: header("authorization").unwrap_or_default(),
        if_match: header("if-match"),
    };
    objections
        .lock()
        .unwrap()
        .extend(object(&request, &head.headers));
    let reply = (*answer.lock().unwrap())(&request);
    seen.lock().unwrap().push(request);
    let (status, headers, body) = match reply {
        Reply::Answer {
            status,
            headers,
            body,
        } => (status, headers, Either::Left(Full::from(body))),
        Reply::Chunks {
            status,
            chunk,
            times,
        } => {
            let frame = Ok(Frame::data(Bytes::from(chunk)));
            let frames = std::iter::repeat_with(move || match &frame {
                Ok(frame) => Ok(Frame::data(frame.data_ref().cloned().unwrap_or_default())),
                Err(never) => Err(*never),
            });
            let chunks: Chunks = Box::pin(futures_util::stream::iter(frames.take(times)));
            let headers = vec![("content-type", "application/scim+json".to_owned())];
            (status, headers, Either::Right(StreamBody::new(chunks)))
        }
        Reply::HangUp => return Err(HungUp),
        Reply::Silence => std::future::pending().await,
    };
    let response = headers.into_iter().fold(
        Response::builder().status(status),
        |response, (name, value)| response.header(name, value),
    );
    response.body(body).map_err(|_| HungUp)
}

/// What is wrong with a request, whatever it asks for. Below `/own` it may sign in as it likes, and `/token` is no SCIM.
fn object(request: &Seen, headers: &HeaderMap) -> Vec<String> {
    let mut objections = Vec::new();
    if request.target.starts_with("/token") {
        return objections;
    }
    let expected = [
        ("authorization", format!("Bearer {TOKEN}")),
        (
            "content-type",
            "application/scim+json; charset=utf-8".to_owned(),
        ),
        (
            "accept",
            "application/scim+json, application/json".to_owned(),
        ),
        (
            "user-agent",
            concat!("portreeve/", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
    ];
    let own = request.target.starts_with("/own/");
    for (name, value) in expected {
        if own && name == "authorization" {
            continue;
        }
        let sent: Vec<_> = headers
            .get_all(name)
            .iter()
            .filter_map(|sent| sent.to_str().ok())
            .collect();
        if sent != [&*value] {
            objections.push(format!("{}: {name} is {sent:?}", request.line()));
        }
    }
    let has_body = matches!(&*request.method, "POST" | "PUT" | "PATCH");
    if has_body != request.body.as_ref().is_some_and(Value::is_object) {
        objections.push(format!(
            "{}: the body is {:?}",
            request.line(),
            request.body
        ));
    }
    objections
}
