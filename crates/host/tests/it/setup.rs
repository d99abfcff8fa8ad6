//! What enrolment changes on a machine is put back byte for byte.

use portreeve_host::config::{Backend, Config, Host};
use portreeve_host::paths::Paths;
use portreeve_host::setup::{Fault, Outcome, best_backend, install, remove};
use portreeve_host::sshd::{self, Absent, Reloaded, Sshd};
use portreeve_host::undo::Restored;
use portreeve_ssh_cert::Krl;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const NOW: u64 = 1_795_000_000;

/// A machine as a distribution leaves it.
const DEBIAN: &[(&str, &str)] = &[
    (
        "/etc/ssh/sshd_config",
        "# local\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
    ),
    (
        "/etc/nsswitch.conf",
        "passwd:         files systemd\ngroup:          files systemd\nshadow:         files systemd\n",
    ),
    (
        "/etc/pam.d/sshd",
        "@include common-auth\n@include common-session\nsession required pam_limits.so\n",
    ),
    (
        "/etc/pam.d/common-session",
        "session required pam_unix.so\n",
    ),
    ("/etc/sudo.conf", "# Plugin sudoers_policy sudoers.so\n"),
    ("/usr/bin/sudo", ""),
    ("/etc/apparmor.d/abstractions/nss-systemd", "# theirs\n"),
];

pub(crate) fn machine(files: &[(&str, &str)]) -> (TempDir, Paths) {
    let root = TempDir::new().unwrap();
    let paths = Paths::new(root.path());
    for (path, text) in files {
        put(&paths, path, text);
    }
    (root, paths)
}

pub(crate) fn put(paths: &Paths, path: &str, text: &str) {
    let path = paths.at(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn config() -> Config {
    Config {
        team: "t-1".to_owned(),
        host: Host {
            id: "h-1".to_owned(),
            name: "web-1".to_owned(),
        },
        user_keys: vec!["ssh-ed25519 AAAA team".to_owned()],
        backend: Backend::Userdb,
        host_key: "/etc/ssh/ssh_host_ed25519_key".to_owned(),
    }
}

fn read(paths: &Paths, path: &str) -> String {
    fs::read_to_string(paths.at(path)).unwrap_or_default()
}

/// Every file below `/etc`, with its mode.
fn etc(paths: &Paths) -> BTreeMap<String, (Vec<u8>, u32)> {
    fn walk(folder: &Path, all: &mut BTreeMap<String, (Vec<u8>, u32)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => {
                    all.insert(path.display().to_string(), (Vec::new(), 0));
                    walk(&path, all);
                }
                false => {
                    let mode = fs::metadata(&path).unwrap().permissions().mode();
                    all.insert(path.display().to_string(), (fs::read(&path).unwrap(), mode));
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(&paths.at("/etc"), &mut all);
    all
}

/// An `sshd` that does not take its configuration.
struct Broken;

impl Sshd for Broken {
    fn check(&self) -> Result<(), sshd::Fault> {
        Err(sshd::Fault::Refused("line 3: Bad word".to_owned()))
    }

    fn reload(&self) -> Result<Reloaded, sshd::Fault> {
        Ok(Reloaded::NotRunning)
    }

    fn effective(&self, _connection: Option<&str>) -> Result<String, sshd::Fault> {
        Err(sshd::Fault::Missing)
    }
}

#[test]
fn a_machine_is_set_up_and_is_afterwards_as_it_was() {
    let (_root, paths) = machine(DEBIAN);
    fs::set_permissions(
        paths.at("/etc/pam.d/sshd"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    let before = etc(&paths);
    install(&config(), &paths, &Absent, NOW).unwrap();

    let ours = read(&paths, "/etc/ssh/sshd_config.d/10-portreeve.conf");
    for line in [
        "TrustedUserCAKeys /etc/ssh/portreeve/user_ca.pub",
        "RevokedKeys /etc/ssh/portreeve/revoked.krl",
        "AuthorizedPrincipalsFile /run/portreeve-host/principals/%u",
        "HostCertificate /etc/ssh/portreeve/ssh_host-cert.pub",
        "Match Group portreeve",
        "    AuthorizedKeysFile none",
    ] {
        assert!(ours.lines().any(|it| it == line), "{line}: {ours}");
    }
    assert_eq!(
        read(&paths, "/etc/pam.d/sshd").lines().nth(2),
        Some("session optional pam_mkhomedir.so umask=0077")
    );
    assert!(read(&paths, "/etc/sudo.conf").contains("\nSet group_source dynamic\n"));
    let rule = read(&paths, "/etc/sudoers.d/portreeve");
    assert!(rule.contains("%portreeve-sudo ALL=(ALL:ALL) NOPASSWD: ALL\n"));
    let mode = fs::metadata(paths.at("/etc/sudoers.d/portreeve")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o440);
    assert!(Krl::from_bytes(&fs::read(paths.krl()).unwrap()).is_ok());

    let again = install(&config(), &paths, &Absent, NOW).unwrap();
    assert!(
        again.iter().all(|step| step.outcome != Outcome::Changed),
        "{again:?}"
    );

    let put_back = remove(&paths, &Absent).unwrap();
    assert!(
        put_back.iter().all(|it| it.outcome != Restored::LinesTaken),
        "{put_back:?}"
    );
    fs::remove_dir_all(paths.ssh()).unwrap();
    assert_eq!(etc(&paths), before);
    assert!(remove(&paths, &Absent).unwrap().is_empty());
}

#[test]
fn what_somebody_else_has_changed_since_stays() {
    let (_root, paths) = machine(DEBIAN);
    install(&config(), &paths, &Absent, NOW).unwrap();
    let pam = read(&paths, "/etc/pam.d/sshd");
    put(
        &paths,
        "/etc/pam.d/sshd",
        &format!("{pam}session optional pam_motd.so\n"),
    );
    put(&paths, "/etc/sudo.conf", "Set disable_coredump true\n");
    install(&config(), &paths, &Absent, NOW).unwrap();
    remove(&paths, &Absent).unwrap();
    let left = read(&paths, "/etc/pam.d/sshd");
    assert!(left.ends_with("pam_motd.so\n"), "{left}");
    assert!(!left.contains("mkhomedir"), "{left}");
    // Our line was taken out by hand, and put in again: what is left is theirs.
    assert_eq!(
        read(&paths, "/etc/sudo.conf"),
        "Set disable_coredump true\n"
    );
}

#[test]
fn a_file_that_was_not_there_goes_unless_somebody_else_uses_it_now() {
    for (name, theirs, is_left) in [
        ("ours alone", "", false),
        ("theirs, too", "Debug sudo x y\n", true),
    ] {
        let (_root, paths) = machine(&[("/usr/bin/sudo", ""), ("/etc/ssh/sshd_config", "")]);
        install(&config(), &paths, &Absent, NOW).unwrap();
        let ours = read(&paths, "/etc/sudo.conf");
        put(&paths, "/etc/sudo.conf", &format!("{ours}{theirs}"));
        remove(&paths, &Absent).unwrap();
        assert_eq!(paths.sudo_conf().exists(), is_left, "{name}");
        assert_eq!(read(&paths, "/etc/sudo.conf"), theirs, "{name}");
    }
}

#[test]
fn a_configuration_that_sshd_does_not_take_is_out_again() {
    let (_root, paths) = machine(&[("/etc/ssh/sshd_config", "UsePAM yes\n")]);
    let refused = install(&config(), &paths, &Broken, NOW).unwrap_err();
    assert!(matches!(&refused, Fault::Sshd(_)), "{refused}");
    assert!(refused.to_string().contains("Bad word"), "{refused}");
    assert!(!paths.sshd_drop_in().exists());
    assert_eq!(read(&paths, "/etc/ssh/sshd_config"), "UsePAM yes\n");
}

#[test]
fn files_of_other_distributions_get_what_they_lack() {
    let cases: &[(&str, Backend, &str, &str, &str)] = &[
        (
            "a main configuration without an include",
            Backend::Userdb,
            "/etc/ssh/sshd_config",
            "UsePAM yes\n",
            "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
        ),
        (
            "an include in other words",
            Backend::Userdb,
            "/etc/ssh/sshd_config",
            "include=\"sshd_config.d/*.conf\"\n",
            "include=\"sshd_config.d/*.conf\"\n",
        ),
        (
            "locks that nobody is asked for",
            Backend::Userdb,
            "/etc/nsswitch.conf",
            "passwd: files systemd # local\ngroup: files [NOTFOUND=continue] systemd\nshadow: files # no more\n",
            "passwd: files systemd # local\ngroup: files [NOTFOUND=continue] systemd\nshadow: files systemd # no more\n",
        ),
        (
            "our own module, and no line for groups",
            Backend::Nss,
            "/etc/nsswitch.conf",
            "passwd: compat\nshadow: compat\ninitgroups: files\n",
            "passwd: compat portreeve\nshadow: compat portreeve\ninitgroups: files portreeve\ngroup: files portreeve\n",
        ),
        (
            "homes that are made already, two files away",
            Backend::Userdb,
            "/etc/pam.d/sshd",
            "session include password-auth\n",
            "session include password-auth\n",
        ),
        (
            "nothing in common",
            Backend::Userdb,
            "/etc/pam.d/sshd",
            "session required pam_unix.so\n",
            "session required pam_unix.so\nsession optional pam_mkhomedir.so umask=0077\n",
        ),
        (
            "groups of the session",
            Backend::Userdb,
            "/etc/sudo.conf",
            "Set group_source adaptive\nSet disable_coredump true\n",
            "Set group_source dynamic\nSet disable_coredump true\n",
        ),
    ];
    for (name, backend, path, before, after) in cases {
        let (_root, paths) = machine(&[
            ("/usr/bin/sudo", ""),
            ("/etc/pam.d/password-auth", "session substack system-auth\n"),
            (
                "/etc/pam.d/system-auth",
                "-session optional pam_oddjob_mkhomedir.so\n",
            ),
            (path, before),
        ]);
        let config = Config {
            backend: *backend,
            ..config()
        };
        install(&config, &paths, &Absent, NOW).unwrap();
        assert_eq!(read(&paths, path), *after, "{name}");
        remove(&paths, &Absent).unwrap();
        assert_eq!(read(&paths, path), *before, "{name}, put back");
    }
}

#[test]
fn a_machine_without_sudo_and_apparmor_gets_nothing_for_them() {
    let (_root, paths) = machine(&[("/etc/ssh/sshd_config", "UsePAM yes\n")]);
    install(&config(), &paths, &Absent, NOW).unwrap();
    for path in ["/etc/sudoers.d", "/etc/sudo.conf", "/etc/apparmor.d"] {
        assert!(!paths.at(path).exists(), "{path}");
    }
}

#[test]
fn a_host_key_of_another_name_is_named() {
    let (_root, paths) = machine(DEBIAN);
    let config = Config {
        host_key: "/etc/ssh/special".to_owned(),
        ..config()
    };
    install(&config, &paths, &Absent, NOW).unwrap();
    let ours = read(&paths, "/etc/ssh/sshd_config.d/10-portreeve.conf");
    assert!(ours.contains("HostKey /etc/ssh/special\n"), "{ours}");
}

#[test]
fn the_way_of_accounts_is_chosen_by_what_the_module_of_systemd_can_do() {
    let module = "/usr/lib/x86_64-linux-gnu/libnss_systemd.so.2";
    for (name, files, backend) in [
        ("no module", &[][..], Backend::Nss),
        (
            "an old one",
            &[(module, "\0/run/systemd/userdb/\0")][..],
            Backend::Nss,
        ),
        (
            "one that reads records",
            &[(module, "\0/run/userdb\0")][..],
            Backend::Userdb,
        ),
    ] {
        let (_root, paths) = machine(files);
        assert_eq!(best_backend(&paths), backend, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is in the files: they come back, also when setting up is done twice.
    #[test]
    fn any_files_come_back(
        nsswitch in "(((passwd|group|shadow|hosts|#x): ?(files|compat|sss|systemd)?( # c)?)?\n){0,6}",
        pam in "((session|auth|@include) (include|required|common-session)? ?(pam_unix.so|x)?\n){0,5}",
        sudo in "((Set|#Set|Plugin) (group_source|x) (static|dynamic)\n){0,4}",
        twice in any::<bool>(),
    ) {
        let files = [
            ("/etc/nsswitch.conf", nsswitch.as_str()),
            ("/etc/pam.d/sshd", &pam),
            ("/etc/sudo.conf", &sudo),
            ("/usr/bin/sudo", ""),
            ("/etc/ssh/sshd_config", "UsePAM yes\n"),
        ];
        let (_root, paths) = machine(&files);
        for _ in 0..=usize::from(twice) {
            install(&config(), &paths, &Absent, NOW).unwrap();
        }
        remove(&paths, &Absent).unwrap();
        for (path, text) in files {
            prop_assert_eq!(read(&paths, path), text, "{}", path);
        }
    }
}
