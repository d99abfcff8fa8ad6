//! The files that are ours alone.

use crate::config::{Config, PEOPLE};
use crate::paths::Paths;

const HEADING: &str =
    "# Written by portreeve-host, and gone when this host leaves (portreeve-host leave).\n";

/// For programs that AppArmor confines: the distributions' own abstraction knows the sockets of systemd's records alone.
pub(super) const APPARMOR: &str =
    "  /{etc,run}/userdb/{,**} r,\n  /run/portreeve-host/nss/{,*} r,\n";

/// Host keys that `sshd` looks for when its configuration names none (sshd_config(5), `HostKey`).
const USUAL_KEYS: [&str; 3] = [
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_rsa_key",
];

/// Our part of `sshd`'s configuration. It stands before others of its kind, because the first word counts.
pub(super) fn sshd(config: &Config) -> String {
    // As the machine itself sees them, wherever its files are now.
    let paths = Paths::new("/");
    let mut text = format!(
        "{HEADING}\
         TrustedUserCAKeys {}\n\
         RevokedKeys {}\n\
         AuthorizedPrincipalsFile {}/%u\n",
        paths.user_ca().display(),
        paths.krl().display(),
        paths.principals().display(),
    );
    // Naming one key takes the usual ones away, so it is named only if nothing else would.
    if !USUAL_KEYS.contains(&config.host_key.as_str()) {
        text.push_str(&format!("HostKey {}\n", config.host_key));
    }
    text.push_str(&format!(
        "HostCertificate {}\n\
         UsePAM yes\n\
         ExposeAuthInfo yes\n\
         \n\
         # Managed people log in with a certificate and nothing else. Local accounts are not concerned.\n\
         Match Group {PEOPLE}\n\
         \x20   AuthorizedKeysFile none\n\
         \x20   AuthorizedKeysCommand none\n\
         \x20   AuthenticationMethods publickey\n",
        paths.host_certificate().display(),
    ));
    text
}

/// The rule of `sudo`: who is in the group, and that is decided for each host, may do everything.
pub(super) fn sudoers(group: &str) -> String {
    format!("{HEADING}%{group} ALL=(ALL:ALL) NOPASSWD: ALL\n")
}
