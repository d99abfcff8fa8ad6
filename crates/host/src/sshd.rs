//! The `sshd` of this machine, as far as the agent has to do with it.

use crate::paths::Paths;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where distributions have the program; it is seldom on the search path.
const PROGRAMS: &[&str] = &["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

/// Where it writes its number, unless its configuration says otherwise (sshd_config(5), `PidFile`).
const PID_FILES: &[&str] = &["/run/sshd.pid", "/var/run/sshd.pid"];

/// What the agent asks of `sshd`.
pub trait Sshd {
    /// Whether it would start with the files as they are (`sshd -t`).
    ///
    /// # Errors
    /// When it would not, or cannot be asked.
    fn check(&self) -> Result<(), Fault>;

    /// Has the one that listens read its files again. Open sessions stay.
    ///
    /// # Errors
    /// When it cannot be told, or would end because it does not take them.
    fn reload(&self) -> Result<Reloaded, Fault>;

    /// Its effective configuration (`sshd -T`) as lines of a keyword in lower case and its value, for a user that is given
    /// as `user=…,host=…,addr=…`, else outside all `Match` blocks.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn effective(&self, connection: Option<&str>) -> Result<String, Fault>;
}

/// What became of a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// It was told.
    Told,
    /// None is running that would have to be told: the next connection starts one.
    NotRunning,
}

/// Why `sshd` does not do what it is to do.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error("sshd is not installed; install the package openssh-server")]
    Missing,
    /// It does not take its configuration.
    #[error("sshd does not take its configuration: {0}")]
    Refused(String),
    /// It could not be started or told.
    #[error("sshd cannot be asked: {0}")]
    Io(#[from] std::io::Error),
}

/// The one that is installed on this machine.
#[derive(Debug)]
pub struct Installed {
    paths: Paths,
}

/// None: for files that are no machine's, such as those of an image. Everything is right, nothing is told.
#[derive(Debug)]
pub struct Absent;

impl Installed {
    /// The one below this root.
    pub fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
        }
    }

    fn ask(&self, arguments: &[&str]) -> Result<Output, Fault> {
        let program = program(&self.paths).ok_or(Fault::Missing)?;
        Ok(Command::new(program)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .output()?)
    }

    /// The one that listens, by its file; a number that another program has by now is not it.
    fn listening(&self) -> Option<Pid> {
        let read = |path: PathBuf| {
            let pid = fs::read_to_string(path).ok()?.trim().parse().ok()?;
            let pid = Pid::from_raw(pid)?;
            let name = fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).ok()?;
            (name.trim() == "sshd").then_some(pid)
        };
        PID_FILES
            .iter()
            .find_map(|path| read(self.paths.at(Path::new(path))))
    }
}

impl Sshd for Installed {
    fn check(&self) -> Result<(), Fault> {
        let output = self.ask(&["-t"])?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Fault::Refused(said(&output))),
        }
    }

    fn reload(&self) -> Result<Reloaded, Fault> {
        let Some(pid) = self.listening() else {
            return Ok(Reloaded::NotRunning);
        };
        // It would not go on with files that it does not take: it would end, and nobody could log in any more.
        self.check()?;
        kill_process(pid, Signal::HUP).map_err(std::io::Error::from)?;
        Ok(Reloaded::Told)
    }

    fn effective(&self, connection: Option<&str>) -> Result<String, Fault> {
        let mut arguments = vec!["-T"];
        if let Some(connection) = connection {
            arguments.extend(["-C", connection]);
        }
        let output = self.ask(&arguments)?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Fault::Refused(said(&output))),
        }
    }
}

impl Sshd for Absent {
    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn reload(&self) -> Result<Reloaded, Fault> {
        Ok(Reloaded::NotRunning)
    }

    fn effective(&self, _connection: Option<&str>) -> Result<String, Fault> {
        Err(Fault::Missing)
    }
}

/// Where the program is.
pub(crate) fn program(paths: &Paths) -> Option<PathBuf> {
    let mut programs = PROGRAMS.iter().map(|path| paths.at(path));
    programs.find(|path| path.is_file())
}

/// What a program said about its failure, in one line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join("; ")
}
