//! The agent that keeps a person's keys (the SSH agent protocol, draft-ietf-sshm-ssh-agent): takes a key with its
//! certificate for as long as the certificate is good, says whether it has one, and forgets it.

use crate::environment;
use ssh_encoding::{Decode, Encode};
use ssh_key::certificate::Certificate;
use ssh_key::private::Ed25519Keypair;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// An agent may ask its person before it takes a key; nobody is waited for longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// OpenSSH's own limit of an answer.
const MAX_ANSWER: usize = 256 * 1024;

// Section 6.1 of the draft, and 6.2 for the constraint.
const FAILURE: u8 = 5;
const SUCCESS: u8 = 6;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const REMOVE_IDENTITY: u8 = 18;
const ADD_ID_CONSTRAINED: u8 = 25;
const CONSTRAIN_LIFETIME: u8 = 1;

/// A connection to an agent.
#[derive(Debug)]
pub(super) struct Agent {
    stream: UnixStream,
}

impl Agent {
    /// The agent of this session, where there is one that answers at all.
    pub(super) fn of_session() -> Option<Self> {
        let socket = environment::var("SSH_AUTH_SOCK")?;
        Self::at(Path::new(&socket)).ok()
    }

    fn at(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Gives a key with its certificate to the agent, which forgets it after so many seconds. Whether the agent took it.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub(super) fn add(
        &mut self,
        pair: &Ed25519Keypair,
        certificate: &Certificate,
        comment: &str,
        seconds: u32,
    ) -> io::Result<bool> {
        let blob = certificate.to_bytes().map_err(malformed)?;
        // Large enough that no part of the key is left behind where it grew.
        let mut request = Zeroizing::new(Vec::with_capacity(4096 + blob.len()));
        request.push(ADD_ID_CONSTRAINED);
        let encoded = certificate
            .algorithm()
            .to_certificate_type()
            .encode(&mut *request)
            .and_then(|()| blob.encode(&mut *request))
            .and_then(|()| pair.encode(&mut *request))
            .and_then(|()| comment.encode(&mut *request))
            .and_then(|()| CONSTRAIN_LIFETIME.encode(&mut *request))
            .and_then(|()| seconds.encode(&mut *request));
        encoded.map_err(malformed)?;
        self.is_done(&request)
    }

    /// Whether the agent has the private key of this key or certificate, by its wire form.
    ///
    /// # Errors
    /// When the agent does not answer as an agent does.
    pub(super) fn has(&mut self, blob: &[u8]) -> io::Result<bool> {
        let answer = self.ask(&[REQUEST_IDENTITIES])?;
        let [IDENTITIES_ANSWER, list @ ..] = &answer[..] else {
            return Err(malformed("it lists no keys"));
        };
        let mut list = list;
        let reader = &mut list;
        let count = u32::decode(reader).map_err(malformed)?;
        for _ in 0..count {
            let listed = Vec::<u8>::decode(reader).map_err(malformed)?;
            let _comment = Vec::<u8>::decode(reader).map_err(malformed)?;
            if listed == blob {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Has the agent forget a key or certificate, by its wire form. Whether it had it.
    ///
    /// # Errors
    /// When the agent does not answer.
    pub(super) fn remove(&mut self, blob: &[u8]) -> io::Result<bool> {
        let mut request = vec![REMOVE_IDENTITY];
        blob.encode(&mut request).map_err(malformed)?;
        self.is_done(&request)
    }

    fn is_done(&mut self, request: &[u8]) -> io::Result<bool> {
        match self.ask(request)?[..] {
            [SUCCESS] => Ok(true),
            [FAILURE] => Ok(false),
            _ => Err(malformed("it says neither yes nor no")),
        }
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let length = u32::try_from(request.len()).map_err(malformed)?;
        self.stream.write_all(&length.to_be_bytes())?;
        self.stream.write_all(request)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(malformed)?;
        if length > MAX_ANSWER {
            return Err(malformed("its answer is too long"));
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        Ok(answer)
    }
}

fn malformed(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread;

    /// What `has` says to an agent that answers like this.
    fn has(answer: Vec<u8>) -> io::Result<bool> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        let agent = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 5];
            stream.read_exact(&mut request).unwrap();
            assert_eq!(request, [0, 0, 0, 1, REQUEST_IDENTITIES]);
            stream.write_all(&answer).unwrap();
        });
        let found = Agent::at(&socket).unwrap().has(b"key");
        agent.join().unwrap();
        found
    }

    #[test]
    fn an_agent_is_understood_and_not_trusted() {
        let listed = [
            &[0, 0, 0, 29, IDENTITIES_ANSWER, 0, 0, 0, 2][..],
            &[0, 0, 0, 5],
            b"other",
            &[0, 0, 0, 0],
            &[0, 0, 0, 3],
            b"key",
            &[0, 0, 0, 0],
        ]
        .concat();
        let none = vec![0, 0, 0, 5, IDENTITIES_ANSWER, 0, 0, 0, 0];
        let more_than_there_are = vec![0, 0, 0, 5, IDENTITIES_ANSWER, 0, 0, 0, 9];
        let long = vec![
            0,
            0,
            0,
            9,
            IDENTITIES_ANSWER,
            0,
            0,
            0,
            1,
            255,
            255,
            255,
            255,
        ];
        for (name, answer, expected) in [
            ("has it", listed, Some(true)),
            ("has none", none, Some(false)),
            ("counts wrongly", more_than_there_are, None),
            ("a key longer than the answer", long, None),
            ("refuses", vec![0, 0, 0, 1, FAILURE], None),
            ("says nothing", vec![0, 0, 0, 0], None),
            ("a giant answer", vec![255, 255, 255, 255], None),
            ("ends", vec![0, 0], None),
        ] {
            assert_eq!(has(answer).ok(), expected, "{name}");
        }
    }
}
