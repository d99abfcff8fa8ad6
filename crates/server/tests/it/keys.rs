//! The master key belongs to the database: a server with another one does not start on it.

use portreeve_server::{Config, ServeError, start};
use portreeve_testbed::TestClock;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Starts a server with the first folder's database and the second one's key, and stops it again.
async fn run(database: &Path, key: &Path, replace: bool) -> Result<(), ServeError> {
    let mut config = Config::local(key.to_owned());
    config.database = Config::local(database.to_owned()).database;
    config.replace_master_key = replace;
    let running = start(config, Arc::new(TestClock::default())).await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_used_with_one_key() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (first, second) = (first.path(), second.path());
    run(first, first, false).await.unwrap();
    run(first, first, false).await.unwrap();

    let missing = run(first, second, false).await.unwrap_err().to_string();
    assert!(missing.contains("is not there"), "{missing}");
    assert!(!second.join("master.key").exists(), "no key was asked for");

    fs::copy(first.join("master.key"), second.join("master.key")).unwrap();
    run(first, second, false).await.unwrap();

    let other = TempDir::new().unwrap();
    run(other.path(), other.path(), false).await.unwrap();
    let foreign = run(first, other.path(), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(foreign.contains("holds a key"), "{foreign}");
    assert!(foreign.contains("--replace-master-key yes"), "{foreign}");
    run(first, first, false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_replaced_when_an_admin_says_so() {
    let data = TempDir::new().unwrap();
    let data = data.path();
    run(data, data, false).await.unwrap();
    let old = fs::read(data.join("master.key")).unwrap();
    fs::remove_file(data.join("master.key")).unwrap();
    assert!(run(data, data, false).await.is_err());
    run(data, data, true).await.unwrap();
    assert_ne!(fs::read(data.join("master.key")).unwrap(), old);
    run(data, data, false).await.unwrap();
}
