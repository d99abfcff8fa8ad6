//! Flags beat variables, variables beat the file, and `config show` tells which it was.

use crate::program::{Done, file, portreeve};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn config_show_tells_where_each_value_comes_from() {
    let folder = TempDir::new().unwrap();
    let config = file(
        folder.path(),
        "portreeve.toml",
        "listen = \"127.0.0.1:1\"\npublic-url = \"https://file.example\"\nlog = \"debug\"\n",
    );
    let settings = Done::of(
        portreeve(&[
            "config",
            "show",
            "--origin",
            "-o",
            "json",
            "--config",
            &config,
            "--listen",
            "127.0.0.1:3",
            "--data",
            "/data",
        ])
        .env("PORTREEVE_LISTEN", "127.0.0.1:2")
        .env("PORTREEVE_PUBLIC_URL", "https://env.example")
        .env("PORTREEVE_DATA", "/elsewhere"),
    )
    .json();
    let of = |name: &str| {
        let found = settings
            .as_array()
            .unwrap()
            .iter()
            .find(|setting| setting["name"] == name);
        let text = |member: &str| found.unwrap()[member].as_str().unwrap().to_owned();
        (text("value"), text("origin"))
    };
    for (name, value, origin) in [
        ("data", "/data", "flag".to_owned()),
        ("listen", "127.0.0.1:3", "flag".to_owned()),
        (
            "public-url",
            "https://env.example",
            "environment PORTREEVE_PUBLIC_URL".to_owned(),
        ),
        ("log", "debug", format!("file {config}")),
        (
            "database",
            "sqlite:///data/portreeve.sqlite",
            "default".to_owned(),
        ),
    ] {
        assert_eq!(of(name), (value.to_owned(), origin), "{name}");
    }
}

#[test]
fn data_goes_where_the_machine_keeps_data() {
    for (name, variables, expected) in [
        (
            "the variable",
            &[("PORTREEVE_DATA", "/a"), ("XDG_DATA_HOME", "/b")][..],
            "/a",
        ),
        (
            "XDG",
            &[("XDG_DATA_HOME", "/b"), ("HOME", "/c")],
            "/b/portreeve",
        ),
        ("home", &[("HOME", "/c")], "/c/.local/share/portreeve"),
    ] {
        // Under systemd root's data is in /var/lib, whatever the variables of a person say.
        let is_service = std::path::Path::new("/run/systemd/system").exists();
        if is_service && name != "the variable" {
            continue;
        }
        let mut command = portreeve(&["config", "show", "-o", "json"]);
        command
            .env_remove("XDG_DATA_HOME")
            .envs(variables.iter().copied());
        let settings: Value = Done::of(&mut command).json();
        assert_eq!(settings[0]["value"], expected, "{name}");
    }
}
