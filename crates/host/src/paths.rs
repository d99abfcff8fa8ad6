//! Where everything is, below a root folder that is `/` except for tests and images.

use std::path::{Path, PathBuf};

/// The folder below which all files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths(PathBuf);

macro_rules! paths {
    ($($(#[doc = $doc:literal])* $name:ident = $path:literal;)*) => {
        impl Paths {
            $($(#[doc = $doc])*
            pub fn $name(&self) -> PathBuf {
                self.at($path)
            })*
        }
    };
}

paths! {
    /// What enrolment has settled: team, host, trusted keys. Root's.
    config = "/etc/portreeve-host/config.json";
    /// What the half with root's rights remembers.
    state = "/var/lib/portreeve-host";
    /// The last document that was applied, in its envelope.
    policy = "/var/lib/portreeve-host/policy.json";
    /// The highest version of a document that was ever seen.
    highest_version = "/var/lib/portreeve-host/highest-version";
    /// Copies of the files that were there before.
    undo = "/var/lib/portreeve-host/undo";
    /// Session events that the server has not got yet, and how far the log was read.
    sessions = "/var/lib/portreeve-host/sessions";
    /// What the half on the network keeps: its identity, and where the server is.
    net_state = "/var/lib/portreeve-host-net";
    /// What is made anew at each start of the machine.
    run = "/run/portreeve-host";
    /// Where the half with root's rights listens.
    apply_socket = "/run/portreeve-host/apply.sock";
    /// One file per account: the principals that may log in to it.
    principals = "/run/portreeve-host/principals";
    /// Snapshots for the module `portreeve` of the name service switch.
    nss = "/run/portreeve-host/nss";
    /// Records of users and groups for `nss-systemd` (systemd.user-record(7)).
    userdb = "/run/userdb";
    /// What `sshd` reads of ours.
    ssh = "/etc/ssh/portreeve";
    /// The keys whose certificates `sshd` takes.
    user_ca = "/etc/ssh/portreeve/user_ca.pub";
    /// What `sshd` refuses.
    krl = "/etc/ssh/portreeve/revoked.krl";
    /// The certificate that the host shows.
    host_certificate = "/etc/ssh/portreeve/ssh_host-cert.pub";
    /// The main configuration of `sshd`.
    sshd_config = "/etc/ssh/sshd_config";
    /// Ours, which the main configuration includes.
    sshd_drop_in = "/etc/ssh/sshd_config.d/10-portreeve.conf";
    /// The one rule of `sudo`.
    sudoers = "/etc/sudoers.d/portreeve";
    /// Settings of `sudo` itself.
    sudo_conf = "/etc/sudo.conf";
    /// What PAM does for `sshd`.
    pam_sshd = "/etc/pam.d/sshd";
    /// Lets confined programs read the records of users.
    apparmor = "/etc/apparmor.d/abstractions/nss-systemd.d/portreeve";
    /// Who is asked for names.
    nsswitch = "/etc/nsswitch.conf";
}

impl Paths {
    /// Everything below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Whether this is the machine itself and no copy of its files.
    pub fn is_live(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// Where a file is that has this path on the machine.
    pub fn at(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let path = absolute.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }
}
