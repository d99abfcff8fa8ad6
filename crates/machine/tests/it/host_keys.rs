//! The host's own certificate: how the OpenSSH server takes a new one, and what it makes of a bad one.

use crate::ground::Ground;

const CERTIFICATE: &str = "/etc/ssh/ssh_host_ed25519_key-cert.pub";

/// Certifies the machine's key as `name`, and puts the certificate there.
fn certify(ground: &Ground, name: &str, words: &[&str]) {
    let key = ground.machine.host_key().unwrap();
    ground.client.key("host-ca").unwrap();
    ground.client.write("host.pub", format!("{key}\n")).unwrap();
    let mut keygen = ground.client.program("ssh-keygen");
    keygen.args(["-q", "-h", "-s", "host-ca", "-I", name, "-n", name]);
    assert!(
        keygen
            .args(words)
            .arg("host.pub")
            .status()
            .unwrap()
            .success()
    );
    let certificate = std::fs::read(ground.client.path("host-cert.pub")).unwrap();
    ground.write(CERTIFICATE, certificate);
}

/// A machine that shows a certificate, and somebody who trusts its authority alone.
fn certified() -> Ground {
    let ground = Ground::start();
    certify(&ground, "web-1", &[]);
    ground.configure(&format!("HostCertificate {CERTIFICATE}\n"));
    let authority = ground.client.key("host-ca").unwrap();
    let known = format!("@cert-authority web-* {authority}\n");
    ground.client.write("known_hosts", known).unwrap();
    ground
}

#[test]
fn the_host_shows_its_certificate_and_clients_check_it() {
    let ground = certified();
    for (name, certified_as, words, accepted) in [
        ("its own", "web-1", vec![], true),
        ("another host's", "web-2", vec![], false),
        ("one that is over", "web-1", vec!["-V", "-2h:-1h"], false),
    ] {
        certify(&ground, certified_as, &words);
        ground.machine.reload_sshd().unwrap();
        assert_eq!(ground.gets_in("warden"), accepted, "{name}");
    }
}

/// Why the agent connects to see what the server shows: its own test of the configuration says that all is well.
#[test]
fn a_certificate_that_is_none_passes_the_test_and_is_not_shown() {
    let ground = certified();
    ground.write(
        CERTIFICATE,
        "ssh-ed25519-cert-v01@openssh.com AAAA no certificate\n",
    );
    assert!(ground.machine.try_run("/usr/sbin/sshd -t").unwrap().good());
    ground.machine.reload_sshd().unwrap();
    assert!(!ground.gets_in("warden"), "by the authority");
    ground.client.know(&ground.machine).unwrap();
    assert!(ground.gets_in("warden"), "by the key");
}

#[test]
fn open_sessions_outlive_a_reload() {
    let ground = certified();
    let mut session = ground.open("warden");
    certify(&ground, "web-1", &["-z", "2"]);
    ground.machine.reload_sshd().unwrap();
    assert_eq!(session.run("id -un").unwrap().text().unwrap(), "warden");
    assert!(ground.gets_in("warden"));
}

#[test]
fn a_configuration_that_is_none_is_found_before_it_does_harm() {
    let ground = Ground::start();
    ground.write(
        "/etc/ssh/sshd_config.d/99-broken.conf",
        "TrustedUserCAKey typo\n",
    );
    assert!(!ground.machine.try_run("/usr/sbin/sshd -t").unwrap().good());
    assert!(
        ground.gets_in("alice"),
        "the server goes by what it has read"
    );
}
