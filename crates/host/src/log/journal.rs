//! The journal of systemd, by way of `journalctl`.

use super::lines::{Line, Program};
use jiff::Timestamp;
use serde::Deserialize;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Where distributions have the program.
const PROGRAM: &str = "/usr/bin/journalctl";

/// Which machine this is: others may have sent their journals here (machine-id(5)).
const MACHINE: &str = "/etc/machine-id";

/// Entries as they come.
#[derive(Debug)]
pub struct Journal {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// One entry that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The line; `None`: it is not by the program that it claims to be by.
    pub line: Option<Line>,
    /// When it was written.
    pub at: Timestamp,
    /// Where it stands.
    pub cursor: String,
}

/// What is read of an entry (systemd.journal-fields(7)). What begins with an underscore says the journal, not the writer.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__CURSOR")]
    cursor: String,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: String,
    #[serde(rename = "SYSLOG_IDENTIFIER", default)]
    name: String,
    /// A text that is none comes as a list of numbers.
    #[serde(rename = "MESSAGE", default)]
    text: serde_json::Value,
    #[serde(rename = "_PID", default)]
    pid: String,
    #[serde(rename = "_UID")]
    uid: Option<String>,
    #[serde(rename = "_EXE")]
    executable: Option<String>,
}

impl Journal {
    /// Begins after a place, or now.
    ///
    /// # Errors
    /// When there is no journal.
    pub fn follow(after: Option<&str>) -> io::Result<Self> {
        let mut command = Command::new(PROGRAM);
        command.args(["--output=json", "--follow", "--quiet", "--all"]);
        // Of every start of this machine: in a container that systemd runs, the sandbox of our unit hides which one this is.
        if let Ok(machine) = fs::read_to_string(MACHINE) {
            command.args(["--merge", &format!("_MACHINE_ID={}", machine.trim())]);
        }
        match after {
            Some(cursor) => command
                .arg("--no-tail")
                .arg(format!("--after-cursor={cursor}")),
            None => command.arg("--lines=0"),
        };
        for name in ["sshd", "sshd-session", "sudo"] {
            command.arg(format!("SYSLOG_IDENTIFIER={name}"));
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take();
        let stdout = stdout.ok_or_else(|| io::Error::other("journalctl has no output"))?;
        Ok(Self {
            child,
            lines: BufReader::new(stdout),
        })
    }

    /// Waits for the next entry; `None`: there will be none.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn wait(&mut self) -> io::Result<Option<Found>> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            if let Some(found) = parse(&line) {
                return Ok(Some(found));
            }
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An entry from its line.
pub fn parse(line: &[u8]) -> Option<Found> {
    let entry: Entry = serde_json::from_slice(line).ok()?;
    let at = Timestamp::from_microsecond(entry.at.parse().ok()?).ok()?;
    let program = Program::named(&entry.name)
        .filter(|program| program.is(entry.executable.as_deref(), entry.uid.as_deref()));
    let line = program.and_then(|program| {
        Some(Line {
            program,
            pid: entry.pid.parse().ok()?,
            text: entry.text.as_str()?.to_owned(),
        })
    });
    Some(Found {
        line,
        at,
        cursor: entry.cursor,
    })
}
