//! Laws of waiting: with failures, and for renewals.

use super::identity::renewal;
use super::{FIRST_WAIT, Failures, Fault, LONGEST_WAIT, Trouble};
use crate::world::{Level, World};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::sync::Mutex;
use std::time::Duration;

/// A world by chance alone.
struct Chance(f64, Mutex<Vec<String>>);

impl World for Chance {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn steady(&self) -> Duration {
        Duration::ZERO
    }

    fn chance(&self) -> f64 {
        self.0
    }

    fn sleep(&self, _length: Duration) {}

    fn say(&self, _level: Level, text: &str) {
        self.1.lock().unwrap().push(text.to_owned());
    }
}

fn away() -> Trouble {
    Fault::Unreachable("https://roll".to_owned(), "no route".to_owned()).into()
}

fn left() -> Trouble {
    let refused = Fault::Refused {
        status: 401,
        code: "left".to_owned(),
        detail: "this host has left".to_owned(),
    };
    refused.into()
}

#[test]
fn a_failure_is_said_once_and_its_end_too() {
    let world = Chance(0.0, Mutex::default());
    let mut failures = Failures::default();
    for _ in 0..5 {
        failures.another(&world, &away());
    }
    failures.another(&world, &left());
    failures.over(&world);
    failures.over(&world);
    assert_eq!(
        *world.1.lock().unwrap(),
        [
            "https://roll cannot be reached: no route",
            "this host has left",
            "it works again"
        ]
    );
}

proptest! {
    /// Waits grow, are never shorter than half of what they could be, and end at a bound however long a server is away.
    #[test]
    fn waits_grow_up_to_a_bound(chance in 0.0..1.0, times in 1_usize..5_000) {
        let world = Chance(chance, Mutex::default());
        let mut failures = Failures::default();
        let waits: Vec<Duration> = (0..times).map(|_| failures.another(&world, &away())).collect();
        prop_assert!(waits[0] >= FIRST_WAIT / 2);
        prop_assert!(waits.is_sorted());
        prop_assert!(waits.iter().all(|wait| *wait <= LONGEST_WAIT));
        if times > 10 {
            prop_assert!(waits[times - 1] >= LONGEST_WAIT / 2);
        }
    }

    /// Whatever is good for a time is renewed after half of it, and with a third of it left at the latest.
    #[test]
    fn renewals_leave_time_for_attempts(begin in 0_i64..4_000_000_000, life in 600_i64..100_000_000, chance in 0.0..1.0) {
        let after = Timestamp::from_second(begin).unwrap();
        let before = after + SignedDuration::from_secs(life);
        let at = renewal((after, before), chance);
        let left = before.duration_since(at).as_secs_f64() / life as f64;
        prop_assert!((0.333..0.434).contains(&left), "{left}");
    }
}
