//! What enrolment changes on a machine, and puts back when the host leaves: our part of `sshd`'s configuration, the rule of
//! `sudo`, a line for PAM, and where needed one for the name service switch.
//!
//! Nothing here concerns root or local accounts: what is said in `sshd`'s configuration about ways to log in stands in a block
//! for the group of managed people. Each step is the same when it is done again.

use crate::config::{Backend, Config, SUDO};
use crate::paths::Paths;
use crate::sshd::{self, Reloaded, Sshd};
use crate::undo::{Restored, Undo, replace};
use portreeve_ssh_cert::Krl;
use serde::Serialize;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) mod lines;
mod texts;

/// The paths on the machine of what is changed.
mod path {
    pub(super) const SSHD_CONFIG: &str = "/etc/ssh/sshd_config";
    pub(super) const SSHD_DROP_IN: &str = "/etc/ssh/sshd_config.d/10-portreeve.conf";
    pub(super) const SUDOERS: &str = "/etc/sudoers.d/portreeve";
    pub(super) const SUDO_CONF: &str = "/etc/sudo.conf";
    pub(super) const PAM_SSHD: &str = "/etc/pam.d/sshd";
    pub(super) const APPARMOR: &str = "/etc/apparmor.d/abstractions/nss-systemd.d/portreeve";
    pub(super) const NSSWITCH: &str = "/etc/nsswitch.conf";
}

/// One thing that setting up has done, or found done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The file.
    pub path: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is as it has to be now.
    Changed,
    /// It was as it has to be.
    Unchanged,
    /// Nothing here needs it.
    NotNeeded,
}

/// What leaving has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PutBack {
    /// The file.
    pub path: String,
    /// What became of it.
    pub outcome: Restored,
}

/// Why a machine is not set up. What was changed before is put back.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// `sshd` would not start with our part of its configuration.
    #[error("{0}; our part of its configuration is out again")]
    Sshd(sshd::Fault),
    /// It cannot be told of what has changed.
    #[error("{0}; restart it to have it show its new certificate")]
    Reload(sshd::Fault),
    /// `sudo` would not take its rule.
    #[error("sudo does not take the rule for managed people: {0}; nothing was changed")]
    Sudo(String),
}

/// Sets a machine up, from the files that nobody reads yet to the one by which `sshd` lets people in.
///
/// `now` is in seconds since 1970 UTC.
///
/// # Errors
/// When a step fails. `sshd` then has its configuration of before.
pub fn install(
    config: &Config,
    paths: &Paths,
    sshd: &dyn Sshd,
    now: u64,
) -> Result<Vec<Step>, Fault> {
    let mut undo = Undo::open(paths).map_err(at("the list of copies"))?;
    before_sshd(config, paths, now)?;
    let mut steps = vec![
        names(config.backend, paths, &mut undo)?,
        apparmor(paths, &mut undo)?,
    ];
    steps.extend(sudo(paths, &mut undo)?);
    steps.push(homes(paths, &mut undo)?);
    steps.extend(sshd_files(config, paths, &mut undo, sshd)?);
    Ok(steps)
}

/// Puts everything back, and tells `sshd`.
///
/// # Errors
/// When a file cannot be put back.
pub fn remove(paths: &Paths, sshd: &dyn Sshd) -> Result<Vec<PutBack>, Fault> {
    let mut undo = Undo::open(paths).map_err(at("the list of copies"))?;
    // First of all, so that local people get in whatever happens afterwards.
    let mut all = Vec::new();
    for path in [path::SSHD_DROP_IN, path::SSHD_CONFIG] {
        let restored = undo.restore(path).map_err(at(path))?;
        all.extend(restored.map(|outcome| (path.to_owned(), outcome)));
    }
    if !all.is_empty() {
        sshd.reload().map_err(Fault::Sshd)?;
    }
    all.extend(undo.restore_all().map_err(at("the files of before"))?);
    let put_back = |(path, outcome)| PutBack { path, outcome };
    Ok(all.into_iter().map(put_back).collect())
}

/// Which way this machine can learn of accounts, by what its files say: the module of systemd reads records since 249.
pub fn best_backend(paths: &Paths) -> Backend {
    const FOLDER: &[u8] = b"/run/userdb\0";
    let reads_records = |module: PathBuf| {
        fs::read(module).is_ok_and(|bytes| bytes.windows(FOLDER.len()).any(|part| part == FOLDER))
    };
    match find_module(paths, "libnss_systemd.so.2").is_some_and(reads_records) {
        true => Backend::Userdb,
        false => Backend::Nss,
    }
}

/// Where a module of the name service switch is: in a folder of libraries, or one of its folders for architectures.
pub(crate) fn find_module(paths: &Paths, name: &str) -> Option<PathBuf> {
    let folders = ["/usr/lib64", "/usr/lib", "/lib64", "/lib"];
    folders.iter().find_map(|folder| {
        let folder = paths.at(folder);
        let inner = fs::read_dir(&folder).into_iter().flatten().flatten();
        let inner = inner.map(|entry| entry.path());
        inner
            .chain([folder])
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    })
}

/// Whether confined programs may read the records of people; `None`: nothing confines programs here.
pub(crate) fn apparmor_is_there(paths: &Paths) -> Option<bool> {
    let is_used = paths.at("/etc/apparmor.d").is_dir();
    is_used
        .then(|| fs::read(paths.apparmor()).is_ok_and(|bytes| bytes == texts::APPARMOR.as_bytes()))
}

/// What our part of the configuration names has to be there before it is: a missing list of what is revoked shuts everybody
/// out, and an empty file is one that revokes nothing and says so.
fn before_sshd(config: &Config, paths: &Paths, now: u64) -> Result<(), Fault> {
    let name = |path: &Path| path.display().to_string();
    let folder = paths.ssh();
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&folder)
        .map_err(at(name(&folder)))?;
    let keys = paths.user_ca();
    if !keys.exists() {
        let text: String = config
            .user_keys
            .iter()
            .map(|key| format!("{key}\n"))
            .collect();
        replace(&keys, text.as_bytes(), 0o644).map_err(at(name(&keys)))?;
    }
    let list = paths.krl();
    if !fs::read(&list).is_ok_and(|bytes| Krl::from_bytes(&bytes).is_ok()) {
        let empty = Krl::new(0, now).to_bytes();
        replace(&list, &empty, 0o644).map_err(at(name(&list)))?;
    }
    Ok(())
}

/// The name service switch has to ask whoever knows the accounts.
fn names(backend: Backend, paths: &Paths, undo: &mut Undo) -> Result<Step, Fault> {
    let service = match backend {
        Backend::Userdb => "systemd",
        Backend::Nss => "portreeve",
    };
    let text = read(paths, path::NSSWITCH)?.unwrap_or_default();
    let (changed, edits) = lines::with_service(&text, service);
    let is_changed = match edits.is_empty() {
        true => false,
        false => undo
            .edit(path::NSSWITCH, &changed, edits)
            .map_err(at(path::NSSWITCH))?,
    };
    Ok(step(path::NSSWITCH, is_changed))
}

/// Confined programs may read the sockets of systemd's records, but not the records themselves.
fn apparmor(paths: &Paths, undo: &mut Undo) -> Result<Step, Fault> {
    if !paths.at("/etc/apparmor.d").is_dir() {
        return Ok(not_needed(path::APPARMOR));
    }
    let text = texts::APPARMOR.as_bytes();
    let changed = undo
        .write(path::APPARMOR, text, 0o644)
        .map_err(at(path::APPARMOR))?;
    Ok(step(path::APPARMOR, changed))
}

/// One rule for one group; and groups are looked up when sudo is used, not when the session began.
fn sudo(paths: &Paths, undo: &mut Undo) -> Result<Vec<Step>, Fault> {
    if !paths.at("/usr/bin/sudo").exists() {
        return Ok(vec![not_needed(path::SUDOERS), not_needed(path::SUDO_CONF)]);
    }
    let rule = texts::sudoers(SUDO);
    check_rule(paths, &rule)?;
    let text = read(paths, path::SUDO_CONF)?.unwrap_or_default();
    let (changed, edits) = lines::with_dynamic_groups(&text);
    let has_changed = match edits.is_empty() {
        true => false,
        false => undo
            .edit(path::SUDO_CONF, &changed, edits)
            .map_err(at(path::SUDO_CONF))?,
    };
    // The rule comes last: without the other line, whoever is taken out of the group keeps sudo in open sessions.
    let has_rule = undo
        .write(path::SUDOERS, rule.as_bytes(), 0o440)
        .map_err(at(path::SUDOERS))?;
    Ok(vec![
        step(path::SUDO_CONF, has_changed),
        step(path::SUDOERS, has_rule),
    ])
}

/// Has `visudo` read the rule, where there is one: with a rule that it does not take, `sudo` would work for nobody.
fn check_rule(paths: &Paths, rule: &str) -> Result<(), Fault> {
    let visudo = paths.at("/usr/sbin/visudo");
    if !paths.is_live() || !visudo.is_file() {
        return Ok(());
    }
    let trial = paths.state().join("sudoers.new");
    let failed = at(trial.display().to_string());
    replace(&trial, rule.as_bytes(), 0o440).map_err(failed)?;
    let output = Command::new(visudo)
        .args(["-c", "-q", "-f"])
        .arg(&trial)
        .stdin(Stdio::null())
        .output()
        .map_err(at("visudo"));
    let _ = fs::remove_file(&trial);
    let output = output?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(Fault::Sudo(said.trim().to_owned()))
        }
    }
}

/// Home directories are made at the first login.
fn homes(paths: &Paths, undo: &mut Undo) -> Result<Step, Fault> {
    let Some(text) = read(paths, path::PAM_SSHD)? else {
        return Ok(not_needed(path::PAM_SSHD));
    };
    if lines::makes_homes(&text, &|name| {
        read(paths, &format!("/etc/pam.d/{name}")).ok().flatten()
    }) {
        return Ok(step(path::PAM_SSHD, false));
    }
    let (changed, edits) = lines::with_homes(&text);
    let changed = undo
        .edit(path::PAM_SSHD, &changed, edits)
        .map_err(at(path::PAM_SSHD))?;
    Ok(step(path::PAM_SSHD, changed))
}

/// Our part of the configuration, and if nothing reads it the line that includes it. `sshd` says whether it takes both
/// before it is told; if not, they go again.
fn sshd_files(
    config: &Config,
    paths: &Paths,
    undo: &mut Undo,
    sshd: &dyn Sshd,
) -> Result<Vec<Step>, Fault> {
    let ours = texts::sshd(config);
    let ours = undo
        .write(path::SSHD_DROP_IN, ours.as_bytes(), 0o644)
        .map_err(at(path::SSHD_DROP_IN))?;
    let text = read(paths, path::SSHD_CONFIG)?.unwrap_or_default();
    let (changed, edits) = lines::with_include(&text);
    let main = match edits.is_empty() {
        true => false,
        false => undo
            .edit(path::SSHD_CONFIG, &changed, edits)
            .map_err(at(path::SSHD_CONFIG))?,
    };
    if !ours && !main {
        // It may have another certificate to show.
        sshd.reload().map_err(Fault::Reload)?;
    } else {
        let told = sshd.check().and_then(|()| sshd.reload());
        if let Err(fault) = told {
            for path in [path::SSHD_DROP_IN, path::SSHD_CONFIG] {
                undo.restore(path).map_err(at(path))?;
            }
            // With its files of before: it may have read ours already.
            let _: Result<Reloaded, sshd::Fault> = sshd.reload();
            return Err(Fault::Sshd(fault));
        }
    }
    Ok(vec![
        step(path::SSHD_DROP_IN, ours),
        step(path::SSHD_CONFIG, main),
    ])
}

fn read(paths: &Paths, path: &str) -> Result<Option<String>, Fault> {
    match fs::read_to_string(paths.at(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::File(path.to_owned(), error)),
    }
}

fn at(path: impl Into<String>) -> impl FnOnce(io::Error) -> Fault {
    move |error| Fault::File(path.into(), error)
}

fn step(path: &str, is_changed: bool) -> Step {
    Step {
        path: path.to_owned(),
        outcome: match is_changed {
            true => Outcome::Changed,
            false => Outcome::Unchanged,
        },
    }
}

fn not_needed(path: &str) -> Step {
    Step {
        path: path.to_owned(),
        outcome: Outcome::NotNeeded,
    }
}
