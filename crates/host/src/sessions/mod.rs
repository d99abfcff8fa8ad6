//! Processes and sessions of people on this machine, and ending them.
//!
//! A process belongs to a person when it runs under their number, or when it was started in a session of theirs: the kernel
//! keeps the number that somebody has logged in with (`/proc/PID/loginuid`, pam_loginuid(8)) through `setsid`, `nohup` and
//! `sudo`. Who was root could have changed that, so nothing here can promise that a former administrator left nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

/// What is asked about the processes of people, and done to them.
pub trait Sessions {
    /// How many processes each of these accounts has.
    fn count(&self, uids: &BTreeSet<u32>) -> BTreeMap<u32, u32>;

    /// Ends everything that an account runs, and says how many sessions that were.
    ///
    /// # Errors
    /// When something is still running.
    fn end(&mut self, account: &str, uid: u32) -> io::Result<u32>;
}

/// The processes of this machine.
#[derive(Debug)]
pub struct Machine {
    proc: PathBuf,
}

/// No processes at all: for files that are those of an image.
#[derive(Debug)]
pub struct Nobody;

/// How often it is looked again whether something is left: what was just being started while we looked shows up then.
const ROUNDS: u32 = 40;

/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(25);

/// Rounds in which programs are asked to end by themselves, so that editors can keep what was not saved.
const POLITE_ROUNDS: u32 = 4;

/// What stands for no login and for no session (`AUDIT_UID_UNSET`).
const UNSET: u32 = u32::MAX;

/// A process of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: Pid,
    /// The number of the session in the kernel's eyes, else that of the process that leads it.
    session: u32,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            proc: PathBuf::from("/proc"),
        }
    }
}

impl Sessions for Machine {
    fn count(&self, uids: &BTreeSet<u32>) -> BTreeMap<u32, u32> {
        let mut counts = BTreeMap::new();
        for pid in self.pids() {
            let owners = owners(&self.folder(pid));
            let mut owners = owners.intersection(uids).peekable();
            if owners.peek().is_some() && self.process(pid).is_some() {
                owners.for_each(|uid| *counts.entry(*uid).or_default() += 1);
            }
        }
        counts
    }

    fn end(&mut self, account: &str, uid: u32) -> io::Result<u32> {
        let mut sessions = BTreeSet::new();
        for round in 0..ROUNDS {
            let processes = self.of(uid);
            if processes.is_empty() {
                break;
            }
            if round == 0 {
                logind(account);
            }
            sessions.extend(processes.iter().map(|process| process.session));
            let signal = match round < POLITE_ROUNDS {
                true => Signal::HUP,
                false => Signal::KILL,
            };
            for process in processes {
                self.signal(process.pid, uid, signal)?;
            }
            thread::sleep(PAUSE);
        }
        match self.of(uid).len() {
            0 => Ok(u32::try_from(sessions.len()).unwrap_or(u32::MAX)),
            left => Err(io::Error::other(format!(
                "{left} processes of {account} cannot be ended"
            ))),
        }
    }
}

impl Machine {
    fn pids(&self) -> Vec<Pid> {
        let entries = fs::read_dir(&self.proc).into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.filter_map(Pid::from_raw).collect()
    }

    fn folder(&self, pid: Pid) -> PathBuf {
        self.proc.join(pid.as_raw_nonzero().to_string())
    }

    /// The processes of an account that are still running, without this one.
    fn of(&self, uid: u32) -> Vec<Process> {
        let pids = self.pids().into_iter();
        pids.filter(|pid| *pid != getpid() && owners(&self.folder(*pid)).contains(&uid))
            .filter_map(|pid| self.process(pid))
            .collect()
    }

    /// A process that is running. A zombie is not: only its parent has not noticed.
    fn process(&self, pid: Pid) -> Option<Process> {
        let folder = self.folder(pid);
        let (state, leader) = state(&fs::read_to_string(folder.join("stat")).ok()?)?;
        let audit = number(&folder.join("sessionid")).filter(|session| *session != UNSET);
        (state != 'Z').then(|| Process {
            pid,
            session: audit.unwrap_or(leader),
        })
    }

    /// Sends a signal to a process if it still is the one that was seen: its number could have become another's.
    fn signal(&self, pid: Pid, uid: u32, signal: Signal) -> io::Result<()> {
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
            return Ok(());
        };
        if !owners(&self.folder(pid)).contains(&uid) {
            return Ok(());
        }
        match pidfd_send_signal(process, signal).map_err(io::Error::from) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
            _ => Ok(()),
        }
    }
}

impl Sessions for Nobody {
    fn count(&self, _uids: &BTreeSet<u32>) -> BTreeMap<u32, u32> {
        BTreeMap::new()
    }

    fn end(&mut self, _account: &str, _uid: u32) -> io::Result<u32> {
        Ok(0)
    }
}

/// The numbers that a process runs under, and the one that its session was begun with.
fn owners(folder: &Path) -> BTreeSet<u32> {
    let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let uids = line.unwrap_or_default().split_ascii_whitespace();
    let mut owners: BTreeSet<u32> = uids.filter_map(|uid| uid.parse().ok()).collect();
    owners.extend(number(&folder.join("loginuid")).filter(|uid| *uid != UNSET));
    owners
}

fn number(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The state of a process and the leader of its session (proc_pid_stat(5)). The name in between can hold anything.
fn state(stat: &str) -> Option<(char, u32)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let leader = fields.nth(2)?.parse().ok()?;
    Some((state, leader))
}

/// Where logind runs it knows sessions by itself, and services that go on without one. What it does not end, we do.
fn logind(account: &str) {
    if !Path::new("/run/systemd/seats").is_dir() {
        return;
    }
    for verb in ["disable-linger", "terminate-user"] {
        let _ = Command::new("loginctl")
            .args([verb, account])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder like `/proc`, by lines of: process, state, leader, numbers it runs under, number of login, session.
    fn machine(processes: &[(i32, char, u32, &str, u32, u32)]) -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        for (pid, state, leader, uids, login, session) in processes {
            let own = folder.path().join(pid.to_string());
            fs::create_dir(&own).unwrap();
            let put = |name: &str, text: String| fs::write(own.join(name), text).unwrap();
            put(
                "status",
                format!("Name:\tbash\nUid:\t{uids}\nGid:\t0\t0\t0\t0\n"),
            );
            put(
                "stat",
                format!("{pid} (a) b) ({state}) {state} 1 {pid} {leader} 0"),
            );
            put("loginuid", format!("{login}"));
            put("sessionid", format!("{session}\n"));
        }
        fs::write(folder.path().join("version"), "Linux").unwrap();
        let proc = folder.path().to_owned();
        (folder, Machine { proc })
    }

    #[test]
    fn processes_are_found_by_who_runs_them_and_by_who_has_logged_in() {
        let (_folder, machine) = machine(&[
            (10, 'S', 10, "70001\t70001\t70001\t70001", 70_001, 4),
            (11, 'R', 11, "0\t0\t0\t0", 70_001, 4),
            (12, 'S', 12, "70001\t70001\t70001\t70001", UNSET, UNSET),
            (13, 'S', 13, "0\t70001\t0\t0", 1_000, 5),
            (14, 'Z', 14, "70001\t70001\t70001\t70001", 70_001, 6),
            (15, 'S', 15, "700010\t0\t0\t0", 700_010, 7),
            (16, 'S', 16, "0\t0\t0\t0", UNSET, UNSET),
        ]);
        let found: Vec<(i32, u32)> = machine
            .of(70_001)
            .iter()
            .map(|process| (process.pid.as_raw_nonzero().get(), process.session))
            .collect();
        let mut sorted = found;
        sorted.sort_unstable();
        assert_eq!(sorted, [(10, 4), (11, 4), (12, 12), (13, 5)]);
        let counts = machine.count(&[70_001, 700_010, 5].into());
        assert_eq!(counts, [(70_001, 4), (700_010, 1)].into());
    }

    #[test]
    fn nobody_is_ended_where_nobody_is() {
        let (_folder, mut machine) = machine(&[(16, 'S', 16, "0\t0\t0\t0", UNSET, UNSET)]);
        assert_eq!(machine.end("ada", 70_001).unwrap(), 0);
    }

    #[test]
    fn processes_end_with_those_that_they_have_hidden() {
        use std::os::unix::process::CommandExt;

        // Only root may run something as somebody else; the stories of managed machines show the same there.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        const SOMEBODY: u32 = 4_000_123_456;
        let mut shell = Command::new("/bin/sh")
            .args([
                "-c",
                "trap '' HUP TERM; setsid sleep 600 & nohup sleep 600 & sleep 600",
            ])
            .uid(SOMEBODY)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut machine = Machine::default();
        while machine.count(&[SOMEBODY].into()).get(&SOMEBODY) < Some(&4) {
            thread::yield_now();
        }
        let ended = machine.end("somebody", SOMEBODY).unwrap();
        assert!(ended >= 2, "one for each leader: {ended}");
        shell.wait().unwrap();
        assert_eq!(machine.count(&[SOMEBODY].into()), BTreeMap::new());
    }
}
