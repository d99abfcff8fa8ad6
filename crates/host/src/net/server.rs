//! The server, over TLS.

use super::Identity;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use portreeve_host_policy::api::{
    Enroll, Enrolled, Heard, KRL_HEADER, Krl, Renew, Renewed, Report,
};
use portreeve_x509::chain;
use rustls::crypto::aws_lc_rs::default_provider;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};

/// Below which all requests of hosts are.
const BASE: &str = "/host/v1";

/// How long it may take to reach the server.
const CONNECT: Duration = Duration::from_secs(15);

/// How long an answer may take that is not waited for on purpose.
const ANSWER: Duration = Duration::from_secs(30);

/// How long the body of an answer may take.
const BODY: Duration = Duration::from_secs(300);

/// The largest answer, in bytes: a revocation list in base64.
const LARGEST: u64 = 160 * 1024 * 1024;

/// How long a connection that nobody uses is kept. Proxies forget those that are older.
const IDLE: Duration = Duration::from_secs(30);

/// A server that is known by its roots.
#[derive(Debug)]
pub struct Server {
    agent: Agent,
    url: String,
    identity: Option<Identity>,
}

/// A document, or that there is no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The envelope as it came; `None`: nothing has changed.
    pub envelope: Option<Vec<u8>>,
    /// Entity tag of the current revocation list.
    pub krl: Option<String>,
    /// The time on the server, to the second (RFC 9110 section 6.6.1).
    pub date: Option<Timestamp>,
}

/// Why the server did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// This host has no identity.
    #[error("this host is not enrolled; enroll it: portreeve-host enroll --token …")]
    NotEnrolled,
    /// Its identity cannot be used.
    #[error("the identity of this host cannot be used: {0}")]
    Identity(String),
    /// No connection, or none that is trusted.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// The certificate by which this host is known was good until a time that is over, so that there is no connection.
    #[error(
        "the identity of this host has run out at {1}; enroll it again, by a token or by its own key: portreeve-host enroll --replace --server {0} --fingerprint …"
    )]
    RunOut(String, Timestamp),
    /// It says no.
    #[error("{detail}")]
    Refused {
        /// Status of HTTP.
        status: u16,
        /// For programs.
        code: String,
        /// For people.
        detail: String,
    },
    /// It says something that nobody understands.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(String),
}

impl Fault {
    /// Whether it makes no sense to ask again soon: this host is none any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. } | Self::RunOut(..))
    }
}

/// A refusal of the API (RFC 9457).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    title: String,
    detail: String,
}

/// The root of a server, by its fingerprint: the connection itself is not trusted, and need not be.
///
/// # Errors
/// When the server cannot be reached, or has no such root.
pub fn fetch_root(url: &str, fingerprint: &str) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Root {
        ca: String,
    }
    let url = url.trim_end_matches('/');
    let tls = tls().disable_verification(true).build();
    let path = format!("{url}/root/{fingerprint}");
    let answer = agent(tls).get(&path).call();
    let answer = accept(answer.map_err(|error| unreachable(url, &error))?);
    let Root { ca } = read(answer.map_err(|fault| match fault {
        Fault::Refused { status: 404, code, .. } => Fault::Refused {
            status: 404,
            code,
            detail: format!(
                "{url} has no root with the fingerprint {fingerprint}; portreeve ca status, asked of that server, shows the one it has"
            ),
        },
        fault => fault,
    })?)?;
    let der = chain::from_pem(&ca).map_err(|cause| Fault::Unreadable(cause.to_string()))?;
    match der.first() {
        Some(root) if chain::fingerprint(root).eq_ignore_ascii_case(fingerprint) => Ok(ca),
        _ => Err(Fault::Unreadable(
            "the root that it gives has another fingerprint; somebody may stand between this host and the server"
                .to_owned(),
        )),
    }
}

impl Server {
    /// A server that is trusted for its root (PEM) alone, before this host has an identity.
    ///
    /// # Errors
    /// When the root is none.
    pub fn with_root(url: &str, root: &str) -> Result<Self, Fault> {
        let tls = tls().root_certs(roots(&[root.to_owned()])?).build();
        Ok(Self {
            agent: agent(tls),
            url: url.trim_end_matches('/').to_owned(),
            identity: None,
        })
    }

    /// The server of an identity.
    ///
    /// # Errors
    /// When the identity cannot be used.
    pub fn with_identity(identity: Identity) -> Result<Self, Fault> {
        identity.check()?;
        let wrong = |cause: ureq::Error| Fault::Identity(cause.to_string());
        let certificates: Vec<_> = certificates(&identity.chain)?;
        let key = PrivateKey::from_pem(identity.key.as_bytes()).map_err(wrong)?;
        let tls = tls()
            .root_certs(roots(&identity.roots)?)
            .client_cert(Some(ClientCert::new_with_certs(&certificates, key)))
            .build();
        Ok(Self {
            agent: agent(tls),
            url: identity.url.clone(),
            identity: Some(identity),
        })
    }

    /// Who this host is to it.
    ///
    /// # Errors
    /// When it is nobody yet.
    pub fn identity(&self) -> Result<&Identity, Fault> {
        self.identity.as_ref().ok_or(Fault::NotEnrolled)
    }

    /// Enrols this host.
    ///
    /// # Errors
    /// When the server cannot be reached, or says no.
    pub fn enroll(&self, wanted: &Enroll) -> Result<Enrolled, Fault> {
        read(self.post("/enroll", wanted)?)
    }

    /// Waits for a document with another version than this, at most for `wait`, or for another list of what is revoked than
    /// that with the entity tag `krl`.
    ///
    /// # Errors
    /// As [`enroll`](Self::enroll).
    pub fn policy(
        &self,
        version: Option<u64>,
        krl: Option<&str>,
        wait: Duration,
    ) -> Result<Policy, Fault> {
        let mut request = self
            .agent
            .get(self.at("/policy"))
            .header("Prefer", format!("wait={}", wait.as_secs()))
            .config()
            .timeout_recv_response(Some(wait + ANSWER))
            .build();
        if let Some(version) = version {
            request = request.header("If-None-Match", format!("\"{version}\""));
        }
        if let Some(krl) = krl {
            request = request.header(KRL_HEADER, krl);
        }
        let answer = accept(self.heard(request.call())?)?;
        let krl = header(&answer, KRL_HEADER);
        let date = header(&answer, "date").and_then(|date| moment(&date));
        let envelope = match answer.status() {
            StatusCode::NOT_MODIFIED => None,
            _ => Some(bytes(answer)?),
        };
        Ok(Policy {
            envelope,
            krl,
            date,
        })
    }

    /// The revocation list, with its entity tag.
    ///
    /// # Errors
    /// As [`enroll`](Self::enroll).
    pub fn krl(&self) -> Result<(Krl, String), Fault> {
        let answer = accept(self.heard(self.agent.get(self.at("/krl")).call())?)?;
        let tag = header(&answer, "etag").unwrap_or_default();
        Ok((read(answer)?, tag))
    }

    /// Reports how things stand.
    ///
    /// # Errors
    /// As [`enroll`](Self::enroll).
    pub fn report(&self, report: &Report) -> Result<Heard, Fault> {
        read(self.post("/report", report)?)
    }

    /// Has keys certified anew.
    ///
    /// # Errors
    /// As [`enroll`](Self::enroll).
    pub fn renew(&self, what: &Renew) -> Result<Renewed, Fault> {
        read(self.post("/renew", what)?)
    }

    /// Says that this host leaves. Its identity is good for nothing afterwards.
    ///
    /// # Errors
    /// As [`enroll`](Self::enroll).
    pub fn leave(&self) -> Result<(), Fault> {
        self.post("/leave", &serde_json::json!({})).map(drop)
    }

    fn post(&self, path: &str, body: &impl Serialize) -> Result<Response<Body>, Fault> {
        let text =
            serde_json::to_vec(body).map_err(|cause| Fault::Unreadable(cause.to_string()))?;
        let request = self
            .agent
            .post(self.at(path))
            .content_type("application/json");
        accept(self.heard(request.send(&text[..]))?)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{BASE}{path}", self.url)
    }

    fn heard(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Fault> {
        answer.map_err(|error| unreachable(&self.url, &error))
    }
}

/// SHA-256 of a revocation list, in lower-case hexadecimal digits.
pub(super) fn sha256_of(krl: &Krl) -> Result<String, Fault> {
    let file = STANDARD
        .decode(&krl.krl)
        .map_err(|cause| Fault::Unreadable(cause.to_string()))?;
    let mut text = String::new();
    for byte in digest(&SHA256, &file).as_ref() {
        // Writing to memory does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn tls() -> ureq::tls::TlsConfigBuilder {
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
}

fn agent(tls: TlsConfig) -> Agent {
    Agent::config_builder()
        .tls_config(tls)
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_age(IDLE)
        .max_idle_connections(2)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(BODY))
        .user_agent(concat!("portreeve-host/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

fn roots(pem: &[String]) -> Result<RootCerts, Fault> {
    Ok(RootCerts::Specific(Arc::new(certificates(pem)?)))
}

fn certificates(pem: &[String]) -> Result<Vec<Certificate<'static>>, Fault> {
    let one = |pem: &String| {
        Certificate::from_pem(pem.as_bytes()).map_err(|cause| Fault::Identity(cause.to_string()))
    };
    pem.iter().map(one).collect()
}

/// An answer that says yes.
fn accept(answer: Response<Body>) -> Result<Response<Body>, Fault> {
    let status = answer.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(answer);
    }
    let problem: Problem = read(answer).unwrap_or_default();
    let said = [problem.detail, problem.title];
    let detail = said.into_iter().find(|text| !text.is_empty());
    Err(Fault::Refused {
        status: status.as_u16(),
        code: problem.code,
        detail: detail.unwrap_or_else(|| format!("the server answers {status}")),
    })
}

fn read<T: DeserializeOwned>(answer: Response<Body>) -> Result<T, Fault> {
    serde_json::from_slice(&bytes(answer)?).map_err(|cause| Fault::Unreadable(cause.to_string()))
}

fn bytes(answer: Response<Body>) -> Result<Vec<u8>, Fault> {
    let body = answer.into_body().into_with_config().limit(LARGEST);
    body.read_to_vec()
        .map_err(|cause| Fault::Unreadable(cause.to_string()))
}

fn header(answer: &Response<Body>, name: &str) -> Option<String> {
    let value = answer.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// A time as HTTP has it, such as `Sun, 22 Nov 2026 11:40:49 GMT`.
fn moment(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    zoned.ok()
}

fn unreachable(url: &str, error: &ureq::Error) -> Fault {
    Fault::Unreachable(url.to_owned(), error.to_string())
}
