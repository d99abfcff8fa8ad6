//! Documents of a provider that are kept for a while, and how often it may be asked for them.

use crate::{Error, Fetched};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A moment by both clocks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Seconds since 1970 UTC.
    pub unix: i64,
    /// Time since some moment in the past, which nobody can set.
    pub steady: Duration,
}

/// How long a document is kept that does not say it.
const UNSAID: Duration = Duration::from_secs(60 * 60);
/// However short a document may be kept, each sign-in need not ask for it.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// However long it may be kept, a withdrawn key is to be forgotten within a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a failure is kept: people who wait for a provider that is down do not all ask it.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// One document. Many who need it ask once.
#[derive(Debug)]
pub(crate) struct Cache<T>(Mutex<Option<Entry<T>>>);

#[derive(Debug)]
struct Entry<T> {
    result: Result<Arc<T>, Error>,
    asked_at: Duration,
    until: Duration,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Cache<T> {
    /// The document, fetched again when it is too old.
    pub(crate) async fn get(
        &self,
        steady: Duration,
        fetch: impl AsyncFnOnce() -> Result<Fetched<T>, Error>,
    ) -> Result<Arc<T>, Error> {
        self.get_if(steady, |entry| steady < entry.until, fetch)
            .await
    }

    /// The document, fetched again when it was asked for longer than `age` ago.
    pub(crate) async fn get_after(
        &self,
        steady: Duration,
        age: Duration,
        fetch: impl AsyncFnOnce() -> Result<Fetched<T>, Error>,
    ) -> Result<Arc<T>, Error> {
        let fresh = |entry: &Entry<T>| steady.saturating_sub(entry.asked_at) < age;
        self.get_if(steady, fresh, fetch).await
    }

    async fn get_if(
        &self,
        steady: Duration,
        is_fresh: impl Fn(&Entry<T>) -> bool,
        fetch: impl AsyncFnOnce() -> Result<Fetched<T>, Error>,
    ) -> Result<Arc<T>, Error> {
        // Held while the provider is asked: the others wait for its answer.
        let mut kept = self.0.lock().await;
        if let Some(entry) = kept.as_ref()
            && is_fresh(entry)
        {
            return entry.result.clone();
        }
        let fetched = fetch().await;
        let life = match &fetched {
            Ok(fetched) => fetched.max_age.unwrap_or(UNSAID).clamp(SHORTEST, LONGEST),
            Err(_) => AFTER_FAILURE,
        };
        let result = fetched.map(|fetched| Arc::new(fetched.value));
        *kept = Some(Entry {
            result: result.clone(),
            asked_at: steady,
            until: steady.saturating_add(life),
        });
        result
    }
}
