//! The person's key and its certificate on this machine: with the agent, or where there is none that takes it in a file.

use super::agent::Agent;
use super::pair;
use super::place::{CERTIFICATE, KEY, PUBLIC_KEY, Place};
use crate::failure::Failure;
use jiff::Timestamp;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Certificate, PrivateKey};
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
    pair::generate()
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
    let line = certificate
        .to_openssh()
        .map_err(|error| pair::unwritable(&error))?;
    if !taken {
        let public = pair::public(pair.public, &comment)?;
        place.write(KEY, &pair::private(pair, &comment)?)?;
        place.write(PUBLIC_KEY, &format!("{public}\n"))?;
        place.write(CERTIFICATE, &format!("{line}\n"))?;
        return Ok(Keeper::File);
    }
    place.write(CERTIFICATE, &format!("{line}\n"))?;
    // The agent has the certificate with its key. OpenSSH would look for a private key in a file if it were shown the public
    // one, or none, and tell whoever is refused that there is no such file.
    place.write(PUBLIC_KEY, &format!("{line}\n"))?;
    place.remove(KEY)?;
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

/// Seconds since 1970 UTC, as certificates count.
fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}
