//! A machine whose name service asks the module, and the files that the module reads.

use std::env;
use std::path::PathBuf;

use portreeve_machine::Machine;

/// Where the host agent writes.
pub(crate) const FOLDER: &str = "/run/portreeve-host/nss";

/// Ada, who may become root, and Bob, who may not; `adm` is a group of the machine's own.
const PASSWD: &str = "\
ada:x:70002:70002:Ada Lovelace:/srv/ada:/bin/bash
bob:x:70003:70003:Bob:/srv/bob:/bin/sh
";
const GROUP: &str = "\
portreeve:*:70000:ada,bob
portreeve-sudo:*:70001:ada
ada:*:70002:
bob:*:70003:
adm:*:4:ada
";
const SHADOW: &str = "\
ada:!*:20000::::::
bob:!*:20000::::::
";

pub(crate) struct Ground {
    pub(crate) machine: Machine,
}

impl Ground {
    pub(crate) fn start() -> Self {
        let machine = Machine::start("old-1").unwrap();
        let ground = Self { machine };
        let folder = ground.run("dirname /usr/lib/*/libnss_systemd.so.2");
        let module = format!("{}/libnss_portreeve.so.2", folder.trim_end());
        ground.machine.install(&module_built(), &module).unwrap();
        // Not `systemd`: the module is for hosts where that does not read account files.
        ground.run("sed -i -E '/^(passwd|group|shadow):/s/systemd/portreeve/' /etc/nsswitch.conf");
        ground.put("passwd", PASSWD);
        ground.put("group", GROUP);
        ground.put("shadow", SHADOW);
        ground
    }

    /// Replaces a file as the agent does, at once.
    pub(crate) fn put(&self, file: &str, text: impl AsRef<[u8]>) {
        let mode = if file == "shadow" { 0o600 } else { 0o644 };
        let new = format!("{FOLDER}/{file}.new");
        self.machine.write(&new, mode, text).unwrap();
        self.run(&format!("mv {new} {FOLDER}/{file}"));
    }

    /// Runs a script as the machine's root, which must end well.
    pub(crate) fn run(&self, script: &str) -> String {
        self.machine.run(script).unwrap()
    }

    /// What a script prints, and its exit code if that is not 0.
    pub(crate) fn ask(&self, script: &str) -> String {
        let said = self.machine.try_run(script).unwrap();
        let code = said.code.filter(|code| *code != 0);
        let code = code.map(|code| format!("exit code {code}"));
        format!("{}{}", said.out, code.unwrap_or_default())
    }

    /// Runs a script of Python's, which must end well.
    pub(crate) fn python(&self, script: &str) -> String {
        let mut python = self.machine.command("/usr/bin/python3");
        let output = python.args(["-c", script]).output().unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{out}{err}");
        out.into_owned()
    }
}

/// The module that cargo made together with this program.
fn module_built() -> PathBuf {
    env::current_exe()
        .unwrap()
        .with_file_name("libnss_portreeve.so")
}
