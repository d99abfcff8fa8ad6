use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;

/// A clock that is set by hand. Pauses move it, and are written down in milliseconds.
#[derive(Debug, Default)]
struct Clock {
    now: AtomicU64,
    pauses: Mutex<Vec<u64>>,
}

impl Clock {
    fn set(&self, millis: u64) {
        self.now.store(millis, Ordering::Relaxed);
    }

    fn pauses(&self) -> Vec<u64> {
        std::mem::take(&mut *self.pauses.lock().unwrap())
    }
}

impl Surroundings for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.now.load(Ordering::Relaxed))
    }

    fn random(&self) -> u64 {
        0
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.pauses.lock().unwrap().push(millis);
        self.now.fetch_add(millis, Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

fn pace(parallel: u32, per_second: Option<f64>) -> (Pace, Arc<Clock>) {
    let clock = Arc::new(Clock::default());
    clock.set(1_000_000);
    (Pace::new(parallel, per_second, clock.clone()), clock)
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_wait_longer_than_it_was_meant_to_be() {
    let (pace, clock) = pace(2, Some(1.0));
    pace.turn().await;
    clock.set(1_000);
    pace.turn().await;
    assert_eq!(clock.pauses(), [2_000], "no more than the places there are");

    clock.set(1_000_000);
    pace.hold(Duration::from_secs(30));
    clock.set(500);
    pace.turn().await;
    assert_eq!(clock.pauses()[0], 30_000, "no more than was asked for");
}

#[tokio::test]
async fn of_two_quiet_times_the_longer_one_counts_and_one_that_is_over_does_not() {
    let (pace, clock) = pace(1, None);
    pace.hold(Duration::from_secs(30));
    pace.hold(Duration::from_secs(10));
    pace.turn().await;
    pace.turn().await;
    assert_eq!(clock.pauses(), [30_000]);
}

proptest! {
    #[test]
    fn in_any_time_there_are_no_more_requests_than_the_rate_allows(
        idle in proptest::collection::vec(0_u64..3_000, 1..40),
        per_second in 1_u32..20,
    ) {
        let (pace, clock) = pace(1, Some(f64::from(per_second)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut moments = Vec::new();
        for time in idle {
            clock.set(clock.now.load(Ordering::Relaxed) + time);
            runtime.block_on(pace.turn());
            moments.push(clock.now.load(Ordering::Relaxed));
        }
        // Pauses are told in whole milliseconds.
        let least = 1_000 / u64::from(per_second) - 1;
        for pair in moments.windows(2) {
            prop_assert!(pair[1] - pair[0] >= least, "{pair:?}");
        }
    }
}
