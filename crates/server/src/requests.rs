//! The latest requests of providers, in memory, for whoever connects one: what came, how it was answered, how long that took.
//!
//! What they changed, and why some were refused, is in the log; this shows that something came at all. Bodies are not kept.
//! Directories that nobody has ever got into take no room, so that made-up ids cost nothing.

use http::{Method, StatusCode, Uri};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many requests are kept of each directory.
pub(crate) const KEPT: usize = 100;
/// The most characters of a path and of a query that are kept.
const SHOWN: usize = 300;

/// A request as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When it came (microseconds since 1970 UTC).
    pub(crate) at: i64,
    pub(crate) method: Method,
    /// Below the tenant URL.
    pub(crate) path: String,
    /// Decoded, for people.
    pub(crate) query: String,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
    /// Under which the log has it.
    pub(crate) request_id: String,
}

/// The requests of each directory, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    kept: Mutex<HashMap<String, VecDeque<Seen>>>,
    /// Rises with every request.
    count: AtomicU64,
}

/// What of a request is known before it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Coming {
    directory: String,
    at: i64,
    method: Method,
    path: String,
    query: String,
    request_id: String,
}

impl Coming {
    /// A request of SCIM; `None` when it is for something else.
    pub(crate) fn of(method: &Method, uri: &Uri, request_id: &str, at: i64) -> Option<Self> {
        let (directory, path) = uri.path().strip_prefix("/scim/")?.split_once("/v2")?;
        let query = uri.query().unwrap_or_default();
        let decoded: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| match value.is_empty() {
                true => name.into_owned(),
                false => format!("{name}={value}"),
            })
            .collect();
        let short = |text: &str| {
            text.chars()
                .filter(|c| !c.is_control())
                .take(SHOWN)
                .collect()
        };
        Some(Self {
            directory: directory.to_owned(),
            at,
            method: method.clone(),
            path: short(if path.is_empty() { "/" } else { path }),
            query: short(&decoded.join(" & ")),
            request_id: request_id.to_owned(),
        })
    }
}

impl Requests {
    /// Keeps a request as it was answered. `known`: its token was good.
    pub(crate) fn keep(&self, coming: Coming, status: StatusCode, took: Duration, known: bool) {
        let mut kept = self.lock();
        if !known && !kept.contains_key(&coming.directory) {
            return;
        }
        let of = kept.entry(coming.directory).or_default();
        of.truncate(KEPT - 1);
        of.push_front(Seen {
            at: coming.at,
            method: coming.method,
            path: coming.path,
            query: coming.query,
            status,
            took,
            request_id: coming.request_id,
        });
        drop(kept);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Those of a directory, the newest first. From now on refused ones are kept, too: somebody looks.
    pub(crate) fn of(&self, directory: &str) -> Vec<Seen> {
        let mut kept = self.lock();
        kept.entry(directory.to_owned())
            .or_default()
            .iter()
            .cloned()
            .collect()
    }

    /// Rises with every request, whichever directory it is for.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The directory is gone.
    pub(crate) fn forget(&self, directory: &str) {
        self.lock().remove(directory);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Seen>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coming(uri: &str) -> Option<Coming> {
        Coming::of(&Method::GET, &uri.parse().unwrap(), "r", 1)
    }

    #[test]
    fn the_latest_are_kept_of_directories_that_somebody_got_into() {
        let requests = Requests::default();
        let status = StatusCode::OK;
        let one = |path: &str| coming(&format!("/scim/d/v2{path}")).unwrap();
        requests.keep(
            one("/Users"),
            StatusCode::UNAUTHORIZED,
            Duration::ZERO,
            false,
        );
        assert_eq!(
            requests.count(),
            0,
            "nobody knows whether there is such a directory"
        );
        for number in 0..KEPT + 5 {
            requests.keep(
                one(&format!("/Users/{number}")),
                status,
                Duration::ZERO,
                true,
            );
        }
        requests.keep(
            one("/Groups"),
            StatusCode::UNAUTHORIZED,
            Duration::ZERO,
            false,
        );
        let seen = requests.of("d");
        assert_eq!((seen.len(), seen[0].path.as_str()), (KEPT, "/Groups"));
        assert_eq!(seen[1].path, format!("/Users/{}", KEPT + 4));
        requests.forget("d");
        assert_eq!(requests.of("d"), []);
    }

    #[test]
    fn a_request_is_kept_as_people_read_it() {
        let seen =
            coming("/scim/d/v2/Users?filter=userName+eq+%22a%40b%22&aadOptscim062020").unwrap();
        assert_eq!(seen.query, "filter=userName eq \"a@b\" & aadOptscim062020");
        assert_eq!(coming("/api/v1/events").map(|c| c.path), None);
        let long = coming(&format!("/scim/d/v2/{}", "x".repeat(5000))).unwrap();
        assert_eq!(long.path.chars().count(), SHOWN);
    }
}
