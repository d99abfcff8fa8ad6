//! What the machine says about itself.

use crate::config::Config;
use crate::paths::Paths;
use jiff::Timestamp;
use portreeve_host_policy::api::Shown;
use portreeve_ssh_cert::Signed;
use std::fs;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The host key that is certified when nobody says otherwise.
pub const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// The certificate that `sshd` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostCertificate {
    /// Its serial number.
    pub serial: u64,
    /// From when until when it is good.
    pub life: (Timestamp, Timestamp),
}

impl From<HostCertificate> for Shown {
    fn from(certificate: HostCertificate) -> Self {
        Self {
            serial: certificate.serial,
            valid_before: certificate.life.1,
        }
    }
}

/// What the distribution calls itself (os-release(5)).
pub fn os(paths: &Paths) -> String {
    let files = ["/etc/os-release", "/usr/lib/os-release"];
    let text = files
        .iter()
        .find_map(|file| fs::read_to_string(paths.at(file)).ok())
        .unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or("Linux", |name| name.trim_matches(['"', '\'']))
        .to_owned()
}

/// Changes with each start of the machine.
pub fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// What the machine calls itself.
pub fn name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().to_lowercase()
}

/// The certificate on disk, if it is one.
pub fn host_certificate(paths: &Paths) -> Option<HostCertificate> {
    let line = fs::read_to_string(paths.host_certificate()).ok()?;
    let certificate = certificate_in(&line)?;
    let (after, before) = certificate.valid();
    let moment = |seconds: u64| {
        let seconds = i64::try_from(seconds).ok();
        let moment = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        moment.unwrap_or(Timestamp::MAX)
    };
    Some(HostCertificate {
        serial: certificate.serial(),
        life: (moment(after), moment(before)),
    })
}

/// The public key that `sshd` shows, as the line of its file.
pub fn host_key(paths: &Paths) -> Option<String> {
    let config = Config::load(paths).ok()?;
    public_key(paths, &config.host_key)
}

/// The public key beside a private one: type and key, without a comment.
pub fn public_key(paths: &Paths, private: &str) -> Option<String> {
    let line = fs::read_to_string(paths.at(format!("{private}.pub"))).ok()?;
    let mut words = line.split_ascii_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

pub(crate) fn certificate_in(line: &str) -> Option<Signed> {
    use base64::Engine;
    let encoded = line.split_ascii_whitespace().nth(1)?;
    let blob = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()?;
    Signed::from_blob(&blob).ok()
}
