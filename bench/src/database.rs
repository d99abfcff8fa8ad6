//! The database of the server under measurement: a file of its own, or a PostgreSQL started for the run.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use portreeve_cluster::Cluster;
use serde::Serialize;

use crate::machine::family_seconds;

/// Which database a server is measured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The embedded one
    Sqlite,
    /// A PostgreSQL of this machine, started for the run with its own settings, flushing to the same disk
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A database engine that runs as long as this value lives.
pub(crate) enum Database {
    /// Nothing runs: the file is the server's.
    Sqlite,
    Postgres(Cluster),
}

impl Database {
    /// Starts it. A PostgreSQL has its files in the folder for temporary ones, as `TMPDIR` names it.
    pub(crate) fn start(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite,
            Kind::Postgres => Self::Postgres(Cluster::durable()),
        }
    }

    /// What a new server is to use; `None`: a file of its own.
    pub(crate) fn fresh(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres(cluster) => Some(cluster.fresh_url()),
        }
    }

    /// Bytes that a server's data takes, its log included.
    pub(crate) fn size(&self, data: &Path) -> Result<u64> {
        match self {
            Self::Sqlite => folder_size(data),
            Self::Postgres(cluster) => folder_size(&cluster.folder()),
        }
    }

    /// Seconds of processor time the engine has used in processes of its own.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        match self {
            Self::Sqlite => Ok(0.0),
            Self::Postgres(cluster) => family_seconds(cluster.process()),
        }
    }
}

fn folder_size(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        // A file may vanish meanwhile: a finished segment of the log.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        size += if metadata.is_dir() {
            folder_size(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(size)
}
