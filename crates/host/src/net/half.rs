//! The other half, as this one sees it.

use crate::wire::{Answer, MAX_LINE, Request};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long an answer may take: documents of twenty thousand accounts, and sessions that do not want to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whoever applies what is signed.
pub trait Half: Send + Sync {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When it cannot be reached, or its answer is none.
    fn ask(&self, request: &Request) -> io::Result<Answer>;
}

/// The one that listens at a socket.
#[derive(Debug)]
pub struct Socket(PathBuf);

impl Socket {
    /// At this path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Half for Socket {
    fn ask(&self, request: &Request) -> io::Result<Answer> {
        let mut stream = UnixStream::connect(&self.0)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        BufReader::new(stream.take(MAX_LINE)).read_until(b'\n', &mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}
