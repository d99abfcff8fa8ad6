//! What a machine needs of the system it is made on.

use std::path::Path;
use std::process::{Command, Stdio};

/// Programs and files, with Debian's package that has them.
const PARTS: [(&str, &str); 8] = [
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/nsenter", "util-linux"),
    ("/usr/sbin/sshd", "openssh-server"),
    ("/usr/share/openssh/sshd_config", "openssh-server"),
    ("/usr/bin/ssh", "openssh-client"),
    ("/usr/bin/ssh-keygen", "openssh-client"),
    ("/usr/bin/sudo", "sudo"),
    ("/usr/sbin/rsyslogd", "rsyslog"),
];
/// Where Debian keeps modules of the name service, below the folder of the processor's kind.
const NAME_SERVICE: &str = "libnss_systemd.so.2";

/// What is wanting for a machine here, in words; nothing if one can be made.
#[must_use]
pub fn needs() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root, so run this as root".to_owned());
    }
    let mut packages: Vec<&str> = PARTS
        .iter()
        .filter(|(path, _)| !Path::new(path).exists())
        .map(|(_, package)| *package)
        .collect();
    if !has_name_service() {
        packages.push("libnss-systemd");
    }
    packages.dedup();
    if !packages.is_empty() {
        return Some(format!(
            "it needs packages that are not installed: {}",
            packages.join(", ")
        ));
    }
    let tried = Command::new("/usr/bin/unshare")
        .args(["--mount", "--pid", "--uts", "--fork", "--", "mount"])
        .args(["-t", "tmpfs", "portreeve-trial", "/mnt"])
        .stdin(Stdio::null())
        .output();
    match tried {
        Ok(tried) if tried.status.success() => None,
        Ok(tried) => Some(format!(
            "the kernel, or what this runs in, allows no namespaces with mounts of their own: {}",
            String::from_utf8_lossy(&tried.stderr).trim()
        )),
        Err(error) => Some(format!("unshare cannot be run: {error}")),
    }
}

fn has_name_service() -> bool {
    let folders = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    folders
        .map(|folder| folder.path().join(NAME_SERVICE))
        .chain([Path::new("/usr/lib64").join(NAME_SERVICE)])
        .any(|module| module.exists())
}
