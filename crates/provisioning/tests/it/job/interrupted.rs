//! A cycle that is broken off anywhere comes to the same end, with nothing made twice.

use jiff::Timestamp;
use portreeve_provisioning::job::{Progress, Stop};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::json;
use tokio::sync::{Notify, watch};

use super::world::World;

/// A company with managers, groups and a first change set, as far as it has come.
fn company(world: &mut World, day: u8) {
    for number in 0..40 {
        let key = format!("p{number:02}");
        let manager = format!("p{:02}", number / 4);
        let leaves = day > 0 && number % 9 == 4;
        match leaves {
            true => drop(world.people.remove(&key)),
            false => {
                let name = if day > 0 && number % 5 == 0 {
                    "New"
                } else {
                    "Old"
                };
                let enabled = day == 0 || number % 7 != 3;
                world.person(
                    &key,
                    json!({"name": name, "manager": manager, "accountEnabled": enabled}),
                );
            }
        }
    }
    for group in 0..4 {
        let members: Vec<String> = (0..40)
            .filter(|number| (number + usize::from(day)) % (group + 2) == 0)
            .map(|number| format!("p{number:02}"))
            .collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        world.group(&format!("g{group}"), &members);
    }
}

/// What an undisturbed job comes to after the first and the second day.
async fn undisturbed() -> [serde_json::Value; 2] {
    let mut world = World::new().await;
    company(&mut world, 0);
    world.cycle().await;
    let first = cleaned(world.there());
    company(&mut world, 1);
    world.cycle().await;
    [first, cleaned(world.there())]
}

/// Without those whom this application still shows in groups after they are gone.
fn cleaned(mut there: serde_json::Value) -> serde_json::Value {
    for members in there
        .as_object_mut()
        .into_iter()
        .flat_map(|it| it.values_mut())
    {
        if let Some(members) = members.as_array_mut() {
            members.retain(|name| name != "nobody");
        }
    }
    there
}

/// Runs a cycle until the application has heard so many requests, then drops it. `false`: it came to its end first.
pub(super) async fn broken_off(world: &World, after: usize) -> bool {
    let heard = std::sync::Arc::new(Notify::new());
    let (bell, mut count) = (heard.clone(), 0);
    world.fault(move |_| {
        count += 1;
        if count == after {
            bell.notify_one();
        }
        None
    });
    let (progress, _) = watch::channel(Progress::new(Timestamp::UNIX_EPOCH));
    let (job, stop) = (world.job(), Stop::default());
    tokio::select! {
        biased;
        () = heard.notified() => true,
        ended = job.cycle(&progress, &stop) => {
            ended.unwrap();
            false
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_is_broken_off_comes_to_the_same_end(
        first in prop::collection::vec(1_usize..120, 0..4),
        second in prop::collection::vec(1_usize..60, 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            static EXPECTED: tokio::sync::OnceCell<[serde_json::Value; 2]> = tokio::sync::OnceCell::const_new();
            let expected = EXPECTED.get_or_init(undisturbed).await;
            let mut world = World::new().await;
            for (day, breaks) in [first, second].into_iter().enumerate() {
                company(&mut world, u8::try_from(day).unwrap());
                for after in breaks {
                    broken_off(&world, after).await;
                }
                world.mend();
                let summary = world.cycle().await;
                assert_eq!(summary.counters.failed, 0, "{summary:?}");
                assert_eq!(&cleaned(world.there()), &expected[day], "day {day}");
                assert_eq!(world.cycle().await.requests, 0);
            }
        });
    }
}
