//! What goes wrong on the way. In each case the local account gets in, which [`Stage::expect`] sees to.

use super::{SUDO, Stage};
use crate::company::{LOG, clock, kill_agent, start_agent, start_agent_by};
use serde_json::json;
use std::thread;
use std::time::Duration;

/// Where people's certificates are refused.
const KRL: &str = "/etc/ssh/portreeve/revoked.krl";

/// Ends everything that runs but the machine's own first process, forgets what was only in memory, and starts as a machine
/// starts, without a network.
fn reboot(stage: &Stage) {
    kill_agent(&stage.machine).unwrap();
    stage.run(
        "rm -rf /run/userdb /run/portreeve-host
         portreeve-host apply --boot",
    );
    restart_sshd(stage, "");
}

#[test]
fn the_server_is_away() {
    let mut stage = Stage::begun();
    stage.company.go_away();
    stage.expect("alice", true, "while the server is away");
    assert_eq!(stage.log_in("alice", SUDO).text().unwrap(), "root");
    kill_agent(&stage.machine).unwrap();
    stage.expect("alice", true, "while the agent is dead, too");
    reboot(&stage);
    stage.expect("alice", true, "after the machine was started anew");
    assert_eq!(stage.log_in("alice", SUDO).text().unwrap(), "root");

    start_agent(&stage.machine);
    stage.company.come_back();
    stage.company.active(&stage.alice, false);
    stage.eventually("alice", false, "the server is back, and she is not");
    stage.expect("alice", false, "after the server is back");
    reboot(&stage);
    stage.expect("alice", false, "after the machine was started anew");
}

#[test]
fn the_agent_is_killed_at_any_time() {
    let stage = Stage::begun();
    for step in 0_u64..12 {
        let active = step % 2 == 1;
        stage.company.active(&stage.alice, active);
        // Into whatever it is doing by then: this is about all moments, not about one.
        thread::sleep(Duration::from_millis(step * 7));
        kill_agent(&stage.machine).unwrap();
        stage.expect_warden(&format!("killed in step {step}"));
        start_agent(&stage.machine);
        stage.company.is_applied(&stage.machine);
        if active {
            stage.company.certify(&stage.client, &stage.alice, "alice");
            stage.eventually("alice", true, "she is back");
        }
        stage.expect("alice", active, &format!("after step {step}"));
    }
}

#[test]
fn a_host_whose_sshd_would_not_start_does_not_become_one() {
    let stage = Stage::set();
    let sums =
        "find /etc/ssh -type f ! -path '/etc/ssh/portreeve/*' -exec sha256sum {} + | sort -k 2";
    stage
        .machine
        .write(
            "/etc/ssh/sshd_config.d/99-typo.conf",
            0o644,
            "TrustedUserCAKey typo\n",
        )
        .unwrap();
    let before = stage.run(sums);
    let said = stage.company.try_enrol(&stage.machine, "");
    assert!(!said.good());
    assert!(said.to_string().contains("TrustedUserCAKey"), "{said}");
    assert_eq!(stage.run(sums), before);
    stage.machine.reload_sshd().unwrap_err();
    stage.expect_warden("after a refused enrolment");

    // The server knows the machine by now, and the machine its server.
    stage.run("rm /etc/ssh/sshd_config.d/99-typo.conf");
    stage.company.enrol_with(&stage.machine, "--replace");
    stage.company.is_applied(&stage.machine);
    stage.company.certify(&stage.client, &stage.alice, "alice");
    stage.expect("alice", true, "after the typing error is mended");
}

#[test]
fn an_empty_revocation_list_is_mended() {
    let stage = Stage::begun();
    let mine = json!({"user": "alice", "reason": "lost"});
    stage.company.api("POST", "/certificates/revoke", mine);
    stage.eventually("alice", false, "her certificate is revoked");
    stage.run(&format!(": >{KRL}"));
    stage.eventually("alice", false, "the list is mended");
    assert_ne!(stage.run(&format!("stat -c %s {KRL}")), "0\n");
    stage.expect("alice", false, "after the list is mended");
}

#[test]
fn somebody_local_has_the_name() {
    let stage = Stage::set();
    stage.run("useradd --create-home --shell /bin/bash alice");
    let before = stage.run("id alice; getent passwd alice");
    stage.company.enrol(&stage.machine);
    stage.company.is_applied(&stage.machine);
    stage.company.certify(&stage.client, &stage.alice, "alice");
    stage.expect("alice", false, "who has the name of a local account");
    assert_eq!(stage.run("id alice; getent passwd alice"), before);
    let conflicts = || stage.company.host("web-1")["agent"]["conflicts"].clone();
    let told = || Ok(conflicts()[0].is_object());
    let seen = stage.machine.eventually("the conflict is told", told);
    seen.unwrap();
    let conflicts = conflicts();
    assert_eq!(conflicts[0]["account"], "alice", "{conflicts}");
    assert_eq!(conflicts[0]["reason"], "name_taken", "{conflicts}");
}

#[test]
fn the_disk_is_full_when_somebody_leaves() {
    let stage = Stage::begun();
    stage.run(
        "dd if=/dev/zero of=/var/tmp/ballast bs=1M 2>/dev/null; df / | tail -1 | grep -q 100%",
    );
    stage.company.active(&stage.alice, false);
    stage.eventually("alice", false, "she is shut out on a full disk");
    stage.run("rm /var/tmp/ballast");
    stage.company.is_applied(&stage.machine);
    stage.expect("alice", false, "after there is room again");
}

#[test]
fn the_host_gets_another_name() {
    let stage = Stage::begun();
    stage
        .company
        .api("PATCH", "/hosts/web-1", json!({"name": "web-9"}));
    stage.company.active(&stage.alice, false);
    stage.eventually("alice", false, "the host by its new name hears of it");
    stage.expect("alice", false, "after the host was renamed");
}

#[test]
fn the_key_of_the_authority_is_replaced_without_notice() {
    let stage = Stage::begun();
    let rotate = || {
        let wanted = json!({"purpose": "user", "overlap_seconds": 0});
        stage.company.api("POST", "/ca/rotate", wanted);
    };
    rotate();
    stage.company.certify(&stage.client, &stage.alice, "alice");
    stage.eventually("alice", true, "the host takes what the new key has signed");
    // The second while the host is away: it comes back with a key that is two behind.
    kill_agent(&stage.machine).unwrap();
    rotate();
    stage.company.active(&stage.alice, false);
    start_agent(&stage.machine);
    stage.eventually("alice", false, "the host hears that she is out");
    stage.expect("alice", false, "after the keys were replaced");
    stage.company.is_applied(&stage.machine);
}

/// The clock of the OpenSSH server is set forward, because nobody can wait for the shortest lease there is.
#[test]
fn a_host_that_hears_nothing_closes_by_itself() {
    let mut stage = Stage::set();
    stage.company.enrol(&stage.machine);
    let lease = json!({"lease_seconds": 300});
    stage.company.api("PATCH", "/hosts/web-1/policy", lease);
    stage.company.is_applied(&stage.machine);
    stage.company.certify(&stage.client, &stage.alice, "alice");
    stage.eventually("alice", true, "the lease holds");
    stage.company.go_away();
    restart_sshd(&stage, &clock("+600s"));
    stage.expect("alice", false, "after the lease is over");
    restart_sshd(&stage, "");
    stage.expect("alice", true, "when the clock is right again");
}

#[test]
fn the_clock_of_the_agent_jumps() {
    let stage = Stage::begun();
    for (name, offset) in [("far ahead", "+40d"), ("far behind", "-40d")] {
        kill_agent(&stage.machine).unwrap();
        start_agent_by(&clock(offset), &stage.machine);
        stage.company.active(&stage.alice, false);
        stage.expect_warden(name);
        kill_agent(&stage.machine).unwrap();
        start_agent(&stage.machine);
        stage.eventually(
            "alice",
            false,
            "the clock is right again, and she is not here",
        );
        stage.expect("alice", false, name);
        stage.company.active(&stage.alice, true);
        stage.company.is_applied(&stage.machine);
        stage.company.certify(&stage.client, &stage.alice, "alice");
        stage.expect("alice", true, name);
    }
}

#[test]
fn certificates_run_out_while_the_machine_is_off() {
    let mut stage = Stage::set();
    stage.company.set_clock(-60);
    let then = clock("-60d");
    let said = stage.company.try_enrol_by(&then, &stage.machine, "");
    said.text().unwrap();
    start_agent_by(&then, &stage.machine);
    stage.company.is_applied(&stage.machine);
    kill_agent(&stage.machine).unwrap();

    stage.company.set_clock(0);
    reboot(&stage);
    start_agent(&stage.machine);
    stage.company.certify(&stage.client, &stage.alice, "alice");
    let asked = || Ok(stage.machine.read(LOG)?.contains("has run out at"));
    let told = stage
        .machine
        .eventually("it is said what is to be done", asked);
    told.unwrap_or_else(|error| panic!("{error}\n{}", stage.machine.read(LOG).unwrap()));
    stage.expect("alice", false, "with a lease that is long over");
    kill_agent(&stage.machine).unwrap();

    // What the log says: no token is needed, because the server knows the key of the machine.
    let ca = stage.company.api("GET", "/ca", serde_json::Value::Null);
    let text = |name: &str| ca[name].as_str().unwrap();
    let enroll = |fingerprint: &str| {
        let (url, words) = (text("url"), "portreeve-host enroll --replace --name web-1");
        format!("{words} --server {url} --fingerprint {fingerprint}")
    };
    let mistyped = stage.machine.try_run(&enroll(&"0".repeat(64))).unwrap();
    let says = [
        "has no root with the fingerprint 000",
        "portreeve ca status",
    ];
    assert!(
        !mistyped.good() && says.iter().all(|it| mistyped.err.contains(it)),
        "{mistyped}"
    );
    stage.run(&enroll(text("fingerprint")));
    start_agent(&stage.machine);
    stage.company.is_applied(&stage.machine);
    stage.expect("alice", true, "after it is enrolled again");
}

#[test]
fn sshd_cannot_be_told_to_read_its_files_again() {
    let stage = Stage::begun();
    let typo = "/etc/ssh/sshd_config.d/99-typo.conf";
    stage
        .machine
        .write(typo, 0o644, "TrustedUserCAKey typo\n")
        .unwrap();
    stage.machine.reload_sshd().unwrap_err();
    let doctor = stage.machine.try_run("portreeve-host doctor").unwrap();
    assert!(!doctor.good(), "{doctor}");
    assert!(doctor.to_string().contains("TrustedUserCAKey"), "{doctor}");
    stage.expect("alice", true, "while sshd has what it read before");
    stage.company.active(&stage.alice, false);
    stage.eventually("alice", false, "she is shut out all the same");
    stage
        .company
        .api("POST", "/ca/rotate", json!({"purpose": "user"}));
    stage.company.is_applied(&stage.machine);
    stage.expect("alice", false, "after another key was made");
    stage.run(&format!("rm {typo}"));
    stage.machine.reload_sshd().unwrap();
    stage.company.active(&stage.alice, true);
    stage.company.is_applied(&stage.machine);
    stage.company.certify(&stage.client, &stage.alice, "alice");
    stage.expect("alice", true, "after the typing error is mended");
}

/// Has the OpenSSH server end and start, with these words before its name.
fn restart_sshd(stage: &Stage, words: &str) {
    stage.run(&format!(
        "kill \"$(cat /run/sshd.pid)\"; while [ -e /run/sshd.pid ]; do sleep 0.01; done
         {words} /usr/sbin/sshd; while ! [ -s /run/sshd.pid ]; do sleep 0.01; done"
    ));
}
