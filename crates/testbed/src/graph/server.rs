//! The state of the double, and what it makes of each request.

use super::certificate::Certificate;
use super::directory::Directory;
use super::reply::{Fault, Reply};
use super::routes::Asked;
use super::{GraphServer, Manner, TENANT};
use crate::TestClock;
use http::request::Parts;
use portreeve_server::Clock;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::MutexGuard;

/// How an answer is sent.
pub(super) enum Delivery {
    Whole(Reply),
    Half(Reply),
    HangUp,
    Silence,
}

/// What a link stands for.
#[derive(Debug, Clone)]
pub(super) enum Issued {
    /// A page that was cut when the query began.
    Page(String),
    /// The changes since one.
    Delta(super::pages::Delta),
}

/// Everything behind the lock.
pub(super) struct State {
    base: String,
    clock: TestClock,
    pub(super) directory: Directory,
    pub(super) manner: Manner,
    pub(super) certificate: Option<Certificate>,
    /// Links by their path and query, with the time at which they were given.
    pub(super) issued: HashMap<String, (Issued, u64)>,
    pub(super) cursors: u64,
    /// Tokens and when they end.
    tokens: HashMap<String, u64>,
    seen: HashSet<String>,
    requests: Vec<String>,
    objections: Vec<String>,
    faults: VecDeque<(String, usize, Fault)>,
}

impl State {
    pub(super) fn new(base: String, clock: TestClock) -> Self {
        Self {
            base,
            clock,
            directory: Directory::new(),
            manner: Manner::default(),
            certificate: None,
            issued: HashMap::new(),
            cursors: 0,
            tokens: HashMap::new(),
            seen: HashSet::new(),
            requests: Vec::new(),
            objections: Vec::new(),
            faults: VecDeque::new(),
        }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Seconds since 1970.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.clock.now() / 1_000_000).unwrap_or_default()
    }

    pub(super) fn object(&mut self, objection: String) {
        self.objections.push(objection);
    }

    /// Whether nobody has sent this name before.
    pub(super) fn is_first(&mut self, name: String) -> bool {
        self.seen.insert(name)
    }

    pub(super) fn issue_token(&mut self, life: u64) -> String {
        let token = format!("token-{}", self.tokens.len() + 1);
        self.tokens.insert(token.clone(), self.now() + life);
        token
    }

    pub(super) fn answer(&mut self, head: &Parts, body: &[u8]) -> Delivery {
        let target = head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let path = head.uri.path();
        self.requests
            .push(format!("{} {}", head.method, decoded(target)));
        let fault = self.fault(&decoded(target));
        match &fault {
            Some(Fault::HangUp) => return Delivery::HangUp,
            Some(Fault::Silence) => return Delivery::Silence,
            Some(fault) => {
                if let Some(reply) = fault.reply(&self.base) {
                    return Delivery::Whole(reply);
                }
            }
            None => {}
        }
        let header = |name: &str| {
            head.headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let reply = if path == format!("/{TENANT}/oauth2/v2.0/token") {
            self.token(head.method.as_str(), header("content-type"), body)
        } else if path.ends_with("/oauth2/v2.0/token") {
            Reply::json(
                400,
                &serde_json::json!({"error": "invalid_request", "error_description": "AADSTS90002: Tenant not found. Check to make sure you have the correct tenant ID."}),
            )
        } else if let Some(refusal) = self.unwelcome(head, header("authorization")) {
            refusal
        } else {
            let asked = Asked::read(target, header("prefer"), header("consistencylevel"));
            self.graph(&asked)
        };
        let reply = reply.header("request-id", "7d4a4f6c-0000-4000-8000-000000000000");
        match fault {
            Some(Fault::CutOff) => Delivery::Half(reply),
            Some(Fault::ForeignLinks) => {
                let body = reply
                    .body
                    .replace(&self.base, "https://graph.attacker.example");
                Delivery::Whole(Reply { body, ..reply })
            }
            Some(Fault::Circle) => {
                Delivery::Whole(circled(reply, &format!("{}{target}", self.base)))
            }
            _ => Delivery::Whole(reply),
        }
    }

    /// Whether a request to Graph may not be answered at all.
    fn unwelcome(&mut self, head: &Parts, authorization: &str) -> Option<Reply> {
        if head.method != http::Method::GET {
            self.object(format!("{} {}", head.method, head.uri));
        }
        let id = head.headers.get("client-request-id");
        let id = id
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let is_guid = id.len() == 36 && id.bytes().filter(|byte| *byte == b'-').count() == 4;
        if !is_guid || !self.is_first(format!("request {id}")) {
            self.object(format!(
                "{}: the client-request-id is {id:?}",
                head.uri.path()
            ));
        }
        let Some(token) = authorization.strip_prefix("Bearer ") else {
            self.object(format!(
                "{}: Authorization is {authorization:?}",
                head.uri.path()
            ));
            return Some(Reply::error(
                401,
                "InvalidAuthenticationToken",
                "Access token is empty.",
            ));
        };
        let now = self.now();
        match self.tokens.get(token) {
            Some(until) if now < *until => None,
            Some(_) => Fault::TokenEnded.reply(&self.base),
            None => {
                self.object(format!(
                    "{}: the token {token} was never given",
                    head.uri.path()
                ));
                Fault::TokenEnded.reply(&self.base)
            }
        }
    }

    fn fault(&mut self, target: &str) -> Option<Fault> {
        let place = self
            .faults
            .iter()
            .position(|(part, times, _)| *times > 0 && target.contains(part.as_str()))?;
        let (_, times, fault) = &mut self.faults[place];
        *times -= 1;
        Some(fault.clone())
    }
}

/// An answer whose link leads to where it came from.
fn circled(reply: Reply, from: &str) -> Reply {
    let mut body: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.remove("@odata.deltaLink");
        members.insert("@odata.nextLink".to_owned(), from.into());
    }
    Reply {
        body: body.to_string(),
        ..reply
    }
}

/// A path and query as people write them.
fn decoded(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let pairs = super::login::form_urlencoded(query.as_bytes());
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

impl GraphServer {
    /// Changes the directory, or looks at it.
    pub fn directory<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        change(&mut self.state().directory)
    }

    /// Changes how answers are cut and ordered.
    pub fn manner(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.state().manner);
    }

    /// Registers a certificate. From then on no secret is taken.
    pub fn register(&self, certificate: &Certificate) {
        self.state().certificate = Some(certificate.clone());
    }

    /// The next requests whose method-less target contains `part` meet with a fault, so many times. Faults that were
    /// asked for first come first.
    pub fn fail(&self, part: &str, times: usize, fault: Fault) {
        self.state()
            .faults
            .push_back((part.to_owned(), times, fault));
    }

    /// All tokens end now.
    pub fn end_tokens(&self) {
        self.state()
            .tokens
            .values_mut()
            .for_each(|until| *until = 0);
    }

    /// Graph forgets what the links it gave so far stand for.
    pub fn forget_links(&self) {
        self.state().issued.clear();
    }

    /// The requests since the last time, as `GET /v1.0/users/delta?$select=id`, decoded.
    ///
    /// # Panics
    /// When one of them was none that Graph would take.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let mut state = self.state();
        assert_eq!(state.objections, Vec::<String>::new());
        std::mem::take(&mut state.requests)
    }

    /// What was wrong with requests so far, for tests that send wrong ones.
    #[must_use]
    pub fn objections(&self) -> Vec<String> {
        std::mem::take(&mut self.state().objections)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the double")
    }
}
