//! What the disk and SQLite can do by themselves.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use rusqlite::Connection;
use serde::Serialize;
use tokio::time::Instant;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Limits {
    /// Flushes of 4 KiB per second.
    pub(crate) fdatasync: f64,
    /// Durable inserts of 1.2 kB per second, by how many share a commit.
    pub(crate) inserts: Vec<Inserts>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Inserts {
    pub(crate) per_commit: u64,
    pub(crate) per_second: f64,
}

pub(crate) fn measure(folder: &Path, time: Duration) -> Result<Limits> {
    let inserts = [1, 64, 256].map(|per_commit| inserts(folder, per_commit, time));
    Ok(Limits {
        fdatasync: fdatasync(folder, time)?,
        inserts: inserts.into_iter().collect::<Result<_>>()?,
    })
}

fn fdatasync(folder: &Path, time: Duration) -> Result<f64> {
    let file = File::create(folder.join("fdatasync"))?;
    let block = [7; 4096];
    let begun = Instant::now();
    let mut flushes: u64 = 0;
    while begun.elapsed() < time {
        file.write_all_at(&block, flushes * 4096)?;
        file.sync_data()?;
        flushes += 1;
    }
    Ok(flushes as f64 / begun.elapsed().as_secs_f64())
}

fn inserts(folder: &Path, per_commit: u64, time: Duration) -> Result<Inserts> {
    let connection = Connection::open(folder.join(format!("inserts-{per_commit}.db")))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, resource TEXT NOT NULL);",
    )?;
    let mut insert =
        connection.prepare("INSERT INTO users (id, name, resource) VALUES (?1, ?2, ?3)")?;
    let resource = "x".repeat(1200);
    let begun = Instant::now();
    let mut number: i64 = 0;
    while begun.elapsed() < time {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..per_commit {
            insert.execute((number, format!("person{number}"), &resource))?;
            number += 1;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(Inserts {
        per_commit,
        per_second: number as f64 / begun.elapsed().as_secs_f64(),
    })
}
