//! The databases that every test runs on.

use portreeve_cluster::Cluster;
use portreeve_store::Database;
use proptest::test_runner::Config;
use tempfile::TempDir;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Where a new database can be, as long as this is kept.
pub(crate) struct Place {
    pub(crate) database: Database,
    _folder: Option<TempDir>,
}

impl Engine {
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("db.sqlite");
                Place {
                    database: Database::Sqlite { path },
                    _folder: Some(folder),
                }
            }
            Self::Postgres => {
                let url = Cluster::shared().fresh_url();
                Place {
                    database: Database::parse(&url, |_| None).unwrap(),
                    _folder: None,
                }
            }
        }
    }

    /// So many cases of a law on the embedded database; a server takes longer to make one, and a law that fails there
    /// alone is about something that happens in most cases.
    pub(crate) fn cases(self, embedded: u32) -> Config {
        let cases = match self {
            Self::Sqlite => embedded,
            Self::Postgres => embedded / 4,
        };
        Config {
            cases,
            failure_persistence: None,
            ..Config::default()
        }
    }
}

/// Each check becomes one test for each kind of database.
macro_rules! on_each_engine {
    ($($check:ident)*) => {
        mod on_sqlite {
            $(#[test]
            fn $check() {
                super::$check(crate::engine::Engine::Sqlite);
            })*
        }
        mod on_postgres {
            $(#[test]
            fn $check() {
                super::$check(crate::engine::Engine::Postgres);
            })*
        }
    };
}

pub(crate) use on_each_engine;
