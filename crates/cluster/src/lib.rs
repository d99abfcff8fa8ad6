//! A throw-away PostgreSQL for tests: started when first asked for, gone when the process is.
//!
//! ```no_run
//! let url = portreeve_cluster::Cluster::shared().fresh_url();
//! // … open a store on it: the schema is empty and nobody else's.
//! ```
//!
//! The server runs from the programs that the distribution installs, in a folder of its own, on a Unix socket and a
//! free port of the loopback interface. A small shell stands between it and the tests. It waits on a pipe that closes
//! with the test process, however that ends, and then stops the server and removes the folder.
#![warn(missing_docs)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed, and says so where it stands"
)]

mod certificate;
mod programs;
mod server;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use self::programs::Programs;
use self::server::Server;

/// Names a server to use instead of one of our own: a URL of a superuser of a PostgreSQL that may be filled with
/// rubbish.
pub const VARIABLE: &str = "PORTREEVE_TEST_POSTGRES";

/// Chooses the database of the servers that tests start, where they leave it open: `postgres`, or `sqlite` as when it
/// is not set. A whole suite is so run on the one and on the other.
pub const DATABASE: &str = "PORTREEVE_TEST_DATABASE";

/// How many schemas are made at once: a program started for each would take longer than making it.
const SCHEMAS: u64 = 32;

/// A PostgreSQL server.
pub struct Cluster {
    programs: Programs,
    /// A database of a superuser, over the Unix socket where the server is ours.
    url: String,
    /// `None`: somebody else's server.
    server: Option<Mutex<Server>>,
    schemas: Mutex<Vec<String>>,
}

impl Cluster {
    /// The one that all tests of this process share: that of the environment, or one of our own, made for speed.
    ///
    /// # Panics
    /// When there is neither, with what to do about it.
    pub fn shared() -> &'static Self {
        Self::try_shared().unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`shared`](Self::shared), for those who have somebody to tell.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub fn try_shared() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match given() {
            Some(url) => Ok(Self {
                programs: Programs::find()?,
                url,
                server: None,
                schemas: Mutex::default(),
            }),
            None => Self::start_new(server::FAST, None),
        });
        shared.as_ref().map_err(Clone::clone)
    }

    /// A server of the caller's own, to be stopped and started. It never waits for the disk, so that it may lose
    /// everything in a crash of the machine, though not of the server.
    ///
    /// # Panics
    /// When it cannot be started, with what to do about it.
    pub fn own() -> Self {
        Self::start_new(server::FAST, None).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`own`](Self::own), but it flushes every commit to the disk as a real one does.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn durable() -> Self {
        Self::start_new(&[], None).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`own`](Self::own), with a certificate for the host `name`, signed by an authority that nobody knows but the
    /// file at the second place.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn with_certificate(name: &str) -> (Self, PathBuf) {
        let cluster =
            Self::start_new(server::FAST, Some(name)).unwrap_or_else(|error| panic!("{error}"));
        let authority = cluster.server().folder().join(certificate::AUTHORITY);
        (cluster, authority)
    }

    fn start_new(settings: &[(&str, &str)], certified: Option<&str>) -> Result<Self, String> {
        let programs = Programs::find()?;
        let server = Server::start(&programs, settings, certified)?;
        Ok(Self {
            programs,
            url: server.socket_url(),
            server: Some(Mutex::new(server)),
            schemas: Mutex::default(),
        })
    }

    /// A URL of a superuser in the server's first database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A URL whose tables go to a new schema that nobody else uses.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn fresh_url(&self) -> String {
        with_schema(&self.url, &self.fresh_schema())
    }

    /// As [`fresh_url`](Self::fresh_url), over TCP and with a password. Only for a server of one's own.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn fresh_tcp_url(&self) -> String {
        let url = self.server().tcp_url();
        with_schema(&url, &self.fresh_schema())
    }

    /// Runs statements as a superuser.
    ///
    /// # Panics
    /// When one is refused.
    pub fn execute(&self, sql: &str) {
        self.programs
            .psql(&self.url, sql)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// The folder of one's own server's data, settings and log.
    pub fn folder(&self) -> PathBuf {
        self.server().folder().to_owned()
    }

    /// The server's process, of one's own server that runs: to pause it, for example.
    ///
    /// # Panics
    /// When it does not run.
    pub fn process(&self) -> u32 {
        self.server().process()
    }

    /// Kills the server (SIGKILL), with every process it has. Only for a server of one's own.
    pub fn stop_hard(&self) {
        self.server().stop_hard();
    }

    /// Stops the server in an orderly way that waits for nobody's transaction. Only for a server of one's own.
    pub fn stop(&self) {
        self.server().stop();
    }

    /// Starts the server again, on the same port, and waits until it answers. Only for a server of one's own.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&self) {
        self.server()
            .start_again(&self.programs)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server
            .as_ref()
            .expect("only a server of one's own can be stopped or reached over TCP: Cluster::own()")
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh_schema(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut ready = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.is_empty() {
            let process = std::process::id();
            let first = NEXT.fetch_add(SCHEMAS, Ordering::Relaxed);
            let salt = server::random();
            let names = (first..first + SCHEMAS).map(|n| format!("t{process}_{n}_{salt:016x}"));
            ready.extend(names);
            let make = |name: &String| format!("CREATE SCHEMA {name};");
            self.execute(&ready.iter().map(make).collect::<String>());
        }
        ready.pop().expect("some were just made")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a choice of the person who runs the tests, not a setting of the program"
)]
fn given() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|url| !url.is_empty())
}

fn with_schema(url: &str, schema: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-csearch_path%3D{schema}")
}

/// A path in a URL's place for a host.
fn encoded(path: &Path) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .copied()
        .map(escape)
        .collect()
}

#[cfg(test)]
mod tests;
