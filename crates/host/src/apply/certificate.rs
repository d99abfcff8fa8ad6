//! The certificate that the host shows: looked at before it is installed, looked for afterwards, and put back if `sshd` does
//! not show it. A host whose certificate is wrong is one that nobody who is careful logs in to.

use std::fs;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use portreeve_host_policy::api::Shown;
use portreeve_ssh_cert::policy::Kind;
use portreeve_ssh_cert::{Signed, SubjectKey};

use super::greeting::Silence;
use super::store::Known;
use super::{Files, Machine, Refusal, files, refused};
use crate::config::Config;
use crate::paths::Paths;

/// The certificate on disk, as far as it is one.
pub fn shown(paths: &Paths) -> Option<Shown> {
    let line = fs::read_to_string(paths.host_certificate()).ok()?;
    let (_, signed) = read(&line).ok()?;
    let (_, before) = signed.valid();
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    Some(Shown {
        serial: signed.serial(),
        valid_before: Timestamp::from_second(before).unwrap_or(Timestamp::MAX),
    })
}

/// Installs a certificate and has `sshd` show it.
pub(super) fn install(
    machine: &mut Machine,
    paths: &Paths,
    config: &Config,
    known: &Known,
    line: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let line = line.trim_end();
    let (algorithm, signed) = check(paths, config, known, line, now)?;
    let path = paths.host_certificate();
    let before = files::text(&path)?;
    let text = format!("{line}\n");
    if before.as_ref() == Some(&text) {
        return Ok(());
    }
    put(&mut *machine.files, paths, Some(&text))?;
    let shows = show(machine, &algorithm, &signed);
    if shows.is_err() {
        put(&mut *machine.files, paths, before.as_deref())?;
        // What it read of the new one it forgets again; if it cannot be told, it was not told of the new one either.
        let _ = machine.sshd.reload();
    }
    shows
}

fn put(files: &mut dyn Files, paths: &Paths, text: Option<&str>) -> io::Result<()> {
    files::folder(&paths.ssh(), 0o755)?;
    let path = paths.host_certificate();
    match text {
        Some(text) => files.replace(&path, text.as_bytes(), 0o644),
        None => files.remove(&path),
    }
}

/// Everything that can be known of a certificate without showing it.
fn check(
    paths: &Paths,
    config: &Config,
    known: &Known,
    line: &str,
    now: Timestamp,
) -> Result<(String, Signed), Refusal> {
    let unfit = |detail: String| refused("certificate_unfit", detail);
    let (algorithm, signed) = read(line).map_err(unfit)?;
    if signed.kind() != Kind::Host {
        return Err(unfit("this is no certificate of a host".to_owned()));
    }
    let Some(document) = known.document() else {
        let detail =
            "this host has no document yet that says which keys certify hosts; apply one first";
        return Err(refused("no_policy", detail));
    };
    let keys = document.host_keys.iter();
    let keys: Vec<Vec<u8>> = keys
        .filter_map(|line| Some(SubjectKey::from_openssh(line).ok()?.blob()))
        .collect();
    signed
        .check(&keys)
        .map_err(|error| unfit(error.to_string()))?;
    let public = paths.at(format!("{}.pub", config.host_key));
    let public = fs::read_to_string(&public)
        .map_err(|error| unfit(format!("{} cannot be read: {error}", public.display())))?;
    let own = SubjectKey::from_openssh(&public).map_err(|error| unfit(error.to_string()))?;
    let certified = signed.key().map_err(|error| unfit(error.to_string()))?;
    if certified != own {
        let (certified, own) = (certified.fingerprint(), own.fingerprint());
        return Err(unfit(format!(
            "the certificate is for the key {certified}, but this host's is {own}"
        )));
    }
    let name = &document.host.name;
    let mut principals = signed.principals().iter();
    if !principals.any(|principal| principal.eq_ignore_ascii_case(name)) {
        return Err(unfit(format!(
            "the certificate is not for the name {name}, by which people reach this host"
        )));
    }
    // One that begins later is for clients to judge: their clocks count, and this machine's may be slow.
    let (_, before) = signed.valid();
    if u64::try_from(now.as_second()).is_ok_and(|now| before <= now) {
        return Err(unfit(
            "the certificate has run out, or this machine's clock is fast".to_owned(),
        ));
    }
    Ok((algorithm, signed))
}

/// Tells `sshd`, and looks whether it shows what it is to show.
fn show(machine: &mut Machine, algorithm: &str, signed: &Signed) -> Result<(), Refusal> {
    let failed = |detail: String| refused("certificate_not_shown", detail);
    machine
        .sshd
        .check()
        .map_err(|fault| failed(fault.to_string()))?;
    match machine.greeter.shows(algorithm) {
        Ok(blob) if blob == signed.blob() => {}
        Ok(_) => {
            let detail =
                "sshd shows another certificate; its configuration may name one before ours";
            return Err(failed(detail.to_owned()));
        }
        Err(silence @ Silence::None(_)) => return Err(failed(silence.to_string())),
        // Nothing is known then but that the certificate is right and that sshd takes its configuration.
        Err(Silence::Unasked(_)) => {}
    }
    machine
        .sshd
        .reload()
        .map_err(|fault| failed(fault.to_string()))?;
    Ok(())
}

/// A certificate from its line, with the algorithm by which it is shown.
fn read(line: &str) -> Result<(String, Signed), String> {
    let line = line.trim_end();
    if line.contains(char::is_control) {
        return Err("a certificate is one line".to_owned());
    }
    let mut parts = line.split_ascii_whitespace();
    let (Some(kind), Some(encoded)) = (parts.next(), parts.next()) else {
        return Err("this is no certificate in OpenSSH's form".to_owned());
    };
    let blob = STANDARD
        .decode(encoded)
        .map_err(|error| error.to_string())?;
    let signed = Signed::from_blob(&blob).map_err(|error| error.to_string())?;
    // RSA is shown by another name than its keys have (RFC 8332 section 3).
    let algorithm = match kind {
        "ssh-rsa-cert-v01@openssh.com" => "rsa-sha2-512-cert-v01@openssh.com",
        kind => kind,
    };
    Ok((algorithm.to_owned(), signed))
}
