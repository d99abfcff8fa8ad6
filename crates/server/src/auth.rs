//! Who calls: the secret token of a directory, as a bearer token or as the password of Basic authentication.

use crate::app::App;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use portreeve_directory::directories::{self, Directory};
use portreeve_directory::tokens::{self, Denied};
use portreeve_directory::{Clock, Refusal, What};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

/// Why a request is not let in.
#[derive(Debug)]
pub(crate) enum Refused {
    /// No token was sent; to this directory, if there is one.
    Missing(Option<Arc<Directory>>),
    /// There is no such directory. Answered like a wrong token, so that ids cannot be guessed.
    NoDirectory,
    /// The token is not accepted in this directory.
    Denied(Arc<Directory>, Denied),
    /// The database failed.
    Failed(Refusal),
}

impl Refused {
    /// The directory that the request was for, where there is one.
    pub(crate) fn directory(&self) -> Option<&Arc<Directory>> {
        match self {
            Self::Missing(directory) => directory.as_ref(),
            Self::Denied(directory, _) => Some(directory),
            Self::NoDirectory | Self::Failed(_) => None,
        }
    }
}

/// A verified token and its directory.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) directory: Arc<Directory>,
    pub(crate) token_id: Arc<str>,
    /// Whether a test of the connection uses it.
    is_test: bool,
}

/// Tokens verified within the last second, so that a busy client costs one look-up a second instead of one a request.
/// Every change to directories and tokens empties it at once.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    cache: RwLock<Cache>,
    /// The time of day when a token was first asked for, and the steady clock at that moment.
    began: OnceLock<(i64, Duration)>,
}

#[derive(Debug, Default)]
struct Cache {
    /// Rises when the cache is emptied: what was read before is not put in after.
    epoch: u64,
    entries: HashMap<[u8; 32], (Access, i64)>,
}

const LIFE_US: i64 = 1_000_000;
const MOST: usize = 10_000;

impl Tokens {
    /// The time by which tokens end: the time of day, but as much later as the server has run at least. A token that has
    /// ended does not come back to life because somebody sets the clock back.
    fn time(&self, clock: &dyn Clock, now: i64) -> i64 {
        let steady = clock.steady();
        let (day, at) = *self.began.get_or_init(|| (now, steady));
        let ran = steady.saturating_sub(at).as_micros();
        now.max(day.saturating_add(i64::try_from(ran).unwrap_or(i64::MAX)))
    }

    /// Forgets everything; after each change to directories or tokens.
    pub(crate) fn clear(&self) {
        let mut cache = self
            .cache
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        cache.epoch += 1;
        cache.entries.clear();
    }

    fn get(&self, key: &[u8; 32], directory: &str, now: i64) -> Result<Access, u64> {
        let cache = self
            .cache
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match cache.entries.get(key) {
            Some((access, at))
                if (0..LIFE_US).contains(&(now - at)) && access.directory.id == directory =>
            {
                Ok(access.clone())
            }
            _ => Err(cache.epoch),
        }
    }

    fn put(&self, key: [u8; 32], access: Access, now: i64, epoch: u64) {
        let mut cache = self
            .cache
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if cache.epoch == epoch {
            if cache.entries.len() >= MOST {
                cache.entries.clear();
            }
            cache.entries.insert(key, (access, now));
        }
    }
}

/// Verifies the request's token against the directory in its URL.
pub(crate) async fn verify(
    app: &App,
    directory_id: &str,
    headers: &HeaderMap,
    now: i64,
) -> Result<Access, Refused> {
    let Some(secret) = presented(headers) else {
        return Err(missing(app, directory_id).await);
    };
    let time = app.tokens.time(&*app.clock, now);
    let key = tokens::hash(&secret);
    let epoch = match app.tokens.get(&key, directory_id, now) {
        Ok(access) => {
            seen(app, &access, now);
            return Ok(access);
        }
        Err(epoch) => epoch,
    };
    let id = directory_id.to_owned();
    let found = app
        .store
        .lookup(move |tx| {
            let directory = directories::by_id(tx, &id)?;
            let token = tokens::verify(tx, &id, &secret, time)?;
            Ok((directory, token))
        })
        .await;
    match found {
        Err(Refusal::NotFound(What::Directory, _)) => Err(Refused::NoDirectory),
        Err(error) => Err(Refused::Failed(error)),
        Ok((directory, Err(denied))) => Err(Refused::Denied(Arc::new(directory), denied)),
        Ok((directory, Ok(token))) => {
            let access = Access {
                directory: Arc::new(directory),
                token_id: token.id.into(),
                is_test: token.is_test,
            };
            // An entry must not outlive its token.
            if token.expires_at.is_none_or(|end| end > time + LIFE_US) {
                app.tokens.put(key, access.clone(), now, epoch);
            }
            seen(app, &access, now);
            Ok(access)
        }
    }
}

/// A provider was heard of, unless the request is one of our own.
fn seen(app: &App, access: &Access, now: i64) {
    if !access.is_test {
        app.contacts
            .seen(&access.directory.id, &access.token_id, now);
    }
}

async fn missing(app: &App, directory_id: &str) -> Refused {
    let id = directory_id.to_owned();
    let found = app
        .store
        .lookup(move |tx| directories::by_id(tx, &id))
        .await;
    match found {
        Ok(directory) => Refused::Missing(Some(Arc::new(directory))),
        Err(Refusal::NotFound(..)) => Refused::Missing(None),
        Err(error) => Refused::Failed(error),
    }
}

/// The token in the `Authorization` header. Scheme names are case-insensitive (RFC 9110 section 11.1). With Basic the
/// password counts and the user name does not, as Okta's Sign In connector has it.
fn presented(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return (!rest.is_empty()).then(|| rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        return pair
            .split_once(':')
            .map(|(_, password)| password.to_owned());
    }
    None
}
