//! The server's own tests once more, on PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Tally, agree, cargo, logged, postgres, test_results};
use crate::cargo::root;

/// Modules whose tests always run on PostgreSQL.
const CHOOSE_THEMSELVES: [&str; 2] = ["replicas::", "trips::"];

/// Runs them; `cargo-test` has run them on the embedded database.
pub(super) fn suite(log: &Path) -> Result<Tally> {
    let mut test = Command::new(program("crates/server", "it")?);
    for own in CHOOSE_THEMSELVES {
        test.args(["--skip", own]);
    }
    test.env(portreeve_cluster::VARIABLE, postgres()?.url())
        .env(portreeve_cluster::DATABASE, "postgres");
    let good = logged(test, log)?;
    Ok(agree(test_results(&fs::read_to_string(log)?), good))
}

/// A test program of the build. Cargo says where it is and does not start it: asked to test one package, it would build
/// that and all it needs anew, with the features that this package alone asks for.
fn program(folder: &str, name: &str) -> Result<PathBuf> {
    let mut build = cargo(&["test", "--workspace", "--locked", "--no-run"]);
    let done = build
        .arg("--message-format=json")
        .current_dir(root())
        .output()?;
    ensure!(done.status.success(), "the tests did not compile");
    let manifest = root().join(folder).join("Cargo.toml");
    let found = String::from_utf8_lossy(&done.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find_map(|message| executable(&message, &manifest, name));
    found.with_context(|| format!("cargo built no test program {name} of {folder}"))
}

/// The program that a message of cargo tells of, if it is the one that is looked for.
fn executable(message: &Value, manifest: &Path, name: &str) -> Option<PathBuf> {
    let text = |value: &Value| value.as_str().map(PathBuf::from);
    let ours = text(&message["manifest_path"])? == manifest
        && message["target"]["name"] == name
        && message["profile"]["test"] == true;
    ours.then(|| text(&message["executable"])).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_program_is_known_by_its_package_and_its_name() {
        let built = json!({
            "reason": "compiler-artifact", "manifest_path": "/w/crates/server/Cargo.toml",
            "target": {"name": "it"}, "profile": {"test": true}, "executable": "/w/target/it-1",
        });
        let changed = |pointer: &str, value: Value| {
            let mut message = built.clone();
            if let Some(place) = message.pointer_mut(pointer) {
                *place = value;
            }
            message
        };
        for (name, message, found) in [
            ("it", built.clone(), Some("/w/target/it-1")),
            ("no target", json!({"reason": "build-finished"}), None),
            (
                "another package",
                changed("/manifest_path", json!("/w/crates/cli/Cargo.toml")),
                None,
            ),
            ("another target", changed("/target/name", json!("x")), None),
            ("no test", changed("/profile/test", json!(false)), None),
            ("no program", changed("/executable", Value::Null), None),
        ] {
            let manifest = Path::new("/w/crates/server/Cargo.toml");
            let known = executable(&message, manifest, "it");
            assert_eq!(known.as_deref(), found.map(Path::new), "{name}");
        }
    }
}
