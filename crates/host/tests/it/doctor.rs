//! Every misconfiguration that is known is found, and a host that is as it has to be has none.

use crate::setup::{config, machine, put};
use jiff::{SignedDuration, Timestamp};
use portreeve_host::doctor::{Facts, Finding, Heard, Verdict, examine};
use portreeve_host::paths::Paths;
use portreeve_host::setup::install;
use portreeve_host::sshd::Absent;
use portreeve_host::wire::State;
use portreeve_host_policy::api::{Applied, Conflict};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const EFFECTIVE: &str = "\
trustedusercakeys /etc/ssh/portreeve/user_ca.pub
authorizedprincipalsfile /run/portreeve-host/principals/%u
revokedkeys /etc/ssh/portreeve/revoked.krl
hostcertificate /etc/ssh/portreeve/ssh_host-cert.pub
usepam yes
pubkeyauthentication yes
passwordauthentication no
kbdinteractiveauthentication no
permitrootlogin without-password
authorizedkeysfile .ssh/authorized_keys
";

const MANAGED: &str = "\
authorizedkeysfile none
authorizedkeyscommand none
authenticationmethods publickey
";

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn hours(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

/// A host that is as it has to be, but for its certificate, which takes an authority.
fn host() -> (TempDir, Paths, Facts) {
    let (root, paths) = machine(&[
        (
            "/etc/ssh/sshd_config",
            "Include /etc/ssh/sshd_config.d/*.conf\n",
        ),
        (
            "/etc/nsswitch.conf",
            "passwd: files systemd\ngroup: files systemd\nshadow: files systemd\n",
        ),
        ("/etc/pam.d/sshd", "@include common-session\n"),
        (
            "/etc/sudoers",
            "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
        ),
        ("/usr/bin/sudo", ""),
        ("/etc/apparmor.d/abstractions/nss-systemd", ""),
        (
            "/usr/lib/x86_64-linux-gnu/libnss_systemd.so.2",
            "\0/run/userdb\0",
        ),
        ("/run/portreeve-host/principals/ada", "u:1\n"),
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/bash\n",
        ),
        ("/etc/group", "sudo:x:27:ops\n"),
        (
            "/home/ops/.ssh/authorized_keys",
            "# mine\nssh-ed25519 AAAA ops\n",
        ),
    ]);
    config().save(&paths).unwrap();
    install(&config(), &paths, &Absent, 0).unwrap();
    let state = State {
        applied: Some(Applied {
            version: 3,
            at: now(),
        }),
        lease_until: Some(hours(70)),
        ..State::default()
    };
    let facts = Facts {
        now: now(),
        sshd: Ok(EFFECTIVE.to_owned()),
        sshd_managed: Some(Ok(MANAGED.to_owned())),
        running: vec!["sshd".to_owned()],
        state: Ok(state),
        server: Ok(Heard {
            ahead: Some(SignedDuration::ZERO),
            has_other: false,
        }),
        identity: Some((hours(-10), hours(20))),
    };
    (root, paths, facts)
}

fn found(paths: &Paths, facts: &Facts, check: &str) -> Finding {
    let all = examine(paths, facts);
    let mut of_kind = all.iter().filter(|finding| finding.check == check);
    let found = of_kind.next().unwrap_or_else(|| panic!("{check}: {all:?}"));
    assert_eq!(of_kind.next(), None, "{check} twice");
    found.clone()
}

#[test]
fn a_host_that_is_as_it_has_to_be_has_no_finding() {
    let (_root, paths, facts) = host();
    for finding in examine(&paths, &facts) {
        if finding.check != "certificate" {
            assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of it is a table of cases")]
fn what_is_wrong_is_found_and_something_can_be_done_about_it() {
    use Verdict::{Fail, Warn};
    type Spoil = fn(&Paths, &mut Facts);
    let cases: &[(&str, &str, Verdict, Spoil)] = &[
        ("not enrolled", "enrolled", Fail, |paths, _| {
            fs::remove_file(paths.config()).unwrap()
        }),
        ("the other half is down", "apply", Fail, |_, facts| {
            facts.state = Err("no socket".to_owned())
        }),
        ("the server is away", "server", Warn, |_, facts| {
            facts.server = Err("no route".to_owned())
        }),
        ("behind", "server", Warn, |_, facts| {
            facts.server = Ok(Heard {
                ahead: None,
                has_other: true,
            });
        }),
        ("a clock a minute off", "clock", Warn, |_, facts| {
            facts.server = Ok(Heard {
                ahead: Some(SignedDuration::from_mins(-1)),
                has_other: false,
            });
        }),
        ("a clock an hour off", "clock", Fail, |_, facts| {
            facts.server = Ok(Heard {
                ahead: Some(SignedDuration::from_hours(1)),
                has_other: false,
            });
        }),
        (
            "an identity that was not renewed",
            "identity",
            Warn,
            |_, facts| facts.identity = Some((hours(-90), hours(10))),
        ),
        ("an identity that ran out", "identity", Fail, |_, facts| {
            facts.identity = Some((hours(-90), hours(-1)))
        }),
        ("no document", "policy", Fail, |_, facts| {
            facts.state = Ok(State::default())
        }),
        ("a lease that ends soon", "lease", Warn, |_, facts| {
            lease(facts, hours(5))
        }),
        ("a lease that is over", "lease", Fail, |_, facts| {
            lease(facts, hours(-1))
        }),
        ("conflicts", "conflicts", Warn, |_, facts| {
            if let Ok(state) = &mut facts.state {
                state.conflicts.push(Conflict {
                    account: "ada".to_owned(),
                    reason: "name_taken".to_owned(),
                    detail: "a local account has this name".to_owned(),
                });
            }
        }),
        ("people are not looked up", "nsswitch", Fail, |paths, _| {
            nsswitch(
                paths,
                "passwd: files\ngroup: files systemd\nshadow: files systemd\n",
            )
        }),
        ("locks are not looked up", "nsswitch", Fail, |paths, _| {
            nsswitch(
                paths,
                "passwd: files systemd\ngroup: files systemd\nshadow: files\n",
            )
        }),
        ("no line for locks", "nsswitch", Fail, |paths, _| {
            nsswitch(paths, "passwd: files systemd\ngroup: files systemd\n")
        }),
        ("managed people come first", "nsswitch", Fail, |paths, _| {
            nsswitch(
                paths,
                "passwd: systemd files\ngroup: files systemd\nshadow: files systemd\n",
            )
        }),
        ("groups by others", "nsswitch", Fail, |paths, _| {
            nsswitch(
                paths,
                "passwd: files systemd\ngroup: files systemd\nshadow: files systemd\ninitgroups: files\n",
            )
        }),
        ("merged groups", "nsswitch", Warn, |paths, _| {
            nsswitch(
                paths,
                "passwd: files systemd\ngroup: files [SUCCESS=merge] systemd\nshadow: files systemd\n",
            )
        }),
        ("no module", "nss_module", Fail, |paths, _| {
            fs::remove_file(paths.at("/usr/lib/x86_64-linux-gnu/libnss_systemd.so.2")).unwrap()
        }),
        ("nscd", "nscd", Warn, |_, facts| {
            facts.running.push("nscd".to_owned())
        }),
        ("sssd", "sssd", Warn, |_, facts| {
            facts.running.push("sssd".to_owned())
        }),
        ("userdbd", "userdbd", Warn, |paths, _| {
            put(paths, "/run/systemd/userdb/io.systemd.Multiplexer", "")
        }),
        (
            "AppArmor without our lines",
            "apparmor",
            Warn,
            |paths, _| fs::remove_file(paths.apparmor()).unwrap(),
        ),
        ("SELinux", "selinux", Warn, |paths, _| {
            put(paths, "/sys/fs/selinux/enforce", "1")
        }),
        ("our part is gone", "sshd_drop_in", Fail, |paths, _| {
            fs::remove_file(paths.sshd_drop_in()).unwrap()
        }),
        (
            "our part is not included",
            "sshd_drop_in",
            Fail,
            |paths, _| {
                put(
                    paths,
                    "/etc/ssh/sshd_config",
                    "#Include /etc/ssh/sshd_config.d/*.conf\n",
                )
            },
        ),
        (
            "a configuration that sshd does not take",
            "sshd",
            Fail,
            |_, facts| facts.sshd = Err("line 3".to_owned()),
        ),
        (
            "other keys were named first",
            "sshd_keys",
            Fail,
            |_, facts| {
                said(
                    facts,
                    "trustedusercakeys /etc/ssh/portreeve/user_ca.pub",
                    "trustedusercakeys /etc/ssh/old.pub",
                )
            },
        ),
        (
            "other principals were named first",
            "sshd_principals",
            Fail,
            |_, facts| {
                said(
                    facts,
                    "authorizedprincipalsfile /run/portreeve-host/principals/%u",
                    "authorizedprincipalsfile none",
                )
            },
        ),
        ("nothing is revoked", "sshd_krl", Fail, |_, facts| {
            said(
                facts,
                "revokedkeys /etc/ssh/portreeve/revoked.krl",
                "revokedkeys none",
            )
        }),
        ("no PAM", "sshd_pam", Fail, |_, facts| {
            said(facts, "usepam yes", "usepam no")
        }),
        ("no keys at all", "sshd_certificates", Fail, |_, facts| {
            said(facts, "pubkeyauthentication yes", "pubkeyauthentication no")
        }),
        ("a list of groups", "sshd_allow", Fail, |_, facts| {
            said(facts, "usepam yes", "usepam yes\nallowgroups ops wheel")
        }),
        ("a list of users", "sshd_allow", Fail, |_, facts| {
            said(facts, "usepam yes", "usepam yes\nallowusers ops")
        }),
        ("our group is denied", "sshd_allow", Fail, |_, facts| {
            said(facts, "usepam yes", "usepam yes\ndenygroups portreeve")
        }),
        ("keys in homes", "authorized_keys", Fail, |_, facts| {
            managed(facts, "authorizedkeysfile .ssh/authorized_keys\n")
        }),
        ("keys by a program", "authorized_keys", Fail, |_, facts| {
            managed(
                facts,
                "authorizedkeysfile none\nauthorizedkeyscommand /usr/bin/userdbctl\n",
            )
        }),
        (
            "passwords of managed people",
            "authorized_keys",
            Warn,
            |_, facts| {
                managed(
                    facts,
                    "authorizedkeysfile none\nauthenticationmethods any\n",
                )
            },
        ),
        (
            "a changed part, and nobody yet",
            "authorized_keys",
            Fail,
            |paths, facts| {
                facts.sshd_managed = None;
                put(
                    paths,
                    "/etc/ssh/sshd_config.d/10-portreeve.conf",
                    "UsePAM yes\n",
                );
            },
        ),
        ("a list of no bytes", "krl", Fail, |paths, _| {
            fs::write(paths.krl(), "").unwrap()
        }),
        ("no list", "krl", Fail, |paths, _| {
            fs::remove_file(paths.krl()).unwrap()
        }),
        ("half a list", "krl", Fail, |paths, _| {
            let bytes = fs::read(paths.krl()).unwrap();
            fs::write(paths.krl(), &bytes[..20]).unwrap();
        }),
        ("no principals", "principals", Fail, |paths, _| {
            fs::remove_dir_all(paths.principals()).unwrap()
        }),
        (
            "principals for everybody to write",
            "principals",
            Fail,
            |paths, _| {
                fs::set_permissions(
                    paths.principals().join("ada"),
                    fs::Permissions::from_mode(0o666),
                )
                .unwrap();
            },
        ),
        ("no certificate", "certificate", Fail, |_, _| {}),
        ("no rule", "sudoers", Fail, |paths, _| {
            fs::remove_file(paths.sudoers()).unwrap()
        }),
        (
            "a rule that is not included",
            "sudoers",
            Fail,
            |paths, _| put(paths, "/etc/sudoers", "root ALL=(ALL:ALL) ALL\n"),
        ),
        (
            "a rule for everybody to write",
            "sudoers",
            Fail,
            |paths, _| {
                fs::set_permissions(paths.sudoers(), fs::Permissions::from_mode(0o666)).unwrap();
            },
        ),
        ("groups of the session", "sudo_groups", Fail, |paths, _| {
            put(
                paths,
                "/etc/sudo.conf",
                "Set group_source dynamic\nSet group_source static\n",
            )
        }),
        ("no homes", "homes", Warn, |paths, _| {
            put(paths, "/etc/pam.d/sshd", "session required pam_unix.so\n")
        }),
        (
            "no key of a local administrator",
            "break_glass",
            Warn,
            |paths, _| fs::remove_file(paths.at("/home/ops/.ssh/authorized_keys")).unwrap(),
        ),
        (
            "a local administrator without a shell",
            "break_glass",
            Warn,
            |paths, _| {
                put(
                    paths,
                    "/etc/passwd",
                    "ops:x:1000:1000::/home/ops:/usr/sbin/nologin\n",
                )
            },
        ),
        (
            "a local account that is no administrator",
            "break_glass",
            Warn,
            |paths, _| put(paths, "/etc/group", "ops:x:1000:\n"),
        ),
    ];
    for (name, check, verdict, spoil) in cases {
        let (_root, paths, mut facts) = host();
        spoil(&paths, &mut facts);
        let finding = found(&paths, &facts, check);
        assert_eq!(finding.verdict, *verdict, "{name}: {finding:?}");
        assert!(finding.remedy.is_some(), "{name}: {finding:?}");
    }
}

/// Where the account whose home has its own name has its keys.
fn keys_of(account: &str) -> String {
    format!("/{account}/.ssh/authorized_keys")
}

#[test]
fn whoever_is_local_and_gets_in_is_a_way_out() {
    type Give = fn(&Paths, &mut Facts);
    let cases: &[(&str, bool, Give)] = &[
        ("root with a key", true, |paths, _| {
            put(paths, &keys_of("root"), "ssh-ed25519 AAAA\n")
        }),
        (
            "root with a key, and no root login",
            false,
            |paths, facts| {
                put(paths, &keys_of("root"), "ssh-ed25519 AAAA\n");
                said(
                    facts,
                    "permitrootlogin without-password",
                    "permitrootlogin no",
                );
            },
        ),
        (
            "a password, and passwords are taken",
            true,
            |paths, facts| {
                put(paths, "/etc/shadow", "ops:$y$j9T$x:1::::::\n");
                said(
                    facts,
                    "passwordauthentication no",
                    "passwordauthentication yes",
                );
            },
        ),
        ("a password, and none are taken", false, |paths, _| {
            put(paths, "/etc/shadow", "ops:$y$j9T$x:1::::::\n")
        }),
        ("a locked password", false, |paths, facts| {
            put(paths, "/etc/shadow", "ops:!$y$j9T$x:1::::::\n");
            said(
                facts,
                "passwordauthentication no",
                "passwordauthentication yes",
            );
        }),
    ];
    for (name, is_way, give) in cases {
        let (_root, paths, mut facts) = host();
        fs::remove_file(paths.at("/home/ops/.ssh/authorized_keys")).unwrap();
        give(&paths, &mut facts);
        let finding = found(&paths, &facts, "break_glass");
        assert_eq!(
            finding.verdict == Verdict::Ok,
            *is_way,
            "{name}: {finding:?}"
        );
    }
}

fn lease(facts: &mut Facts, until: Timestamp) {
    if let Ok(state) = &mut facts.state {
        state.lease_until = Some(until);
    }
}

fn nsswitch(paths: &Paths, text: &str) {
    put(paths, "/etc/nsswitch.conf", text);
}

fn said(facts: &mut Facts, from: &str, to: &str) {
    assert!(EFFECTIVE.contains(from), "{from}");
    facts.sshd = Ok(EFFECTIVE.replace(from, to));
}

fn managed(facts: &mut Facts, text: &str) {
    facts.sshd_managed = Some(Ok(text.to_owned()));
}
