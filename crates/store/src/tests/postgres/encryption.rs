//! Who is talked to, and who may listen.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use portreeve_cluster::Cluster;
use tempfile::TempDir;

use super::super::{NOW, SCHEMA};
use crate::{Database, Error, Options, Result, Store};

/// Whether the connection is encrypted.
async fn encrypted(url: &str) -> Result<bool> {
    let database = Database::parse(url, |_| None)?;
    let store = Store::open(&Options::new(database, SCHEMA, NOW))?;
    let asked = store.lookup(|tx| {
        let row = tx.query_one(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
            &[],
        )?;
        row.map_or(Err(Error::Closed), |row| row.bool(0))
    });
    asked.await
}

/// Mode, host, authorities, and whether the connection comes about, encrypted.
const MODES: &[(&str, &str, Roots, Option<bool>)] = &[
    ("disable", "127.0.0.1", Roots::Unsaid, Some(false)),
    ("prefer", "127.0.0.1", Roots::Unsaid, Some(true)),
    ("require", "127.0.0.1", Roots::Unsaid, Some(true)),
    ("require", "127.0.0.1", Roots::Right, Some(true)),
    ("require", "127.0.0.1", Roots::Foreign, None),
    ("verify-ca", "127.0.0.1", Roots::Right, Some(true)),
    ("verify-ca", "127.0.0.1", Roots::Foreign, None),
    ("verify-ca", "127.0.0.1", Roots::System, None),
    ("verify-full", "localhost", Roots::Right, Some(true)),
    ("verify-full", "127.0.0.1", Roots::Right, None),
    ("verify-full", "localhost", Roots::Foreign, None),
];

#[derive(Debug)]
enum Roots {
    Unsaid,
    System,
    Right,
    Foreign,
}

#[tokio::test]
async fn each_mode_demands_what_it_says() {
    let (cluster, right) = Cluster::with_certificate("localhost");
    let (_elsewhere, foreign) = Cluster::with_certificate("localhost");
    let url = cluster.fresh_tcp_url();
    for (mode, host, roots, wanted) in MODES {
        let url = url.replace("@127.0.0.1:", &format!("@{host}:"));
        let roots_said = match roots {
            Roots::Unsaid => String::new(),
            Roots::System => "&sslrootcert=system".to_string(),
            Roots::Right => format!("&sslrootcert={}", right.display()),
            Roots::Foreign => format!("&sslrootcert={}", foreign.display()),
        };
        let found = encrypted(&format!("{url}&sslmode={mode}{roots_said}")).await;
        let case = format!("{mode}, {host}, {roots:?}");
        match wanted {
            Some(wanted) => assert_eq!(found, Ok(*wanted), "{case}"),
            None => assert!(
                matches!(found, Err(Error::Unavailable { .. })),
                "{case}: {found:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_server_without_encryption_is_taken_only_where_that_is_allowed() {
    let cluster = Cluster::own();
    let url = cluster.fresh_tcp_url();
    assert_eq!(encrypted(&url).await, Ok(false));
    let required = encrypted(&format!("{url}&sslmode=require")).await;
    assert!(
        matches!(&required, Err(Error::Unavailable { message }) if message.contains("TLS")),
        "{required:?}"
    );
    let socket = cluster.fresh_url();
    assert_eq!(
        encrypted(&format!("{socket}&sslmode=verify-full")).await,
        Ok(false),
        "on a socket nobody listens in"
    );
}

#[test]
fn a_password_comes_from_a_file_that_is_nobody_elses() {
    let cluster = Cluster::own();
    let whole = cluster.fresh_tcp_url();
    let (user, place) = whole
        .strip_prefix("postgresql://")
        .unwrap()
        .split_once('@')
        .unwrap();
    let (user, password) = user.split_once(':').unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("pgpass");
    fs::write(
        &file,
        format!("other:*:*:*:wrong\n*:*:*:{user}:{password}\n"),
    )
    .unwrap();
    let file_name = file.to_str().unwrap();
    for (mode, wanted) in [(0o600, true), (0o644, false)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let variable = |name: &str| (name == "PGPASSFILE").then(|| file_name.to_string());
        let database = Database::parse(&format!("postgresql://{user}@{place}"), variable).unwrap();
        let opened = Store::open(&Options::new(database, SCHEMA, NOW)).map(drop);
        assert_eq!(opened.is_ok(), wanted, "{mode:o}: {opened:?}");
    }
}
