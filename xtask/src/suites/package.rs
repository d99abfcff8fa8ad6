//! The Debian package of the host agent, and the name service module in it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::hosts::{THROUGH_SUDO, is_root};
use super::{Place, Tally, add, agree, cargo, counted, logged, status_of, test_results};
use crate::cargo::root;

/// Has the module asked on a machine in namespaces, and the package installed, upgraded and removed on copies of this
/// system, of which one is booted.
pub(super) fn suite(place: &Place, log: &Path) -> Result<Tally> {
    let mut total = module(log)?;
    add(&mut total, panics(place, log)?);
    add(&mut total, examples(place, log)?);
    let package = build(log)?;
    for test in ["packaging/test", "packaging/test-booted"] {
        let test = root().join(test);
        let mut test = if is_root()? {
            Command::new(test)
        } else {
            let mut sudo = Command::new("sudo");
            sudo.arg("-n").arg(test);
            sudo
        };
        test.arg(&package).arg(place.program());
        add(&mut total, counted(test, log)?);
    }
    Ok(total)
}

fn module(log: &Path) -> Result<Tally> {
    let mut test = cargo(&["test", "--package", "portreeve-nss", "--test", "machine"]);
    test.arg("--locked");
    if !is_root()? {
        test.args(["--config", THROUGH_SUDO]);
    }
    let good = logged(test, log)?;
    Ok(agree(test_results(&fs::read_to_string(log)?), good))
}

/// What the manual shows for many machines can be read as what it is.
fn examples(place: &Place, log: &Path) -> Result<Tally> {
    let mut read = Command::new(place.python());
    read.args([
        "-c",
        "import sys, yaml\nfor name in sys.argv[1:]: assert yaml.safe_load(open(name))",
    ])
    .args([
        "docs/examples/cloud-init.yaml",
        "docs/examples/ansible.yaml",
    ]);
    status_of(read, log)
}

/// Nothing in the module's own code panics: of the parts of Rust's library that do, it calls none. Built as it is for the
/// package, but by itself, so that it can be told from that library.
fn panics(place: &Place, log: &Path) -> Result<Tally> {
    let target = place.target.join("module");
    let mut rustc = cargo(&["rustc", "--package", "portreeve-nss", "--lib", "--locked"]);
    rustc
        .args(["--crate-type=rlib", "--profile=host"])
        .args(["--config=profile.host.lto='off'", "--target-dir"])
        .arg(&target);
    ensure!(logged(rustc, log)?, "the module could not be built");
    let listed = Command::new("nm")
        .arg("--undefined-only")
        .arg(target.join("host/libnss_portreeve.rlib"))
        .output()?;
    let listed = String::from_utf8(listed.stdout)?;
    ensure!(listed.contains("OpenOptions"), "nm listed nothing");
    // The count of panics is what a lock asks for.
    let panics = |line: &&str| {
        line.contains("fail") || (line.contains("panic") && !line.contains("panic_count"))
    };
    let found: Vec<_> = listed.lines().filter(panics).collect();
    if found.is_empty() {
        return Ok(Tally::PASS);
    }
    let mut log = File::options().append(true).open(log)?;
    writeln!(log, "the module can panic:\n{}", found.join("\n"))?;
    Ok(Tally::FAIL)
}

/// What is tested is what is packed and what happens with it, not how well it was optimised.
fn build(log: &Path) -> Result<PathBuf> {
    let built = Command::new(root().join("scripts/package"))
        .arg("dev")
        .stdin(Stdio::null())
        .stderr(File::options().append(true).open(log)?)
        .output()?;
    ensure!(built.status.success(), "the package could not be built");
    Ok(PathBuf::from(String::from_utf8(built.stdout)?.trim_end()))
}
