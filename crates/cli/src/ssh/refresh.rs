//! What is done beside an `ssh`, which does not wait for it: the list of hosts is asked for again, and a certificate most
//! of whose time is over is renewed.

use super::certify::{self, Ask};
use super::place::Place;
use super::{hosts, key};
use crate::Global;
use crate::failure::{Code, Failure};
use crate::time;
use jiff::Timestamp;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// A server that is away is asked no more often (seconds).
const INTERVAL: i64 = 60;

/// Starts it, unless it was started a moment ago. Nobody waits for it: this process ends first.
pub(super) fn beside(place: &Place, now: Timestamp) {
    if !place.is_time(now, INTERVAL) {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let started = Command::new(program)
        .args(place.flags())
        .args(["ssh", "refresh"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What is typed at the terminal is for ssh.
        .process_group(0)
        .spawn();
    // Without it the list is old for longer, nothing else.
    drop(started);
}

/// `portreeve ssh refresh`.
pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let mut place = Place::of(global)?;
    // Whoever gets a certificate now asks for the hosts, too.
    let Some(lock) = place.try_lock() else {
        return Ok(());
    };
    if let Err(failure) = hosts::ask(&place) {
        // The session was ended, and what was certified by it goes with it.
        if failure.code == Code::NotSignedIn {
            key::forget(&place)?;
        }
        return Err(failure);
    }
    let now = time::now();
    let Some((mut certificate, _)) = key::usable(&place, now) else {
        return Ok(());
    };
    if key::is_due(&certificate, now) {
        certificate = certify::renew(&mut place, Ask::Nobody, &lock)?.0;
    }
    certify::write_files(&place, &certificate)
}
