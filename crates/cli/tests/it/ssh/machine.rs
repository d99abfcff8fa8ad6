//! Somebody's machine: a home, a configuration, and an agent or none.

use crate::program::{Done, portreeve};
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(super) struct Machine {
    home: TempDir,
    agent: Option<Agent>,
}

/// A real `ssh-agent`, which ends with its owner.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Machine {
    pub(super) fn without_agent() -> Self {
        let home = TempDir::new().unwrap();
        Self { home, agent: None }
    }

    pub(super) fn with_agent() -> Self {
        let mut machine = Self::without_agent();
        let socket = machine.home().join("agent");
        let mut process = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It says where it is once it is there.
        let mut said = [0; 1];
        let stdout = process.stdout.as_mut().unwrap();
        stdout.read_exact(&mut said).unwrap();
        machine.agent = Some(Agent { process, socket });
        machine
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the program keeps key and certificate of its one server.
    pub(super) fn place(&self) -> PathBuf {
        let all = self.home().join("config/portreeve/ssh");
        let folders = fs::read_dir(all)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut folders = folders.filter(|path| path.is_dir());
        folders.next().unwrap()
    }

    pub(super) fn command(&self, words: &[&str]) -> Command {
        self.of_here(portreeve(words))
    }

    pub(super) fn run(&self, words: &[&str]) -> Done {
        Done::of(&mut self.command(words))
    }

    /// Runs a command that reads this.
    pub(super) fn says(&self, words: &[&str], text: &str) -> Done {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        Done::of(self.command(words).stdin(file))
    }

    /// Runs OpenSSH's client as it is, but for the folder of its configuration, which it takes from the list of users.
    pub(super) fn ssh(&self, words: &[String]) -> Done {
        let mut command = Command::new("ssh");
        command
            .args(self.options())
            .args(words)
            .stdin(Stdio::null());
        Done::of(&mut self.of_here(command))
    }

    /// The same at a terminal, which util-linux's `script` makes.
    pub(super) fn ssh_at_a_terminal(&self, words: &[String]) -> Done {
        let all = ["ssh".to_owned()].into_iter().chain(self.options());
        let all = all.chain(words.iter().cloned());
        let line: Vec<_> = all.map(|word| format!("'{word}'")).collect();
        let mut command = Command::new("script");
        command
            .args([
                "--quiet",
                "--return",
                "--command",
                &line.join(" "),
                "/dev/null",
            ])
            .stdin(Stdio::null());
        Done::of(&mut self.of_here(command))
    }

    fn options(&self) -> [String; 6] {
        let config = self.home().join(".ssh/config").display().to_string();
        let words = [
            "-F",
            &config,
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
        ];
        words.map(str::to_owned)
    }

    /// What the agent has, a line for each key.
    pub(super) fn keys_of_agent(&self) -> String {
        let mut command = Command::new("ssh-add");
        command.arg("-L").stdin(Stdio::null());
        let listed = Done::of(&mut self.of_here(command));
        match listed.code {
            0 => listed.out,
            _ => String::new(),
        }
    }

    /// From now on the agent takes nothing and gives nothing.
    pub(super) fn lock_agent(&self) {
        let ask = self.home().join("ask");
        fs::write(&ask, "#!/bin/sh\necho word\n").unwrap();
        fs::set_permissions(&ask, PermissionsExt::from_mode(0o700)).unwrap();
        let mut command = Command::new("ssh-add");
        command
            .arg("-x")
            .env("SSH_ASKPASS", &ask)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(Stdio::null());
        let done = Done::of(&mut self.of_here(command));
        assert_eq!(done.code, 0, "{done:?}");
    }

    /// Waits for what was started beside a command, which holds the lock.
    pub(super) fn wait_for_refresh(&self) {
        let lock = File::open(self.place().join("lock")).unwrap();
        lock.lock().unwrap();
    }

    fn of_here(&self, mut command: Command) -> Command {
        command
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            // The data folder of a server that is not there.
            .env("XDG_DATA_HOME", self.home().join("data"));
        for name in [
            "BROWSER",
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "SSH_CONNECTION",
            "SSH_TTY",
        ] {
            command.env_remove(name);
        }
        match &self.agent {
            Some(agent) => command.env("SSH_AUTH_SOCK", &agent.socket),
            None => command.env_remove("SSH_AUTH_SOCK"),
        };
        command
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
