//! The person's key and its certificate on this machine: with the agent, or where there is none that takes it in a file.

use super::agent::Agent;
use super::place::{CERTIFICATE, KEY, PUBLIC_KEY, Place};
use crate::failure::Failure;
use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jiff::Timestamp;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::{Ed25519PublicKey, KeyData};
use ssh_key::{Certificate, LineEnding, PrivateKey, PublicKey};
use zeroize::Zeroizing;

/// A certificate that ends sooner is no good for a connection that begins now.
const ABOUT_TO_END: u64 = 30;

/// Where a private key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeper {
    Agent,
    File,
}

impl Keeper {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::File => "file",
        }
    }
}

/// The certificate that was got last, whether or not it is still good.
pub(super) fn certificate(place: &Place) -> Option<Certificate> {
    Certificate::from_openssh(place.read(CERTIFICATE)?.trim_end()).ok()
}

/// A certificate that is good now and whose key is there, and who has the key.
pub(super) fn usable(place: &Place, now: Timestamp) -> Option<(Certificate, Keeper)> {
    let certificate = certificate(place).filter(|certificate| is_good(certificate, now))?;
    if place.path(KEY).exists() {
        return Some((certificate, Keeper::File));
    }
    let blob = certificate.to_bytes().ok()?;
    let has = Agent::of_session()?.has(&blob);
    has.is_ok_and(|has| has)
        .then_some((certificate, Keeper::Agent))
}

/// Whether a certificate is good for a connection that begins at this moment.
pub(super) fn is_good(certificate: &Certificate, now: Timestamp) -> bool {
    let now = seconds(now);
    certificate.valid_after() <= now
        && now.saturating_add(ABOUT_TO_END) < certificate.valid_before()
}

/// Whether two thirds of a certificate's time are over: another one is got while this one is still good.
pub(super) fn is_due(certificate: &Certificate, now: Timestamp) -> bool {
    let (after, before) = (certificate.valid_after(), certificate.valid_before());
    let left = before.saturating_sub(seconds(now));
    left < before.saturating_sub(after) / 3
}

/// The key that the next certificate is for: a new one; but one in a file stays, because an `ssh` that reads the
/// certificate now reads the key a moment later.
pub(super) fn next(place: &Place) -> Result<Ed25519Keypair, Failure> {
    let kept = place.read(KEY).map(Zeroizing::new);
    if let Some(kept) = kept.and_then(|text| PrivateKey::from_openssh(&*text).ok())
        && let KeypairData::Ed25519(pair) = kept.key_data()
    {
        return Ok(pair.clone());
    }
    generate()
}

/// A new key.
pub(super) fn generate() -> Result<Ed25519Keypair, Failure> {
    let failed = || Failure::plain("this machine gives no random numbers for a key");
    let made = Ed25519KeyPair::generate().map_err(|_| failed())?;
    let seed = made.seed().map_err(|_| failed())?;
    let seed = seed.as_be_bytes().map_err(|_| failed())?;
    Ok(Ed25519Keypair {
        public: Ed25519PublicKey::try_from(made.public_key().as_ref()).map_err(|_| failed())?,
        private: Ed25519PrivateKey::try_from(seed.as_ref()).map_err(|_| failed())?,
    })
}

/// The line of a public key, without a comment.
pub(super) fn line(public: Ed25519PublicKey) -> String {
    let key = PublicKey::new(KeyData::Ed25519(public), "");
    key.to_openssh().unwrap_or_default()
}

/// Keeps a key and its certificate in the place of those before.
pub(super) fn keep(
    place: &Place,
    pair: &Ed25519Keypair,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Keeper, Failure> {
    let left = certificate.valid_before().saturating_sub(seconds(now));
    let left = u32::try_from(left).unwrap_or(u32::MAX);
    let comment = format!("portreeve {}", place.name);
    let mut agent = Agent::of_session();
    let taken = agent.as_mut().is_some_and(|agent| {
        agent
            .add(pair, certificate, &comment, left)
            .is_ok_and(|taken| taken)
    });
    let before = self::certificate(place);
    if !taken {
        let public = PublicKey::new(KeyData::Ed25519(pair.public), &comment);
        place.write(KEY, &in_a_file(pair, &comment)?)?;
        place.write(PUBLIC_KEY, &as_file(public.to_openssh())?)?;
        place.write(CERTIFICATE, &as_file(certificate.to_openssh())?)?;
        return Ok(Keeper::File);
    }
    place.write(CERTIFICATE, &as_file(certificate.to_openssh())?)?;
    // The agent has the certificate with its key. OpenSSH would rather look for the key of a public key that it is shown.
    place.remove(KEY)?;
    place.remove(PUBLIC_KEY)?;
    // It would be offered to every host first, for as long as it lives.
    if let (Some(before), Some(mut agent)) = (before, agent)
        && before != *certificate
    {
        let _ = before.to_bytes().map(|blob| agent.remove(&blob));
    }
    Ok(Keeper::Agent)
}

/// Forgets key and certificate, in the agent too. Whether there was a certificate.
pub(super) fn forget(place: &Place) -> Result<bool, Failure> {
    let before = certificate(place);
    if let Some(blob) = before.as_ref().and_then(|it| it.to_bytes().ok())
        && let Some(mut agent) = Agent::of_session()
    {
        let _ = agent.remove(&blob);
    }
    for file in [KEY, CERTIFICATE, PUBLIC_KEY] {
        place.remove(file)?;
    }
    Ok(before.is_some())
}

fn in_a_file(pair: &Ed25519Keypair, comment: &str) -> Result<Zeroizing<String>, Failure> {
    PrivateKey::new(KeypairData::Ed25519(pair.clone()), comment)
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(unwritable)
}

fn as_file(line: ssh_key::Result<String>) -> Result<String, Failure> {
    line.map(|line| line + "\n").map_err(unwritable)
}

fn unwritable(error: ssh_key::Error) -> Failure {
    Failure::plain(format!("a key cannot be written: {error}"))
}

/// Seconds since 1970 UTC, as certificates count.
fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}
