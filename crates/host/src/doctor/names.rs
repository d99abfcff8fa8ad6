//! Whether the system knows the accounts.

use super::{Facts, Finding, SET_UP, fail, ok, text, warn};
use crate::config::{Backend, Config};
use crate::paths::Paths;
use crate::setup::lines::{database_of, services};
use crate::setup::{apparmor_is_there, find_module};

const NSSWITCH: &str = "/etc/nsswitch.conf";

pub(super) fn examine(paths: &Paths, config: &Config, facts: &Facts) -> Vec<Finding> {
    let mut all = vec![nsswitch(paths, config), module(paths, config)];
    all.extend(others(paths, facts));
    all.push(apparmor(paths));
    if text(paths, "/sys/fs/selinux/enforce").trim() == "1" {
        all.push(warn(
            "selinux",
            "SELinux is enforcing; whether its policy lets sshd read the records of people was not tried",
            "log in once, and look for denials: ausearch -m avc -c sshd",
        ));
    }
    all
}

fn service(config: &Config) -> &'static str {
    match config.backend {
        Backend::Userdb => "systemd",
        Backend::Nss => "portreeve",
    }
}

fn nsswitch(paths: &Paths, config: &Config) -> Finding {
    let wanted = service(config);
    let text = text(paths, NSSWITCH);
    for database in ["passwd", "group", "shadow", "initgroups"] {
        let Some(line) = text
            .lines()
            .find(|line| database_of(line) == Some(database))
        else {
            if database == "initgroups" {
                continue;
            }
            let detail = format!("{NSSWITCH} has no line {database}: only local files are asked");
            return fail(
                "nsswitch",
                detail,
                format!("add the line: {database}: files {wanted}"),
            );
        };
        let names: Vec<&str> = services(line).collect();
        let Some(ours) = names.iter().position(|name| *name == wanted) else {
            let detail = match database {
                "shadow" => "locks and ends of accounts are not seen by PAM",
                _ => "managed people are unknown",
            };
            let detail =
                format!("the line {database} of {NSSWITCH} does not name {wanted}: {detail}");
            return fail(
                "nsswitch",
                detail,
                format!("put {wanted} behind files on that line"),
            );
        };
        let local = names
            .iter()
            .position(|name| matches!(*name, "files" | "compat"));
        if local.is_none_or(|local| local > ours) {
            let detail =
                format!("the line {database} of {NSSWITCH} asks {wanted} before local files");
            return fail("nsswitch", detail, "put files first on that line");
        }
        if line.contains("SUCCESS=merge") {
            let detail = format!(
                "the line {database} of {NSSWITCH} merges answers, which can keep the machine from starting"
            );
            return warn("nsswitch", detail, "take [SUCCESS=merge] out of that line");
        }
    }
    ok(
        "nsswitch",
        format!("{wanted} is asked for people, groups and locks"),
    )
}

fn module(paths: &Paths, config: &Config) -> Finding {
    let name = format!("libnss_{}.so.2", service(config));
    let package = match config.backend {
        Backend::Userdb => "libnss-systemd",
        Backend::Nss => "portreeve-host",
    };
    match find_module(paths, &name) {
        Some(path) => ok("nss_module", format!("{} is installed", path.display())),
        None => fail(
            "nss_module",
            format!("{name} is not installed: managed people are unknown"),
            format!("install the package {package}"),
        ),
    }
}

/// Programs that remember answers, or give others.
fn others(paths: &Paths, facts: &Facts) -> Vec<Finding> {
    let runs = |name: &str| facts.running.iter().any(|running| running == name);
    let nscd = match runs("nscd") || runs("unscd") {
        true => warn(
            "nscd",
            "nscd remembers accounts and groups for up to an hour, and with them who may use sudo",
            "turn its caches of passwd and group off (enable-cache in /etc/nscd.conf), or remove it",
        ),
        false => ok("nscd", "nobody remembers accounts"),
    };
    let is_asked = text(paths, NSSWITCH)
        .lines()
        .any(|line| services(line).any(|name| name == "sss"));
    let sssd = match is_asked || runs("sssd") {
        true => warn(
            "sssd",
            "sssd gives accounts, too; where both know a name, the first one asked counts, and sssd refuses people whom it does not know in PAM",
            "see that names and numbers do not overlap, and that its access_provider leaves the group portreeve alone",
        ),
        false => ok("sssd", "no other service gives accounts"),
    };
    let userdbd = match paths
        .at("/run/systemd/userdb/io.systemd.Multiplexer")
        .exists()
    {
        true => warn(
            "userdbd",
            "systemd-userdbd runs: it reads the same records, but a hung service of its kind delays look-ups of names",
            "where nothing else needs it: systemctl disable --now systemd-userdbd.socket",
        ),
        false => ok("userdbd", "records are read without a service between"),
    };
    vec![nscd, sssd, userdbd]
}

fn apparmor(paths: &Paths) -> Finding {
    match apparmor_is_there(paths) {
        None => ok("apparmor", "there is none"),
        Some(true) => ok(
            "apparmor",
            "confined programs may read the records of people",
        ),
        Some(false) => warn(
            "apparmor",
            "confined programs may not read the records of people, and do not know their names",
            SET_UP,
        ),
    }
}
