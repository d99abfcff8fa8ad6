//! The admin API's client: through the local socket, or over the network with a token.

use crate::contexts::{Chosen, Contexts};
use crate::failure::{Code, Failure};
use crate::{Global, environment};
use portreeve_server::Config;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than any answer takes, a long poll's included.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Longer than it takes to send a file.
const FILE_TIMEOUT: Duration = Duration::from_secs(3600);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A server's admin API.
pub(crate) struct Api {
    http: Client,
    base: Url,
    token: Option<SecretString>,
    place: Place,
}

/// Where the server is.
enum Place {
    Local {
        data: PathBuf,
    },
    Remote {
        url: String,
        context: Option<String>,
    },
}

/// Which server a command is for.
pub(crate) enum Target {
    /// The one on this machine with that data folder.
    Local(PathBuf),
    /// One elsewhere, with the token that there is for it.
    Remote(String, Option<SecretString>),
    /// One elsewhere that has a name.
    Context(Chosen),
}

impl Target {
    /// What the flags say, else the environment, else the context that was chosen, else the server on this machine.
    pub(crate) fn of(global: &Global) -> Result<Self, Failure> {
        if let Some(url) = &global.url {
            return Self::at(url);
        }
        if let Some(data) = &global.data {
            return Ok(Self::Local(data.clone()));
        }
        if let Some(name) = &global.context {
            return Self::named(name);
        }
        if let Some(url) = environment::var("PORTREEVE_URL") {
            return Self::at(&url);
        }
        if let Some(name) = environment::var("PORTREEVE_CONTEXT") {
            return Self::named(&name);
        }
        if let Some(data) = environment::var("PORTREEVE_DATA") {
            return Ok(Self::Local(PathBuf::from(data)));
        }
        match Contexts::load()?.current() {
            Some(name) => Self::named(name),
            None => environment::default_data().map(Self::Local),
        }
    }

    fn at(url: &str) -> Result<Self, Failure> {
        let token = match given_token() {
            Some(token) => Some(token),
            None => Contexts::load()?.token_for(url),
        };
        Ok(Self::Remote(url.to_owned(), token))
    }

    fn named(name: &str) -> Result<Self, Failure> {
        let mut context = Contexts::load()?.named(name)?;
        context.token = given_token().or(context.token);
        Ok(Self::Context(context))
    }
}

fn given_token() -> Option<SecretString> {
    environment::var("PORTREEVE_TOKEN").map(SecretString::from)
}

/// What the server says of a failure (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Api {
    /// The server that the command is for.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        match Target::of(global)? {
            Target::Local(data) => Self::local(data),
            Target::Remote(url, token) => Self::remote(&url, token, None),
            Target::Context(context) => {
                Self::remote(&context.url, context.token, Some(&context.name))
            }
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

    /// A server elsewhere, as that of a context where it is one.
    pub(crate) fn remote(
        url: &str,
        token: Option<SecretString>,
        context: Option<&str>,
    ) -> Result<Self, Failure> {
        let place = Place::Remote {
            url: url.trim_end_matches('/').to_owned(),
            context: context.map(str::to_owned),
        };
        Self::new(Client::builder(), url, token, place)
    }

    fn new(
        builder: ClientBuilder,
        url: &str,
        token: Option<SecretString>,
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
        Ok(Self {
            http: http(builder.timeout(TIMEOUT))?,
            base,
            token,
            place,
        })
    }

    /// Where the server is, for people.
    pub(crate) fn place(&self) -> String {
        match &self.place {
            Place::Local { data } => format!("this machine ({})", data.display()),
            Place::Remote { url, .. } => url.clone(),
        }
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

    /// `DELETE` of something that the query says more of.
    pub(crate) async fn delete_where(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        self.send(Method::DELETE, path, query, None).await
    }

    /// `POST` about something that the query says more of.
    pub(crate) async fn post_where(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, Failure> {
        self.send(Method::POST, path, query, Some(body)).await
    }

    /// `PATCH` of something that the query says more of.
    pub(crate) async fn patch_where(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, Failure> {
        self.send(Method::PATCH, path, query, Some(body)).await
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
        let take = |mut page: Vec<Value>| {
            items.append(&mut page);
            Ok(items.len() < limit)
        };
        self.pages(path, query, take).await?;
        items.truncate(limit);
        Ok(items)
    }

    /// A list, page after page as the server links them, for as long as somebody takes more.
    pub(crate) async fn pages(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        mut take: impl FnMut(Vec<Value>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut next = Some(self.url(path, query));
        while let Some(url) = next {
            let (page, link) = self.page(url).await?;
            next = link;
            if !take(page)? {
                break;
            }
        }
        Ok(())
    }

    /// A file, line by line as it comes, each with its end.
    pub(crate) async fn lines(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        mut take: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let request = self.request(Method::GET, self.url(path, query), None);
        let answer = request.timeout(FILE_TIMEOUT).send().await;
        let mut answer = answer.map_err(|error| self.unreachable(&error))?;
        if !answer.status().is_success() {
            self.answered(answer).await?;
            return Ok(());
        }
        let mut rest = Vec::new();
        while let Some(piece) = answer
            .chunk()
            .await
            .map_err(|error| self.unreachable(&error))?
        {
            rest.extend_from_slice(&piece);
            let whole = rest.iter().rposition(|byte| *byte == b'\n');
            let lines: Vec<u8> = rest.drain(..whole.map_or(0, |last| last + 1)).collect();
            for line in String::from_utf8_lossy(&lines).split_inclusive('\n') {
                take(line)?;
            }
        }
        match rest.is_empty() {
            true => Ok(()),
            false => take(&String::from_utf8_lossy(&rest)),
        }
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
        let answer = self.request(method, url, body).send().await;
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        self.answered(answer).await
    }

    fn request(&self, method: Method, url: Url, body: Option<&Value>) -> RequestBuilder {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    async fn answered(&self, answer: Response) -> Result<(HeaderMap, Value), Failure> {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        match read(status, &bytes) {
            Ok(body) => Ok((headers, body)),
            Err(failure) => Err(self.with_next_step(failure)),
        }
    }

    /// Says what to do where the server did not let somebody in.
    fn with_next_step(&self, failure: Failure) -> Failure {
        let Place::Remote { url, context } = &self.place else {
            return failure;
        };
        match failure.code {
            Code::NotSignedIn if environment::var("PORTREEVE_TOKEN").is_some() => {
                failure.hint("the token in PORTREEVE_TOKEN was sent; check it")
            }
            Code::NotSignedIn => failure.hint(match context {
                Some(name) => format!("sign in with: portreeve login --context '{name}'"),
                None => format!("sign in with: portreeve login {url}"),
            }),
            Code::Forbidden => {
                failure.hint("portreeve whoami shows who you are and what you may do")
            }
            _ => failure,
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        match &self.place {
            Place::Remote { url, .. } => unreachable_at(url, error),
            Place::Local { data } => unreachable_here(data, root(error)),
        }
    }
}

/// A client that waits for a connection no longer than that takes, and says what it is.
pub(crate) fn http(builder: ClientBuilder) -> Result<Client, Failure> {
    let agent = format!("portreeve/{} ({})", env!("CARGO_PKG_VERSION"), machine());
    builder
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(agent)
        .build()
        .map_err(|error| Failure::plain(format!("HTTP cannot be set up: {error}")))
}

/// What this machine calls itself, as far as it can be sent in a header.
pub(crate) fn machine() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c))
        .take(64)
        .collect()
}

/// Why a server elsewhere does not answer.
pub(crate) fn unreachable_at(url: &str, error: &reqwest::Error) -> Failure {
    let cause = root(error);
    let message = format!("the server at {url} cannot be reached: {cause}");
    Failure::new(Code::Unreachable, message)
        .hint("check the address (--url, PORTREEVE_URL or portreeve context list), and that the server runs")
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
