//! `ssh-keygen` of this machine, and keys that it makes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;
use portreeve_ssh_cert::authority::{KeyType, NONCE_BYTES};
use portreeve_ssh_cert::policy::Kind;
use portreeve_ssh_cert::policy::{Asked, Named};
use portreeve_ssh_cert::{Authority, Policy, Signed, SubjectKey};

/// A moment in 2026, to the second.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// A folder with keys.
pub(crate) struct Keys(tempfile::TempDir);

impl Keys {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a key; the line of its `.pub` file.
    pub(crate) fn make(&self, name: &str, options: &[&str]) -> String {
        let path = self.path(name);
        let made = keygen(
            &[
                &["-q", "-N", "", "-C", name, "-f", path.to_str().unwrap()],
                options,
            ]
            .concat(),
        );
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        std::fs::read_to_string(path.with_extension("pub")).unwrap()
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path
    }
}

/// Runs `ssh-keygen`.
pub(crate) fn keygen(arguments: &[&str]) -> Output {
    let mut command = Command::new("ssh-keygen");
    command.args(arguments).env("TZ", "UTC");
    command
        .output()
        .expect("ssh-keygen, which scripts/setup installs with openssh-client")
}

/// What `ssh-keygen` shows of a certificate.
pub(crate) fn shown(certificate: &Path) -> String {
    let output = keygen(&["-L", "-f", certificate.to_str().unwrap()]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn authority(kind: KeyType) -> Authority {
    Authority::from_pkcs8(kind, &Authority::generate(kind).unwrap()).unwrap()
}

pub(crate) fn named(key_id: &str, principals: &[&str]) -> Named {
    Named {
        key_id: key_id.to_owned(),
        principals: principals.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn certificate(
    authority: &Authority,
    kind: Kind,
    key: &str,
    named: Named,
    serial: u64,
) -> Signed {
    let key = SubjectKey::from_openssh(key).unwrap();
    let unsigned = Policy::default()
        .decide(kind, key, named, &Asked::default(), NOW)
        .unwrap();
    authority.sign(&unsigned, serial, [7; NONCE_BYTES]).unwrap()
}
