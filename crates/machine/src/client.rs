//! The computer that somebody logs in from.

use crate::{Error, Machine, Said};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// Follows what a command in an open session printed, with its exit code.
const MARK: &str = "-- ended with ";

/// What `ssh` is told each time (ssh_config(5)).
const OPTIONS: [&str; 9] = [
    "HostName=127.0.0.1",
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "PreferredAuthentications=publickey",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=none",
    "CheckHostIP=no",
    "LogLevel=ERROR",
    // The usual one takes twice as long, and is not what is looked at.
    "KexAlgorithms=curve25519-sha256",
];

/// Somebody's folder with keys, certificates and known hosts.
#[derive(Debug)]
pub struct Client {
    folder: TempDir,
}

impl Client {
    /// One that knows nobody yet.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn new() -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("portreeve-client-")
            .tempdir();
        let folder = folder.map_err(Error::io("a folder for a client cannot be made"))?;
        fs::write(folder.path().join("known_hosts"), "")
            .map_err(Error::io("a client's known_hosts cannot be written"))?;
        Ok(Self { folder })
    }

    /// Where a file of its is.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) -> Result<(), Error> {
        let what = format!("{file} of a client cannot be written");
        fs::write(self.path(file), text).map_err(Error::io(what))
    }

    /// The public key that somebody logs in with, as a line; made the first time. A certificate for it is
    /// `NAME-cert.pub` beside it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn key(&self, name: &str) -> Result<String, Error> {
        let public = self.path(&format!("{name}.pub"));
        if !public.exists() {
            let mut keygen = self.program("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name]);
            finished(&mut keygen)?.text()?;
        }
        let line = fs::read_to_string(public).map_err(Error::io("a key cannot be read"))?;
        Ok(line.trim_end().to_owned())
    }

    /// Knows a machine by the key it has now.
    ///
    /// # Errors
    /// If it cannot be asked, or nothing be written.
    pub fn know(&self, machine: &Machine) -> Result<(), Error> {
        self.expect(&format!("{} {}", machine.name(), machine.host_key()?))
    }

    /// Adds a line to what it knows hosts by, such as `@cert-authority * ssh-ed25519 AAAA…`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn expect(&self, line: &str) -> Result<(), Error> {
        let known = self.path("known_hosts");
        let mut text = fs::read_to_string(&known)
            .map_err(Error::io("a client's known_hosts cannot be read"))?;
        text.push_str(line);
        text.push('\n');
        self.write("known_hosts", text)
    }

    /// A program of the system, in the client's folder, to be started.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .current_dir(self.folder.path())
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null());
        command
    }

    /// `ssh` to an account of a machine, with the account's key unless another one is named as `KEY:ACCOUNT`; to be given
    /// further words.
    #[must_use]
    pub fn ssh(&self, machine: &Machine, who: &str) -> Command {
        let (key, account) = who.split_once(':').unwrap_or((who, who));
        let mut ssh = self.program("ssh");
        ssh.args(["-F", "none", "-i", key, "-l", account]);
        for option in self.options(machine) {
            ssh.args(["-o", &option]);
        }
        ssh.arg(machine.name());
        ssh
    }

    /// The same for people who try it themselves: a file for `ssh -F`, with the client's keys of these names.
    #[must_use]
    pub fn config(&self, machine: &Machine, keys: &[&str]) -> String {
        let options = self.options(machine);
        let keys = keys.iter().map(|key| {
            let path = self.path(key);
            format!("IdentityFile=\"{}\"", path.display())
        });
        let lines: Vec<String> = options.into_iter().chain(keys).collect();
        format!("Host {}\n    {}\n", machine.name(), lines.join("\n    "))
    }

    fn options(&self, machine: &Machine) -> Vec<String> {
        let known = self.path("known_hosts");
        let mut options = vec![
            format!("Port={}", machine.port()),
            // As hosts are known where each has an address of its own.
            format!("HostKeyAlias={}", machine.name()),
            format!("UserKnownHostsFile=\"{}\"", known.display()),
        ];
        options.extend(OPTIONS.map(str::to_owned));
        options
    }

    /// Logs in and runs a command. `who` as in [`ssh`](Self::ssh).
    ///
    /// # Errors
    /// If `ssh` cannot be run; how it ends is in the answer: 255 when it did not come in.
    pub fn log_in(&self, machine: &Machine, who: &str, command: &str) -> Result<Said, Error> {
        finished(self.ssh(machine, who).arg(command))
    }

    /// Whether somebody gets in. `who` as in [`ssh`](Self::ssh).
    ///
    /// # Errors
    /// If `ssh` cannot be run.
    pub fn gets_in(&self, machine: &Machine, who: &str) -> Result<bool, Error> {
        Ok(self.log_in(machine, who, "true")?.good())
    }

    /// Logs in and stays. `who` as in [`ssh`](Self::ssh).
    ///
    /// # Errors
    /// If nobody is let in.
    pub fn open(&self, machine: &Machine, who: &str) -> Result<Session, Error> {
        let mut ssh = self.ssh(machine, who);
        let mut process = ssh
            .arg("exec /bin/sh 2>&1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io("ssh cannot be run"))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Error::Failed("ssh has no input or output".to_owned()));
        };
        let mut session = Session {
            process,
            input,
            output: BufReader::new(output),
        };
        session.run(":")?;
        Ok(session)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A shell on a machine that somebody has open. It ends with its owner.
#[derive(Debug)]
pub struct Session {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Runs a command in it, to its end.
    ///
    /// # Errors
    /// If the session is over.
    pub fn run(&mut self, command: &str) -> Result<Said, Error> {
        let line = format!("( {command} ) </dev/null; echo \"{MARK}$?\"\n");
        if self.input.write_all(line.as_bytes()).is_err() {
            return Err(self.over(""));
        }
        let mut out = String::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap_or(0) == 0 {
                return Err(self.over(&out));
            }
            // What came before it need not have ended its line.
            match line.rsplit_once(MARK) {
                Some((before, code)) => {
                    out.push_str(before);
                    let code = code.trim_end().parse().ok();
                    return Ok(Said {
                        code,
                        out,
                        err: String::new(),
                    });
                }
                None => out.push_str(&line),
            }
        }
    }

    fn over(&mut self, out: &str) -> Error {
        let mut said = String::new();
        if let Some(mut errors) = self.process.stderr.take() {
            let _ = errors.read_to_string(&mut said);
        }
        Error::Failed(format!("the session is over: {out}{}", said.trim_end()))
    }

    /// Whether it is over.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub fn is_over(&mut self) -> Result<bool, Error> {
        let ended = self.process.try_wait();
        Ok(ended.map_err(Error::io("ssh cannot be asked"))?.is_some())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn finished(command: &mut Command) -> Result<Said, Error> {
    let output = command.output();
    let program = command.get_program().to_string_lossy().into_owned();
    let what = format!("{program} cannot be run");
    Ok(output.map_err(Error::io(what))?.into())
}
