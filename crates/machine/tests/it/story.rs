//! The whole way, with the real server and the real agent: from what a provider pushes to who gets in on a machine.

use crate::company::{Company, LOG, built, kill_agent};
use portreeve_machine::{Client, Machine, Said};
use serde_json::json;

mod faults;
mod fleet;

/// What `sudo` gives somebody: who they become, or how it refuses them.
const SUDO: &str = "sudo -n id -un 2>&1";

/// A company with one host, and with alice, who may use it and become root there.
pub(crate) struct Stage {
    company: Company,
    machine: Machine,
    client: Client,
    alice: String,
}

impl Stage {
    /// Everything is set, and the machine is not a host yet.
    fn set() -> Self {
        let company = Company::start();
        let alice = company.hire("alice");
        company.group("web-ops", &[&alice]);
        company.grant("web-ops", "role=web", json!({"sudo": true}));
        let machine = Machine::start("web-1").unwrap();
        let client = Client::new().unwrap();
        client.know(&machine).unwrap();
        machine
            .welcome_warden(&client.key("warden").unwrap())
            .unwrap();
        Self {
            company,
            machine,
            client,
            alice,
        }
    }

    /// alice can log in.
    fn begun() -> Self {
        let stage = Self::set();
        stage.company.enrol(&stage.machine);
        stage.company.is_applied(&stage.machine);
        stage.company.certify(&stage.client, &stage.alice, "alice");
        stage.expect("alice", true, "to begin with");
        stage
    }

    /// Whether somebody gets in, and that the local account always does.
    fn expect(&self, who: &str, allowed: bool, when: &str) {
        let said = self.log_in(who, "true");
        assert_eq!(said.good(), allowed, "{who}, {when}: {said}");
        self.expect_warden(when);
    }

    fn expect_warden(&self, when: &str) {
        let said = self.log_in("warden", SUDO);
        assert_eq!(
            said.text().unwrap(),
            "root",
            "the way in when all else fails, {when}"
        );
    }

    fn log_in(&self, who: &str, command: &str) -> Said {
        self.client.log_in(&self.machine, who, command).unwrap()
    }

    fn run(&self, script: &str) -> String {
        self.machine.run(script).unwrap()
    }

    /// Waits until somebody does, or does not, get in.
    fn eventually(&self, who: &str, allowed: bool, when: &str) {
        let done = self.machine.eventually(when, || {
            Ok(self.client.gets_in(&self.machine, who)? == allowed)
        });
        done.unwrap_or_else(|error| panic!("{error}\n{}", self.machine.read(LOG).unwrap()));
    }
}

#[test]
fn somebody_comes_works_leaves_and_comes_back() {
    let stage = Stage::set();
    let Stage {
        company,
        machine,
        client,
        alice,
    } = &stage;
    let before = stage.run("cat /etc/passwd /etc/group /etc/shadow");
    company.enrol(machine);
    company.is_applied(machine);
    company.certify(client, alice, "alice");
    // Before the first policy nobody could get in; the server hears that this is over without waiting for an hour.
    let of_principals = || {
        let doctor = &company.host(machine.name())["agent"]["doctor"];
        let all = doctor.as_array().into_iter().flatten();
        let found = all.into_iter().find(|one| one["check"] == "principals");
        Ok(found.is_some_and(|one| one["verdict"] == "ok"))
    };
    machine
        .eventually("the doctor finds that people get in", of_principals)
        .unwrap();

    stage.eventually("alice", true, "she may log in");
    let said = stage.log_in("alice", "id -un; pwd; stat -c %a .");
    assert_eq!(
        said.text().unwrap(),
        format!("alice\n{}\n700", "/home/alice")
    );
    assert_eq!(stage.log_in("alice", SUDO).text().unwrap(), "root");
    stage.expect("alice", true, "at work");

    let mut session = client.open(machine, "alice").unwrap();
    assert!(session.run("echo draft >report").unwrap().good());
    let start = "(sudo -n -i setsid sleep 1001 >/dev/null 2>&1 &)";
    assert!(session.run(start).unwrap().good());
    let roots = "pgrep -u root -x sleep";
    machine
        .eventually("her root's process runs", || {
            Ok(machine.try_run(roots)?.good())
        })
        .unwrap();

    company.active(alice, false);
    stage.eventually("alice", false, "she is shut out");
    machine
        .eventually("her session is ended", || session.is_over())
        .unwrap();
    machine
        .eventually("what she started as root is ended", || {
            Ok(!machine.try_run(roots)?.good())
        })
        .unwrap();
    stage.expect("alice", false, "after she has left");
    assert_eq!(
        stage.run("cat ~alice/report; stat -c %U ~alice"),
        "draft\nalice\n"
    );
    assert!(
        !machine
            .try_run("su alice -c 'sudo -n true'")
            .unwrap()
            .good()
    );
    assert_eq!(
        stage.run("getent passwd alice | cut -d: -f7"),
        "/usr/sbin/nologin\n"
    );

    company.active(alice, true);
    company.is_applied(machine);
    company.certify(client, alice, "alice");
    stage.eventually("alice", true, "she is back");
    assert_eq!(stage.log_in("alice", "cat report").text().unwrap(), "draft");
    assert_eq!(stage.log_in("alice", SUDO).text().unwrap(), "root");
    stage.expect("alice", true, "after she is back");
    assert_eq!(stage.run("cat /etc/passwd /etc/group /etc/shadow"), before);
}

#[test]
fn what_happens_in_sessions_is_told() {
    let stage = Stage::begun();
    let Stage {
        company, machine, ..
    } = &stage;
    assert_eq!(stage.log_in("alice", SUDO).text().unwrap(), "root");
    for (kind, told) in [("login", "alice"), ("sudo", "alice"), ("logout", "alice")] {
        let seen = || {
            let events = company.api("GET", "/events?category=SESSION&limit=100", json!(null));
            Ok(events.to_string().contains(kind) && events.to_string().contains(told))
        };
        machine
            .eventually(&format!("a {kind} is in the log"), seen)
            .unwrap();
    }
}

#[test]
fn a_grant_less_is_a_right_less() {
    let stage = Stage::set();
    let Stage {
        company,
        machine,
        client,
        alice,
    } = &stage;
    let bob = company.hire("bob");
    let visitors = company.group("visitors", &[&bob]);
    company.grant("visitors", "role=web", json!({}));
    company.enrol(machine);
    company.is_applied(machine);
    company.certify(client, alice, "alice");
    company.certify(client, &bob, "bob");
    stage.expect("bob", true, "as a visitor");
    assert!(!stage.log_in("bob", SUDO).good(), "his grant has no sudo");

    let left = json!({"op": "remove", "path": format!("members[value eq \"{bob}\"]")});
    company.patch(&format!("/Groups/{visitors}"), left);
    stage.eventually("bob", false, "he is in no group any more");
    stage.expect("alice", true, "whom this does not concern");
}

#[test]
fn leaving_the_fleet_leaves_everything_as_it_was() {
    let sums = "find /etc -xdev -type f ! -path '/etc/portreeve-host/*' -exec sha256sum {} + | sort -k 2; \
                find /etc -xdev -printf '%p %m %u %g\\n' | grep -v portreeve-host | sort";
    let stage = Stage::set();
    let before = stage.run(sums);
    stage.company.enrol(&stage.machine);
    stage.company.is_applied(&stage.machine);
    stage.company.certify(&stage.client, &stage.alice, "alice");
    stage.expect("alice", true, "as a member of the fleet");
    assert_ne!(stage.run(sums), before);

    stage.run("portreeve-host leave");
    assert_eq!(stage.run(sums), before);
    stage.expect("alice", false, "after the host has left");
    assert_eq!(stage.run("getent passwd alice || echo nobody"), "nobody\n");
    assert_eq!(stage.company.host("web-1")["status"], "left");
    kill_agent(&stage.machine).unwrap();
}

#[test]
fn the_name_service_module_of_ones_own_does_the_same() {
    let stage = Stage::set();
    let Stage {
        company,
        machine,
        client,
        alice,
    } = &stage;
    let module = built("libnss_portreeve.so");
    let folder = stage.run("dirname /usr/lib/*/libnss_systemd.so.2");
    let path = format!("{}/libnss_portreeve.so.2", folder.trim_end());
    machine.install(&module, &path).unwrap();
    company.enrol_with(machine, "--backend nss");
    company.is_applied(machine);
    company.certify(client, alice, "alice");
    stage.expect("alice", true, "by the module");
}
