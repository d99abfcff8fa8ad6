//! Allowances that are used up by requests and grow back with time, one for each key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The most keys that have an allowance of their own.
const KEYS: usize = 1 << 16;

/// How fast an allowance grows back, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    /// The time in which one request grows back.
    pub(super) each: Duration,
    /// How many requests may come at once.
    pub(super) burst: u32,
}

impl Rate {
    /// So many requests a second, and at once as many as come in some seconds. None a second means no limit.
    pub(super) fn new(a_second: u32, burst_s: u32) -> Option<Self> {
        let each = Duration::from_secs(1).checked_div(a_second)?;
        Some(Self {
            each,
            burst: a_second.saturating_mul(burst_s),
        })
    }

    /// The time in which a used-up allowance becomes whole.
    fn span(self) -> Duration {
        self.each.saturating_mul(self.burst)
    }
}

/// The allowances of all keys. What is kept of each is a moment: when it will be whole again.
///
/// There are never more than [`KEYS`] moments. Those that have passed say nothing and go when the room is needed; if
/// all lie ahead, the keys that have none share one allowance, so that making up keys gains nobody anything.
#[derive(Debug)]
pub(super) struct Allowances<K> {
    rate: Rate,
    keys: usize,
    moments: Mutex<Moments<K>>,
}

#[derive(Debug)]
struct Moments<K> {
    whole_at: HashMap<K, Duration>,
    /// The allowance of the keys for which there is no room.
    others: Duration,
    /// When room was last looked for.
    swept: Duration,
}

impl<K: Hash + Eq + Clone> Allowances<K> {
    pub(super) fn new(rate: Rate) -> Self {
        Self::with_room(rate, KEYS)
    }

    fn with_room(rate: Rate, keys: usize) -> Self {
        Self {
            rate,
            keys,
            moments: Mutex::new(Moments {
                whole_at: HashMap::new(),
                others: Duration::ZERO,
                swept: Duration::ZERO,
            }),
        }
    }

    /// Takes one request from the allowance of this key, unless it is used up. `now` is steady time.
    pub(super) fn take(&self, key: &K, now: Duration) -> bool {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let whole_at = moments.of(key, self, now);
        let next = now.max(*whole_at) + self.rate.each;
        let within = next <= now + self.rate.span();
        if within {
            *whole_at = next;
        }
        within
    }
}

impl<K: Hash + Eq + Clone> Moments<K> {
    fn of(&mut self, key: &K, allowances: &Allowances<K>, now: Duration) -> &mut Duration {
        if !self.whole_at.contains_key(key) {
            // Looking through all of them for each newcomer would be work that an attacker can order.
            let full = self.whole_at.len() >= allowances.keys;
            if full && now >= self.swept + allowances.rate.span() {
                self.whole_at.retain(|_, whole_at| *whole_at > now);
                self.swept = now;
            }
            if self.whole_at.len() >= allowances.keys {
                return &mut self.others;
            }
        }
        self.whole_at.entry(key.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_second(requests: u32, burst_s: u32, keys: usize) -> Allowances<u32> {
        Allowances::with_room(Rate::new(requests, burst_s).unwrap(), keys)
    }

    /// How many of that many requests are allowed at that millisecond.
    fn allowed(allowances: &Allowances<u32>, key: u32, requests: usize, ms: u64) -> usize {
        let now = Duration::from_millis(ms);
        (0..requests).filter(|_| allowances.take(&key, now)).count()
    }

    #[test]
    fn none_a_second_is_no_limit() {
        assert_eq!(Rate::new(0, 2), None);
    }

    #[test]
    fn an_allowance_is_used_up_and_grows_back() {
        let allowances = a_second(10, 2, 100);
        for (name, key, requests, ms, expected) in [
            ("two seconds' worth at once", 1, 100, 0, 20),
            ("then nothing", 1, 100, 50, 0),
            ("and one after a tenth of a second", 1, 100, 100, 1),
            ("another key has its own", 2, 100, 100, 20),
            ("half a second is five", 1, 100, 600, 5),
            (
                "a long time is no more than the burst",
                1,
                100,
                3_600_000,
                20,
            ),
        ] {
            assert_eq!(allowed(&allowances, key, requests, ms), expected, "{name}");
        }
    }

    #[test]
    fn keys_for_which_there_is_no_room_share_one_allowance() {
        let allowances = a_second(1, 1, 3);
        for (name, key, ms, expected) in [
            ("first", 1, 0, 1),
            ("second", 2, 0, 1),
            ("third", 3, 0, 1),
            ("no room: the common one", 4, 500, 1),
            ("the common one is used up", 5, 500, 0),
            ("who has an own one keeps it", 1, 1000, 1),
            ("room again, where a moment has passed", 5, 1100, 1),
            ("and more of it", 6, 1100, 1),
            ("but no more than there is", 7, 1100, 0),
        ] {
            assert_eq!(allowed(&allowances, key, 1, ms), expected, "{name}");
        }
    }

    proptest! {
        /// However the requests lie, no stretch of time has more than the burst and what grows back in it.
        #[test]
        fn no_stretch_of_time_has_more_than_its_share(
            rate in 1_u32..50,
            burst_s in 1_u32..4,
            pauses in prop::collection::vec(0_u64..200, 1..200),
        ) {
            let allowances = a_second(rate, burst_s, 10);
            let mut at = 0;
            let mut times = Vec::new();
            for pause in pauses {
                at += pause;
                if allowed(&allowances, 1, 1, at) == 1 {
                    times.push(at);
                }
            }
            let (rate, burst) = (u64::from(rate), u64::from(rate * burst_s));
            for (i, first) in times.iter().enumerate() {
                for (j, last) in times.iter().enumerate().skip(i) {
                    let most = burst + rate * (last - first) / 1000 + 1;
                    prop_assert!(((j - i) as u64) < most, "{} from {first} to {last}", j - i + 1);
                }
            }
        }
    }
}
