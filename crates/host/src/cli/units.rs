//! The units of systemd, where it runs.

use super::failure::Failure;
use portreeve_host::paths::Paths;
use std::process::{Command, Stdio};

/// In the order in which they are started.
const UNITS: [&str; 3] = [
    "portreeve-host-boot.service",
    "portreeve-host-apply.socket",
    "portreeve-host-net.service",
];

/// Has systemd run both halves, now and after each start of the machine. `false`: there is no systemd, or no units.
pub(crate) fn start(paths: &Paths) -> Result<bool, Failure> {
    if !are_there(paths) {
        return Ok(false);
    }
    systemctl(&["enable", "--quiet"], &UNITS)?;
    // Those that run already read who this host is anew.
    systemctl(&["restart"], &UNITS)?;
    Ok(true)
}

/// Ends both halves, for good.
pub(crate) fn stop(paths: &Paths) -> Result<bool, Failure> {
    if !are_there(paths) {
        return Ok(false);
    }
    let mut all = UNITS.to_vec();
    all.push("portreeve-host-apply.service");
    systemctl(&["disable", "--quiet", "--now"], &all)?;
    Ok(true)
}

fn are_there(paths: &Paths) -> bool {
    let folders = [
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
        "/etc/systemd/system",
    ];
    let is_there = |unit: &str| {
        folders
            .iter()
            .any(|folder| paths.at(folder).join(unit).is_file())
    };
    paths.is_live()
        && paths.at("/run/systemd/system").is_dir()
        && UNITS.iter().all(|unit| is_there(unit))
}

fn systemctl(words: &[&str], units: &[&str]) -> Result<(), Failure> {
    let output = Command::new("systemctl")
        .args(words)
        .args(units)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::plain(format!("systemctl: {error}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::plain(format!(
            "systemctl {}: {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
    }
}
