//! The program as people and scripts see it: what it says, and with which code it ends.

use crate::setup::{config, machine};
use portreeve_host::setup::install;
use portreeve_host::sshd::Absent;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portreeve-host"))
        .args(arguments)
        .arg("--root")
        .arg(root)
        .env_remove("PORTREEVE_HOST_TOKEN")
        .output()
        .unwrap()
}

#[test]
fn failures_have_the_codes_of_portreeve_and_say_what_to_do() {
    let cases: &[(&str, &[&str], i32, &str)] = &[
        ("no token", &["enroll"], 2, "host token create"),
        (
            "a token that is none",
            &["enroll", "--token", "pe_x"],
            2,
            "not whole",
        ),
        (
            "a tag that is none",
            &["enroll", "--token", "pe_x", "--tag", "web"],
            2,
            "role=web",
        ),
        (
            "a server without its root",
            &["enroll", "--server", "https://roll"],
            2,
            "--fingerprint",
        ),
        (
            "no host key",
            &[
                "enroll",
                "--server",
                "https://127.0.0.1:1",
                "--fingerprint",
                "00",
            ],
            1,
            "ssh-keygen -A",
        ),
        ("no host", &["status"], 6, "not enrolled"),
        ("nothing to run", &["run"], 6, "not enrolled"),
        ("no identity", &["net"], 6, "not enrolled"),
        ("nobody to tell", &["leave"], 6, "leave --local"),
        ("nothing to examine", &["doctor"], 1, ""),
        ("no such command", &["stay"], 2, "stay"),
    ];
    for (name, arguments, code, says) in cases {
        let (root, _paths) = machine(&[]);
        let output = run(root.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{name}: {said}");
        assert!(said.contains(says), "{name}: {said}");
    }
}

#[test]
fn a_machine_that_was_set_up_leaves_without_its_server() {
    let (root, paths) = machine(&[("/etc/ssh/sshd_config", "UsePAM yes\n")]);
    config().save(&paths).unwrap();
    install(&config(), &paths, &Absent, 0).unwrap();
    assert_eq!(
        run(root.path(), &["apply", "--boot"]).status.code(),
        Some(0)
    );
    let status = run(root.path(), &["status", "-o", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["host"]["name"], "web-1", "{status}");
    assert_eq!(status["is_running"], false, "{status}");
    let found = run(root.path(), &["doctor", "--quiet", "-o", "json"]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let found = found.as_array().unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(|one| one["verdict"] != "ok"), "{found:?}");
    for round in ["leaves", "has left"] {
        let output = run(root.path(), &["leave", "--local", "-o", "json"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{round}: {said}");
        assert!(!paths.config().exists(), "{round}");
        assert!(!paths.state().exists(), "{round}");
        assert!(!paths.sshd_drop_in().exists(), "{round}");
    }
}
