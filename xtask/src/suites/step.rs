//! OpenSSH and Smallstep's `step`, as they are, against the certificate authority.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Place, Tally, counted};
use crate::cargo::root;

/// Runs the cases of tests/step. Those that need `step` are left out where it is not, which is said.
pub(super) fn suite(place: &Place, log: &Path) -> Result<Tally> {
    let mut cases = Command::new(place.peers().join("venv/bin/node"));
    cases
        .arg(root().join("tests/step/main.mjs"))
        .env("STORIES_PROGRAM", place.program())
        .env("STORIES_PEERS", place.peers())
        .env("STORIES_LOG", log.with_extension("server.log"))
        .envs([
            ("NO_PROXY", "127.0.0.1,localhost"),
            ("no_proxy", "127.0.0.1,localhost"),
        ]);
    match client() {
        Some(client) => cases.env("STORIES_STEP", client),
        None => cases.env_remove("STORIES_STEP"),
    };
    counted(cases, log)
}

/// The one that `make interop` builds, else one of the machine.
fn client() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let built = root().join(".tools/bin");
    let folders = std::iter::once(built).chain(env::split_paths(&path));
    folders
        .map(|folder| folder.join("step"))
        .find(|program| is_smallsteps(program))
}

/// Others have programs of that name, too.
fn is_smallsteps(program: &Path) -> bool {
    let said = Command::new(program).arg("version").output();
    said.is_ok_and(|said| said.stdout.starts_with(b"Smallstep CLI/"))
}
