//! Where a PostgreSQL server is and how to reach it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode, TargetSessionAttrs};

use super::passfile;
use crate::{Error, Result};

/// How long connecting to one host may take unless `connect_timeout` says otherwise.
const CONNECT: Duration = Duration::from_secs(2);

/// How long a server may leave sent data unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// After how much silence the operating system asks whether the server is still there, how often then, and how many
/// times in vain.
const SILENCE: (Duration, Duration, u32) = (Duration::from_secs(5), Duration::from_secs(2), 3);

/// Where Debian's PostgreSQL has its socket.
pub(super) const SOCKETS: &str = "/var/run/postgresql";

/// A PostgreSQL database and how to reach it. Neither [`Debug`] nor [`Display`](fmt::Display) shows the password.
///
/// It is read from libpq's connection URL ("Connection URIs" in PostgreSQL's manual), with several hosts if need be.
/// What the URL leaves out comes from `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD`, `PGPASSFILE` (else
/// `~/.pgpass`), `PGOPTIONS`, `PGAPPNAME`, `PGCONNECT_TIMEOUT`, `PGCHANNELBINDING`, `PGSSLMODE`, `PGSSLROOTCERT`,
/// `PGSSLCERT` and `PGSSLKEY`. It differs from libpq in this:
///
/// - Of several hosts only one that takes writes is used (`target_session_attrs=read-write`), whatever the URL says.
/// - Connecting takes at most 2 seconds per host (`connect_timeout`) instead of forever.
/// - `sslmode=prefer`, the default, encrypts where the server can. It does not fall back to plain text when the
///   encryption fails. `allow` does not exist.
/// - `verify-ca` and `verify-full` trust the authorities of the system unless `sslrootcert` names a file. As in
///   libpq, `require` encrypts without knowing with whom, but checks like `verify-ca` where there is an
///   `sslrootcert`.
/// - `~/.postgresql` and service files are not read; lists of revoked certificates are not known.
#[derive(Clone)]
pub struct PostgresUrl {
    pub(super) config: Config,
    pub(super) tls: Tls,
}

/// What is demanded of the encryption, beyond [`SslMode`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) trust: Trust,
    /// Certificate and key that this side shows.
    pub(super) own: Option<(PathBuf, PathBuf)>,
}

/// Whom to take for the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Trust {
    /// Anybody.
    #[default]
    Blind,
    /// Whoever has a certificate from one of these authorities.
    Authority(Roots),
    /// The same, if it is for the host's name.
    Name(Roots),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    System,
    File(PathBuf),
}

impl PostgresUrl {
    pub(crate) fn parse(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let environment = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut parts = Parts::split(url);
        if let Some(port) = environment("PGPORT") {
            parts.add_port(&port);
        }
        let own = |parts: &mut Parts<'_>, key: &str, variable: &str| {
            parts.take(key).or_else(|| environment(variable))
        };
        let mode = own(&mut parts, "sslmode", "PGSSLMODE");
        let roots = own(&mut parts, "sslrootcert", "PGSSLROOTCERT");
        let certificate = own(&mut parts, "sslcert", "PGSSLCERT");
        let key = own(&mut parts, "sslkey", "PGSSLKEY");
        let passfile = own(&mut parts, "passfile", "PGPASSFILE");
        let mut config: Config = parts.join().parse().map_err(|error| invalid(&error))?;
        complete(&mut config, &environment)?;
        if config.get_password().is_none() {
            let home = || Some(Path::new(&environment("HOME")?).join(".pgpass"));
            if let Some(file) = passfile.map(PathBuf::from).or_else(home) {
                passfile::apply(&file, &mut config, environment("USER"));
            }
        }
        let mut tls = Tls {
            trust: demand(&mut config, mode.as_deref(), roots.as_deref())?,
            own: None,
        };
        tls.own = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            _ => {
                return Err(Error::Url(
                    "sslcert and sslkey belong together: give both or neither".to_string(),
                ));
            }
        };
        Ok(Self { config, tls })
    }

    #[cfg(test)]
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    #[cfg(test)]
    pub(crate) fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// How long connecting may take in all.
    pub(super) fn patience(&self) -> Duration {
        let hosts = self
            .config
            .get_hosts()
            .len()
            .max(self.config.get_hostaddrs().len());
        let each = self
            .config
            .get_connect_timeout()
            .copied()
            .unwrap_or(CONNECT);
        each * u32::try_from(hosts.max(1)).unwrap_or(1)
    }
}

/// `postgres://user@host:port/database`.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        let ports = self.config.get_ports();
        for (i, host) in self.config.get_hosts().iter().enumerate() {
            let separator = if i > 0 { "," } else { "" };
            let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) if name.contains(':') => write!(f, "{separator}[{name}]:{port}")?,
                Host::Tcp(name) => write!(f, "{separator}{name}:{port}")?,
                Host::Unix(path) => write!(
                    f,
                    "{separator}{}:{port}",
                    path.display().to_string().replace('/', "%2F")
                )?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The pieces of a URL, percent-encoded as they came.
struct Parts<'a> {
    /// Scheme, user and password, up to the hosts.
    front: &'a str,
    hosts: String,
    database: &'a str,
    query: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(url: &'a str) -> Self {
        let (rest, query) = url.split_once('?').unwrap_or((url, ""));
        let authority = rest.find("://").map_or(0, |at| at + 3);
        let end = rest[authority..]
            .find('/')
            .map_or(rest.len(), |at| authority + at);
        let hosts = rest[authority..end]
            .rfind('@')
            .map_or(authority, |at| authority + at + 1);
        Self {
            front: &rest[..hosts],
            hosts: rest[hosts..end].to_string(),
            database: &rest[end..],
            query: query.split('&').filter(|pair| !pair.is_empty()).collect(),
        }
    }

    /// Gives `port` to the hosts that have none.
    fn add_port(&mut self, port: &str) {
        let with_port = |host: &str| {
            let name_ends = host.rfind(']').unwrap_or(0);
            if host.is_empty() || host[name_ends..].contains(':') {
                host.to_string()
            } else {
                format!("{host}:{port}")
            }
        };
        self.hosts = self
            .hosts
            .split(',')
            .map(with_port)
            .collect::<Vec<_>>()
            .join(",");
    }

    /// Removes a parameter; the last of several counts.
    fn take(&mut self, key: &str) -> Option<String> {
        let mut found = None;
        self.query.retain(|pair| match pair.split_once('=') {
            Some((name, value)) if name == key => {
                found = Some(percent_decode_str(value).decode_utf8_lossy().into_owned());
                false
            }
            _ => true,
        });
        found
    }

    fn join(&self) -> String {
        let separator = if self.query.is_empty() { "" } else { "?" };
        let Self {
            front,
            hosts,
            database,
            ..
        } = self;
        format!(
            "{front}{hosts}{database}{separator}{}",
            self.query.join("&")
        )
    }
}

/// Puts in what the URL leaves out, but for passwords in files.
fn complete(config: &mut Config, environment: &impl Fn(&str) -> Option<String>) -> Result<()> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        let default = || {
            let socket = Path::new(SOCKETS).exists();
            if socket { SOCKETS } else { "localhost" }.to_string()
        };
        for host in environment("PGHOST").unwrap_or_else(default).split(',') {
            config.host(host);
        }
        if config.get_ports().is_empty() {
            config.port(number(environment, "PGPORT")?.unwrap_or(5432));
        }
    }
    let missing = |given: bool, variable| if given { None } else { environment(variable) };
    if let Some(user) = missing(config.get_user().is_some(), "PGUSER") {
        config.user(user);
    }
    if let Some(database) = missing(config.get_dbname().is_some(), "PGDATABASE") {
        config.dbname(database);
    }
    if let Some(options) = missing(config.get_options().is_some(), "PGOPTIONS") {
        config.options(options);
    }
    if let Some(password) = missing(config.get_password().is_some(), "PGPASSWORD") {
        config.password(password);
    }
    if config.get_application_name().is_none() {
        let name = environment("PGAPPNAME");
        config.application_name(name.unwrap_or_else(|| "portreeve".to_string()));
    }
    if config.get_channel_binding() == ChannelBinding::Prefer {
        config.channel_binding(match environment("PGCHANNELBINDING").as_deref() {
            Some("disable") => ChannelBinding::Disable,
            Some("require") => ChannelBinding::Require,
            _ => ChannelBinding::Prefer,
        });
    }
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    limit(config, environment)
}

/// Sees to it that neither connecting nor waiting for an answer takes forever.
fn limit(config: &mut Config, environment: &impl Fn(&str) -> Option<String>) -> Result<()> {
    if config.get_connect_timeout().is_none() {
        let seconds = number(environment, "PGCONNECT_TIMEOUT")?;
        let given = seconds.filter(|seconds| *seconds > 0);
        config.connect_timeout(given.map_or(CONNECT, Duration::from_secs));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED);
    }
    let asked = config.get_keepalives_interval().is_some();
    if !asked && config.get_keepalives_retries().is_none() {
        let (idle, interval, retries) = SILENCE;
        config.keepalives_idle(idle);
        config.keepalives_interval(interval);
        config.keepalives_retries(retries);
    }
    Ok(())
}

fn number<T: FromStr>(
    environment: &impl Fn(&str) -> Option<String>,
    variable: &str,
) -> Result<Option<T>> {
    let read = |value: String| {
        let wrong = |_| Error::Url(format!("{variable} must be a number, not {value}"));
        value.parse().map_err(wrong)
    };
    environment(variable).map(read).transpose()
}

/// What `sslmode` asks of the encryption.
fn demand(config: &mut Config, mode: Option<&str>, roots: Option<&str>) -> Result<Trust> {
    let given = roots.map(|file| match file {
        "system" => Roots::System,
        file => Roots::File(file.into()),
    });
    let (ssl_mode, trust) = match mode.unwrap_or("prefer") {
        "disable" => (SslMode::Disable, Trust::Blind),
        "prefer" => (SslMode::Prefer, Trust::Blind),
        "require" => (
            SslMode::Require,
            given.map_or(Trust::Blind, Trust::Authority),
        ),
        "verify-ca" => (
            SslMode::Require,
            Trust::Authority(given.unwrap_or(Roots::System)),
        ),
        "verify-full" => (
            SslMode::Require,
            Trust::Name(given.unwrap_or(Roots::System)),
        ),
        other => {
            return Err(Error::Url(format!(
                "sslmode={other} is not known: use disable, prefer, require, verify-ca or verify-full"
            )));
        }
    };
    // On a socket of this machine nobody listens in; PostgreSQL does not encrypt there.
    let local = config
        .get_hosts()
        .iter()
        .all(|host| matches!(host, Host::Unix(_)));
    config.ssl_mode(if local { SslMode::Disable } else { ssl_mode });
    Ok(trust)
}

fn invalid(error: &tokio_postgres::Error) -> Error {
    let cause =
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    Error::Url(format!(
        "the URL of the database cannot be read ({cause}): write postgres://user:password@host:port/database, with special characters percent-encoded"
    ))
}
