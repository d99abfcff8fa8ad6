//! Starting and stopping a server.

use crate::app::App;
use crate::applications::Applications;
use crate::config::{self, Aside, Config, MasterKeyFrom};
use crate::contact::{self, Contacts};
use crate::feeds::Feeds;
use crate::hosts::waiting::Waiting;
use crate::http::{self, Serving};
use crate::keys::MasterKey;
use crate::limits::Limits;
use crate::metrics::{self, Metrics};
use crate::sso::providers::Providers;
use crate::step::{self, Step};
use crate::told::Told;
use crate::work::{self, Replica};
use crate::{api, body, ca, console, health, neighbours, reception, scim, sso};
use axum::Router;
use portreeve_directory::cursor::Cursors;
use portreeve_directory::{Clock, Ids, Refusal, installation, roll, teams};
use portreeve_mail::{Mailer, Settings};
use portreeve_provisioning::secret::{Elsewhere, Secret};
use portreeve_store::{Database, Options, Scope, Stats, Store, Tx};
use secrecy::{ExposeSecret, SecretString};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// How often the times of last contact are written down.
const FLUSH: Duration = Duration::from_secs(5);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ServeError {
    #[error(
        "the data folder {path} cannot be used: {cause}; choose another one with --data, or let this user write there"
    )]
    Data { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Store(#[from] portreeve_store::Error),
    #[error("cannot listen on {address}: {cause}; choose another address with --listen")]
    Listen { address: String, cause: io::Error },
    #[error("cannot listen on {address}: {cause}; choose another address with {flag}")]
    ListenAside {
        address: SocketAddr,
        cause: io::Error,
        flag: &'static str,
    },
    #[error(
        "cannot make the local socket {path}: {cause}; choose a data folder with a shorter path, on a file system that has sockets, with --data"
    )]
    Socket { path: PathBuf, cause: io::Error },
    #[error(
        "{path} {state}, but this database is used with another key, which cursors and sealed secrets depend on; copy master.key from the first server or from its backup. If that key is lost, start once with --replace-master-key yes, and give the secrets of event streams and applications again"
    )]
    Key { path: PathBuf, state: &'static str },
    #[error("the master key cannot be used: {0}")]
    MasterKey(io::Error),
    #[error("the keys of the certificate authority cannot be used: {0}")]
    Token(String),
    #[error("which master key the database is used with could not be read or written: {0}")]
    Installation(Refusal),
    #[error("the teams could not be read or the first one made: {0}")]
    Team(Refusal),
    #[error("this server could not be announced to the others on its database: {0}")]
    Replica(Refusal),
    #[error("what became of requests of an earlier run could not be written down: {0}")]
    Outcomes(Refusal),
    #[error("mails cannot be sent: {0}")]
    Mail(#[from] portreeve_mail::SettingsError),
    #[error("mails cannot be sent: {0}")]
    MailPassword(#[from] portreeve_provisioning::secret::SecretError),
}

/// A server that runs until it is stopped.
pub struct Running {
    app: Arc<App>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    /// Goes on until all else has ended.
    beat: JoinHandle<()>,
    socket: PathBuf,
}

/// Opens the database, listens, and serves in the background.
pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Running, ServeError> {
    let data = |cause| ServeError::Data {
        path: config.data.clone(),
        cause,
    };
    let uid = prepare(&config.data).map_err(data)?;
    let options = options(&config, clock.now());
    let (store, ids) = open(&options).await?;
    let master = master_key(&config, &store).await?;
    let security_events = scim::SecurityEvents::new(&master).map_err(data)?;
    let applications = Applications::new(&master).map_err(data)?;
    let providers = Providers::new(&master).map_err(data)?;
    let answers = api::Answers::new(&master).map_err(data)?;
    let ca = authorities(&config, &master)?;
    let mailer = config.mail.as_ref().map(mailer).transpose()?;
    let listeners = listen(&config)?;
    let replica = announce(&config, &store, &clock, &ids).await?;
    let (stop, stopped) = watch::channel(false);
    let app = Arc::new(App {
        store,
        replica,
        cursors: Cursors::new(&master.derive("cursor").map_err(data)?),
        security_events,
        applications,
        answers,
        ca,
        jobs: work::Jobs::default(),
        providers,
        step: Step::new(listeners.step.as_ref().map(|(_, address)| *address)),
        mailer,
        webhook_key: work::WebhookKey::new(&master).map_err(data)?,
        tokens: crate::auth::Tokens::default(),
        estates: crate::estates::Estates::default(),
        contacts: Contacts::default(),
        told: Told::default(),
        strangers: scim::Strangers::default(),
        large_bodies: Arc::new(Semaphore::new(body::LARGE_AT_ONCE)),
        limits: Arc::new(Limits::new(&config, options.queue)),
        requests: Arc::default(),
        listening: listeners.main.1,
        measuring: listeners.metrics.as_ref().map(|(_, address)| *address),
        news: watch::channel(0).0,
        feeds: Feeds::default(),
        waiting: Waiting::default(),
        stop: stopped,
        clock,
        ids,
        config,
    });
    let told = work::tell_interrupted(&app).await;
    told.map_err(ServeError::Outcomes)?;
    let beat = tokio::spawn(work::beat(app.clone()));
    Ok(Running {
        socket: Config::socket(&app.config.data),
        tasks: serve(&app, listeners, uid),
        app,
        stop,
        beat,
    })
}

/// Lets the others on the database know of this server.
async fn announce(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    ids: &Arc<Ids>,
) -> Result<Arc<Replica>, ServeError> {
    // The embedded database has one server at a time, and its lock says that this is the one.
    let sole = matches!(config.database, Database::Sqlite { .. });
    Replica::start(store.clone(), clock.clone(), ids.clone(), sole)
        .await
        .map_err(ServeError::Replica)
}

/// Where is listened, with the real addresses.
struct Listeners {
    main: (TcpListener, SocketAddr),
    /// For the `step` client.
    step: Option<(TcpListener, SocketAddr)>,
    /// For whoever collects metrics.
    metrics: Option<(TcpListener, SocketAddr)>,
    local: UnixListener,
}

/// Listens on the network and on the local socket.
fn listen(config: &Config) -> Result<Listeners, ServeError> {
    let refused = |cause| ServeError::Listen {
        address: config.listen.to_string(),
        cause,
    };
    let listener = http::listen(config.listen).map_err(refused)?;
    let listening = listener.local_addr().map_err(refused)?;
    let path = Config::socket(&config.data);
    Ok(Listeners {
        main: (listener, listening),
        step: listen_aside(
            &config.step.at,
            ("the certificate authority's API is", "--ca-listen"),
        )?,
        metrics: listen_aside(&config.metrics, ("metrics are", "--metrics-listen"))?,
        local: bind_socket(&path).map_err(|cause| ServeError::Socket { path, cause })?,
    })
}

/// Listens beside, at the returned address. Where nobody has said where, a server whose usual address is taken does without:
/// it may be the second one on this machine.
fn listen_aside(
    at: &Aside,
    (what, flag): (&'static str, &'static str),
) -> Result<Option<(TcpListener, SocketAddr)>, ServeError> {
    let Some(address) = at.listen else {
        return Ok(None);
    };
    let listening = http::listen(address).and_then(|it| Ok((it.local_addr()?, it)));
    match listening {
        Ok((address, listener)) => Ok(Some((listener, address))),
        Err(cause) if !at.asked => {
            tracing::warn!(%address, %cause, "{what} not served, because the usual address is not free; give another one with {flag}");
            Ok(None)
        }
        Err(cause) => Err(ServeError::ListenAside {
            address,
            cause,
            flag,
        }),
    }
}

/// The certificate authorities of all teams, whose keys may be in a token.
fn authorities(config: &Config, master: &MasterKey) -> Result<ca::Authorities, ServeError> {
    let token = config.pkcs11.as_ref().map(ca::Token::open).transpose();
    let token = token.map_err(|error| ServeError::Token(error.to_string()))?;
    ca::Authorities::new(master, token).map_err(|cause| ServeError::Data {
        path: config.data.clone(),
        cause,
    })
}

/// Who sends mails. Nobody is asked yet.
fn mailer(config: &config::Mail) -> Result<Mailer, ServeError> {
    let mut settings = Settings::new(&config.server, &config.from);
    if let Some(path) = &config.password_file {
        let secret = Secret::Elsewhere(Elsewhere::File(path.clone()));
        settings.password = Some(secret.reveal(Path::new(""), |_| None)?);
    }
    settings.ca_file.clone_from(&config.ca_file);
    settings.encrypted = config.encrypted;
    Ok(Mailer::new(&settings)?)
}

/// The master key, if it is the one that the database is used with. The first server of a database makes it, unless it is
/// given.
async fn master_key(config: &Config, store: &Store) -> Result<MasterKey, ServeError> {
    let (path, given) = match &config.master_key {
        MasterKeyFrom::Folder => (config.data.join("master.key"), None),
        MasterKeyFrom::Environment(text) => {
            let given = MasterKey::parse(text.expose_secret(), config::MASTER_KEY);
            (
                config::MASTER_KEY.into(),
                Some(given.map_err(ServeError::MasterKey)?),
            )
        }
        MasterKeyFrom::Credential(path) => {
            let given = MasterKey::credential(path).map_err(ServeError::MasterKey)?;
            (path.clone(), Some(given))
        }
    };
    let data = |cause| ServeError::Data {
        path: config.data.clone(),
        cause,
    };
    let known = store.lookup(installation::master_key).await;
    let known = known.map_err(ServeError::Installation)?;
    let read = match given {
        Some(given) => Some(given),
        None => MasterKey::read(&path).map_err(data)?,
    };
    let key = match read {
        Some(key) => key,
        None if known.is_none() || config.replace_master_key => {
            MasterKey::make(&path).map_err(data)?
        }
        None => {
            let state = "is not there";
            return Err(ServeError::Key { path, state });
        }
    };
    let fingerprint = key.fingerprint().map_err(data)?;
    if known.as_ref() == Some(&fingerprint) {
        return Ok(key);
    }
    let (ours, replace) = (fingerprint.clone(), config.replace_master_key);
    let agree = move |tx: &mut Tx<'_>| {
        if replace {
            installation::replace_master_key(tx, &ours)?;
        }
        installation::agree(tx, &ours)
    };
    let agreed = store.write(Scope::ALL, agree).await;
    if agreed.map_err(ServeError::Installation)? == fingerprint {
        return Ok(key);
    }
    let state = "holds a key";
    Err(ServeError::Key { path, state })
}

/// How the database is opened.
fn options(config: &Config, now: i64) -> Options {
    Options::new(config.database.clone(), roll::MIGRATIONS, now)
}

/// Opens the database, in which there is a team at least.
async fn open(options: &Options) -> Result<(Store, Arc<Ids>), ServeError> {
    let now = options.now;
    let store = Store::open(options)?;
    let ids = Arc::new(Ids::new());
    let team = ids.next(now).to_string();
    store
        .write(Scope::ALL, move |tx| teams::ensure_first(tx, &team, now))
        .await
        .map_err(ServeError::Team)?;
    Ok((store, ids))
}

/// Everything that goes on until the server is asked to stop.
fn serve(
    app: &Arc<App>,
    Listeners {
        main,
        step,
        metrics,
        local,
    }: Listeners,
    uid: u32,
) -> Vec<JoinHandle<()>> {
    let measured = Arc::new(Metrics::new(app.store.clone(), app.clock.now()));
    let serving = |router| Serving {
        router,
        clock: app.clock.clone(),
        ids: app.ids.clone(),
        patience: app.config.patience,
        limits: app.limits.clone(),
        requests: app.requests.clone(),
        metrics: measured.clone(),
        stop: app.stop.clone(),
    };
    let public = Router::new()
        .merge(scim::router(app.clone()))
        .merge(health::router(app.clone()))
        .merge(api::router(app.clone()))
        .merge(sso::router(app.clone()))
        .merge(ca::router(app.clone()))
        .merge(step::bootstrap(app.clone()))
        .merge(reception::router(app.clone()))
        .merge(console::router(app.clone()))
        .merge(
            Router::new()
                .fallback(scim::not_found)
                .with_state(app.clone()),
        );
    let mut tasks = vec![
        tokio::spawn(http::tcp(main.0, serving(public))),
        tokio::spawn(http::unix(
            local,
            uid,
            serving(api::router(app.clone()).merge(health::router(app.clone()))),
        )),
        tokio::spawn(keep_contacts(app.clone(), app.stop.clone())),
        tokio::spawn(scim::push(app.clone(), app.stop.clone())),
        tokio::spawn(neighbours::listen(app.clone(), app.stop.clone())),
        tokio::spawn(work::count_events(app.clone(), app.stop.clone())),
        tokio::spawn(work::prune(app.clone(), app.stop.clone())),
        tokio::spawn(work::turn_keys(app.clone(), app.stop.clone())),
        tokio::spawn(work::follow_access(app.clone(), app.stop.clone())),
        tokio::spawn(work::end_memberships(app.clone(), app.stop.clone())),
        tokio::spawn(work::find_visitor_hosts(app.clone(), app.stop.clone())),
        tokio::spawn(work::follow_visitor_hosts(app.clone(), app.stop.clone())),
        tokio::spawn(work::follow_policies(app.clone(), app.stop.clone())),
        tokio::spawn(work::provision(app.clone(), app.stop.clone())),
        tokio::spawn(work::send_mails(app.clone(), app.stop.clone())),
        tokio::spawn(work::send_webhooks(app.clone(), app.stop.clone())),
    ];
    if let Some((listener, _)) = step {
        let serving = serving(step::router(app.clone()));
        tasks.push(tokio::spawn(http::tls(listener, serving, app.clone())));
    }
    if let Some((listener, _)) = metrics {
        let serving = serving(metrics::router(measured.clone()));
        tasks.push(tokio::spawn(http::tcp(listener, serving)));
    }
    tasks
}

impl Running {
    /// The address that is listened on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.app.listening
    }

    /// How clients reach the server.
    pub fn url(&self) -> String {
        self.app.public_url()
    }

    /// How the `step` client reaches the first team's certificate authority; `None`: it does not.
    pub fn ca_url(&self) -> Option<String> {
        self.app.step.listening?;
        Some(step::Addresses::of_first(&self.app).url)
    }

    /// Where `GET /metrics` is; `None`: nowhere.
    pub fn metrics_url(&self) -> Option<String> {
        let address = self.app.measuring?;
        Some(format!("http://{address}/metrics"))
    }

    /// A link that signs the first owner in, once; `None` where somebody can sign in already.
    pub async fn first_owner(&self) -> Result<Option<SecretString>, Refusal> {
        crate::admin::first_owner(&self.app).await
    }

    /// A certificate for a user of a directory, for the public key in a line as that of a `.pub` file. Whoever runs the
    /// server in their own process asks for it where there is no provider at which the user could sign in: in the
    /// demonstration. The user is certified by the same rules, and it is written down just so.
    ///
    /// # Errors
    /// A sentence that says why there is none, and what to do.
    pub async fn certify(
        &self,
        directory_id: &str,
        user_id: &str,
        public_key: &str,
    ) -> Result<String, String> {
        let issued = ca::issue_here(&self.app, (directory_id, user_id), public_key).await;
        issued.map_err(|error| error.to_string())
    }

    /// The local socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What the database has done since the server started.
    pub fn database(&self) -> Stats {
        self.app.store.stats()
    }

    /// Stops accepting, finishes the requests under way, writes down what is in memory and closes the database.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        self.app.security_events.finish().await;
        contact::flush(&self.app).await;
        // Until here the others must not take this server for dead.
        self.beat.abort();
        self.app.replica.leave().await;
        let _ = fs::remove_file(&self.socket);
        let store = self.app.store.clone();
        let _ = tokio::task::spawn_blocking(move || store.close()).await;
    }
}

/// Makes the data folder for its owner alone and says who that is.
fn prepare(data: &Path) -> io::Result<u32> {
    if !data.exists() {
        fs::create_dir_all(data)?;
        fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
    }
    let mode = fs::metadata(data)?.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(io::Error::other(format!(
            "others can write to it (mode {:o}) and so replace keys and database; run chmod go-w on it",
            mode & 0o777
        )));
    }
    // The owner of a file just made is the user we run as.
    let probe = data.join(".writable");
    fs::write(&probe, b"")?;
    let uid = fs::metadata(&probe)?.uid();
    fs::remove_file(&probe)?;
    Ok(uid)
}

/// A socket left behind by a killed server is removed; the lock on the database says that none is alive.
fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn keep_contacts(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(FLUSH) => contact::flush(&app).await,
            () = http::asked_to_stop(&mut stop) => return,
        }
    }
}
