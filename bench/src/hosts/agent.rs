//! One simulated agent: it enrols, waits for policies, and tells that it has applied them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::{Method, StatusCode};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::client::{Connection, Target};

/// How long the server is asked to hold a request, in seconds: as long as it does.
const WAIT: &str = "wait=300";
const POLICY: &str = "/host/v1/policy";

/// What all of them have in common: a real fleet has a key for each host, which the server cannot tell.
pub(super) struct Mould {
    key: PrivateKeyDer<'static>,
    request: String,
    roots: RootCertStore,
}

impl Mould {
    pub(super) fn new(roots: RootCertStore) -> Result<Self> {
        let key = KeyPair::generate()?;
        let request = CertificateParams::new(Vec::new())?.serialize_request(&key)?;
        Ok(Self {
            request: request.pem()?,
            key: PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?,
            roots,
        })
    }

    /// Has a machine of this name become a host. How it speaks to the server from then on.
    pub(super) async fn enrol(
        &self,
        connection: &mut Connection,
        address: &Target,
        (token, name): (&str, &str),
    ) -> Result<Target> {
        let body = json!({
            "name": name, "token": token, "csr": self.request, "host_key": host_key()?,
            "agent_version": "0.1.0", "os": "simulated",
        });
        let answer = connection
            .send(&Method::POST, "/host/v1/enroll", body.to_string().into())
            .await?;
        ensure!(
            answer.status == StatusCode::CREATED,
            "{name} was refused: {}",
            String::from_utf8_lossy(&answer.body)
        );
        let answer: Value = serde_json::from_slice(&answer.body)?;
        let chain = answer["identity"].as_array().into_iter().flatten();
        let chain = chain.filter_map(Value::as_str);
        let chain = chain.map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()));
        let config = ClientConfig::builder()
            .with_root_certificates(self.roots.clone())
            .with_client_auth_cert(chain.collect::<Result<_, _>>()?, self.key.clone_key())?;
        Ok(Target {
            tls: Some(TlsConnector::from(Arc::new(config))),
            ..address.clone()
        })
    }
}

/// The line of a new public key (RFC 8709 section 4).
fn host_key() -> Result<String> {
    const KIND: &[u8] = b"ssh-ed25519";
    let pair = Ed25519KeyPair::generate()?;
    let mut blob = Vec::new();
    for part in [KIND, pair.public_key().as_ref()] {
        blob.extend(u32::try_from(part.len())?.to_be_bytes());
        blob.extend(part);
    }
    Ok(format!("ssh-ed25519 {}", STANDARD.encode(blob)))
}

/// A policy has come.
pub(super) struct News {
    /// Whose, counted.
    pub(super) agent: u64,
    pub(super) at: Instant,
}

/// Follows the policy of a host for as long as anybody listens.
pub(super) async fn follow(agent: u64, target: Target, news: UnboundedSender<News>) -> Result<()> {
    let mut connection = Connection::open(&target).await?;
    let mut known = String::new();
    loop {
        let headers = [("if-none-match", known.as_str()), ("prefer", WAIT)];
        let answer = connection
            .send_with(&Method::GET, POLICY, &headers, Bytes::new())
            .await?;
        match answer.status {
            StatusCode::NOT_MODIFIED => continue,
            // As real ones do: not all of them at once again.
            StatusCode::SERVICE_UNAVAILABLE => {
                tokio::time::sleep(Duration::from_millis(500 + agent % 1_000)).await;
                connection = Connection::open(&target).await?;
                continue;
            }
            StatusCode::OK => {}
            status => bail!(
                "agent {agent}: {POLICY} answered {status}: {}",
                String::from_utf8_lossy(&answer.body)
            ),
        }
        let at = Instant::now();
        let tag = answer.headers.get(hyper::header::ETAG);
        known = tag.context("a policy without a tag")?.to_str()?.to_owned();
        if news.send(News { agent, at }).is_err() {
            return Ok(());
        }
        report(&mut connection, &known).await?;
    }
}

async fn report(connection: &mut Connection, tag: &str) -> Result<()> {
    let version: u64 = tag.trim_matches('"').parse()?;
    let time = time()?;
    let body = json!({
        "agent_version": "0.1.0", "os": "simulated", "now": time,
        "applied": {"version": version, "at": time},
    });
    let answer = connection
        .send(&Method::POST, "/host/v1/report", body.to_string().into())
        .await?;
    ensure!(
        answer.status == StatusCode::OK,
        "a report was answered with {}: {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    Ok(())
}

/// The time of the machine.
#[expect(clippy::disallowed_methods, reason = "who reports has no other clock")]
fn time() -> Result<jiff::Timestamp> {
    Ok(jiff::Timestamp::try_from(std::time::SystemTime::now())?)
}
