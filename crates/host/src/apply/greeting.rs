//! What `sshd` says to a client before anybody logs in: which version it is, and which key it shows.
//!
//! `sshd -t` does not mind a certificate that is none, so it is asked as a client would ask: a new one is started on a socket,
//! reads the files as they are now, and is talked to as far as the message that holds its key (RFC 4253 section 7, RFC 5656
//! section 4). No secret is agreed upon, so no key of ours and no randomness is needed, and the network is not either.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::paths::Paths;

/// What is asked of `sshd` before anybody logs in.
pub trait Greeter {
    /// Its version; `None`: there is none, or it does not say.
    fn version(&self) -> Option<(u32, u32)>;

    /// The key or certificate that it shows to a client that takes only those of this algorithm.
    ///
    /// # Errors
    /// When it has none, or cannot be asked.
    fn shows(&self, algorithm: &str) -> Result<Vec<u8>, Silence>;
}

/// Why nothing is known about what `sshd` shows.
#[derive(Debug, thiserror::Error)]
pub enum Silence {
    /// It has nothing of this algorithm to show.
    #[error("sshd shows no key or certificate of the type {0}")]
    None(String),
    /// It cannot be asked, which says nothing about what it shows.
    #[error("sshd cannot be asked what it shows: {0}")]
    Unasked(#[from] io::Error),
}

/// The one that is installed on this machine.
#[derive(Debug)]
pub(super) struct Installed {
    paths: Paths,
}

/// None: for files that are those of an image.
#[derive(Debug)]
pub struct NoGreeter;

/// How long each answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest message that is read, in bytes (RFC 4253 section 6.1 has implementations read 35,000).
const MAX_PACKET: usize = 256 * 1024;

/// Messages (RFC 4250 section 4.1.2).
const DISCONNECT: u8 = 1;
const KEXINIT: u8 = 20;
const KEX_ECDH_INIT: u8 = 30;
const KEX_ECDH_REPLY: u8 = 31;

/// A key exchange and a public key for it: the base point of its curve, whose secret everybody knows.
const EXCHANGES: [(&str, &[u8]); 2] = [
    ("curve25519-sha256", &CURVE25519_BASE),
    ("ecdh-sha2-nistp256", &P256_BASE),
];

/// RFC 7748 section 4.1.
const CURVE25519_BASE: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 9;
    point
};

/// SEC 2 section 2.4.2, uncompressed.
const P256_BASE: [u8; 65] = [
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
    0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
    0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
    0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
    0xf5,
];

const CIPHERS: &str = "aes128-ctr,aes256-ctr,chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com";

const MACS: &str = "hmac-sha2-256,hmac-sha2-512,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1";

impl Installed {
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
        }
    }

    fn command(&self) -> io::Result<Command> {
        let program = crate::sshd::program(&self.paths).ok_or(ErrorKind::NotFound)?;
        let mut command = Command::new(program);
        command.env_clear();
        Ok(command)
    }
}

impl Greeter for Installed {
    fn version(&self) -> Option<(u32, u32)> {
        // Those before 9.2 do not know the option, and say their version with the options that they know.
        let output = self.command().ok()?.arg("-V").stdin(Stdio::null()).output();
        version_in(&String::from_utf8_lossy(&output.ok()?.stderr))
    }

    fn shows(&self, algorithm: &str) -> Result<Vec<u8>, Silence> {
        ask(self.command()?, algorithm)
    }
}

impl Greeter for NoGreeter {
    fn version(&self) -> Option<(u32, u32)> {
        None
    }

    fn shows(&self, _algorithm: &str) -> Result<Vec<u8>, Silence> {
        Err(Silence::Unasked(ErrorKind::NotFound.into()))
    }
}

/// Starts a server on a socket and asks it.
fn ask(mut sshd: Command, algorithm: &str) -> Result<Vec<u8>, Silence> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(PATIENCE))?;
    ours.set_write_timeout(Some(PATIENCE))?;
    let input = OwnedFd::from(theirs.try_clone()?);
    sshd.arg("-i")
        .stdin(input)
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null());
    let mut child = sshd.spawn()?;
    // It keeps the other end open, which would have us wait for one that has ended.
    drop(sshd);
    let shown = greet(&ours, algorithm);
    let _ = child.kill();
    let _ = child.wait();
    shown
}

/// The version in a text such as `OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19`.
fn version_in(text: &str) -> Option<(u32, u32)> {
    let (_, rest) = text.split_once("OpenSSH_")?;
    let (major, rest) = rest.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Talks to a server as far as the key that it shows.
fn greet<S>(stream: &S, algorithm: &str) -> Result<Vec<u8>, Silence>
where
    for<'s> &'s S: Read + Write,
{
    let mut stream = stream;
    stream.write_all(b"SSH-2.0-portreeve\r\n")?;
    identification(&mut stream)?;
    send(&mut stream, &proposal(algorithm))?;
    let theirs = receive(&mut stream, KEXINIT)?;
    let [exchanges, keys, ..] = lists(&theirs)?;
    if !keys.split(',').any(|key| key == algorithm) {
        return Err(Silence::None(algorithm.to_owned()));
    }
    let known = |(name, _): &&(&str, &[u8])| exchanges.split(',').any(|exchange| exchange == *name);
    let Some((_, point)) = EXCHANGES.iter().find(known) else {
        return Err(unasked("it knows no key exchange that we know").into());
    };
    let mut init = vec![KEX_ECDH_INIT];
    string(&mut init, point);
    send(&mut stream, &init)?;
    let reply = receive(&mut stream, KEX_ECDH_REPLY)?;
    let (key, _) = take_string(&reply)?;
    Ok(key.to_vec())
}

/// Reads the line by which a server says what it is; others may stand before it (RFC 4253 section 4.2).
fn identification(stream: &mut impl Read) -> io::Result<()> {
    let mut line = Vec::new();
    for _ in 0..MAX_PACKET {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        match byte {
            [b'\n'] if line.starts_with(b"SSH-") => return Ok(()),
            [b'\n'] => line.clear(),
            [byte] => line.push(byte),
        }
    }
    Err(unasked("it does not say what it is"))
}

/// What we take (RFC 4253 section 7.1). The cookie makes exchanges differ that agree upon a secret; this one does not.
fn proposal(algorithm: &str) -> Vec<u8> {
    let exchanges = EXCHANGES.map(|(name, _)| name).join(",");
    let lists = [
        exchanges.as_str(),
        algorithm,
        CIPHERS,
        CIPHERS,
        MACS,
        MACS,
        "none",
        "none",
        "",
        "",
    ];
    let mut message = vec![KEXINIT];
    message.extend([0; 16]);
    for list in lists {
        string(&mut message, list.as_bytes());
    }
    message.extend([0; 5]);
    message
}

/// The first two lists of a server's proposal: its key exchanges and the types of its keys.
fn lists(message: &[u8]) -> io::Result<[String; 2]> {
    let rest = message.get(16..).ok_or_else(|| unasked(CUT_SHORT))?;
    let (exchanges, rest) = take_string(rest)?;
    let (keys, _) = take_string(rest)?;
    Ok([exchanges, keys].map(|list| String::from_utf8_lossy(list).into_owned()))
}

/// A message in a packet without encryption (RFC 4253 section 6).
fn send(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let padding = 8 - (message.len() + 5) % 8;
    let padding = if padding < 4 { padding + 8 } else { padding };
    let length = message.len() + padding + 1;
    let mut packet = u32::try_from(length)
        .map_err(|_| ErrorKind::InvalidInput)?
        .to_be_bytes()
        .to_vec();
    packet.push(u8::try_from(padding).map_err(|_| ErrorKind::InvalidInput)?);
    packet.extend(message);
    packet.resize(packet.len() + padding, 0);
    stream.write_all(&packet)
}

/// The next message of a kind, without its number. Others may come between (RFC 4253 section 11).
fn receive(stream: &mut impl Read, kind: u8) -> io::Result<Vec<u8>> {
    for _ in 0..16 {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_PACKET {
            return Err(unasked("it sends more than a message can hold"));
        }
        let mut packet = vec![0; length];
        stream.read_exact(&mut packet)?;
        let padding = packet.first().copied().map(usize::from);
        let end = padding.and_then(|padding| length.checked_sub(padding));
        let message = end.and_then(|end| packet.get(1..end));
        match message.and_then(<[u8]>::split_first) {
            Some((found, rest)) if *found == kind => return Ok(rest.to_vec()),
            Some((&DISCONNECT, _)) | None => return Err(unasked("it hangs up")),
            Some(_) => {}
        }
    }
    Err(unasked("it says other things than it is asked"))
}

const CUT_SHORT: &str = "a message of it is cut short";

fn string(message: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    message.extend(length.to_be_bytes());
    message.extend(bytes);
}

fn take_string(bytes: &[u8]) -> io::Result<(&[u8], &[u8])> {
    let (length, rest) = bytes
        .split_first_chunk()
        .ok_or_else(|| unasked(CUT_SHORT))?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at_checked(length)
        .ok_or_else(|| unasked(CUT_SHORT))
}

fn unasked(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn versions_are_found_in_what_sshd_says() {
        let old =
            "unknown option -- V\nOpenSSH_8.4p1 Debian-5+deb11u3, OpenSSL 1.1.1w\nusage: sshd";
        let cases = [
            (
                "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19",
                Some((9, 2)),
            ),
            (old, Some((8, 4))),
            ("OpenSSH_10.0p2, OpenSSL 3.5", Some((10, 0))),
            ("dropbear", None),
        ];
        for (text, version) in cases {
            assert_eq!(version_in(text), version, "{text}");
        }
        let installed = Installed::new(&Paths::new("/")).version();
        assert!(
            installed.is_some_and(|version| version > (7, 0)),
            "sshd is needed: {installed:?}"
        );
    }

    #[test]
    fn sshd_shows_the_certificate_that_its_configuration_names() {
        // Where it shuts in the part of it that talks to the network; systems make it when they start sshd.
        let _ = fs::create_dir("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        let run = |program: &str, arguments: &str| {
            let arguments = arguments.split(' ').filter(|word| !word.is_empty());
            let output = Command::new(program)
                .args(arguments)
                .args(["-N", ""])
                .current_dir(&folder)
                .output();
            assert!(output.unwrap().status.success(), "{program}");
        };
        run("ssh-keygen", "-q -t ed25519 -f ca");
        run("ssh-keygen", "-q -t ecdsa -f key");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let signed = Command::new("ssh-keygen")
            .args([
                "-q", "-s", "ca", "-I", "web-1", "-h", "-n", "web-1", "-z", "7", "key.pub",
            ])
            .current_dir(&folder)
            .status();
        assert!(signed.unwrap().success());
        let sshd = |config: &str| {
            fs::write(path("config"), config).unwrap();
            let mut sshd = Command::new("/usr/sbin/sshd");
            sshd.args(["-f", &path("config")]);
            sshd
        };
        let key = format!("HostKey {}\n", path("key"));
        let both = format!("{key}HostCertificate {}\n", path("key-cert.pub"));
        let algorithm = "ecdsa-sha2-nistp256-cert-v01@openssh.com";
        let line = fs::read_to_string(path("key-cert.pub")).unwrap();
        let blob = STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();

        assert_eq!(ask(sshd(&both), algorithm).unwrap(), blob);
        let nist = format!("{both}KexAlgorithms ecdh-sha2-nistp256\n");
        assert_eq!(ask(sshd(&nist), algorithm).unwrap(), blob);
        assert!(matches!(ask(sshd(&key), algorithm), Err(Silence::None(_))));
        // What `sshd -t` does not mind.
        fs::write(path("key-cert.pub"), "garbage\n").unwrap();
        assert!(matches!(ask(sshd(&both), algorithm), Err(Silence::None(_))));
        let broken = sshd("NoSuchWord yes\n");
        assert!(matches!(ask(broken, algorithm), Err(Silence::Unasked(_))));
    }
}
