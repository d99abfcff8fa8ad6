//! Naming a database.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::{Database, Error, Options, Result, Store};

/// Reads a URL with these variables set; what it means comes back without password.
fn read(url: &str, variables: &[(&str, &str)]) -> Result<String> {
    parse(url, variables).map(|database| database.to_string())
}

fn parse(url: &str, variables: &[(&str, &str)]) -> Result<Database> {
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
    Database::parse(url, |name| {
        find(name).map(|(_, value)| (*value).to_string())
    })
}

const OUTSIDE: &[(&str, &str)] = &[
    ("PGHOST", "db.example"),
    ("PGPORT", "6000"),
    ("PGUSER", "eve"),
    ("PGDATABASE", "other"),
];

#[test]
fn a_url_means_what_it_says() {
    for (case, url, meant) in [
        ("embedded", "sqlite:///var/roll.db", "sqlite:///var/roll.db"),
        ("port", "postgres://ann@h:1/roll", "postgres://ann@h:1/roll"),
        (
            "scheme",
            "postgresql://ann@h/roll",
            "postgres://ann@h:5432/roll",
        ),
        (
            "IPv6",
            "postgres://ann@[::1]/roll",
            "postgres://ann@[::1]:5432/roll",
        ),
        (
            "socket",
            "postgres://ann@%2Fpg/roll",
            "postgres://ann@%2Fpg:5432/roll",
        ),
        (
            "parameters",
            "postgres:///roll?host=/pg&user=ann",
            "postgres://ann@%2Fpg:5432/roll",
        ),
        (
            "ours",
            "postgres://ann@h/roll?sslmode=verify-full&application_name=x",
            "postgres://ann@h:5432/roll",
        ),
    ] {
        assert_eq!(read(url, &[]).as_deref(), Ok(meant), "{case}");
    }
}

#[test]
fn the_environment_fills_in_what_a_url_leaves_out() {
    for (case, url, meant) in [
        ("nothing", "sqlite:///var/roll.db", "sqlite:///var/roll.db"),
        (
            "nothing either",
            "postgres://ann:secret@h:5433/roll",
            "postgres://ann@h:5433/roll",
        ),
        (
            "the port",
            "postgres://ann@h/roll",
            "postgres://ann@h:6000/roll",
        ),
        (
            "one of the ports",
            "postgres://ann@a:1,b/roll",
            "postgres://ann@a:1,b:6000/roll",
        ),
        (
            "the port after an address",
            "postgres://ann@[::1]/roll",
            "postgres://ann@[::1]:6000/roll",
        ),
        (
            "host and user",
            "postgres:///roll",
            "postgres://eve@db.example:6000/roll",
        ),
        (
            "everything",
            "postgres://",
            "postgres://eve@db.example:6000/other",
        ),
    ] {
        assert_eq!(read(url, OUTSIDE).as_deref(), Ok(meant), "{case}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_a_remedy() {
    for (case, url, variables, part) in [
        (
            "another database",
            "mysql://h/roll",
            &[][..],
            "postgres://user@host",
        ),
        ("a mere path", "/var/lib/roll.db", &[], "sqlite:///absolute"),
        ("a relative path", "sqlite://roll.db", &[], "absolute path"),
        (
            "an unknown setting",
            "postgres://h/roll?shoe=9",
            &[],
            "shoe",
        ),
        ("a port that is none", "postgres://h:x/roll", &[], "port"),
        (
            "a variable that is no number",
            "postgres:///roll",
            &[("PGPORT", "many")],
            "PGPORT",
        ),
        (
            "a mode that is none",
            "postgres://h/roll?sslmode=allow",
            &[],
            "prefer",
        ),
        (
            "a mode from outside",
            "postgres://h/roll",
            &[("PGSSLMODE", "maybe")],
            "maybe",
        ),
        (
            "half a certificate",
            "postgres://h/roll?sslcert=/x",
            &[],
            "sslkey",
        ),
    ] {
        let error = read(url, variables).unwrap_err();
        assert!(matches!(&error, Error::Url(_)), "{case}: {error}");
        assert!(error.to_string().contains(part), "{case}: {error}");
    }
}

#[test]
fn no_password_is_shown() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("pgpass");
    fs::write(&file, "# ours\nh:5432:roll:ann:hush-hush\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let file = file.to_str().unwrap();
    for (case, url, variables) in [
        ("in the URL", "postgres://ann:hush-hush@h/roll", &[][..]),
        (
            "as a parameter",
            "postgres://ann@h/roll?password=hush-hush",
            &[],
        ),
        (
            "from outside",
            "postgres://ann@h/roll",
            &[("PGPASSWORD", "hush-hush")],
        ),
        (
            "from a file",
            "postgres://ann@h/roll",
            &[("PGPASSFILE", file)],
        ),
    ] {
        let database = parse(url, variables).unwrap();
        let options = Options::new(database.clone(), &[], 0);
        for shown in [database.to_string(), format!("{options:?}")] {
            assert!(
                shown.contains("ann@h") && !shown.contains("hush"),
                "{case}: {shown}"
            );
        }
    }
    let error = read("postgres://ann:hush-hush@h:x/roll", &[]).unwrap_err();
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[test]
fn a_file_of_authorities_that_cannot_be_used_is_named() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "nothing here").unwrap();
    for file in [empty, folder.path().join("missing.pem")] {
        let url = format!(
            "postgres://ann@127.0.0.1:1/roll?sslmode=verify-full&sslrootcert={}",
            file.display()
        );
        let options = Options::new(parse(&url, &[]).unwrap(), &[], 0);
        let error = Store::open(&options).map(drop).unwrap_err();
        assert!(
            matches!(&error, Error::Open { path, .. } if *path == file),
            "{error}"
        );
    }
}
