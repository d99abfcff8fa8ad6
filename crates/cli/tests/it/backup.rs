//! `portreeve backup` and `portreeve restore` of an embedded database, and `portreeve migrate` between two.

use crate::program::{Done, Server, portreeve};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A command with a data folder.
pub(crate) fn on(data: &Path, words: &[&str]) -> Done {
    Done::of(portreeve(words).arg("--data").arg(data))
}

/// The checksum of every table of the database in a data folder, by copying it.
pub(crate) fn sums(data: &Path) -> Value {
    let scratch = TempDir::new().unwrap();
    let from = sqlite_url(&data.join("portreeve.sqlite"));
    let to = sqlite_url(&scratch.path().join("copy.sqlite"));
    Done::of(&mut portreeve(&[
        "migrate", "--from", &from, "--to", &to, "-o", "json",
    ]))
    .json()
}

pub(crate) fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// A data folder that a server has used: a directory, its token, three people, and the events of it all.
pub(crate) fn used() -> TempDir {
    let server = Server::start();
    let directory = server.json(&["directory", "create", "Contoso"]);
    for name in ["ada", "grace", "Ærø"] {
        add(&server, &directory, name);
    }
    server.signal("TERM");
    let (status, data, _) = server.ended();
    assert!(status.success());
    data
}

fn add(server: &Server, directory: &Value, name: &str) {
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    assert_eq!(
        server.scim(directory, "POST", "/Users", &user).0,
        201,
        "{name}"
    );
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_row_of_every_table_comes_back() {
    let (data, new) = (used(), TempDir::new().unwrap());
    let file = data.path().join("saved");
    let file = file.to_str().unwrap();
    let made = on(data.path(), &["backup", file, "-o", "json"]).json();
    assert_eq!(made["file"], file);
    let key = data.path().join("master.key");
    assert_eq!(made["not_included"], json!([key.to_str().unwrap()]));

    // On a new machine there is no folder yet.
    let folder = new.path().join("data");
    let restored = on(&folder, &["restore", file, "-o", "json"]).json();
    assert_eq!(restored["tables"], made["tables"]);
    assert_eq!(restored["kept"], Value::Null);
    assert_eq!(sums(&folder), sums(data.path()));
    let users = made["tables"]
        .as_array()
        .unwrap()
        .iter()
        .find(|table| table["name"] == "users");
    assert_eq!(users.unwrap()["rows"], 3);
}

#[test]
fn a_running_server_is_backed_up_as_it_is_and_restored_only_when_it_has_ended() {
    let server = Server::start();
    let directory = server.json(&["directory", "create", "Contoso"]);
    add(&server, &directory, "ada");
    let file = server.data.path().join("saved");
    let file = file.to_str().unwrap().to_owned();
    let done = server.run(&["backup", &file]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.err.contains("master.key is not in the backup"),
        "{}",
        done.err
    );
    add(&server, &directory, "grace");

    let done = server.run(&["restore", &file, "--force"]);
    assert_eq!(done.code, 7, "{done:?}");
    assert!(done.err.contains("stop the server first"), "{}", done.err);
    server.signal("TERM");
    let (_, data, _) = server.ended();
    let done = on(data.path(), &["restore", &file]);
    assert_eq!(done.code, 7, "{done:?}");
    assert!(done.err.contains("--force"), "{}", done.err);
    let done = on(data.path(), &["restore", &file, "--force"]);
    assert_eq!(done.code, 0, "{done:?}");
    let kept = names(data.path())
        .into_iter()
        .find(|name| name.contains(".before-restore-"));
    assert!(done.err.contains(&kept.unwrap()), "{}", done.err);

    let server = Server::on(data, &[]);
    let users = server.json(&["user", "list", "--directory", "Contoso"]);
    let users = users
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["user_name"].as_str().unwrap());
    assert_eq!(
        users.collect::<Vec<_>>(),
        ["ada"],
        "the restored server serves"
    );
    // And its directory still takes what the old token allows.
    add(&server, &directory, "katherine");
}

#[test]
fn what_cannot_be_restored_is_refused_with_a_remedy() {
    let (data, folder) = (used(), TempDir::new().unwrap());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(on(data.path(), &["backup", &file("good")]).code, 0);
    let good = fs::read(file("good")).unwrap();
    let mut damaged = good.clone();
    let middle = good.len() / 2;
    damaged[middle..middle + 5000].fill(0x55);
    fs::write(file("damaged"), damaged).unwrap();
    fs::write(file("cut"), &good[..good.len() - 5000]).unwrap();
    fs::write(file("text"), "-- a dump in SQL").unwrap();
    let before = (names(data.path()), sums(data.path()));
    let database = data.path().join("portreeve.sqlite");
    for (name, file, code, says) in [
        ("damaged", file("damaged"), 1, "nothing was changed"),
        ("cut short", file("cut"), 1, "nothing was changed"),
        ("text", file("text"), 1, "not a database"),
        ("missing", file("none"), 1, "No such file"),
        (
            "the database itself",
            database.to_str().unwrap().to_owned(),
            2,
            "belongs to the database",
        ),
    ] {
        let done = on(data.path(), &["restore", &file, "--force"]);
        assert_eq!(done.code, code, "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {}", done.err);
        assert_eq!((names(data.path()), sums(data.path())), before, "{name}");
    }
}

#[test]
fn what_cannot_be_backed_up_is_refused_with_a_remedy() {
    let (data, folder) = (used(), TempDir::new().unwrap());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(file("taken"), "something dear").unwrap();
    let url = "postgres://ann:hunter2@127.0.0.1:1/roll";
    let missing = sqlite_url(&folder.path().join("none.sqlite"));
    for (name, words, code, says) in [
        ("a taken name", vec![&*file("taken")], 7, "--force"),
        ("no folder", vec![&*file("no/such")], 1, "no/such.partial"),
        (
            "a folder",
            vec![folder.path().to_str().unwrap()],
            1,
            "directory",
        ),
        (
            "no database",
            vec![&file("x"), "--database", &missing],
            1,
            "none.sqlite",
        ),
        (
            "no server",
            vec![&file("x"), "--database", url],
            1,
            "Connection refused",
        ),
        (
            "another database",
            vec![&file("x"), "--database", "mysql://x"],
            2,
            "sqlite:///",
        ),
        (
            "a remote server",
            vec![&file("x"), "--url", "http://x"],
            2,
            "--url",
        ),
    ] {
        let mut all = vec!["backup"];
        all.extend(words);
        let mut command = portreeve(&all);
        let done = Done::of(command.env("PORTREEVE_DATA", data.path()));
        assert_eq!((done.code, &*done.out), (code, ""), "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {}", done.err);
        assert!(!done.err.contains("hunter2"), "{name}: {}", done.err);
        assert_eq!(names(folder.path()), ["taken"], "{name}");
    }
    assert_eq!(fs::read(file("taken")).unwrap(), b"something dear");
}

/// No file may grow beyond some size: what a full disk looks like to a program, without one.
#[test]
fn a_disk_that_takes_no_more_leaves_no_half_of_a_backup() {
    let (data, folder) = (used(), TempDir::new().unwrap());
    let file = folder.path().join("saved");
    assert_eq!(on(data.path(), &["backup", file.to_str().unwrap()]).code, 0);
    let old = fs::read(&file).unwrap();
    let restored = folder.path().join("restored");
    let program = env!("CARGO_BIN_EXE_portreeve");
    for (name, data, words) in [
        ("backup", data.path(), ["backup", "--force"]),
        ("restore", &*restored, ["restore", "--force"]),
    ] {
        let mut limited = Command::new("bash");
        limited.args([
            "-c",
            "trap '' XFSZ; ulimit -f 48; exec \"$@\"",
            "bash",
            program,
        ]);
        limited.args(words).arg(&file).arg("--data").arg(data);
        let done = Done::of(&mut limited);
        assert_eq!(done.code, 1, "{name}: {done:?}");
        assert!(fs::read(&file).unwrap() == old, "{name}");
        let left: Vec<_> = [folder.path(), data].into_iter().flat_map(names).collect();
        let half = left
            .iter()
            .find(|name| name.contains("partial") || name.contains("restoring"));
        assert_eq!(half, None, "{name}");
    }
    assert_eq!(names(&restored), ["portreeve.sqlite.lock"]);
}

#[test]
fn a_migration_needs_two_databases_of_which_one_is_empty() {
    let (data, folder) = (used(), TempDir::new().unwrap());
    let url = |name: &str| sqlite_url(&folder.path().join(name));
    let full = sqlite_url(&data.path().join("portreeve.sqlite"));
    let migrate =
        |from: &str, to: &str| Done::of(&mut portreeve(&["migrate", "--from", from, "--to", to]));
    let done = migrate(&full, &url("copy"));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("comparing"), "{}", done.err);
    for (name, from, to, code, says) in [
        ("not empty", &*full, &*url("copy"), 7, "not empty"),
        ("the same", &full, &full, 2, "one database"),
        (
            "no source",
            &url("none"),
            &url("new"),
            6,
            "there is no database",
        ),
        (
            "a relative path",
            "sqlite://x",
            &url("new"),
            2,
            "absolute path",
        ),
        (
            "no server",
            "postgres://ann:hunter2@127.0.0.1:1/x",
            &url("new"),
            1,
            "refused",
        ),
    ] {
        let done = migrate(from, to);
        assert_eq!(done.code, code, "{name}: {done:?}");
        assert!(done.err.contains(says), "{name}: {}", done.err);
        assert!(!done.err.contains("hunter2"), "{name}: {}", done.err);
    }
    let server = Server::on(data, &[]);
    let done = migrate(&full, &url("new"));
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("stop the server first"), "{}", done.err);
    drop(server);
}
