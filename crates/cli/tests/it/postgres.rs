//! Backup, restoration and migration of PostgreSQL databases, with its own programs and with programs that only look
//! like them.

use crate::backup::{on, sqlite_url, sums, used};
use crate::program::{Done, portreeve};
use portreeve_cluster::Cluster;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A new database of the shared server.
fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("backup_{}_{number}", std::process::id());
    let cluster = Cluster::shared();
    cluster.execute(&format!("CREATE DATABASE {name}"));
    let (front, query) = cluster.url().split_once('?').unwrap_or((cluster.url(), ""));
    let host = front.find("://").unwrap() + 3;
    let end = front[host..].find('/').map_or(front.len(), |at| host + at);
    format!("{}/{name}?{query}", &front[..end])
}

/// The checksum of every table.
fn migrate(from: &str, to: &str) -> serde_json::Value {
    Done::of(&mut portreeve(&[
        "migrate", "--from", from, "--to", to, "-o", "json",
    ]))
    .json()
}

#[test]
fn everything_goes_to_postgres_and_back_by_migration_and_by_backup() {
    let (data, folder) = (used(), TempDir::new().unwrap());
    let original = sums(data.path());
    let (one, two) = (database(), database());
    let there = migrate(&sqlite_url(&data.path().join("portreeve.sqlite")), &one);
    assert_eq!(there, original, "sums are the same on every database");

    let file = folder.path().join("saved");
    let file = file.to_str().unwrap();
    let backup = |words: &[&str]| {
        let mut all = vec!["backup", file, "--database", &one];
        all.extend(words);
        on(data.path(), &all)
    };
    let shown = backup(&[]);
    assert!(
        shown.out.starts_with("pg_dump --format=custom --no-owner"),
        "{shown:?}"
    );
    assert!(shown.err.contains("suits the server"), "{shown:?}");
    assert!(
        !Path::new(file).exists(),
        "a command that is shown does nothing"
    );
    let made = backup(&["--run", "-o", "json"]).json();
    assert_eq!(
        made["tables"].as_array().unwrap().len(),
        original.as_array().unwrap().len() + 1
    );
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(backup(&["--run"]).code, 7, "a backup is not overwritten");
    assert_eq!(backup(&["--run", "--force"]).code, 0);

    let restore = |file: &str, words: &[&str]| {
        let mut all = vec!["restore", file, "--database", &two];
        all.extend(words);
        on(data.path(), &all)
    };
    let cut = folder.path().join("cut");
    let bytes = fs::read(file).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 1000]).unwrap();
    let cut = restore(cut.to_str().unwrap(), &["--run"]);
    assert_eq!(cut.code, 1, "{cut:?}");
    let shown = restore(file, &[]);
    assert!(
        shown.out.starts_with("pg_restore --no-owner"),
        "half a backup left nothing: {shown:?}"
    );
    let restored = restore(file, &["--run"]);
    assert_eq!(restored.code, 0, "{restored:?}");
    let again = restore(file, &["--run"]);
    assert_eq!(again.code, 7, "only an empty database: {again:?}");
    assert!(again.err.contains("not empty"), "{again:?}");
    let back = sqlite_url(&folder.path().join("back.sqlite"));
    assert_eq!(migrate(&two, &back), original);
}

#[test]
fn a_database_without_us_is_not_backed_up() {
    let folder = TempDir::new().unwrap();
    let words = ["backup", "saved", "--database", &database()];
    let done = on(folder.path(), &words);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("no database of Portreeve"), "{done:?}");
}

/// A folder with programs that say what the test wants.
struct Fakes(TempDir);

impl Fakes {
    fn new(programs: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, script) in programs {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder)
    }

    /// `portreeve backup` of a database that these programs pretend to know.
    fn backup(&self, file: &Path) -> Command {
        self.run("backup", file)
    }

    fn run(&self, noun: &str, file: &Path) -> Command {
        let database = "postgres://ann:hunter2@db.example/roll?application_name=x";
        let mut command = portreeve(&[noun, file.to_str().unwrap(), "--database", database]);
        command
            .env("PATH", format!("{}:/usr/bin:/bin", self.0.path().display()))
            .env("PORTREEVE_DATA", "/data");
        command
    }
}

const PSQL: &str = r#"case "$*" in *hunter2*) exit 9;; *SHOW*) echo 15.3;; *) echo 'roll|migrations|table|ann';; esac"#;
const PG_DUMP: &str = r#"[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 15.3 (Debian)" && exit
[ "$PGPASSWORD" = hunter2 ] || exit 8"#;

#[test]
fn the_programs_are_checked_and_the_password_is_shown_to_nobody() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("it's saved");
    let old = PG_DUMP.replace("15.3", "14.11");
    let fakes = Fakes::new(&[("psql", PSQL), ("pg_dump", &old)]);
    let done = Done::of(fakes.backup(&file).arg("--run"));
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.err.contains("older than the server, which is 15.3"),
        "{done:?}"
    );
    assert!(done.err.contains("postgresql-client-15"), "{done:?}");

    let fakes = Fakes::new(&[("psql", PSQL), ("pg_dump", PG_DUMP)]);
    let done = Done::of(&mut fakes.backup(&file));
    let quoted = file.to_str().unwrap().replace('\'', "'\\''");
    let expected = format!(
        "pg_dump --format=custom --no-owner --no-privileges --schema '\"roll\"' --file '{quoted}' \
         --dbname 'postgres://ann@db.example/roll?application_name=x'\n"
    );
    assert_eq!(done.out, expected, "{done:?}");
    assert!(!format!("{done:?}").contains("hunter2"), "{done:?}");

    let mut nowhere = fakes.backup(&file);
    nowhere.env("PATH", folder.path());
    let done = Done::of(&mut nowhere);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.err.contains("the package postgresql-client"),
        "{done:?}"
    );
}

#[test]
fn a_dump_that_fails_or_is_cancelled_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("saved");
    let failing = format!(
        "{PG_DUMP}\necho half > '{}.partial'; echo no >&2; exit 1",
        file.display()
    );
    let fakes = Fakes::new(&[("psql", PSQL), ("pg_dump", &failing)]);
    let done = Done::of(fakes.backup(&file).arg("--run"));
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("pg_dump failed"), "{done:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{done:?}");

    let endless = format!("{PG_DUMP}\necho at work >&2; exec sleep 600");
    let fakes = Fakes::new(&[("psql", PSQL), ("pg_dump", &endless)]);
    let mut running = fakes
        .backup(&file)
        .arg("--run")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "at work");
    let sent = Command::new("kill").arg(running.id().to_string()).status();
    assert!(sent.unwrap().success());
    let said: Vec<_> = lines.map_while(Result::ok).collect();
    assert_eq!(running.wait().unwrap().code(), Some(3), "{said:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{said:?}");
}

/// pg_restore of a backup with this schema version, in the schema `roll`.
fn pg_restore(version: i64) -> String {
    format!(
        r#"case "$1" in
--version) echo "pg_restore (PostgreSQL) 15.3";;
--list) echo "3349; 0 16391 TABLE DATA roll migrations ann";;
--data-only) printf 'COPY roll.migrations (version, name) FROM stdin;\n1\troll\n{version}\tx\n\\.\n';;
*) exit 8;;
esac"#
    )
}

#[test]
fn a_backup_is_restored_where_it_belongs_or_not_at_all() {
    let (folder, known) = (TempDir::new().unwrap(), pg_restore(2));
    let newer = pg_restore(99);
    let psql = |schemas: &str, tables: &str, after: &str| {
        format!(
            r#"case "$*" in *SHOW*) echo 15.3;; *'\dn'*) printf '{schemas}';; *'\dtvms'*) printf '{tables}';; *) printf '{after}';; esac"#
        )
    };
    let there = r"roll|ann\n";
    for (name, psql, pg_restore, code, says) in [
        (
            "newer",
            psql(there, "", ""),
            &newer,
            1,
            "schema version 99, this program knows",
        ),
        (
            "no schema",
            psql("", "", ""),
            &known,
            1,
            "CREATE SCHEMA \"roll\"",
        ),
        (
            "not empty",
            psql(there, r"roll|boats|table|ann\n", ""),
            &known,
            7,
            "there is boats",
        ),
        (
            "it fails",
            psql(there, "", ""),
            &known,
            1,
            "nothing was changed",
        ),
        (
            "somewhere else",
            psql(there, "", "public|migrations|table|ann"),
            &known.replace("*) exit 8", "*) exit 0"),
            1,
            "-csearch_path%3Droll",
        ),
    ] {
        let fakes = Fakes::new(&[("psql", &psql), ("pg_restore", pg_restore)]);
        let done = Done::of(
            fakes
                .run("restore", &folder.path().join("saved"))
                .arg("--run"),
        );
        assert_eq!(done.code, code, "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {}", done.err);
    }
}
