//! New keys for an authority: the first ones, and those that take the place of others.
//!
//! A new key is announced first (`next`), so that hosts and clients trust it before it signs anything. It takes over by
//! itself; the one before it stays trusted until everything that it has signed has run out.

use super::keys::{Keys, Made, Signs, type_name};
use super::{By, Error, Keyring, random};
use crate::app::App;
use jiff::{SignedDuration, Timestamp};
use portreeve_directory::authorities::{self, Authority as Stored, Purpose, State};
use portreeve_directory::{Ids, Refusal, teams};
use portreeve_ssh_cert::authority::KeyType;
use portreeve_store::{Scope, Tx};
use portreeve_x509::authority::{About, root};
use portreeve_x509::{Issuer, Key};
use std::sync::Arc;

const SECOND: i64 = 1_000_000;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How far before now X.509 authorities begin, for the sake of slow clocks.
const BACKDATE: SignedDuration = SignedDuration::from_hours(1);

/// How long roots are valid.
const ROOT_DAYS: i32 = 3_650;
/// How long before its end a root gets a successor.
const ROOT_BEFORE_DAYS: i32 = 730;
/// How long intermediates are valid.
const INTERMEDIATE_DAYS: i32 = 365;
/// How long before its end an intermediate gets a successor.
const INTERMEDIATE_BEFORE_DAYS: i32 = 120;

/// The longest part of a team's name in the name of its root.
const NAME: usize = 40;

/// A new key for an authority.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    /// Which key gets a successor.
    pub(crate) purpose: Purpose,
    /// After how many seconds it takes over; 0: at once.
    pub(crate) overlap: u64,
    /// Of SSH keys.
    pub(crate) key_type: KeyType,
}

/// What a rotation has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// A new key was made, and it is announced, or has taken over.
    Made,
    /// The key that was announced already has taken over.
    Activated,
    /// A key was announced already; it takes over then (microseconds since 1970 UTC).
    UnderWay(Option<i64>),
}

/// The first keys of a team, if it has none.
pub(super) async fn first(app: &App, team_id: &str) -> Result<(), Error> {
    let maker = Maker::of(app, team_id, None).await?;
    let made = blocking(move || {
        let mut all = maker.root(None)?;
        for purpose in [Purpose::User, Purpose::Host] {
            all.push(maker.ssh(purpose, KeyType::default())?);
        }
        Ok(all)
    });
    let made = made.await?;
    let (team, by, new) = (team_id.to_owned(), By::system(app), made.clone());
    let work = move |tx: &mut Tx<'_>| {
        let is_first = authorities::states(tx, &team)?.is_empty();
        for one in new.iter().filter(|_| is_first) {
            authorities::add(tx, &by.cause(&team, None), one)?;
        }
        Ok(is_first)
    };
    match app.write(Scope::of(team_id), work).await? {
        true => Ok(()),
        // Somebody else was quicker.
        false => forget(app, made).await,
    }
}

/// Lets a token forget keys that are in no row.
async fn forget(app: &App, unused: Vec<Stored>) -> Result<(), Error> {
    let keys = app.ca.keys.clone();
    blocking(move || unused.iter().try_for_each(|one| keys.forget(one))).await
}

/// Puts a new key in the place of the current one, with an overlap or at once.
pub(crate) async fn begin(
    app: &App,
    by: &By,
    team_id: &str,
    wanted: Rotation,
) -> Result<Begun, Error> {
    let ring = app.keyring(team_id).await?;
    let purpose = wanted.purpose;
    let is_next = |one: &&Stored| one.purpose == purpose && one.state == State::Next;
    let announced = ring.stored.iter().find(is_next);
    let made = match announced {
        Some(next) if wanted.overlap > 0 => return Ok(Begun::UnderWay(next.activate_at)),
        Some(_) => Vec::new(),
        None => {
            let overlap = i64::try_from(wanted.overlap).unwrap_or(0) * SECOND;
            let maker = Maker::of(app, team_id, Some(by.at + overlap)).await?;
            blocking(move || maker.successor(&ring, purpose, wanted.key_type)).await?
        }
    };
    let begun = match made.is_empty() {
        true => Begun::Activated,
        false => Begun::Made,
    };
    let (team, by, new) = (team_id.to_owned(), by.clone(), made.clone());
    let work = move |tx: &mut Tx<'_>| {
        let cause = by.cause(&team, None);
        let next = next_of(&authorities::list(tx, &team)?);
        // Somebody else was quicker.
        if let Some(purpose) = new
            .iter()
            .map(|one| one.purpose)
            .find(|it| next.contains(it))
        {
            return Err(Refusal::Conflict {
                what: portreeve_directory::What::Authority,
                attribute: purpose.name(),
            });
        }
        for one in &new {
            authorities::add(tx, &cause, one)?;
        }
        if wanted.overlap == 0 {
            for purpose in with(purpose) {
                authorities::activate(tx, &cause, *purpose)?;
            }
        }
        Ok(())
    };
    if let Err(refusal) = app.write(Scope::of(team_id), work).await {
        forget(app, made).await?;
        return Err(refusal.into());
    }
    app.forget_keyring(team_id);
    Ok(begun)
}

/// Lets keys take over whose turn has come, forgets those that nobody needs any more, and makes successors that are due.
pub(crate) async fn turn(app: &App, team_id: &str, now: i64) -> Result<(), Error> {
    let by = By {
        at: now,
        ..By::system(app)
    };
    let (team, acting) = (team_id.to_owned(), by.clone());
    let work = move |tx: &mut Tx<'_>| authorities::turn(tx, &acting.cause(&team, None));
    let gone = app.write(Scope::of(team_id), work).await?;
    app.forget_keyring(team_id);
    forget(app, gone).await?;
    let ring = app.keyring(team_id).await?;
    let next = next_of(&ring.stored);
    for due in &ring.stored {
        let is_due = due.state == State::Current && due.keep_until.is_some_and(|at| at <= now);
        if is_due && !next.contains(&due.purpose) {
            let wanted = Rotation {
                purpose: due.purpose,
                overlap: ring.settings.overlap_seconds.max(1),
                key_type: ring.settings.key_type.into(),
            };
            tracing::info!(
                purpose = due.purpose.name(),
                "a key of the certificate authority gets a successor"
            );
            begin(app, &by, team_id, wanted).await?;
        }
    }
    Ok(())
}

fn next_of(stored: &[Stored]) -> Vec<Purpose> {
    let next = stored.iter().filter(|one| one.state == State::Next);
    next.map(|one| one.purpose).collect()
}

/// What takes over with a key: a root never stands without an intermediate of its own.
fn with(purpose: Purpose) -> &'static [Purpose] {
    match purpose {
        Purpose::Root => &[Purpose::Root, Purpose::Intermediate],
        Purpose::Intermediate => &[Purpose::Intermediate],
        Purpose::User => &[Purpose::User],
        Purpose::Host => &[Purpose::Host],
    }
}

/// Makes keys, which takes as long as a token takes.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Error::keys)?
}

/// Makes keys for a team.
struct Maker {
    keys: Arc<Keys>,
    ids: Arc<Ids>,
    team_id: String,
    team: String,
    now: i64,
    /// When they take over; `None`: they are the first ones.
    activate_at: Option<i64>,
}

impl Maker {
    async fn of(app: &App, team_id: &str, activate_at: Option<i64>) -> Result<Self, Error> {
        let id = team_id.to_owned();
        let team = app.store.lookup(move |tx| teams::by_id(tx, &id)).await?;
        Ok(Self {
            keys: app.ca.keys.clone(),
            ids: app.ids.clone(),
            team_id: team.id,
            team: team.name.chars().take(NAME).collect(),
            now: app.clock.now(),
            activate_at,
        })
    }

    fn successor(
        &self,
        ring: &Keyring,
        purpose: Purpose,
        key_type: KeyType,
    ) -> Result<Vec<Stored>, Error> {
        match purpose {
            Purpose::User => {
                let new = self.ssh(purpose, key_type)?;
                Ok(vec![Stored {
                    cross_signed: ring.vouch(&new.public)?,
                    ..new
                }])
            }
            Purpose::Host => Ok(vec![self.ssh(purpose, key_type)?]),
            // Where the root before it cannot sign any more, those who know only that one have to be told.
            Purpose::Root => self.root(ring.root().ok().map(|issuer| &**issuer)),
            Purpose::Intermediate => Ok(vec![self.intermediate(ring.root()?)?]),
        }
    }

    fn ssh(&self, purpose: Purpose, key_type: KeyType) -> Result<Stored, Error> {
        let id = self.ids.next(self.now).to_string();
        let made = self.keys.make(&self.team_id, &id, purpose, key_type)?;
        let public = match &made.signs {
            Signs::Ssh(authority) => authority.public_blob(),
            Signs::X509(_) => return Err(Error::keys("the key is of another kind")),
        };
        Ok(self.stored(id, purpose, &made, public))
    }

    /// A root and its intermediate.
    fn root(&self, before: Option<&Issuer>) -> Result<Vec<Stored>, Error> {
        let id = self.ids.next(self.now).to_string();
        let made = self
            .keys
            .make(&self.team_id, &id, Purpose::Root, KeyType::Ecdsa)?;
        let name = format!("{} Root CA {}", self.team, short(&id));
        let about = self.about(&name, ROOT_DAYS)?;
        let certificate = root(x509(&made)?, &about)?;
        let cross_signed = match before {
            Some(before) => Some(before.cross_sign(&certificate, random()?)?),
            None => None,
        };
        let issuer = Issuer::new(certificate.clone(), x509(&made)?.clone())?;
        let stored = Stored {
            cross_signed,
            keep_until: Some(micros(about.valid_before - DAY * ROOT_BEFORE_DAYS)),
            ..self.stored(id, Purpose::Root, &made, certificate)
        };
        Ok(vec![stored, self.intermediate(&issuer)?])
    }

    fn intermediate(&self, root: &Issuer) -> Result<Stored, Error> {
        let id = self.ids.next(self.now).to_string();
        let purpose = Purpose::Intermediate;
        let made = self
            .keys
            .make(&self.team_id, &id, purpose, KeyType::Ecdsa)?;
        let name = format!("{} Intermediate CA {}", self.team, short(&id));
        let about = self.about(&name, INTERMEDIATE_DAYS)?;
        let certificate = root.intermediate(&x509(&made)?.public(), &about)?;
        Ok(Stored {
            keep_until: Some(micros(about.valid_before - DAY * INTERMEDIATE_BEFORE_DAYS)),
            ..self.stored(id, purpose, &made, certificate)
        })
    }

    fn about<'a>(&self, name: &'a str, days: i32) -> Result<About<'a>, Error> {
        let now = Timestamp::from_microsecond(self.now).map_err(Error::keys)?;
        Ok(About {
            name,
            serial: random()?,
            valid_after: now - BACKDATE,
            valid_before: now + DAY * days,
        })
    }

    fn stored(&self, id: String, purpose: Purpose, made: &Made, public: Vec<u8>) -> Stored {
        Stored {
            id,
            purpose,
            key_type: type_name(made.key_type).to_owned(),
            state: match self.activate_at {
                Some(_) => State::Next,
                None => State::Current,
            },
            sealed: made.sealed.clone(),
            token_key: made.token_key.clone(),
            public,
            cross_signed: None,
            created_at: self.now,
            activate_at: self.activate_at,
            retired_at: None,
            keep_until: None,
        }
    }
}

fn x509(made: &Made) -> Result<&Key, Error> {
    match &made.signs {
        Signs::X509(key) => Ok(key),
        Signs::Ssh(_) => Err(Error::keys("the key is of another kind")),
    }
}

/// The end of an id, which is random: it tells one authority of a team from another.
fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id)
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}
