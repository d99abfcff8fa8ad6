//! TLS: which team a client means, with which certificate it is shown, and which certificate the client has itself.

use super::addresses::{self, Addresses};
use crate::app::App;
use crate::ca::{self, Keyring};
use jiff::{SignedDuration, Timestamp};
use portreeve_directory::{Clock, Refusal};
use portreeve_x509::{Leaf, Name, Usage};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::{Acceptor, ServerConfig, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a certificate of ours is good. It is made anew well before.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What is known of an encrypted connection. It travels with its requests.
#[derive(Debug, Clone)]
pub(crate) struct Secured {
    /// The team that the client means.
    pub(crate) team_id: Arc<str>,
    /// The certificate that the client has shown, with those that lead to our root (DER): it has the key, and it has not run
    /// out.
    pub(crate) certificate: Option<Arc<[Vec<u8>]>>,
}

/// How connections to each team are encrypted, by its id.
#[derive(Default)]
pub(super) struct Configs(Mutex<HashMap<String, Known>>);

struct Known {
    config: Arc<ServerConfig>,
    /// What it was made from.
    keyring: Arc<Keyring>,
    addresses: Addresses,
    /// When it is made anew.
    until: Timestamp,
}

/// Why a connection is not encrypted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsecured {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("the certificate of the server cannot be made: {0}")]
    Certificate(#[from] portreeve_x509::Error),
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    #[error("the roots that clients' certificates lead to cannot be used: {0}")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
    #[error("{0}")]
    Keys(#[from] ca::Error),
}

/// The time by which certificates of clients are good.
struct Time(Arc<dyn Clock>);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let now = u64::try_from(self.0.now()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(now)))
    }
}

/// Encrypts a connection. Addresses, and names that are no team's, are the first team's.
pub(crate) async fn accept(
    app: &App,
    stream: TcpStream,
) -> Result<(TlsStream<TcpStream>, Secured), Unsecured> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let name = start
        .client_hello()
        .server_name()
        .map(str::to_ascii_lowercase);
    let team_id = addresses::team_at(app, name).await?;
    let config = config(app, &team_id).await?;
    let stream = start.into_stream(config).await?;
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.map(|chain| chain.iter().map(|one| one.to_vec()).collect());
    let secured = Secured {
        team_id: team_id.into(),
        certificate,
    };
    Ok((stream, secured))
}

async fn config(app: &App, team_id: &str) -> Result<Arc<ServerConfig>, Unsecured> {
    let keyring = app.keyring(team_id).await?;
    let addresses = Addresses::of(app, team_id).await?;
    let now = Timestamp::from_microsecond(app.clock.now()).unwrap_or_default();
    let lock = || {
        app.step
            .configs
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(known) = lock().get(team_id)
        && Arc::ptr_eq(&known.keyring, &keyring)
        && known.addresses == addresses
        && now < known.until
    {
        return Ok(known.config.clone());
    }
    let (config, until) = make(&keyring, &addresses, &app.clock, now)?;
    let config = Arc::new(config);
    let known = Known {
        config: config.clone(),
        keyring,
        addresses,
        until,
    };
    lock().insert(team_id.to_owned(), known);
    Ok(config)
}

/// A configuration with a fresh certificate, and until when to use it.
fn make(
    keyring: &Keyring,
    addresses: &Addresses,
    clock: &Arc<dyn Clock>,
    now: Timestamp,
) -> Result<(ServerConfig, Timestamp), Unsecured> {
    let document = portreeve_x509::Key::generate()?;
    let key = portreeve_x509::Key::from_pkcs8(&document)?;
    let names: Vec<Name> = addresses.hosts.iter().map(|host| Name::of(host)).collect();
    let issuer = keyring.issuer()?;
    let ends = (now + LIFE).min(issuer.valid_before());
    let leaf = issuer.leaf(&Leaf {
        public_key: &key.public(),
        common_name: "Portreeve certificate authority",
        names: &names,
        usage: Usage::Server,
        serial: ca::random()?,
        valid_after: now - SignedDuration::from_mins(1),
        valid_before: ends,
    })?;
    let mut chain = vec![CertificateDer::from(leaf)];
    chain.extend(keyring.chain.iter().cloned().map(CertificateDer::from));
    let mut roots = RootCertStore::empty();
    for root in &keyring.roots {
        roots.add(CertificateDer::from(root.clone()))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(Time(clock.clone())))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(
            chain,
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(document.to_vec())),
        )?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, now + ends.duration_since(now) * 2 / 3))
}
