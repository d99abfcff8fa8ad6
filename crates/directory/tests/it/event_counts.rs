//! Counting events by the hour.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::event_counts::{self, HOUR};
use portreeve_directory::events::{self, Category, Cause, New, Outcome};
use portreeve_directory::{Actor, SystemClock};

on_each_engine! {
    every_event_is_counted_once_in_its_hour
}

fn every_event_is_counted_once_in_its_hour(on: Engine) {
    let world = World::new(on);
    let team = world.directory.team_id.clone();
    let refused = Outcome::Refused {
        reason: "suspended",
        detail: "",
    };
    let told = [
        (Category::Auth, Outcome::Ok),
        (Category::Auth, refused),
        (Category::Auth, Outcome::Ok),
        (Category::Admin, Outcome::Ok),
    ];
    let count = |world: &World| {
        let of = team.clone();
        world
            .write(move |tx, _| event_counts::advance(tx, &of))
            .unwrap()
    };
    for (category, outcome) in told {
        leave(&world, category, outcome);
        assert!(!count(&world), "it is one stretch");
    }
    assert!(!count(&world), "and then nothing");
    let of = team.clone();
    let counts = world
        .read(move |tx| event_counts::since(tx, &of, 0))
        .unwrap();
    let sum = |category: &str, refused| {
        let found = counts
            .iter()
            .filter(|one| one.category == category && one.refused == refused);
        found.map(|one| one.number).sum::<i64>()
    };
    assert_eq!(
        (sum("AUTH", false), sum("AUTH", true), sum("ADMIN", false)),
        (2, 1, 1),
        "{counts:?}"
    );
    assert!(
        counts
            .iter()
            .all(|one| one.hour >= 0 && one.hour < i64::MAX / HOUR)
    );
    let of = team.clone();
    assert!(
        !world
            .read(move |tx| event_counts::is_behind(tx, &of))
            .unwrap()
    );
}

fn leave(world: &World, category: Category, outcome: Outcome<'static>) {
    let of = world.directory.team_id.clone();
    let event = New {
        category,
        action: "x",
        outcome,
        object_kind: None,
        object_id: None,
        object_name: None,
        version: None,
        changes: None,
    };
    let left = world.write(move |tx, call| {
        let cause = Cause {
            team_id: &of,
            directory_id: None,
            actor: &Actor::System,
            request_id: None,
            at: 0,
            clock: &SystemClock,
            ids: &call.ids,
        };
        events::record_of(tx, &cause, &event)
    });
    left.unwrap();
}
