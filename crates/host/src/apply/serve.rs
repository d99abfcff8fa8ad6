//! The socket by which the half on the network reaches the half with root's rights.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use jiff::Timestamp;
use rustix::net::sockopt::socket_peercred;
use rustix::process::Uid;

use super::{Half, refused};
use crate::wire::{Answer, MAX_LINE};

/// How long one who has connected may take to ask, and to hear the answer: others wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket that listens, and who may speak on it beside root.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: UnixListener,
    /// The number of the account that the half on the network runs under.
    pub peer: Option<u32>,
}

/// Answers whoever connects, one after the other, for as long as the socket is there. `clock` tells the time.
///
/// # Errors
/// When nobody can connect any more.
pub fn serve(
    listener: &Listener,
    half: &mut Half,
    clock: impl Fn() -> Timestamp,
) -> io::Result<()> {
    loop {
        let (stream, _) = listener.socket.accept()?;
        if !may_speak(&stream, listener.peer) {
            continue;
        }
        // Whoever hangs up in the middle has not heard the answer and asks again.
        let _ = converse(&stream, half, &clock);
    }
}

/// The kernel says who has connected; nobody can pretend.
fn may_speak(stream: &UnixStream, peer: Option<u32>) -> bool {
    socket_peercred(stream).is_ok_and(|credentials| {
        let uid = credentials.uid;
        uid.is_root() || uid == rustix::process::geteuid() || peer.map(Uid::from_raw) == Some(uid)
    })
}

/// Answers one line with one line.
fn converse(stream: &UnixStream, half: &mut Half, clock: impl Fn() -> Timestamp) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = Vec::new();
    BufReader::new(stream.take(MAX_LINE)).read_until(b'\n', &mut line)?;
    let answer = match serde_json::from_slice(&line) {
        Ok(request) => half.handle(request, clock()),
        Err(error) => Answer::Refused(refused("request", error)),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    (&*stream).write_all(&text)
}
