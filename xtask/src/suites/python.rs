//! The suites that are Python programs: peers, which need packages of their own, and the faults, which need none.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::{Place, Tally, counted, fresh, logged};
use crate::cargo::root;
use crate::server::Server;

const ENVIRONMENT: [(&str, &str); 2] =
    [("PYTHONDONTWRITEBYTECODE", "1"), ("NO_PROXY", "127.0.0.1")];

/// Runs one of the peers against a fresh server, started with these words more, with one directory in which deleting
/// means deleting.
pub(super) fn scim_peer(
    place: &Place,
    suite: &str,
    script: &str,
    words: &[&str],
    log: &Path,
) -> Result<Tally> {
    let (program, data) = (place.program(), place.scratch(suite));
    let server = Server::start_with(&program, data, words, &log.with_extension("server.log"))?;
    let generic = [
        "--provider",
        "generic",
        "--users",
        "delete",
        "--groups",
        "delete",
    ];
    let tenant = server.create_directory(suite, &generic)?;
    let mut command = peer(place, script);
    command.arg(&tenant.url).env("SCIM_TOKEN", &tenant.token);
    let tally = counted(command, log)?;
    server.stop()?;
    Ok(tally)
}

/// Has schemathesis judge the admin API of a fresh server by its own description.
pub(super) fn schemathesis(place: &Place, log: &Path) -> Result<Tally> {
    let (program, data) = (place.program(), place.scratch("schemathesis"));
    let unlimited = [
        "--rate-limit-token",
        "0",
        "--rate-limit-address",
        "0",
        "--applications-private-addresses",
        "yes",
    ];
    let server_log = log.with_extension("server.log");
    let server = Server::start_with(&program, data, &unlimited, &server_log)?;
    let mut command = peer(place, "openapi_tester.py");
    command
        .arg(format!("http://{}", server.address))
        .arg(&program)
        .arg(server.data());
    let tally = counted(command, log)?;
    server.stop()?;
    Ok(tally)
}

/// Makes happen to servers what may happen to them.
pub(super) fn faults(place: &Place, log: &Path) -> Result<Tally> {
    let mut faults = Command::new(any_python()?);
    faults
        .arg(root().join("tests/faults"))
        .arg(place.program())
        .envs(ENVIRONMENT);
    counted(faults, log)
}

fn peer(place: &Place, script: &str) -> Command {
    let mut command = Command::new(place.python());
    command
        .arg(root().join("tests/peers").join(script))
        .envs(ENVIRONMENT);
    command
}

/// Installs the peers, unless they are there just as they are pinned.
pub(super) fn prepare(place: &Place) -> Result<()> {
    let log = place.log("peers-install");
    fresh(&log)?;
    let mut install = Command::new(root().join("scripts/peers"));
    install.arg(place.peers());
    ensure!(logged(install, &log)?, "see {}", log.display());
    Ok(())
}

/// A Python of this machine that is new enough.
fn any_python() -> Result<String> {
    let found = Command::new(root().join("scripts/python")).output()?;
    ensure!(
        found.status.success(),
        "{}",
        String::from_utf8_lossy(&found.stderr).trim()
    );
    Ok(String::from_utf8(found.stdout)?.trim().to_owned())
}
