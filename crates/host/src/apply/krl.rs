//! The revocation list on disk. `sshd` takes a file of no bytes for a list that revokes nothing and lets everybody in, so
//! that there is never such a file, not for a moment.

use std::io;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_host_policy::{KRL_NAMESPACE, api};
use portreeve_ssh_cert::{Krl, SubjectKey, file};

use super::files::{self, Files};
use super::store::{Known, Store};
use super::{Refusal, refused};
use crate::config::Config;
use crate::paths::Paths;

/// Installs a list that the team's key has signed, unless it is older than the one that is kept.
pub(super) fn install(
    files: &mut dyn Files,
    paths: &Paths,
    config: &Config,
    known: &Known,
    signed: &api::Krl,
) -> Result<(), Refusal> {
    let (bytes, krl) = read(signed).map_err(|error| refused("krl_unreadable", error))?;
    let keys: Vec<Vec<u8>> = known
        .trusted(config)
        .iter()
        .filter_map(|line| blob(line))
        .collect();
    file::verify(&keys, KRL_NAMESPACE, &bytes, &signed.signature)
        .map_err(|error| refused("krl_signature", error))?;
    let store = Store(paths);
    let kept = store.krl()?;
    if let Some((_, kept)) = kept.as_ref().and_then(|kept| read(kept).ok())
        && krl.version < kept.version
    {
        let (new, old) = (krl.version, kept.version);
        let detail = format!(
            "the revocation list has number {new}, but this host already follows number {old}; an old list is being replayed"
        );
        return Err(refused("krl_old", detail));
    }
    // First the file that counts: what it revokes is refused even if the copy cannot be kept.
    write(files, paths, &bytes)?;
    Ok(store.set_krl(files, signed)?)
}

/// Sees to it that there is a list that `sshd` can read: the last one that was believed, else one that revokes nothing.
/// Without `sshd` being able to read it, nobody could log in; with an empty file, everybody whose certificate was revoked.
///
/// # Errors
/// When it cannot be written.
pub fn ensure(files: &mut dyn Files, paths: &Paths) -> io::Result<()> {
    let kept = Store(paths).krl()?;
    let kept = kept.and_then(|kept| read(&kept).ok());
    match kept {
        Some((bytes, _)) => write(files, paths, &bytes),
        None if on_disk(paths).is_some() => Ok(()),
        None => write(files, paths, &Krl::new(0, 0).to_bytes()),
    }
}

/// The list on disk, where `sshd` could read it.
pub(super) fn on_disk(paths: &Paths) -> Option<Vec<u8>> {
    let bytes = std::fs::read(paths.krl()).ok()?;
    Krl::from_bytes(&bytes).is_ok().then_some(bytes)
}

/// What the server knows a list by: SHA-256 in hexadecimal digits.
pub(super) fn tag(bytes: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, bytes);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn read(signed: &api::Krl) -> Result<(Vec<u8>, Krl), String> {
    let bytes = STANDARD.decode(&signed.krl);
    let bytes = bytes.map_err(|error| error.to_string())?;
    let krl = Krl::from_bytes(&bytes).map_err(|error| error.to_string())?;
    Ok((bytes, krl))
}

fn write(files: &mut dyn Files, paths: &Paths, bytes: &[u8]) -> io::Result<()> {
    files::folder(&paths.ssh(), 0o755)?;
    files::put(files, &paths.krl(), bytes, 0o644)
}

fn blob(line: &str) -> Option<Vec<u8>> {
    Some(SubjectKey::from_openssh(line).ok()?.blob())
}
