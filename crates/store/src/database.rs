//! Which database a store is opened on.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::postgres::PostgresUrl;
use crate::{Error, Result};

/// Which database to use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Database {
    /// An embedded SQLite database.
    Sqlite {
        /// The database file. It is made when missing; its folder must exist. `-wal`, `-shm` and `.lock` files stand
        /// beside it.
        path: PathBuf,
    },
    /// A PostgreSQL server, version 14 or later, which any number of processes may use at once.
    ///
    /// Each process holds up to [`Options::readers`](crate::Options::readers) +
    /// [`Options::lookups`](crate::Options::lookups) + [`Options::writers`](crate::Options::writers) + 1 connections,
    /// and keeps prepared statements and settings in them. A pooler in between must therefore leave a connection to
    /// one client (PgBouncer's `pool_mode = session`): with `pool_mode = transaction` it does not work.
    Postgres {
        /// Where it is and how to reach it.
        url: Box<PostgresUrl>,
    },
}

impl Database {
    /// Reads `sqlite:///absolute/path`, `postgres://…` or `postgresql://…`.
    ///
    /// A `postgres` URL is libpq's; what it leaves out comes from libpq's variables, which `environment` looks up.
    /// See [`PostgresUrl`].
    ///
    /// # Errors
    /// [`Error::Url`] with a sentence that says what to write instead. It repeats no password.
    pub fn parse(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        match url.split_once("://") {
            Some(("sqlite", path)) if Path::new(path).is_absolute() => Ok(Self::Sqlite { path: path.into() }),
            Some(("sqlite", _)) => Err(Error::Url(
                "an embedded database is written with the absolute path of its file: sqlite:///var/lib/portreeve/portreeve.sqlite".to_string(),
            )),
            Some(("postgres" | "postgresql", _)) => {
                let url = Box::new(PostgresUrl::parse(url, environment)?);
                Ok(Self::Postgres { url })
            }
            _ => Err(Error::Url(
                "a database is sqlite:///absolute/path/to/file or postgres://user@host/database".to_string(),
            )),
        }
    }
}

/// As a URL, without password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "sqlite://{}", path.display()),
            Self::Postgres { url } => url.fmt(f),
        }
    }
}
