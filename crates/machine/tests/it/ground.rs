//! A machine with files made by hand, and somebody who logs in with certificates made by `ssh-keygen`.

use portreeve_machine::{Client, Machine, Said, Session};

const HOMES: &str = "/home";
/// What is on the machine before a case changes it: `alice`, who may use sudo, and `bob`, who may not, and rules as a
/// managed host has them.
const SSHD: &str = "\
TrustedUserCAKeys /etc/ssh/managed/user_ca.pub
AuthorizedPrincipalsFile /run/principals/%u
RevokedKeys /etc/ssh/managed/revoked.krl
Match Group managed
    AuthorizedKeysFile none
";

/// The machine, and the computer of people who log in there. The authority is the client's key `ca`.
pub(crate) struct Ground {
    pub(crate) machine: Machine,
    pub(crate) client: Client,
}

impl Ground {
    pub(crate) fn start() -> Self {
        let machine = Machine::start("web-1").unwrap();
        let client = Client::new().unwrap();
        client.know(&machine).unwrap();
        machine
            .welcome_warden(&client.key("warden").unwrap())
            .unwrap();
        let ground = Self { machine, client };
        let authority = ground.client.key("ca").unwrap();
        ground.write("/etc/ssh/managed/user_ca.pub", format!("{authority}\n"));
        ground.revoke(&[]);
        ground.group("managed", 70000);
        ground.group("managed-sudo", 70001);
        for (name, uid) in [("alice", 70002), ("bob", 70003)] {
            ground.person(name, uid, "");
            ground.member(name, "managed");
            ground.write(&format!("/run/principals/{name}"), format!("u:{name}\n"));
            ground.certify(name, &format!("u:{name}"), &[]);
        }
        ground.member("alice", "managed-sudo");
        let sudoers = "%managed-sudo ALL=(ALL:ALL) NOPASSWD: ALL\n";
        let put = ground
            .machine
            .write("/etc/sudoers.d/managed", 0o440, sudoers);
        put.unwrap();
        ground.run("sed -i '/^@include common-session/a session optional pam_mkhomedir.so umask=0077' /etc/pam.d/sshd");
        ground.configure(SSHD);
        ground
    }

    /// Writes a file that everybody may read.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        self.machine.write(path, 0o644, text).unwrap();
    }

    /// Runs a script as the machine's root.
    pub(crate) fn run(&self, script: &str) -> String {
        self.machine.run(script).unwrap()
    }

    /// Replaces what the OpenSSH server reads, and has it read that.
    pub(crate) fn configure(&self, text: &str) {
        self.write("/etc/ssh/sshd_config.d/10-managed.conf", text);
        self.machine.reload_sshd().unwrap();
    }

    /// An account, with more members for its record, such as `,"locked":true`.
    pub(crate) fn person(&self, name: &str, uid: u32, more: &str) {
        let record = format!(
            r#"{{"userName":"{name}","uid":{uid},"gid":{uid},"homeDirectory":"{HOMES}/{name}","shell":"/bin/bash","disposition":"regular"{more}}}"#
        );
        self.write(&format!("/run/userdb/{name}.user"), record);
        self.run(&format!("ln -sf {name}.user /run/userdb/{uid}.user"));
        self.group(name, uid);
    }

    pub(crate) fn group(&self, name: &str, gid: u32) {
        let record = format!(r#"{{"groupName":"{name}","gid":{gid}}}"#);
        self.write(&format!("/run/userdb/{name}.group"), record);
        self.run(&format!("ln -sf {name}.group /run/userdb/{gid}.group"));
    }

    pub(crate) fn member(&self, name: &str, group: &str) {
        self.write(&format!("/run/userdb/{name}:{group}.membership"), "{}\n");
    }

    /// Certifies a key of the client's, with `words` for `ssh-keygen` such as `-V` and a time.
    pub(crate) fn certify(&self, key: &str, principals: &str, words: &[&str]) {
        self.certify_by("ca", key, principals, words);
    }

    pub(crate) fn certify_by(&self, authority: &str, key: &str, principals: &str, words: &[&str]) {
        self.client.key(authority).unwrap();
        self.client.key(key).unwrap();
        let mut keygen = self.client.program("ssh-keygen");
        keygen.args(["-q", "-s", authority, "-I", key, "-n", principals]);
        let certified = keygen.args(words).arg(format!("{key}.pub")).output();
        Said::from(certified.unwrap()).text().unwrap();
    }

    /// Replaces the list of what is revoked, with lines as ssh-keygen(1) has them.
    pub(crate) fn revoke(&self, lines: &[&str]) {
        self.write("/etc/ssh/managed/revoked.krl", self.revocation_list(lines));
    }

    pub(crate) fn revocation_list(&self, lines: &[&str]) -> Vec<u8> {
        self.client.write("revoked.txt", lines.join("\n")).unwrap();
        let mut keygen = self.client.program("ssh-keygen");
        keygen.args(["-q", "-k", "-f", "krl", "-s", "ca.pub", "revoked.txt"]);
        Said::from(keygen.output().unwrap()).text().unwrap();
        std::fs::read(self.client.path("krl")).unwrap()
    }

    /// Whether somebody gets in: an account, or `KEY:ACCOUNT`.
    pub(crate) fn gets_in(&self, who: &str) -> bool {
        self.client.gets_in(&self.machine, who).unwrap()
    }

    pub(crate) fn log_in(&self, who: &str, command: &str) -> Said {
        self.client.log_in(&self.machine, who, command).unwrap()
    }

    pub(crate) fn open(&self, who: &str) -> Session {
        self.client.open(&self.machine, who).unwrap()
    }
}
