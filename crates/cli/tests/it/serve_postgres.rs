//! `portreeve serve --database postgres://…`: started, stopped, found again, and refused with what to do about it.

use crate::program::{Done, Server, portreeve};
use portreeve_cluster::Cluster;
use serde_json::json;
use tempfile::TempDir;

/// A server of the test's own, with a password.
fn cluster() -> &'static Cluster {
    static OWN: std::sync::OnceLock<Cluster> = std::sync::OnceLock::new();
    OWN.get_or_init(Cluster::own)
}

/// The password in a URL.
fn password(url: &str) -> &str {
    let (front, _) = url.split_once('@').unwrap();
    front.rsplit(':').next().unwrap()
}

#[test]
fn it_keeps_everything_in_postgres_and_the_password_to_itself() {
    let url = cluster().fresh_tcp_url();
    let words = ["--database", &url];
    let server = Server::on(TempDir::new().unwrap(), &words);
    let directory = server.json(&["directory", "create", "Contoso"]);
    let user =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"});
    assert_eq!(server.scim(&directory, "POST", "/Users", &user).0, 201);
    let running = server.run(&["config", "show", "--running", "--origin"]);
    server.signal("TERM");
    let (status, data, mut log) = server.ended();
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert!(!data.path().join("portreeve.sqlite").exists());

    let mut shown = portreeve(&["config", "show", "--origin"]);
    let shown = Done::of(shown.env("PORTREEVE_DATABASE", &url));
    let again = Server::on(data, &words);
    let users = again.json(&["user", "list"]);
    assert_eq!(users[0]["user_name"], "ada");
    again.signal("TERM");
    log.extend(again.ended().2);
    for (name, text) in [
        ("config show", &shown.out),
        ("config show --running", &running.out),
    ] {
        assert!(text.contains("@127.0.0.1:"), "{name}: {text}");
    }
    let said = format!("{shown:?} {running:?} {log:?}");
    assert!(!said.contains(password(&url)), "{said}");
}

/// A start on this database fails, and says these parts and no password.
fn refused(name: &str, url: &str, says: [&str; 2]) {
    let folder = TempDir::new().unwrap();
    let mut command = portreeve(&["serve", "--listen", "127.0.0.1:0", "--database", url]);
    let done = Done::of(command.env("PORTREEVE_DATA", folder.path()));
    assert_eq!((done.code, &*done.out), (1, ""), "{name}: {done:?}");
    for part in says {
        assert!(done.err.contains(part), "{name}: {}", done.err);
    }
    for secret in [password(&cluster().fresh_tcp_url()), "hunter2"] {
        assert!(!done.err.contains(secret), "{name}: {}", done.err);
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_named_with_what_to_do() {
    for (name, place, does) in [
        (
            "nobody there",
            "127.0.0.1:1",
            "start PostgreSQL, or correct host",
        ),
        (
            "no such host",
            "nowhere.invalid",
            "start PostgreSQL, or correct host",
        ),
        ("no socket", "%2Fnowhere", "start PostgreSQL"),
    ] {
        let url = format!("postgres://ann:hunter2@{place}/roll");
        refused(name, &url, [place, does]);
    }
}

#[test]
fn a_database_that_cannot_be_used_is_refused_with_what_to_do() {
    let url = cluster().fresh_tcp_url();
    let secret = password(&url);
    let (server, schema) = url.split_once("/portreeve?").unwrap();
    let (_, address) = server.split_once('@').unwrap();
    let (_, name) = schema.split_once("search_path%3D").unwrap();
    cluster().execute(&format!(
        "CREATE ROLE stranger LOGIN PASSWORD 'hunter2'; CREATE ROLE visitor LOGIN PASSWORD 'hunter2'; \
         GRANT USAGE ON SCHEMA {name} TO visitor"
    ));
    cluster().execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let by = |user: &str| format!("postgres://{user}:hunter2@{address}/portreeve?{schema}");
    for (name, url, says) in [
        (
            "wrong password",
            url.replace(secret, "wrong"),
            ["password authentication failed", "correct the password"],
        ),
        (
            "no password",
            url.replace(&format!(":{secret}"), ""),
            ["password missing", "PGPASSFILE"],
        ),
        (
            "no database",
            format!("{server}/nothing"),
            ["\"nothing\" does not exist", "CREATE DATABASE"],
        ),
        (
            "a schema of others",
            by("stranger"),
            ["no schema of search_path", "GRANT USAGE and CREATE"],
        ),
        (
            "nothing may be made",
            by("visitor"),
            ["permission denied for schema", "GRANT it to the user"],
        ),
        (
            "other encoding",
            format!("{server}/latin"),
            ["LATIN1", "ENCODING 'UTF8'"],
        ),
    ] {
        refused(name, &url, says);
    }
}
