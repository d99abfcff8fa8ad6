//! Whether `sudo` works for whom it should, and for nobody a moment longer; and whether homes are made.

use super::{Finding, SET_UP, fail, ok, text, warn};
use crate::config::SUDO;
use crate::paths::Paths;
use crate::setup::lines::{group_source, makes_homes};
use std::fs;
use std::os::unix::fs::MetadataExt;

const RULE: &str = "/etc/sudoers.d/portreeve";
const SUDOERS: &str = "/etc/sudoers";
const CONF: &str = "/etc/sudo.conf";
const PAM: &str = "/etc/pam.d/sshd";

pub(super) fn examine(paths: &Paths) -> Vec<Finding> {
    let mut all = vec![homes(paths)];
    if !paths.at("/usr/bin/sudo").exists() {
        all.push(ok("sudo", "sudo is not installed"));
        return all;
    }
    all.extend([rule(paths), groups(paths)]);
    all
}

fn rule(paths: &Paths) -> Finding {
    let check = "sudoers";
    let Ok(about) = fs::metadata(paths.at(RULE)) else {
        return fail(
            check,
            format!("{RULE} is not there: sudo works for nobody managed"),
            SET_UP,
        );
    };
    if about.mode() & 0o022 != 0 {
        let detail =
            format!("{RULE} could be written by others than root, and sudo passes it over");
        return fail(check, detail, format!("chmod 0440 {RULE}"));
    }
    let is_said = match fs::read_to_string(paths.at(RULE)) {
        Ok(text) => text
            .lines()
            .any(|line| line.starts_with(&format!("%{SUDO} "))),
        Err(_) => {
            return warn(
                check,
                format!("{RULE} cannot be read"),
                "as root: portreeve-host doctor",
            );
        }
    };
    if !is_said {
        return fail(
            check,
            format!("{RULE} was changed: sudo works for nobody managed"),
            SET_UP,
        );
    }
    let is_included = match fs::read_to_string(paths.at(SUDOERS)) {
        Ok(text) => text.lines().any(|line| {
            let mut words = line.split_ascii_whitespace();
            matches!(words.next(), Some("@includedir" | "#includedir"))
                && words
                    .next()
                    .is_some_and(|folder| folder.trim_end_matches('/') == "/etc/sudoers.d")
        }),
        Err(_) => {
            return warn(
                check,
                format!("{SUDOERS} cannot be read"),
                "as root: portreeve-host doctor",
            );
        }
    };
    match is_included {
        true => ok(check, format!("the group {SUDO} may use sudo")),
        false => fail(
            check,
            format!("{SUDOERS} does not include /etc/sudoers.d: sudo works for nobody managed"),
            "add with visudo the line: @includedir /etc/sudoers.d",
        ),
    }
}

fn groups(paths: &Paths) -> Finding {
    let text = text(paths, CONF);
    match text.lines().filter_map(group_source).next_back() {
        Some("dynamic") => ok("sudo_groups", "sudo looks groups up when it is used"),
        _ => fail(
            "sudo_groups",
            "sudo takes the groups that a session began with: whoever loses sudo keeps it in open sessions",
            format!("add to {CONF} the line: Set group_source dynamic"),
        ),
    }
}

fn homes(paths: &Paths) -> Finding {
    let other = |name: &str| fs::read_to_string(paths.at(format!("/etc/pam.d/{name}"))).ok();
    match makes_homes(&text(paths, PAM), &other) {
        true => ok("homes", "home directories are made at the first login"),
        false => warn(
            "homes",
            format!("{PAM} does not have home directories made: people begin in /"),
            format!("add to {PAM} the line: session optional pam_mkhomedir.so umask=0077"),
        ),
    }
}
