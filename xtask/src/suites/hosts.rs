//! Managed hosts on machines in namespaces, which only root may make.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

use super::{Tally, agree, cargo, logged, test_results};

/// Who is not root has cargo start the tests through sudo, which must ask for no password, because nobody would answer.
pub(super) const THROUGH_SUDO: &str = "target.'cfg(unix)'.runner=['sudo', '-n']";

/// Runs the tests of `portreeve-machine`, which leaves them out of an ordinary `cargo test`, with what they put on machines:
/// the agent, and the module of the name service, which an ordinary build leaves out because it is no program.
pub(super) fn suite(log: &Path) -> Result<Tally> {
    let mut build = cargo(&["build", "--package", "portreeve-host"]);
    build.args(["--package", "portreeve-nss", "--locked"]);
    if !logged(build, log)? {
        return Ok(Tally::FAIL);
    }
    let mut test = cargo(&["test", "--package", "portreeve-machine", "--test", "it"]);
    test.arg("--locked");
    if !is_root()? {
        test.args(["--config", THROUGH_SUDO]);
    }
    let good = logged(test, log)?;
    Ok(agree(test_results(&fs::read_to_string(log)?), good))
}

/// One's own process is one's own.
pub(super) fn is_root() -> Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}
