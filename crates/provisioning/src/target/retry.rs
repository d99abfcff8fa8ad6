//! When a failed request is repeated, and how long the pause before it is.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// Where a client takes time and chance from, so that a test can give its own.
pub trait Surroundings: fmt::Debug + Send + Sync {
    /// The time of day; only for dates in `Retry-After`.
    fn now(&self) -> SystemTime;

    /// 64 random bits, for the length of pauses and for names that nobody has. Not used for secrets.
    fn random(&self) -> u64;

    /// Lets `time` pass.
    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// How patient a client is. The default suits an application on the internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How often a request is sent before its failure is final; at least once.
    pub attempts: u32,
    /// The bound of the first random pause; it doubles with each attempt.
    pub first_pause: Duration,
    /// What the bound of the random pause grows to.
    pub longest_pause: Duration,
    /// The longest wait that a target may ask for in `Retry-After`; if it asks for more, the request fails.
    pub longest_retry_after: Duration,
    /// Time to open a connection, TLS included.
    pub connect_timeout: Duration,
    /// Time from sending a request to the last byte of its answer.
    pub request_timeout: Duration,
    /// Bytes of the largest answer that is read.
    pub largest_answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            longest_retry_after: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            largest_answer: 16 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// The pause after the failed attempt number `attempt` (from 1): exponential back-off with full jitter, that is
    /// any time between nothing and the bound, so that clients that failed together do not come back together.
    pub(crate) fn backoff(&self, attempt: u32, random: u64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let bound = self
            .first_pause
            .saturating_mul(1 << doublings)
            .min(self.longest_pause);
        bound.mul_f64(random as f64 / u64::MAX as f64)
    }
}

/// How long a `Retry-After` header asks to wait (RFC 9110 section 10.2.3): a number of seconds or a date.
///
/// A date counts from the answer's own `Date` where it has one, because the two clocks need not agree.
pub(crate) fn retry_after(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = date
        .and_then(|text| httpdate::parse_http_date(text).ok())
        .unwrap_or(now);
    Some(until.duration_since(from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn retry_after_is_read_in_every_form() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap();
        let cases = [
            ("seconds", "7", None, Some(7)),
            ("seconds with blanks", " 7 ", None, Some(7)),
            (
                "more seconds than a number holds",
                "99999999999999999999999",
                None,
                Some(u64::MAX),
            ),
            ("date", "Sat, 21 Nov 2026 12:00:30 GMT", None, Some(30)),
            (
                "date in the past",
                "Sat, 21 Nov 2026 11:00:00 GMT",
                None,
                Some(0),
            ),
            (
                "date by a clock that is an hour fast",
                "Sat, 21 Nov 2026 13:00:05 GMT",
                Some("Sat, 21 Nov 2026 13:00:00 GMT"),
                Some(5),
            ),
            (
                "obsolete date",
                "Saturday, 21-Nov-26 12:00:30 GMT",
                None,
                Some(30),
            ),
            ("nothing", "", None, None),
            ("negative", "-1", None, None),
            ("words", "soon", None, None),
        ];
        for (name, value, date, seconds) in cases {
            assert_eq!(
                retry_after(value, date, now),
                seconds.map(Duration::from_secs),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_pause_stays_within_its_bound(attempt in 0_u32..200, random: u64) {
            let limits = Limits::default();
            let pause = limits.backoff(attempt, random);
            prop_assert!(pause <= limits.longest_pause);
            prop_assert!(attempt > 1 || pause <= limits.first_pause);
        }

        #[test]
        fn the_bound_doubles(attempt in 1_u32..6) {
            let limits = Limits::default();
            prop_assert_eq!(limits.backoff(attempt + 1, u64::MAX), limits.backoff(attempt, u64::MAX) * 2);
        }
    }
}
