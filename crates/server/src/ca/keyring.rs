//! The keys of a team's authority, ready to use, and what is decided about its certificates.
//!
//! They are made at the first use. What was loaded is used for a second without asking; then one question tells whether
//! anything has changed, on whichever server.

use super::keys::Signs;
use super::rotation;
use super::settings::Settings;
use super::{Authorities, Error};
use crate::app::App;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_directory::authorities::{self, Authority as Stored, Purpose, State};
use portreeve_directory::{Refusal, ca_policies, teams};
use portreeve_host_policy::{MAX_SUCCESSORS, SUCCESSOR_NAMESPACE, Successor};
use portreeve_ssh_cert::{Authority, Policy};
use portreeve_store::Tx;
use portreeve_x509::{Issuer, fingerprint};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// For how long nobody asks whether anything has changed.
const FRESH: Duration = Duration::from_secs(1);

/// The keys of one team's authority.
pub(crate) struct Keyring {
    user: Result<SshKey, String>,
    host: Result<SshKey, String>,
    root: Result<Arc<Issuer>, String>,
    issuer: Result<Arc<Issuer>, String>,
    /// Public keys, in their form on the wire, that certificates of people may be signed with; the current one first.
    pub(crate) trusted_user: Vec<Vec<u8>>,
    /// Those of hosts.
    pub(crate) trusted_host: Vec<Vec<u8>>,
    /// Certificates of roots (DER), the current one first.
    pub(crate) roots: Vec<Vec<u8>>,
    /// Certificates of intermediates (DER), the current one first.
    pub(crate) intermediates: Vec<Vec<u8>>,
    /// What a server sends after its own certificate (DER): the current intermediate, then what leads from the current root
    /// to the one before it.
    pub(crate) chain: Vec<Vec<u8>>,
    /// What an admin has decided.
    pub(crate) settings: Settings,
    /// The same, as certificates are decided on by it.
    pub(super) policy: Policy,
    /// All keys as they are stored, without their secrets.
    pub(crate) stored: Vec<Stored>,
}

/// An SSH key of the authority.
#[derive(Clone)]
pub(crate) struct SshKey {
    /// Under which it is stored.
    pub(crate) id: String,
    /// What signs.
    pub(crate) authority: Arc<Authority>,
}

/// The keyrings that were loaded, by team.
#[derive(Default)]
pub(super) struct Rings(Mutex<HashMap<String, Loaded>>);

struct Loaded {
    ring: Arc<Keyring>,
    /// What tells whether it is still so.
    mark: Mark,
    /// On the steady clock, when that was looked at.
    seen: Duration,
}

/// What tells whether anything has changed: the keys with their states, and the policy as it is stored.
type Mark = (Vec<(String, State)>, Option<String>);

impl Keyring {
    /// What signs the certificates of people.
    pub(crate) fn user(&self) -> Result<&SshKey, Error> {
        usable(&self.user)
    }

    /// What signs the certificates of hosts.
    pub(crate) fn host(&self) -> Result<&SshKey, Error> {
        usable(&self.host)
    }

    /// What signs X.509 certificates: the current intermediate. It may take as long as a token takes.
    pub(crate) fn issuer(&self) -> Result<&Arc<Issuer>, Error> {
        usable(&self.issuer)
    }

    /// What signs intermediates.
    pub(super) fn root(&self) -> Result<&Arc<Issuer>, Error> {
        usable(&self.root)
    }

    /// The fingerprint of the current root, which clients pin: SHA-256 in hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> String {
        self.roots
            .first()
            .map(|root| fingerprint(root))
            .unwrap_or_default()
    }

    /// How the key that signs came after those before it, for hosts that have not heard of it.
    pub(crate) fn successors(&self) -> Vec<Successor> {
        let current = current(&self.stored, Purpose::User);
        let chain = current.and_then(|current| current.cross_signed.as_deref());
        let chain = chain.and_then(|chain| serde_json::from_slice(chain).ok());
        chain.unwrap_or_default()
    }

    /// Lets the key that signs vouch for the one that will, beside those before it. It may take as long as a token takes.
    pub(super) fn vouch(&self, public: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        // Where it cannot sign any more, those who know only that one have to be told.
        let (Ok(before), Some(key)) = (self.user(), line(public, "portreeve")) else {
            return Ok(None);
        };
        let signature = before
            .authority
            .sign_file(SUCCESSOR_NAMESPACE, key.as_bytes())?;
        let mut chain = self.successors();
        chain.push(Successor { key, signature });
        // Hosts look at so many.
        chain.drain(..chain.len().saturating_sub(MAX_SUCCESSORS));
        serde_json::to_vec(&chain).map(Some).map_err(Error::keys)
    }

    /// Public keys as lines of `TrustedUserCAKeys` and `known_hosts`.
    pub(crate) fn lines(keys: &[Vec<u8>], comment: &str) -> Vec<String> {
        let lines = keys.iter().filter_map(|key| line(key, comment));
        lines.collect()
    }
}

fn usable<T>(part: &Result<T, String>) -> Result<&T, Error> {
    part.as_ref().map_err(Error::keys)
}

/// A public key, in its form on the wire, as a line.
fn line(key: &[u8], comment: &str) -> Option<String> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    let name = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let name = std::str::from_utf8(name).ok()?;
    Some(format!("{name} {} {comment}", STANDARD.encode(key)))
}

impl App {
    /// The keys of a team's authority. They are made at the first use.
    pub(crate) async fn keyring(&self, team_id: &str) -> Result<Arc<Keyring>, Error> {
        let now = self.clock.steady();
        if let Some(ring) = self.ca.rings.fresh(team_id, now) {
            return Ok(ring);
        }
        let known = self.ca.rings.known(team_id);
        let team = team_id.to_owned();
        let mark = self.store.lookup(move |tx| mark(tx, &team)).await?;
        if let Some((ring, before)) = known
            && before == mark
        {
            self.ca.rings.put(team_id, ring.clone(), mark, now);
            return Ok(ring);
        }
        if mark.0.is_empty() {
            rotation::first(self, team_id).await?;
        }
        let team = team_id.to_owned();
        let read = self.store.lookup(move |tx| {
            let all = authorities::list(tx, &team)?;
            Ok::<_, Refusal>((all, mark_of(tx, &team)?))
        });
        let (all, mark) = read.await?;
        let ring = Arc::new(Keyring::open(&self.ca, team_id, all, mark.1.as_deref())?);
        self.ca.rings.put(team_id, ring.clone(), mark, now);
        Ok(ring)
    }

    /// Forgets the keys of a team that were loaded, because something has changed.
    pub(crate) fn forget_keyring(&self, team_id: &str) {
        self.ca.rings.lock().remove(team_id);
    }
}

/// As [`mark_of`]. Nothing is made for a team that does not exist.
fn mark(tx: &mut Tx<'_>, team_id: &str) -> Result<Mark, Refusal> {
    let mark = mark_of(tx, team_id)?;
    if mark.0.is_empty() {
        teams::by_id(tx, team_id)?;
    }
    Ok(mark)
}

fn mark_of(tx: &mut Tx<'_>, team_id: &str) -> Result<Mark, Refusal> {
    Ok((
        authorities::states(tx, team_id)?,
        ca_policies::read(tx, team_id)?,
    ))
}

impl Keyring {
    /// A key that cannot be opened stops what it would sign, and nothing else.
    fn open(
        ca: &Authorities,
        team_id: &str,
        mut stored: Vec<Stored>,
        settings: Option<&str>,
    ) -> Result<Self, Error> {
        // What signs comes first, then what will, then what did, the latest first.
        stored.sort_by_key(|one| {
            let place = match one.state {
                State::Current => 0,
                State::Next => 1,
                State::Old => 2,
            };
            (place, std::cmp::Reverse(one.created_at))
        });
        let public = |purpose| -> Vec<Vec<u8>> {
            let of = stored.iter().filter(|one| one.purpose == purpose);
            of.map(|one| one.public.clone()).collect()
        };
        let root = current(&stored, Purpose::Root);
        let intermediate = current(&stored, Purpose::Intermediate);
        let chain = intermediate
            .map(|one| one.public.clone())
            .into_iter()
            .chain(root.and_then(|root| root.cross_signed.clone()))
            .collect();
        let settings = Settings::read(settings)?;
        Ok(Self {
            policy: settings.policy(),
            user: ssh(ca, team_id, &stored, Purpose::User),
            host: ssh(ca, team_id, &stored, Purpose::Host),
            root: x509(ca, team_id, &stored, Purpose::Root),
            issuer: x509(ca, team_id, &stored, Purpose::Intermediate),
            trusted_user: public(Purpose::User),
            trusted_host: public(Purpose::Host),
            roots: public(Purpose::Root),
            intermediates: public(Purpose::Intermediate),
            chain,
            settings,
            stored: stored
                .into_iter()
                .map(|one| Stored {
                    sealed: None,
                    ..one
                })
                .collect(),
        })
    }
}

/// The key that signs.
fn current(stored: &[Stored], purpose: Purpose) -> Option<&Stored> {
    let is = |one: &&Stored| one.purpose == purpose && one.state == State::Current;
    stored.iter().find(is)
}

fn opened<'s>(
    ca: &Authorities,
    team_id: &str,
    stored: &'s [Stored],
    purpose: Purpose,
) -> Result<(&'s Stored, Signs), String> {
    let one = current(stored, purpose).ok_or("the certificate authority has no such key")?;
    let signs = ca.keys.open(team_id, one);
    Ok((one, signs.map_err(|error| error.to_string())?))
}

fn ssh(
    ca: &Authorities,
    team_id: &str,
    stored: &[Stored],
    purpose: Purpose,
) -> Result<SshKey, String> {
    match opened(ca, team_id, stored, purpose)? {
        (one, Signs::Ssh(authority)) => Ok(SshKey {
            id: one.id.clone(),
            authority: Arc::new(authority),
        }),
        (_, Signs::X509(_)) => Err("the stored key is of another kind".to_owned()),
    }
}

fn x509(
    ca: &Authorities,
    team_id: &str,
    stored: &[Stored],
    purpose: Purpose,
) -> Result<Arc<Issuer>, String> {
    match opened(ca, team_id, stored, purpose)? {
        (one, Signs::X509(key)) => {
            let issuer = Issuer::new(one.public.clone(), key);
            Ok(Arc::new(issuer.map_err(|error| error.to_string())?))
        }
        (_, Signs::Ssh(_)) => Err("the stored key is of another kind".to_owned()),
    }
}

impl Rings {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Loaded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was looked at a moment ago.
    fn fresh(&self, team_id: &str, now: Duration) -> Option<Arc<Keyring>> {
        let rings = self.lock();
        let loaded = rings.get(team_id)?;
        (now.saturating_sub(loaded.seen) < FRESH).then(|| loaded.ring.clone())
    }

    fn known(&self, team_id: &str) -> Option<(Arc<Keyring>, Mark)> {
        let rings = self.lock();
        let loaded = rings.get(team_id)?;
        Some((loaded.ring.clone(), loaded.mark.clone()))
    }

    fn put(&self, team_id: &str, ring: Arc<Keyring>, mark: Mark, seen: Duration) {
        let loaded = Loaded { ring, mark, seen };
        self.lock().insert(team_id.to_owned(), loaded);
    }
}
