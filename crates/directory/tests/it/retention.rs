//! What the log keeps for how long.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::certificates::Whose;
use portreeve_directory::events::Cause;
use portreeve_directory::events::{self, Category, Log, New, Outcome};
use portreeve_directory::holders::Holder;
use portreeve_directory::identities::{self, Identity};
use portreeve_directory::{Call, Clock, used_tokens};
use std::sync::Arc;

on_each_engine! {
    each_half_of_the_log_is_kept_for_its_own_time
    what_a_wrong_clock_has_written_does_not_stand_in_the_way
    identities_and_used_tokens_are_kept_until_nobody_would_accept_them
}

/// A clock that stands at a day.
struct Day(i64);

const DAY_US: i64 = 86_400_000_000;

impl Clock for Day {
    fn now(&self) -> i64 {
        self.0 * DAY_US
    }
}

const REFUSED: Outcome<'_> = Outcome::Refused {
    reason: "reason",
    detail: "detail",
};

/// Writes an event on a day, and calls it by its action.
fn record(
    world: &World,
    day: i64,
    action: &'static str,
    category: Category,
    outcome: Outcome<'static>,
) {
    world
        .write(move |tx, call| {
            let call = Call {
                clock: Arc::new(Day(day)),
                at: day * DAY_US,
                ..call.clone()
            };
            let new = New {
                category,
                action,
                outcome,
                object_kind: None,
                object_id: None,
                object_name: None,
                version: None,
                changes: None,
            };
            events::record(tx, &call, &new)
        })
        .unwrap();
}

/// Removes what is older than so many days, as the server does it: batch by batch until there is nothing.
fn prune(world: &World, log: Log, today: i64, days: i64) -> usize {
    let (older_than, now) = ((today - days) * DAY_US, today * DAY_US);
    let mut total = 0;
    loop {
        let team = world.directory.team_id.clone();
        let count = world
            .write(move |tx, _| events::prune(tx, &team, log, older_than, now, 2))
            .unwrap();
        total += count;
        if count == 0 {
            return total;
        }
    }
}

fn left(world: &World) -> Vec<String> {
    let events = world.events().into_iter();
    events.map(|event| event.action).collect()
}

fn each_half_of_the_log_is_kept_for_its_own_time(on: Engine) {
    let world = World::new(on);
    for (day, action, category, outcome) in [
        (0, "old change", Category::ScimSync, Outcome::Ok),
        (0, "old rule", Category::Admin, Outcome::Ok),
        (0, "old warning", Category::Admin, REFUSED),
        (0, "old refusal", Category::ScimSync, REFUSED),
        (375, "change", Category::ScimSync, Outcome::Ok),
        (375, "refusal", Category::ScimSync, REFUSED),
    ] {
        record(&world, day, action, category, outcome);
    }
    // On the very day at which they may go, they are not older than that.
    assert_eq!(prune(&world, Log::Audit, 400, 400), 0);
    assert_eq!(prune(&world, Log::Requests, 400, 30), 1);
    assert_eq!(
        left(&world),
        ["old change", "old rule", "old warning", "change", "refusal"]
    );
    assert_eq!(prune(&world, Log::Audit, 401, 400), 3);
    assert_eq!(left(&world), ["change", "refusal"]);
    assert_eq!(prune(&world, Log::Requests, 406, 30), 1);
    assert_eq!(left(&world), ["change"]);
}

fn what_a_wrong_clock_has_written_does_not_stand_in_the_way(on: Engine) {
    let world = World::new(on);
    // More than a batch, by a clock that was a thousand days ahead for a moment.
    let days = [0, 1000, 1000, 1000, 0, 0, 50];
    for (log, category, outcome) in [
        (Log::Audit, Category::ScimSync, Outcome::Ok),
        (Log::Requests, Category::ScimSync, REFUSED),
    ] {
        for day in days {
            record(&world, day, "event", category, outcome);
        }
        assert_eq!(prune(&world, log, 60, 30), 3, "{log:?}");
        assert_eq!(prune(&world, log, 1031, 30), 4, "{log:?}: its time came");
    }
    assert_eq!(left(&world), Vec::<String>::new());
}

fn identities_and_used_tokens_are_kept_until_nobody_would_accept_them(on: Engine) {
    const END: i64 = 10 * DAY_US;
    let world = World::new(on);
    let token = [7; 32];
    let use_up = || {
        world
            .write(move |tx, _| used_tokens::use_up(tx, "t1", &token, END))
            .unwrap()
    };
    let identity = Identity {
        serial: "0a".into(),
        subject: "ada".into(),
        whose: Whose::Holder(Holder::Service("ada".into())),
        provisioner: None,
        issued_at: 0,
        not_after: END,
        revoked_at: None,
    };
    world
        .write(move |tx, call| identities::record(tx, &Cause::of(call), &identity))
        .unwrap();
    assert!(use_up());
    let known = || {
        world
            .read(|tx| identities::by_serial(tx, "t1", "0a"))
            .unwrap()
    };
    for (name, before, is_kept) in [
        ("a day before", END - DAY_US, true),
        ("at its end", END, true),
        ("after it", END + 1, false),
    ] {
        let prune = world.write(move |tx, _| {
            identities::prune(tx, before)?;
            used_tokens::prune(tx, before)
        });
        prune.unwrap();
        assert_eq!(known().is_some(), is_kept, "{name}");
        assert_eq!(use_up(), !is_kept, "{name}");
    }
}
