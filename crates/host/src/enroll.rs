//! A machine becomes a host: by a token, or because the server knows its host key.

use crate::apply::{self, Half};
use crate::config::{Backend, Config, Host};
use crate::facts;
use crate::net::{Fault as ServerFault, Identity, IdentityRequest, Server, fetch_root};
use crate::paths::Paths;
use crate::undo::replace;
use crate::wire::Refusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use portreeve_host_policy::api::{Enroll, Enrolled, PROOF_NAMESPACE, Proof, TOKEN_PREFIX, Token};
use portreeve_ssh_cert::SubjectKey;
use portreeve_ssh_cert::policy::Kind;
use portreeve_x509::chain;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// By what the server is known, and whether a token comes with it.
    pub ticket: Ticket,
    /// The host's name.
    pub name: String,
    /// Other names by which people reach it.
    pub hostnames: Vec<String>,
    /// Tags of a new host.
    pub tags: BTreeMap<String, String>,
    /// Whether others are reached through it.
    pub is_bastion: bool,
    /// Through which host it is reached.
    pub bastion: Option<String>,
    /// Whether to take the place of a host of that name.
    pub replace: bool,
    /// How accounts are made known to the system.
    pub backend: Backend,
    /// The private key that `sshd` shows, by its path on the machine.
    pub host_key: String,
}

/// The server, and what lets this machine in.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Where it is.
    pub url: String,
    /// The fingerprint of its root.
    pub root: String,
    /// The secret of an enrolment token; `None`: the server knows the host's key.
    pub secret: Option<String>,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket")
            .field("url", &self.url)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// Why a machine does not become a host.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The token is none.
    #[error("this is no enrolment token: {0}; an admin makes one: portreeve host token create")]
    Token(String),
    /// It is one already.
    #[error(
        "this machine is enrolled as {0}; have it leave first (portreeve-host leave), or enroll it anew with --replace"
    )]
    Enrolled(String),
    /// There is no such host key.
    #[error(
        "{0} has no host key ({1}.pub); make one with ssh-keygen -A, or name another with --host-key"
    )]
    NoHostKey(String, String),
    /// The server cannot be reached, or says no.
    #[error("{0}")]
    Server(#[from] ServerFault),
    /// What the server has sent is not what was asked for.
    #[error("the server's answer is not taken: {0}")]
    Answer(String),
    /// The accounts of the host that this machine was before cannot be taken away.
    #[error("the accounts of the team before cannot be taken away: {0}")]
    Accounts(Refusal),
    /// Something cannot be written.
    #[error("{0}: {1}")]
    File(String, io::Error),
}

impl Ticket {
    /// Reads a token as it was shown to an admin.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_token(text: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| Fault::Token(why.to_owned());
        let encoded = text
            .trim()
            .strip_prefix(TOKEN_PREFIX)
            .ok_or_else(|| wrong("it does not begin with pe_"))?;
        let decoded = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| wrong("it is not whole"))?;
        let Token { url, root, secret } =
            serde_json::from_slice(&decoded).map_err(|_| wrong("it is not whole"))?;
        Ok(Self {
            url,
            root,
            secret: Some(secret),
        })
    }
}

/// Enrols this machine, and keeps what came of it: who it is, whom it trusts, and the certificate for `sshd`.
/// What `sshd` and others read is [`setup`](crate::setup)'s to change.
///
/// # Errors
/// When it is refused, or cannot be kept. What was enrolled before stays then.
pub fn enroll(paths: &Paths, wanted: &Wanted, now: Timestamp) -> Result<Config, Fault> {
    let before = Config::load(paths).ok();
    if let Some(before) = &before
        && !wanted.replace
    {
        return Err(Fault::Enrolled(before.host.name.clone()));
    }
    let host_key = facts::public_key(paths, &wanted.host_key)
        .ok_or_else(|| Fault::NoHostKey(wanted.name.clone(), wanted.host_key.clone()))?;
    let root = fetch_root(&wanted.ticket.url, &wanted.ticket.root)?;
    let request = IdentityRequest::new(&wanted.name)?;
    let mut enroll = Enroll {
        name: wanted.name.clone(),
        token: wanted.ticket.secret.clone(),
        proof: None,
        replace: wanted.replace,
        tags: wanted.tags.clone(),
        is_bastion: wanted.is_bastion,
        bastion: wanted.bastion.clone(),
        csr: request.csr,
        host_key,
        agent_version: facts::VERSION.to_owned(),
        os: facts::os(paths),
        hostnames: wanted.hostnames.clone(),
    };
    enroll.proof = prove(paths, wanted, &enroll, now);
    let enrolled = Server::with_root(&wanted.ticket.url, &root)?.enroll(&enroll)?;
    let config = check(wanted, &enroll.host_key, &enrolled, now)?;
    let identity = Identity {
        url: wanted.ticket.url.trim_end_matches('/').to_owned(),
        team: enrolled.team,
        host: enrolled.host,
        roots: enrolled.roots,
        chain: enrolled.identity,
        key: request.key,
        policy_wait_seconds: enrolled.policy_wait_seconds,
    };
    identity.check()?;
    if let Some(before) = before {
        forget(paths, &before, before.host.id != config.host.id)?;
    }
    keep(paths, &config, &enrolled.certificate)?;
    identity.save(paths)?;
    Ok(config)
}

/// Signs with the host's key, as far as this user may: the proof that this machine has it. Without a token the server
/// insists; with one it makes up for an answer that was lost.
fn prove(paths: &Paths, wanted: &Wanted, enroll: &Enroll, now: Timestamp) -> Option<Proof> {
    // To the second: it is written as text and read again.
    let at = Timestamp::from_second(now.as_second()).ok()?;
    let text = Proof::text(&wanted.ticket.root.to_lowercase(), at, enroll);
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", PROOF_NAMESPACE, "-f"])
        .arg(paths.at(&wanted.host_key))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(&text).ok()?;
    let output = child.wait_with_output().ok()?;
    output.status.success().then(|| Proof {
        at,
        key: enroll.host_key.clone(),
        signature: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

/// Takes nothing for granted that goes into files which others believe.
fn check(
    wanted: &Wanted,
    host_key: &str,
    enrolled: &Enrolled,
    now: Timestamp,
) -> Result<Config, Fault> {
    let wrong = |why: &str| Fault::Answer(why.to_owned());
    // A second line would be another key to whoever reads the file that it is written to.
    let all = enrolled.user_keys.iter().chain(&enrolled.host_keys);
    let mut all = all.chain([&enrolled.certificate]);
    if all.any(|line| line.trim_end().contains(char::is_control)) {
        return Err(wrong("a key or the certificate has more than one line"));
    }
    let line = |line: &String| SubjectKey::from_openssh(line).map(|key| key.blob());
    let keys = |lines: &[String]| -> Result<Vec<Vec<u8>>, Fault> {
        let keys: Result<Vec<_>, _> = lines.iter().map(line).collect();
        match keys {
            Ok(keys) if !keys.is_empty() => Ok(keys),
            Ok(_) => Err(wrong("it names no keys of an authority")),
            Err(cause) => Err(Fault::Answer(cause.to_string())),
        }
    };
    keys(&enrolled.user_keys)?;
    let authorities = keys(&enrolled.host_keys)?;
    let pinned = enrolled.roots.iter().any(|root| {
        chain::from_pem(root).is_ok_and(|ders| {
            let mut ders = ders.iter().map(|der| chain::fingerprint(der));
            ders.any(|print| print.eq_ignore_ascii_case(&wanted.ticket.root))
        })
    });
    if !pinned {
        return Err(wrong(
            "the root that it was enrolled with is not among its roots",
        ));
    }
    check_certificate(&enrolled.certificate, host_key, &authorities, now)?;
    Ok(Config {
        team: enrolled.team.clone(),
        host: Host {
            id: enrolled.host.id.clone(),
            name: enrolled.host.name.clone(),
        },
        user_keys: enrolled.user_keys.clone(),
        backend: wanted.backend,
        host_key: wanted.host_key.clone(),
    })
}

/// Whether a certificate is for the key that `sshd` shows, and by one of these authorities.
fn check_certificate(
    line: &str,
    host_key: &str,
    authorities: &[Vec<u8>],
    now: Timestamp,
) -> Result<(), Fault> {
    let wrong = |why: &str| Fault::Answer(why.to_owned());
    let certificate = facts::certificate_in(line)
        .ok_or_else(|| wrong("the certificate for sshd cannot be read"))?;
    certificate
        .check(authorities)
        .map_err(|cause| Fault::Answer(cause.to_string()))?;
    let own =
        SubjectKey::from_openssh(host_key).map_err(|cause| Fault::Answer(cause.to_string()))?;
    if certificate.kind() != Kind::Host || certificate.key().ok().as_ref() != Some(&own) {
        return Err(wrong("the certificate for sshd is for something else"));
    }
    // One that begins later is for clients to judge: their clocks count, and this machine's may be slow.
    let (_, before) = certificate.valid();
    if u64::try_from(now.as_second()).is_ok_and(|now| before <= now) {
        return Err(wrong(
            "the certificate for sshd has run out, or this machine's clock is fast",
        ));
    }
    Ok(())
}

/// Whoever enrolls anew trusts anew: what was believed before does not count against what the server says now, which may
/// have other keys or have been restored. What another host was told is no news of this one at all.
fn forget(paths: &Paths, before: &Config, is_another: bool) -> Result<(), Fault> {
    let state = paths.state();
    let mut files = vec![
        paths.policy(),
        paths.highest_version(),
        paths.run().join("highest-version"),
        state.join("applied.json"),
        state.join("krl.json"),
        paths.user_ca(),
    ];
    if is_another {
        let mut half = Half::new(paths.clone(), apply::Machine::below(paths));
        half.withdraw(before).map_err(Fault::Accounts)?;
        files.push(state.join("denied.json"));
        let sessions = paths.sessions();
        gone(fs::remove_dir_all(&sessions), &sessions)?;
    }
    for file in files {
        gone(fs::remove_file(&file), &file)?;
    }
    Ok(())
}

fn gone(removed: io::Result<()>, path: &Path) -> Result<(), Fault> {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Fault::File(path.display().to_string(), error))
        }
        _ => Ok(()),
    }
}

fn keep(paths: &Paths, config: &Config, certificate: &str) -> Result<(), Fault> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error| Fault::File(path, error)
    };
    let folder = paths.ssh();
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&folder)
        .map_err(failed(&folder))?;
    let path = paths.host_certificate();
    let line = format!("{}\n", certificate.trim());
    replace(&path, line.as_bytes(), 0o644).map_err(failed(&path))?;
    config.save(paths).map_err(failed(&paths.config()))
}
