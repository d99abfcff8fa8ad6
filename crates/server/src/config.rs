//! Settings: each defined once, here. Flags, environment, configuration file, `config show` and the manual come from this list.

mod applications;
mod aside;
mod load;
mod mail;
mod pkcs11;
mod settings;
mod step;
#[cfg(test)]
mod tests;

pub use applications::Applications;
pub use aside::Aside;
pub use load::{Load, Patience};
pub use mail::Mail;
pub use pkcs11::Pkcs11;
use portreeve_store::Database;
use secrecy::SecretString;
pub use settings::{SETTINGS, Setting};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
pub use step::Step;

/// The embedded database of a server that was told of none, in its data folder.
pub const DATABASE_FILE: &str = "portreeve.sqlite";

/// Where metrics are, usually.
const METRICS_PORT: u16 = 8462;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag on the command line.
    Flag,
    /// The environment variable.
    Environment(&'static str),
    /// The configuration file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ConfigError {
    #[error("{path} is not valid TOML: {reason}")]
    Syntax { path: String, reason: String },
    #[error("{path} has a setting \"{name}\" that does not exist; the settings are: {known}")]
    Unknown {
        path: String,
        name: String,
        known: String,
    },
    #[error("{name} ({origin}) is \"{value}\": {reason}")]
    Value {
        name: &'static str,
        origin: String,
        value: String,
        reason: String,
    },
}

/// Every setting with a value, by name, and where it comes from.
pub type Values = BTreeMap<&'static str, (String, Origin)>;

/// Puts flags over environment over file. What nobody set is absent.
pub fn gather(
    flags: &BTreeMap<&'static str, String>,
    env: impl Fn(&str) -> Option<String>,
    file: Option<(&Path, &str)>,
) -> Result<Values, ConfigError> {
    let file_values = file
        .map(|(path, text)| parse_file(path, text))
        .transpose()?
        .unwrap_or_default();
    let mut values = Values::new();
    for setting in SETTINGS {
        let found = if let Some(value) = flags.get(setting.name) {
            Some((value.clone(), Origin::Flag))
        } else if let Some(value) = env(setting.env).filter(|value| !value.is_empty()) {
            Some((value, Origin::Environment(setting.env)))
        } else {
            let path = file.map(|(path, _)| path.to_owned()).unwrap_or_default();
            file_values
                .get(setting.name)
                .map(|value| (value.clone(), Origin::File(path)))
        };
        if let Some(found) = found {
            values.insert(setting.name, found);
        }
    }
    Ok(values)
}

fn parse_file(path: &Path, text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let path = path.display().to_string();
    let table: toml::Table =
        text.parse()
            .map_err(|error: toml::de::Error| ConfigError::Syntax {
                path: path.clone(),
                reason: error.message().to_owned(),
            })?;
    let mut out = BTreeMap::new();
    for (name, value) in table {
        if !SETTINGS.iter().any(|setting| setting.name == name) {
            let known = SETTINGS
                .iter()
                .map(|setting| setting.name)
                .collect::<Vec<_>>()
                .join(", ");
            return Err(ConfigError::Unknown { path, name, known });
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Array(list) => list
                .iter()
                .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(","),
            other => other.to_string(),
        };
        out.insert(name, value);
    }
    Ok(out)
}

/// Settings in the form the server uses.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder for database, keys and socket.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The database.
    pub database: Database,
    /// Without a slash at the end.
    pub public_url: Option<String>,
    /// Where the API that the `step` client speaks is.
    pub step: Step,
    /// Where `GET /metrics` is.
    pub metrics: Aside,
    /// Proxies whose forwarding headers count, in their canonical form.
    pub trusted_proxies: Vec<IpAddr>,
    /// How much may be asked of the server.
    pub load: Load,
    /// How long the log keeps what, and who came.
    pub retention: Retention,
    /// What applications may have of the server.
    pub applications: Applications,
    /// How mails leave, if they do.
    pub mail: Option<Mail>,
    /// The token that holds the keys of the certificate authorities; `None`: they are kept sealed in the database.
    pub pkcs11: Option<Pkcs11>,
    /// Where the master key comes from.
    pub master_key: MasterKeyFrom,
    /// Whether this folder's master key counts although the database was used with another one.
    pub replace_master_key: bool,
    /// What was given, and where it came from.
    pub given: Values,
    /// What one client may take; no setting, because nobody has to think about it.
    pub patience: Patience,
    /// How often background work looks after itself; no setting either.
    pub pace: Pace,
}

/// Where the installation's master key comes from.
#[derive(Debug, Clone, Default)]
pub enum MasterKeyFrom {
    /// The file `master.key` in the data folder, which is made where there is none.
    #[default]
    Folder,
    /// The variable [`MASTER_KEY`]: 32 bytes as base64.
    Environment(SecretString),
    /// A credential of systemd: a file of 32 bytes, or of their base64.
    Credential(PathBuf),
}

/// The variable with the master key.
pub const MASTER_KEY: &str = "PORTREEVE_MASTER_KEY";

/// The name of the credential with the master key (`LoadCredential=`, `LoadCredentialEncrypted=`).
const CREDENTIAL: &str = "portreeve-master-key";

impl MasterKeyFrom {
    fn from_environment(environment: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(key) = environment(MASTER_KEY).filter(|key| !key.is_empty()) {
            return Self::Environment(SecretString::from(key));
        }
        let credential = environment("CREDENTIALS_DIRECTORY")
            .map(|folder| Path::new(&folder).join(CREDENTIAL))
            .filter(|file| file.exists());
        credential.map_or(Self::Folder, Self::Credential)
    }
}

/// How long the parts of the log are kept, and who came; `None` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Changes, and what admins did.
    pub audit: Option<Duration>,
    /// Requests of providers that were refused.
    pub requests: Option<Duration>,
    /// What applications were sent.
    pub provisioning: Option<Duration>,
    /// Who came to see whom; afterwards it is known only that somebody came.
    pub visits: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            audit: Some(400 * DAY),
            requests: Some(30 * DAY),
            provisioning: Some(30 * DAY),
            visits: Some(90 * DAY),
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The periods of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often a server says that it lives and looks after the others; a third of
    /// [`LIFE`](portreeve_directory::leases::LIFE) at most.
    pub beat: Duration,
    /// How often what need not be kept any more is looked for.
    pub retention: Duration,
    /// The longest that it goes unnoticed that the next cycle of an application, a mail, or a new key of a certificate
    /// authority is due.
    pub cycles: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(5),
            retention: Duration::from_secs(600),
            cycles: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// Checks the values. `data` must be among them; the caller knows the default of the machine. `environment` has the
    /// variables of PostgreSQL, which complete its URL.
    pub fn from_values(
        values: &Values,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let data = PathBuf::from(
            values
                .get("data")
                .map(|(value, _)| value.as_str())
                .unwrap_or("."),
        );
        let listen = read(values, "listen", |value| {
            value.parse().map_err(|_| {
                "give an IP address and a port, such as 127.0.0.1:8460 or [::]:8460".to_owned()
            })
        })?;
        let mut given = values.clone();
        let pkcs11 = Pkcs11::from_values(values, &environment)?;
        let master_key = MasterKeyFrom::from_environment(&environment);
        let database = database(&mut given, environment)?;
        let public_url = read(values, "public-url", public_url)?;
        let trusted_proxies = read(values, "trusted-proxies", |value| {
            value
                .split(',')
                .map(|part| {
                    part.trim()
                        .parse::<IpAddr>()
                        .map(|address| address.to_canonical())
                        .map_err(|_| format!("\"{part}\" is not an IP address"))
                })
                .collect::<Result<Vec<_>, _>>()
        })?;
        let kept = Retention::default();
        let retention = Retention {
            audit: read(values, "retention-audit", days)?.unwrap_or(kept.audit),
            requests: read(values, "retention-requests", days)?.unwrap_or(kept.requests),
            provisioning: read(values, "retention-provisioning", days)?
                .unwrap_or(kept.provisioning),
            visits: read(values, "retention-visits", days)?.unwrap_or(kept.visits),
        };
        let replace_master_key = read(values, "replace-master-key", yes_or_no)?;
        let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8460)));
        Ok(Self {
            retention,
            replace_master_key: replace_master_key.unwrap_or_default(),
            database: database.unwrap_or_else(|| embedded(&data)),
            listen,
            step: Step::from_values(values, listen)?,
            metrics: Aside::from_values(values, "metrics-listen", METRICS_PORT, listen)?,
            public_url,
            trusted_proxies: trusted_proxies.unwrap_or_default(),
            load: Load::from_values(values)?,
            applications: Applications::from_values(values)?,
            mail: Mail::from_values(values)?,
            pkcs11,
            master_key,
            given,
            patience: Patience::default(),
            pace: Pace::default(),
            data,
        })
    }

    /// A server on a free port with everything under one folder; for tests and the demonstration.
    pub fn local(data: PathBuf) -> Self {
        Self {
            database: embedded(&data),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            step: Step {
                at: Aside::anywhere(),
                ..Step::default()
            },
            metrics: Aside::anywhere(),
            public_url: None,
            trusted_proxies: Vec::new(),
            load: Load::default(),
            retention: Retention::default(),
            applications: Applications::default(),
            mail: None,
            pkcs11: None,
            master_key: MasterKeyFrom::Folder,
            replace_master_key: false,
            given: Values::new(),
            patience: Patience::default(),
            pace: Pace::default(),
            data,
        }
    }

    /// Whether what this proxy says of its clients counts.
    pub(crate) fn trusts(&self, proxy: IpAddr) -> bool {
        self.trusted_proxies.contains(&proxy.to_canonical())
    }

    /// The value of a setting that is in force, and where it comes from.
    pub fn show(&self, setting: &Setting) -> (String, Origin) {
        if let Some(given) = self.given.get(setting.name) {
            return given.clone();
        }
        let value = match setting.name {
            "data" => self.data.display().to_string(),
            "listen" => self.listen.to_string(),
            "ca-listen" => self.step.at.show(),
            "metrics-listen" => self.metrics.show(),
            "database" => self.database.to_string(),
            _ => setting.default.to_owned(),
        };
        (value, Origin::Default)
    }

    /// Where the local socket of a server with this data folder is.
    pub fn socket(data: &Path) -> PathBuf {
        data.join("portreeve.sock")
    }
}

fn yes_or_no(value: &str) -> Result<bool, String> {
    match value {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

fn read<T>(
    values: &Values,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    let Some((value, origin)) = values.get(name) else {
        return Ok(None);
    };
    parse(value).map(Some).map_err(|reason| ConfigError::Value {
        name,
        origin: origin.to_string(),
        value: value.clone(),
        reason,
    })
}

/// The database of a server that was told of none.
fn embedded(data: &Path) -> Database {
    Database::Sqlite {
        path: data.join(DATABASE_FILE),
    }
}

/// The database that is given, if one is. Its URL may have a password, which goes no further than into the result.
fn database(
    given: &mut Values,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Database>, ConfigError> {
    let Some((value, origin)) = given.get_mut("database") else {
        return Ok(None);
    };
    let url = std::mem::take(value);
    match Database::parse(&url, environment) {
        Ok(database) => {
            *value = database.to_string();
            Ok(Some(database))
        }
        Err(error) => Err(ConfigError::Value {
            name: "database",
            origin: origin.to_string(),
            value: match url.split_once("://") {
                Some((scheme, _)) => format!("{scheme}://…"),
                None => "…".to_owned(),
            },
            reason: error.to_string(),
        }),
    }
}

/// A number of days, or `forever`.
fn days(value: &str) -> Result<Option<Duration>, String> {
    if value == "forever" {
        return Ok(None);
    }
    match value.parse() {
        Ok(days @ 1..=36_500) => Ok(Some(DAY * days)),
        _ => Err("give a number of days from 1 to 36500, or forever".into()),
    }
}

/// An absolute URL of HTTP with a host. It stands in answers and headers as it is, so it has nothing to escape in it.
fn public_url(url: &str) -> Result<String, String> {
    let wrong = || "give a URL such as https://portreeve.example.com, without ? or #".to_owned();
    let odd = |c: char| c.is_control() || c.is_whitespace() || "\"'\\<>{}|^`".contains(c);
    if url.contains(odd) || url.contains('#') {
        return Err(wrong());
    }
    let uri: http::Uri = url.parse().map_err(|_| wrong())?;
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.host().unwrap_or_default();
    let address = match uri.port_u16() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    // Neither an account nor a port that is none.
    let plain = uri.authority().is_some_and(|it| it.as_str() == address);
    if !matches!(scheme, "http" | "https") || host.is_empty() || !plain || uri.query().is_some() {
        return Err(wrong());
    }
    Ok(url.trim_end_matches('/').to_owned())
}
