//! The database that a command works on itself, whether a server runs or not.

use crate::failure::Failure;
use crate::settings::{self, Flags};
use crate::{Global, environment};
use portreeve_server::config::DATABASE_FILE;
use std::path::PathBuf;

/// Which database: the one that `serve` would use, given the same flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Database, as for `serve` [env: PORTREEVE_DATABASE] [default: portreeve.sqlite in the data folder]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Configuration file of the server (TOML) [env: PORTREEVE_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where the data is.
pub(crate) struct Place {
    /// The data folder, which holds more than the database.
    pub(crate) data: PathBuf,
    pub(crate) database: Database,
}

pub(crate) enum Database {
    /// The file of an embedded one.
    File(PathBuf),
    /// The URL of a PostgreSQL one, as it was given.
    Server(String),
}

impl Database {
    fn parse(url: &str) -> Result<Self, Failure> {
        match portreeve_store::Database::parse(url, environment::var).map_err(Failure::usage)? {
            portreeve_store::Database::Sqlite { path } => Ok(Self::File(path)),
            _ => Ok(Self::Server(url.to_owned())),
        }
    }
}

impl Which {
    pub(crate) fn place(&self, global: &Global) -> Result<Place, Failure> {
        if global.url.is_some() {
            return Err(Failure::usage(
                "this command works on the database itself, so --url has no meaning here; say --data or --database",
            ));
        }
        let flags = Flags::few(&[("database", self.database.clone())], self.config.clone());
        let values = settings::gather(global, &flags)?;
        let value = |name: &str| values.get(name).map(|(value, _)| value.as_str());
        let data = PathBuf::from(value("data").unwrap_or("."));
        let database = match value("database") {
            Some(url) => Database::parse(url)?,
            None => Database::File(data.join(DATABASE_FILE)),
        };
        Ok(Place { data, database })
    }
}

impl Place {
    /// The key that belongs to the data and is not in the database.
    pub(crate) fn master_key(&self) -> PathBuf {
        self.data.join("master.key")
    }
}
