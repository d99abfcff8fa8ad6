//! The admin API's client: through the local socket, or over the network with a token.

use crate::failure::{Code, Failure};
use crate::{Global, environment};
use portreeve_server::Config;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Method, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than any answer takes, a long poll's included.
const TIMEOUT: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server's admin API.
pub(crate) struct Api {
    http: Client,
    base: Url,
    token: Option<String>,
    place: Place,
}

/// Where the server is.
enum Place {
    Local { data: PathBuf },
    Remote,
}

/// What the server says of a failure (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Api {
    /// The server that the flags and the environment name.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let url = match (&global.url, &global.data) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(_)) => None,
            (None, None) => environment::var("PORTREEVE_URL"),
        };
        if let Some(url) = url {
            return Self::remote(&url, environment::var("PORTREEVE_TOKEN"));
        }
        let data = global
            .data
            .clone()
            .or_else(|| environment::var("PORTREEVE_DATA").map(PathBuf::from));
        match data {
            Some(data) => Self::local(data),
            None => Self::local(environment::default_data()?),
        }
    }

    /// The server on this machine with that data folder.
    pub(crate) fn local(data: PathBuf) -> Result<Self, Failure> {
        let builder = Client::builder()
            .unix_socket(Config::socket(&data))
            .no_proxy();
        // The name is not resolved, because the socket is the only way.
        Self::new(builder, "http://localhost", None, Place::Local { data })
    }

    fn remote(url: &str, token: Option<String>) -> Result<Self, Failure> {
        Self::new(Client::builder(), url, token, Place::Remote)
    }

    fn new(
        builder: reqwest::ClientBuilder,
        url: &str,
        token: Option<String>,
        place: Place,
    ) -> Result<Self, Failure> {
        let base = format!("{}/api/v1", url.trim_end_matches('/'));
        let base = Url::parse(&base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                Failure::usage(format!(
                    "\"{url}\" is no address of a server; write it as https://portreeve.example.com"
                ))
            })?;
        let http = builder
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::plain(format!("HTTP cannot be set up: {error}")))?;
        Ok(Self {
            http,
            base,
            token,
            place,
        })
    }

    pub(crate) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        self.send(Method::GET, path, query, None).await
    }

    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.send(Method::PUT, path, &[], Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.send(Method::PATCH, path, &[], Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Value, Failure> {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// One page of a list.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<Value>, Failure> {
        let (items, _) = self.page(self.url(path, query)).await?;
        Ok(items)
    }

    /// A list, page after page as the server links them, but no more than `limit`.
    pub(crate) async fn walk(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        limit: usize,
    ) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut next = Some(self.url(path, query));
        while let Some(url) = next.filter(|_| items.len() < limit) {
            let (mut page, link) = self.page(url).await?;
            items.append(&mut page);
            next = link;
        }
        items.truncate(limit);
        Ok(items)
    }

    async fn page(&self, url: Url) -> Result<(Vec<Value>, Option<Url>), Failure> {
        let (headers, body) = self.exchange(Method::GET, url.clone(), None).await?;
        let link = headers
            .get(header::LINK)
            .and_then(|link| link.to_str().ok());
        let next = link.and_then(next_of).and_then(|next| url.join(next).ok());
        match body {
            Value::Array(items) => Ok((items, next)),
            _ => Err(Failure::plain(
                "the server answered with something that is no list; is it of another version?",
            )),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let (_, body) = self.exchange(method, self.url(path, query), body).await?;
        Ok(body)
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn exchange(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<(HeaderMap, Value), Failure> {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        read(status, &bytes).map(|body| (headers, body))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let cause = root(error);
        match &self.place {
            Place::Remote => Failure::new(
                Code::Unreachable,
                format!(
                    "the server at {} cannot be reached: {cause}",
                    self.base.origin().ascii_serialization()
                ),
            )
            .hint("check --url or PORTREEVE_URL, and that the server runs"),
            Place::Local { data } => unreachable_here(data, cause),
        }
    }
}

fn unreachable_here(data: &Path, cause: &(dyn Error + 'static)) -> Failure {
    let data = data.display();
    match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::PermissionDenied) => Failure::new(
            Code::Forbidden,
            format!("this user may not use the socket of the server in {data}"),
        )
        .hint("run the command as the user that runs the server, or as root"),
        Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Failure::new(
            Code::Unreachable,
            format!("no server is running with the data folder {data}"),
        )
        .hint(format!(
            "start one with: portreeve serve --data '{data}', or say which one with --data or --url"
        )),
        _ => Failure::new(
            Code::Unreachable,
            format!("the server with the data folder {data} does not answer: {cause}"),
        )
        .hint("its log on standard error says what it is doing"),
    }
}

/// The innermost cause: the others only say that a request failed.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

fn read(status: StatusCode, bytes: &[u8]) -> Result<Value, Failure> {
    if status.is_success() {
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        return serde_json::from_slice(bytes)
            .map_err(|_| Failure::plain("the answer is not of a Portreeve server: it is no JSON"));
    }
    let message = match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => problem.detail,
        Err(_) => {
            format!("the server answered {status} without saying why; is it a Portreeve server?")
        }
    };
    Err(Failure::new(Code::of_status(status.as_u16()), message))
}

/// How many items to ask for at once; the server's largest page has 1,000.
pub(crate) fn page_size(limit: usize) -> String {
    limit.clamp(1, 1000).to_string()
}

/// The target of a `Link` header that leads on (RFC 8288): `<?after=…>; rel="next"`.
fn next_of(link: &str) -> Option<&str> {
    let (target, rest) = link.strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then_some(target)
}
