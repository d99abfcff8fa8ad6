//! Leases: background work is with one replica at a time, and moves on when that one is gone.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::leases::{self, Halted, LIFE, Lease, RETENTION, Replica, Watch};
use portreeve_directory::{Refusal, teams};
use portreeve_store::Tx;
use proptest::prelude::*;
use std::time::Duration;

on_each_engine! {
    no_two_replicas_act_at_once
    a_lease_is_with_one_replica_until_that_is_buried
    a_replica_that_has_beaten_meanwhile_is_not_buried
    who_stops_frees_its_leases_at_once
    a_second_tenure_ends_the_first_of_the_same_replica
    a_lease_that_is_taken_over_is_lost_to_whoever_has_it
    a_deleted_directory_has_no_leases
    work_of_a_dead_replica_is_taken_over_within_half_a_minute
}

const OWNER: &str = "owner";

impl World {
    fn registers(&self, id: &'static str) {
        self.write(move |tx, call| leases::register(tx, id, call.at))
            .unwrap();
    }

    fn beats(&self, id: &'static str) -> bool {
        self.write(move |tx, _| leases::beat(tx, id)).unwrap()
    }

    fn takes(&self, id: &'static str) -> Option<Lease> {
        self.write(move |tx, _| leases::acquire(tx, OWNER, RETENTION, id))
            .unwrap()
    }

    fn listed(&self) -> Vec<Replica> {
        self.read(leases::replicas).unwrap()
    }

    fn seen(&self, id: &str) -> Replica {
        let mut listed = self.listed();
        listed.retain(|replica| replica.id == id);
        listed.remove(0)
    }

    fn buries(&self, seen: Replica) -> bool {
        self.write(move |tx, _| leases::bury(tx, &seen)).unwrap()
    }

    fn holder(&self) -> Option<String> {
        self.read(|tx| leases::holder(tx, OWNER, RETENTION))
            .unwrap()
    }

    /// Whether a transaction under the lease is committed.
    fn works(&self, lease: &Lease, mark: &'static str) -> bool {
        let lease = lease.clone();
        let done = self.write(move |tx, _| {
            // Work that is begun before the check must not stay either.
            teams::ensure(tx, mark, mark, 1)?;
            held(tx, &lease)
        });
        let kept = self.read(move |tx| teams::by_name(tx, mark)).is_ok();
        assert_eq!(kept, done.is_ok(), "{mark}");
        kept
    }
}

fn held(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), Refusal> {
    leases::hold(tx, lease).map_err(|halted| match halted {
        Halted::Refused(refusal) => refusal,
        Halted::Lost(name) => Refusal::Invalid {
            attribute: "lease",
            reason: name.to_owned(),
        },
    })
}

fn a_lease_is_with_one_replica_until_that_is_buried(on: Engine) {
    let world = World::new(on);
    world.registers("a");
    world.registers("b");
    let first = world.takes("a").unwrap();
    assert_eq!(world.takes("b"), None);
    assert_eq!(world.holder().as_deref(), Some("a"));
    assert!(world.works(&first, "before"));

    assert!(world.buries(world.seen("a")));
    assert_eq!(world.holder(), None);
    assert!(
        !world.works(&first, "dead"),
        "nobody has it, it least of all"
    );
    let second = world.takes("b").unwrap();
    assert!(second.fence > first.fence, "{first:?} {second:?}");
    assert!(!world.works(&first, "late"), "it woke up and is too late");
    assert!(world.works(&second, "after"));
    assert!(!world.beats("a"), "it learns that it was buried");
    assert_eq!(world.takes("a"), None, "and gets nothing any more");
}

fn a_replica_that_has_beaten_meanwhile_is_not_buried(on: Engine) {
    let world = World::new(on);
    world.registers("a");
    let seen = world.seen("a");
    let lease = world.takes("a").unwrap();
    assert!(world.beats("a"));
    assert!(!world.buries(seen));
    assert!(world.works(&lease, "still"));
}

fn who_stops_frees_its_leases_at_once(on: Engine) {
    let world = World::new(on);
    world.registers("a");
    world.registers("b");
    let lease = world.takes("a").unwrap();
    let given = lease.clone();
    world
        .write(move |tx, _| leases::release(tx, &given))
        .unwrap();
    assert!(!world.works(&lease, "released"));
    let lease = world.takes("a").unwrap();
    world.write(|tx, _| leases::leave(tx, "a")).unwrap();
    assert!(!world.works(&lease, "left"));
    assert!(world.takes("b").is_some());
    world.write(|tx, _| leases::alone(tx)).unwrap();
    assert_eq!(world.listed(), []);
    assert_eq!(world.holder(), None);
}

fn a_second_tenure_ends_the_first_of_the_same_replica(on: Engine) {
    let world = World::new(on);
    world.registers("a");
    // As after an answer of the database that was lost.
    let first = world.takes("a").unwrap();
    let second = world.takes("a").unwrap();
    assert!(!world.works(&first, "first"));
    assert!(world.works(&second, "second"));
    world
        .write(move |tx, _| leases::release(tx, &first))
        .unwrap();
    assert!(world.works(&second, "unharmed"));
}

fn a_lease_that_is_taken_over_is_lost_to_whoever_has_it(on: Engine) {
    let world = World::new(on);
    world.registers("a");
    world.registers("b");
    let seizes = |id: &'static str| {
        world
            .write(move |tx, _| leases::seize(tx, OWNER, RETENTION, id))
            .unwrap();
    };
    let own = world.takes("a").unwrap();
    seizes("a");
    assert!(world.works(&own, "own"));
    seizes("b");
    assert!(!world.works(&own, "lost"));
    assert_eq!(world.takes("a"), None);
    assert!(world.takes("b").is_some());
    world.write(|tx, _| leases::leave(tx, "b")).unwrap();
    seizes("a");
    assert_eq!(world.holder().as_deref(), Some("a"), "nobody had it");
}

fn a_deleted_directory_has_no_leases(on: Engine) {
    let world = World::new(on);
    world.registers("a");
    let id = world.directory.id.clone();
    let lease = world
        .write(move |tx, _| leases::acquire(tx, &id, leases::PUSH, "a"))
        .unwrap()
        .unwrap();
    let id = world.directory.id.clone();
    world
        .write(move |tx, _| portreeve_directory::directories::delete(tx, &id))
        .unwrap();
    assert!(!world.works(&lease, "gone"));
}

/// One look of a watcher: seconds on its clock, and the beat that it finds; none where the database does not answer.
type Look = (u64, Option<i64>);

/// Looks, and whether the replica is held to be dead after the last one.
const WATCHED: [(&str, &[Look], bool); 7] = [
    (
        "it beats",
        &[(0, Some(1)), (5, Some(2)), (10, Some(3)), (15, Some(4))],
        false,
    ),
    (
        "it stands still",
        &[(0, Some(7)), (5, Some(7)), (10, Some(7)), (15, Some(7))],
        true,
    ),
    (
        "not long enough",
        &[(0, Some(7)), (5, Some(7)), (10, Some(7)), (14, Some(7))],
        false,
    ),
    (
        "it beat once in between",
        &[(0, Some(7)), (5, Some(7)), (10, Some(8)), (20, Some(8))],
        false,
    ),
    (
        "everybody stood still for an hour",
        &[(0, Some(7)), (3600, Some(7)), (3605, Some(8))],
        false,
    ),
    (
        "looks in quick succession after an hour",
        &[(0, Some(7)), (3600, Some(7)), (3601, Some(7))],
        false,
    ),
    (
        "the database was away for all",
        &[(0, Some(7)), (5, None), (40, Some(7)), (50, Some(7))],
        false,
    ),
];

#[test]
fn a_replica_is_dead_when_its_beat_stands_still() {
    for (name, looks, expect) in WATCHED {
        let mut watch = Watch::default();
        let mut dead = Vec::new();
        for (at, found) in looks {
            let Some(beat) = found else {
                watch.begin_anew();
                continue;
            };
            let listed = [Replica {
                id: "a".into(),
                beat: *beat,
            }];
            dead = watch.look(&listed, Duration::from_secs(*at));
        }
        assert_eq!(!dead.is_empty(), expect, "{name}");
    }
}

/// One thing that happens to one of three replicas.
#[derive(Debug, Clone, Copy)]
enum Step {
    Beat(usize),
    Look(usize),
    Take(usize),
    /// So many milliseconds pass. Whoever does nothing meanwhile stands still.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3_usize).prop_map(Step::Beat),
        4 => (0..3_usize).prop_map(Step::Look),
        2 => (0..3_usize).prop_map(Step::Take),
        4 => (1..6_000_u64).prop_map(Step::Pass),
    ]
}

/// A replica as the server has it.
#[derive(Default)]
struct Actor {
    beaten: Duration,
    lease: Option<Lease>,
    watch: Watch,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Whatever happens in whatever order, no two replicas may act at once, and the one that may is the one whose
/// transactions are committed.
fn no_two_replicas_act_at_once(on: Engine) {
    proptest!(on.cases(24), |(steps in prop::collection::vec(step(), 1..120))| {
        let world = World::new(on);
        let mut now = Duration::ZERO;
        let mut actors: [Actor; 3] = Default::default();
        for name in NAMES {
            world.registers(name);
        }
        for step in steps {
            match step {
                Step::Pass(millis) => now += Duration::from_millis(millis),
                Step::Beat(who) => match world.beats(NAMES[who]) {
                    true => actors[who].beaten = now,
                    false => actors[who].lease = None,
                },
                Step::Look(who) => {
                    let mut listed = world.listed();
                    listed.retain(|replica| replica.id != NAMES[who]);
                    for still in actors[who].watch.look(&listed, now) {
                        world.buries(still);
                    }
                }
                Step::Take(who) => {
                    if actors[who].lease.is_none() {
                        actors[who].lease = world.takes(NAMES[who]);
                    }
                }
            }
            let may_act = actors.iter().filter(|actor| {
                actor.lease.is_some() && now.saturating_sub(actor.beaten) < LIFE
            });
            let may_act: Vec<_> = may_act.filter_map(|actor| actor.lease.clone()).collect();
            prop_assert!(may_act.len() <= 1, "{may_act:?}");
            for lease in may_act {
                let committed = world.write(move |tx, _| held(tx, &lease));
                prop_assert!(committed.is_ok());
            }
        }
    });
}

fn work_of_a_dead_replica_is_taken_over_within_half_a_minute(on: Engine) {
    // However the beats of the dead one and the looks of the other lie to each other.
    for offset in [0, 1, 2500, 4999] {
        let world = World::new(on);
        world.registers("a");
        world.registers("b");
        let lease = world.takes("a").unwrap();
        let mut watch = Watch::default();
        // The last beat of "a" is at 0; "b" beats and looks every five seconds.
        world.beats("a");
        let mut at = Duration::from_millis(offset);
        loop {
            world.beats("b");
            for still in watch.look(&world.listed(), at) {
                assert_eq!(still.id, "a", "b beats");
                world.buries(still);
            }
            if world.takes("b").is_some() {
                break;
            }
            at += Duration::from_secs(5);
        }
        assert!(at < Duration::from_secs(30), "{offset}: {at:?}");
        assert!(at >= LIFE, "{offset}: {at:?}");
        assert!(!world.works(&lease, "late"));
    }
}
