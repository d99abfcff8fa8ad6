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
/// The most characters of a path and of a query that are shown.
const SHOWN: usize = 300;
/// The most bytes of them as they came that are kept.
const BYTES: usize = 8 * SHOWN;

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

/// The requests of each directory, the newest first. They are kept as they came: hardly any is ever looked at.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    kept: Mutex<HashMap<String, VecDeque<Answered>>>,
    /// Rises with every request.
    count: AtomicU64,
}

/// What of a request is known before it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Coming {
    /// From the directory on, as it came.
    target: String,
    /// How long the directory's id in it is.
    directory: usize,
    at: i64,
    method: Method,
    request_id: String,
}

#[derive(Debug)]
struct Answered {
    coming: Coming,
    status: StatusCode,
    took: Duration,
}

impl Coming {
    /// A request of SCIM; `None` when it is for something else.
    pub(crate) fn of(method: &Method, uri: &Uri, request_id: &str, at: i64) -> Option<Self> {
        let (directory, _) = uri.path().strip_prefix("/scim/")?.split_once(ROOT)?;
        let target = uri.path_and_query()?.as_str().strip_prefix("/scim/")?;
        let end = target.floor_char_boundary(directory.len() + ROOT.len() + BYTES);
        Some(Self {
            target: target[..end].to_owned(),
            directory: directory.len(),
            at,
            method: method.clone(),
            request_id: request_id.to_owned(),
        })
    }

    fn directory(&self) -> &str {
        &self.target[..self.directory]
    }
}

/// What comes after the directory's id.
const ROOT: &str = "/v2";

impl Answered {
    /// As people read it.
    fn seen(&self) -> Seen {
        let coming = &self.coming;
        let target = &coming.target[coming.directory + ROOT.len()..];
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
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
        Seen {
            at: coming.at,
            method: coming.method.clone(),
            path: short(if path.is_empty() { "/" } else { path }),
            query: short(&decoded.join(" & ")),
            status: self.status,
            took: self.took,
            request_id: coming.request_id.clone(),
        }
    }
}

impl Requests {
    /// Keeps a request as it was answered. `known`: its token was good.
    pub(crate) fn keep(&self, coming: Coming, status: StatusCode, took: Duration, known: bool) {
        let mut kept = self.lock();
        let of = match kept.get_mut(coming.directory()) {
            Some(of) => of,
            None if known => kept.entry(coming.directory().to_owned()).or_default(),
            None => return,
        };
        of.truncate(KEPT - 1);
        of.push_front(Answered {
            coming,
            status,
            took,
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
            .map(Answered::seen)
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

    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Answered>>> {
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
        let shown = |uri: &str| {
            let requests = Requests::default();
            let status = StatusCode::OK;
            requests.keep(coming(uri).unwrap(), status, Duration::ZERO, true);
            requests.of("d").remove(0)
        };
        let seen = shown("/scim/d/v2/Users?filter=userName+eq+%22a%40b%22&aadOptscim062020");
        assert_eq!(seen.path, "/Users");
        assert_eq!(seen.query, "filter=userName eq \"a@b\" & aadOptscim062020");
        assert_eq!(shown("/scim/d/v2").path, "/");
        assert_eq!(coming("/api/v1/events").map(|c| c.target), None);
        let long = shown(&format!("/scim/d/v2/{}", "x".repeat(5000)));
        assert_eq!(long.path.chars().count(), SHOWN);
        let long = shown(&format!("/scim/d/v2/?q={}", "%C3%A9".repeat(5000)));
        assert_eq!(long.query.chars().count(), SHOWN);
    }
}
